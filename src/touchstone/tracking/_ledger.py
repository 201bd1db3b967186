"""The laboratory's memory in one place: the committed file and the live store beside it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from touchstone.ledger import add_known, read_known
from touchstone.lineage import Trial
from touchstone.root import project_root
from touchstone.tracking._live import LiveLedger
from touchstone.types import FloatArray

__all__ = ["Ledger"]


@dataclass(frozen=True)
class Ledger:
    """Both ledgers of a project.

    Parameters
    ----------
    known_path : the committed file.
    live_url : the live store's database.
    """

    known_path: Path
    live_url: str

    @classmethod
    def at(cls, root: Path | None = None) -> Ledger:
        """The ledgers of a project (None: the one we are in).

        ``TOUCHSTONE_LEDGER`` names a scratch file instead, with a scratch live store beside it; otherwise ``TOUCHSTONE_LEDGER_URL`` names
        the live store, SQLite below `.touchstone/` when unset.
        """
        scratch = os.environ.get("TOUCHSTONE_LEDGER")
        if scratch:
            return cls(Path(scratch), f"sqlite:///{Path(scratch).resolve().with_suffix('.db')}")
        home = root or project_root()
        return cls(
            home / "ledger" / "known.jsonl", os.environ.get("TOUCHSTONE_LEDGER_URL") or f"sqlite:///{home / '.touchstone' / 'ledger.db'}"
        )

    def known(self) -> tuple[Trial, ...]:
        """The trials of the committed file."""
        return read_known(self.known_path)

    def live(self) -> LiveLedger:
        """The live store, opened."""
        return LiveLedger(self.live_url)

    def record(self, trial: Trial, returns: FloatArray | None = None) -> None:
        """Put a trial into both; made to be installed with `touchstone.lineage.recording` in notebooks."""
        add_known(self.known_path, (trial,))
        self.live().record(trial, returns)
