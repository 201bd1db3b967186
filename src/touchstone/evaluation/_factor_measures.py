"""One feature against what came after it: everything that needs its ranks, from one sort."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from touchstone.evaluation._factor_grid import Cells, Sorted
from touchstone.types import FloatArray

__all__ = ["FactorMeasures", "Outcomes", "measure_factor"]

LAGS = (1, 5, 20)


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What features are held against, sorted once for all of them.

    Attributes
    ----------
    cells : where each row lies.
    by_horizon : forward returns by horizon.
    horizon : the main one.
    halves : returns of the main horizon of the less and of the more liquid half of each session; none where liquidity is unknown.
    n_quantiles : buckets.
    """

    cells: Cells
    by_horizon: Mapping[int, Sorted]
    horizon: int
    halves: tuple[Sorted, ...]
    n_quantiles: int

    @classmethod
    def of(cls, cells: Cells, returns: Mapping[int, pd.Series], *, horizon: int, liquidity: pd.Series | None, n_quantiles: int) -> Outcomes:
        """Bring forward returns, and liquidity where it is known, to the cells."""
        panels = {h: cells.grid(cells.matched(returns[h], f"Returns over {h} sessions")) for h in sorted(returns)}
        halves: tuple[Sorted, ...] = ()
        if liquidity is not None:
            above = cells.above_median(liquidity, "Liquidity")
            halves = tuple(Sorted.of(np.where(above == half, panels[horizon], np.nan)) for half in (0.0, 1.0))
        return cls(cells, {h: Sorted.of(panel) for h, panel in panels.items()}, horizon, halves, n_quantiles)


@dataclass(frozen=True, eq=False)
class FactorMeasures:
    """What one feature did, session by session.

    Attributes
    ----------
    present : values by row, bool (n_rows,)
    rank_ic : by horizon, (n_sessions,); NaN under five pairs.
    pearson_ic : at the main horizon, (n_sessions,)
    bucket_returns : mean return by session and bucket at the main horizon, (n_sessions, n_quantiles)
    turnover : mean share of the (bottom, top) bucket that was not in it a horizon before; NaN where it cannot be told.
    autocorrelation : mean rank correlation with itself 1, 5 and 20 sessions before.
    halves : mean rank IC in the less and the more liquid half; empty where liquidity is unknown.
    """

    present: NDArray[np.bool_]
    rank_ic: Mapping[int, FloatArray]
    pearson_ic: FloatArray
    bucket_returns: FloatArray
    turnover: FloatArray
    autocorrelation: FloatArray
    halves: FloatArray


def measure_factor(values: FloatArray, outcomes: Outcomes) -> FactorMeasures:
    """Hold the column of one feature (n_rows,), finite or NaN, against the outcomes."""
    factor = Sorted.of(outcomes.cells.grid(values))
    main = outcomes.by_horizon[outcomes.horizon]
    rank_ic, pearson_ic = factor.correlations(main)
    others = {h: factor.rank_correlations(later) for h, later in outcomes.by_horizon.items() if h != outcomes.horizon}
    return FactorMeasures(
        present=~np.isnan(values),
        rank_ic={h: others.get(h, rank_ic) for h in outcomes.by_horizon},
        pearson_ic=pearson_ic,
        bucket_returns=_bucket_means(factor.buckets(main.values, outcomes.n_quantiles), main.values, outcomes.n_quantiles),
        turnover=_replaced(factor, outcomes.n_quantiles, outcomes.horizon),
        autocorrelation=np.array([mean_or_nan(factor.lagged_correlations(lag)) for lag in LAGS]),
        halves=np.array([mean_or_nan(factor.rank_correlations(half)) for half in outcomes.halves]),
    )


def mean_or_nan(values: FloatArray) -> float:
    """Mean of what is there; NaN where nothing is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def _bucket_means(buckets: NDArray[np.int8], returns: FloatArray, n_quantiles: int) -> FloatArray:
    session, asset = np.nonzero(buckets >= 0)
    place = session * n_quantiles + buckets[session, asset]
    size = len(buckets) * n_quantiles
    count = np.bincount(place, minlength=size)
    total = np.bincount(place, weights=returns[session, asset], minlength=size)
    means = np.divide(total, count, out=np.full(size, np.nan), where=count > 0)
    return np.asarray(means.reshape(len(buckets), n_quantiles), dtype=np.float64)


def _replaced(factor: Sorted, n_quantiles: int, lag: int) -> FloatArray:
    buckets = factor.buckets(factor.values, n_quantiles)
    now, before = buckets[lag:], buckets[:-lag]
    comparable = np.any(before >= 0, axis=1, keepdims=True)
    return np.array([_new_share((now == end) & comparable, before == end) for end in (0, n_quantiles - 1)])


def _new_share(held: NDArray[np.bool_], held_before: NDArray[np.bool_]) -> float:
    size = held.sum(axis=1)
    new = (held & ~held_before).sum(axis=1)
    return mean_or_nan(np.divide(new, size, out=np.full(len(size), np.nan), where=size > 0))
