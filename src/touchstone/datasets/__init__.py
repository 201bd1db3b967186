"""Kedro datasets whose bytes depend on their values alone and that are never half written."""

from __future__ import annotations

from touchstone.datasets._atomic import BytesDataset, JSONDataset, TableDataset, TextDataset
from touchstone.datasets._digests import CodeDigests, OutputDigests
from touchstone.datasets._known_trials import KnownTrialsDataset
from touchstone.datasets._search_storage import SearchStorage
from touchstone.datasets._undo import Undo

__all__ = [
    "BytesDataset",
    "CodeDigests",
    "JSONDataset",
    "KnownTrialsDataset",
    "OutputDigests",
    "SearchStorage",
    "TableDataset",
    "TextDataset",
    "Undo",
]
