"""What a price is: bars, calendars, universes, corporate actions, quality."""

from __future__ import annotations

from touchstone.market._adjust import adjust, adjustment_factors
from touchstone.market._calendar import bar_times, days_of, last_complete_bar, periods_per_year, session_of, sessions
from touchstone.market._closures import closures
from touchstone.market._coverage import coverage
from touchstone.market._currency import Converted, convert_currency
from touchstone.market._data import Adjustment, MarketData, Metadata, Timeframe
from touchstone.market._declared import declare
from touchstone.market._derive import derive, describe_derived
from touchstone.market._equal_weighted import equal_weighted
from touchstone.market._findings import count_findings, episodes, worst_first
from touchstone.market._freshness import Freshness, expected_bar, freshness
from touchstone.market._held import refuse_held_actions
from touchstone.market._ingest import Ingested, ingest
from touchstone.market._judge import JudgedBars, judge
from touchstone.market._membership import eligible, membership_caveats
from touchstone.market._moments import at_bars
from touchstone.market._schemas import empty_table, validate
from touchstone.market._sectors import UNKNOWN_SECTOR, Sectors
from touchstone.market._unadjust import unadjust
from touchstone.market._universe import Universe
from touchstone.market._words import BarWords, bar_words
from touchstone.market.quality import MarketContext, check

__all__ = [
    "UNKNOWN_SECTOR",
    "Adjustment",
    "BarWords",
    "Converted",
    "Freshness",
    "Ingested",
    "JudgedBars",
    "MarketContext",
    "MarketData",
    "Metadata",
    "Sectors",
    "Timeframe",
    "Universe",
    "adjust",
    "adjustment_factors",
    "at_bars",
    "bar_times",
    "bar_words",
    "check",
    "closures",
    "convert_currency",
    "count_findings",
    "coverage",
    "days_of",
    "declare",
    "derive",
    "describe_derived",
    "eligible",
    "empty_table",
    "episodes",
    "equal_weighted",
    "expected_bar",
    "freshness",
    "ingest",
    "judge",
    "last_complete_bar",
    "membership_caveats",
    "periods_per_year",
    "refuse_held_actions",
    "session_of",
    "sessions",
    "unadjust",
    "validate",
    "worst_first",
]
