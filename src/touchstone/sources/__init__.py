"""Where prices come from, by short name: `sample`, `files`, `simulated`, and what third parties install."""

from __future__ import annotations

from touchstone.sources._guess_columns import GuessedColumns, guess_columns
from touchstone.sources._join_tables import join_tables
from touchstone.sources._registry import Source, SourceRequest, is_network, list_sources, load
from touchstone.sources._simulated import SimulatedMarket, simulate_market
from touchstone.sources._tables import UserTables, read_tables

__all__ = [
    "GuessedColumns",
    "SimulatedMarket",
    "Source",
    "SourceRequest",
    "UserTables",
    "guess_columns",
    "is_network",
    "join_tables",
    "list_sources",
    "load",
    "read_tables",
    "simulate_market",
]
