"""What remembers: the ledger of trials, the archive of runs, their verification, and the model registry."""

from __future__ import annotations

from touchstone.tracking._database import tracking_url
from touchstone.tracking._envelope import envelope
from touchstone.tracking._keep import keep_run
from touchstone.tracking._ledger import Ledger
from touchstone.tracking._listing import RegisteredModel, registered_models
from touchstone.tracking._live import LiveLedger
from touchstone.tracking._promotion import promote
from touchstone.tracking._registration import register
from touchstone.tracking._registry import ServedModel, resolve
from touchstone.tracking._run_store import ArchivedRun, RunStore
from touchstone.tracking._verify import OutputCheck, VerifyReport, verify

__all__ = [
    "ArchivedRun",
    "Ledger",
    "LiveLedger",
    "OutputCheck",
    "RegisteredModel",
    "RunStore",
    "ServedModel",
    "VerifyReport",
    "envelope",
    "keep_run",
    "promote",
    "register",
    "registered_models",
    "resolve",
    "tracking_url",
    "verify",
]
