"""What a price is: bars, calendars, universes, corporate actions, quality."""

from __future__ import annotations

from touchstone.market._adjust import adjust, adjustment_factors
from touchstone.market._calendar import sessions
from touchstone.market._data import Adjustment, MarketData, Metadata, Timeframe
from touchstone.market._equal_weighted import equal_weighted
from touchstone.market._ingest import Ingested, ingest
from touchstone.market._quality import check
from touchstone.market._schemas import empty_table, validate
from touchstone.market._universe import Universe

__all__ = [
    "Adjustment",
    "Ingested",
    "MarketData",
    "Metadata",
    "Timeframe",
    "Universe",
    "adjust",
    "adjustment_factors",
    "check",
    "empty_table",
    "equal_weighted",
    "ingest",
    "sessions",
    "validate",
]
