"""The laboratory's memory as a dataset: reading gives every known trial, writing adds what is missing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from touchstone.ledger import add_known, read_known
from touchstone.lineage import Trial

__all__ = ["KnownTrialsDataset"]


class KnownTrialsDataset(AbstractDataset[tuple[Trial, ...], tuple[Trial, ...]]):
    """`ledger/known.jsonl`; ``TOUCHSTONE_LEDGER`` names another file (tests, calibration and `verify` use a scratch one)."""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(os.environ.get("TOUCHSTONE_LEDGER", filepath))
        self.metadata = metadata

    def load(self) -> tuple[Trial, ...]:
        return tuple(read_known(self._filepath))

    def save(self, data: tuple[Trial, ...]) -> None:
        add_known(self._filepath, data)

    def _exists(self) -> bool:
        return self._filepath.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
