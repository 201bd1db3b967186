"""Reports: notebooks executed over a run and written as one page that opens offline, and the pieces they show."""

from __future__ import annotations

from touchstone.reports._blocks import Block, Card, beside, cards, chart, notes, table
from touchstone.reports._details import (
    data_table,
    features_used,
    holdings,
    identity_table,
    left_out,
    luck_table,
    model_table,
    parameters_table,
    performance_table,
    series_names,
    years_table,
)
from touchstone.reports._facts import caveats, headline, masthead, verdict
from touchstone.reports._notebooks import execute, find_report
from touchstone.reports._pages import to_html
from touchstone.reports._parameters import typed_parameters
from touchstone.reports._render import render

__all__ = [
    "Block",
    "Card",
    "beside",
    "cards",
    "caveats",
    "chart",
    "data_table",
    "execute",
    "features_used",
    "find_report",
    "headline",
    "holdings",
    "identity_table",
    "left_out",
    "luck_table",
    "masthead",
    "model_table",
    "notes",
    "parameters_table",
    "performance_table",
    "render",
    "series_names",
    "table",
    "to_html",
    "typed_parameters",
    "verdict",
    "years_table",
]
