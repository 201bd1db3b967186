"""Reports: notebooks executed over a run and written as one page that opens offline, and the pieces they show."""

from __future__ import annotations

from touchstone.reports._blocks import Block, Card, beside, cards, chart, notes, table
from touchstone.reports._cases import worst_cases
from touchstone.reports._data_facts import data_caveats, data_headline, data_masthead, source_table
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
from touchstone.reports._factor_facts import bars_of, factor_headline, factor_masthead, factor_notes, luck_of_many
from touchstone.reports._factor_study import FactorStudy, study_factors
from touchstone.reports._factor_tables import (
    factor_clusters,
    factor_coverage,
    factor_years,
    leaderboard_table,
    leading_features,
    market_wide_table,
)
from touchstone.reports._facts import caveats, headline, masthead, verdict, words_of
from touchstone.reports._findings import coverage_table, findings_list, findings_table
from touchstone.reports._notebooks import execute, find_report, needs_ingestion_only
from touchstone.reports._pages import to_html
from touchstone.reports._parameters import typed_parameters
from touchstone.reports._render import render

__all__ = [
    "Block",
    "Card",
    "FactorStudy",
    "bars_of",
    "beside",
    "cards",
    "caveats",
    "chart",
    "coverage_table",
    "data_caveats",
    "data_headline",
    "data_masthead",
    "data_table",
    "execute",
    "factor_clusters",
    "factor_coverage",
    "factor_headline",
    "factor_masthead",
    "factor_notes",
    "factor_years",
    "features_used",
    "find_report",
    "findings_list",
    "findings_table",
    "headline",
    "holdings",
    "identity_table",
    "leaderboard_table",
    "leading_features",
    "left_out",
    "luck_of_many",
    "luck_table",
    "market_wide_table",
    "masthead",
    "model_table",
    "needs_ingestion_only",
    "notes",
    "parameters_table",
    "performance_table",
    "render",
    "series_names",
    "source_table",
    "study_factors",
    "table",
    "to_html",
    "typed_parameters",
    "verdict",
    "words_of",
    "worst_cases",
    "years_table",
]
