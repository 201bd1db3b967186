"""What is told of a feature matrix: what was left out, and what its look-ahead audit is given and saw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from touchstone import features, market
from touchstone.audit import LookAheadReport

__all__ = ["CUTS", "by_reason", "needed", "recent", "summary"]

# Where the comparison of symbols is cut: at the last session but one, and at an action, gap or change of membership.
CUTS = 2
# A year of values beyond the lookback.
_SESSIONS = 252


def by_reason(plan: features.Plan) -> dict[str, list[str]]:
    """Names of what was left out, by why: bars of closes alone cost a large set a hundred columns for one reason."""
    told: dict[str, list[str]] = {}
    for left in plan.left_out:
        told.setdefault(left.reason, []).append(left.feature)
    return told


def needed(plan: features.Plan, tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables without a benchmark that no column reads: what is not handed over cannot leak, and a market-wide table costs cuts."""
    return {name: table.iloc[:0] if name == "benchmark" and not plan.needs_benchmark else table for name, table in tables.items()}


def recent(tables: Mapping[str, pd.DataFrame], *, lookback: int) -> dict[str, pd.DataFrame]:
    """The tables with the bars of the latest sessions on which members can be compared."""
    bars = tables["bars"]
    members = bars.index[market.Universe(tables["universe"]).mask(bars.index)]
    count = members.get_level_values("date").value_counts().sort_index()
    days = count.index[count > 1]
    if len(days) <= lookback + _SESSIONS:
        return dict(tables)
    first = days[-(lookback + _SESSIONS)]
    return {**tables, "bars": bars[bars.index.get_level_values("date") >= first]}


def summary(reports: Mapping[str, LookAheadReport]) -> dict[str, Any]:
    """Counts in all, and check by check of the values and of their transform."""
    return {
        "passed": all(report.passed for report in reports.values()),
        "n_compared": sum(report.n_compared for report in reports.values()),
        "n_findings": sum(report.n_findings for report in reports.values()),
        "checks": [
            {"of": of, "check": one.check, "n_passes": one.n_passes, "n_compared": one.n_compared, "n_findings": one.n_findings}
            for of, report in reports.items()
            for one in report.checks
        ],
    }
