"""Scores to money in one call: the rule of the pipeline, the tuning of costs and the notebook."""

from __future__ import annotations

import pandas as pd

from touchstone.backtest._costs import Costs
from touchstone.backtest._result import Result
from touchstone.backtest._simulate import simulate
from touchstone.portfolio import top_bottom

__all__ = ["trade_scores"]


def trade_scores(
    scores: pd.Series,
    bars: pd.DataFrame,
    *,
    side_fraction: float,
    rebalance_every: int,
    fill: str = "next_close",
    costs: Costs = Costs(),  # noqa: B008 - frozen
    actions: pd.DataFrame | None = None,
    initial_cash: float = 1_000_000.0,
) -> Result:
    """Hold the best-scored names long and the worst short, and simulate it over the scored sessions.

    Parameters
    ----------
    scores : Series, index (date, symbol), float64
        Higher is better, known at the close of `date`.
    bars : DataFrame
        The data contract's bars; sessions before the first score are not traded.
    side_fraction : float
        Names a side as a share of the names scored on a date.
    rebalance_every : int
        Sessions between decisions.
    fill, costs, actions, initial_cash
        As `simulate` takes them.

    Raises
    ------
    DataError, OrderError
        As `top_bottom` and `simulate`.
    """
    weights = top_bottom(scores, side_fraction=side_fraction, rebalance_every=rebalance_every)
    return simulate(bars, weights, fill=fill, costs=costs, actions=actions, initial_cash=initial_cash)
