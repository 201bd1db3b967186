"""Scores to money in one call: the rule of the pipeline, the tuning of costs and the notebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from touchstone.backtest._costs import Costs
from touchstone.backtest._execution import Execution
from touchstone.backtest._limits import Limits
from touchstone.backtest._result import Result
from touchstone.backtest._simulate import simulate
from touchstone.evaluation import moments
from touchstone.lineage import Scope, Trial, data_hash, record, recorder, trial_key
from touchstone.market import Sectors
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
    execution: Execution = Execution(),  # noqa: B008 - frozen
    limits: Limits = Limits(),  # noqa: B008 - frozen
    sectors: Sectors | None = None,
    actions: pd.DataFrame | None = None,
    initial_cash: float = 1_000_000.0,
    periods_per_year: int = 252,
) -> Result:
    """Hold the best-scored names long and the worst short, and simulate it over the scored sessions.

    Inside ``touchstone.lineage.recording(sink)`` the backtest is announced as a trial; the pipeline announces its own, with its source.

    Parameters
    ----------
    scores : Series, index (date, symbol), float64
        Higher is better, known at the close of `date`.
    bars : DataFrame
        The data contract's bars; sessions before the first score are not traded.
    side_fraction : float
        Names a side as a share of the names scored on a date.
    rebalance_every : int
        Bars between decisions.
    fill, costs, execution, limits, sectors, actions, initial_cash, periods_per_year
        As `simulate` takes them.

    Raises
    ------
    DataError, OrderError
        As `top_bottom` and `simulate`.
    """
    weights = top_bottom(scores, side_fraction=side_fraction, rebalance_every=rebalance_every)
    result = simulate(
        bars,
        weights,
        fill=fill,
        costs=costs,
        execution=execution,
        limits=limits,
        sectors=sectors,
        actions=actions,
        initial_cash=initial_cash,
        periods_per_year=periods_per_year,
    )
    if recorder.get() is not None:
        terms = {"side_fraction": side_fraction, "rebalance_every": rebalance_every, "fill": fill, "costs": costs.stated()}
        _announce(result, scores, terms | _changed({"execution": execution, "limits": limits}))
    return result


def _changed(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options that are not at their default, as plain values: what is not used is in no trial's name."""
    return {name: asdict(option) for name, option in options.items() if option != type(option)()}


def _announce(result: Result, scores: pd.Series, terms: Mapping[str, Any]) -> None:
    """A backtest outside the pipeline is a trial like any other: these scores under these terms."""
    dates, symbols = scores.index.get_level_values("date"), scores.index.get_level_values("symbol").unique()
    scope = Scope(source="notebook", symbols=tuple(symbols), start=str(dates.min().date()), end=str(dates.max().date()))
    seen = moments(result.returns)
    key = trial_key(scope, {"scores": data_hash(scores), **terms})
    record(Trial(key, scope, seen.sharpe, n=seen.n_observations, skewness=seen.skewness, kurtosis=seen.kurtosis), result.returns.to_numpy())
