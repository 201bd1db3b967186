"""One figure per function: numbers in, a matplotlib figure out, and `to_svg` for the same bytes every time."""

from __future__ import annotations

from touchstone.plots._bars import bars_around
from touchstone.plots._calendar import monthly_heatmap, monthly_returns
from touchstone.plots._costs import cost_curve, trade_costs
from touchstone.plots._coverage import coverage_map
from touchstone.plots._curves import drawdown, equity_curve, growth
from touchstone.plots._factor_boards import factor_chances, factor_correlations, factor_leaderboard
from touchstone.plots._factor_curves import cumulative_ic, factor_decay, factor_quantiles
from touchstone.plots._forecasts import ic_over_time, quantile_returns
from touchstone.plots._style import number, percent, to_svg

__all__ = [
    "bars_around",
    "cost_curve",
    "coverage_map",
    "cumulative_ic",
    "drawdown",
    "equity_curve",
    "factor_chances",
    "factor_correlations",
    "factor_decay",
    "factor_leaderboard",
    "factor_quantiles",
    "growth",
    "ic_over_time",
    "monthly_heatmap",
    "monthly_returns",
    "number",
    "percent",
    "quantile_returns",
    "to_svg",
    "trade_costs",
]
