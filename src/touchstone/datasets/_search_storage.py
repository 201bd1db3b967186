"""Where a search keeps its trials, so that a killed one goes on where it was."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

__all__ = ["SearchStorage"]


class SearchStorage(AbstractDataset[None, str]):
    """URL of Optuna's storage: SQLite beside the data, or what ``TOUCHSTONE_SEARCH`` names (`postgresql://…`)."""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> str:
        named = os.environ.get("TOUCHSTONE_SEARCH")
        if named:
            return named
        self._filepath.parent.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{self._filepath}"

    def save(self, data: None) -> NoReturn:  # noqa: ARG002 - Kedro's signature
        raise DatasetError("A search's storage is read from the configuration and cannot be written.")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
