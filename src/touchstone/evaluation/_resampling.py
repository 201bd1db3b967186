"""How far a statistic moves when its data are drawn again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, DataError
from touchstone.types import FloatArray

__all__ = ["Interval", "bootstrap_interval"]

# arch needs more points than the autocorrelations it looks at.
_FEWEST_FOR_BLOCK_LENGTH = 20


@dataclass(frozen=True)
class Interval:
    """A statistic with its percentile interval.

    Attributes
    ----------
    estimate : float
        On the data as given.
    lower, upper : float
        The (1 - confidence) / 2 and (1 + confidence) / 2 quantiles over the resamples; NaN where there were none.
    confidence : float
    n_resamples : int
    n_undefined : int
        Resamples on which the statistic was NaN; they are left out of the quantiles.
    block_length : float
        Expected length of the blocks drawn; NaN where none were.
    """

    estimate: float
    lower: float
    upper: float
    confidence: float
    n_resamples: int
    n_undefined: int
    block_length: float


def bootstrap_interval(
    values: pd.Series | FloatArray,
    statistic: Callable[[FloatArray], float],
    *,
    confidence: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
    block_length: float | None = None,
    minimum_block_length: float = 1.0,
) -> Interval:
    """Percentile interval of a statistic of a time series by the stationary bootstrap.

    Blocks of geometric length, wrapped around the end, keep short-range dependence in the resamples.

    Parameters
    ----------
    values : Series or array, shape (n,)
        In time order. NaN are left out.
    statistic : callable
        From an array of shape (n,) to a float; called on the data and on every resample.
    confidence : float, in (0, 1)
        Two-sided: 0.95 leaves 2.5 % below `lower`.
    n_resamples : int, at least 1
    seed : int
    block_length : float, optional
        Expected block length, at least 1. By default chosen from the data (Politis, White 2004, corrected 2009), where
        there are at least twenty values that vary, and held to at least `minimum_block_length`.
    minimum_block_length : float, at least 1
        Floor of the data-driven choice, for dependence that is known to be there, such as holdings of h sessions.

    Returns
    -------
    Interval
        Everything is NaN for no values, and the bounds for fewer than two or an estimate that is NaN. Known when the last
        value is.

    Raises
    ------
    ConfigError
        A confidence, number of resamples or block length out of range.
    DataError
        Infinite values.

    References
    ----------
    Politis, Romano (1994), The Stationary Bootstrap, JASA 89(428).
    """
    _check(confidence, n_resamples, min(minimum_block_length, 1.0 if block_length is None else block_length))
    data = np.asarray(values, dtype=np.float64)
    data = data[~np.isnan(data)]
    if np.isinf(data).any():
        raise DataError(f"Values to resample must be finite, but {int(np.isinf(data).sum())} are not: mend them first.")
    estimate = float(statistic(data)) if len(data) else float("nan")
    if len(data) < 2 or np.isnan(estimate):
        return Interval(estimate, float("nan"), float("nan"), confidence, n_resamples, 0, float("nan"))
    length = block_length if block_length is not None else max(minimum_block_length, _optimal_block_length(data))
    draws = _resampled(data, statistic, length, n_resamples, seed)
    defined = draws[~np.isnan(draws)]
    n_undefined = len(draws) - len(defined)
    tails = np.array([1.0 - confidence, 1.0 + confidence]) / 2.0
    lower, upper = np.quantile(defined, tails) if len(defined) else (np.nan, np.nan)
    return Interval(estimate, float(lower), float(upper), confidence, n_resamples, n_undefined, length)


def _resampled(data: FloatArray, statistic: Callable[[FloatArray], float], length: float, n_resamples: int, seed: int) -> FloatArray:
    # arch takes seconds and statsmodels to import: only who resamples pays.
    from arch.bootstrap import StationaryBootstrap

    bootstrap = StationaryBootstrap(length, data, seed=np.random.default_rng(seed))
    return np.asarray(bootstrap.apply(statistic, n_resamples), dtype=np.float64).reshape(-1)


def _optimal_block_length(data: FloatArray) -> float:
    if len(data) < _FEWEST_FOR_BLOCK_LENGTH or float(data.max()) == float(data.min()):
        return 1.0
    from arch.bootstrap import optimal_block_length

    length = float(optimal_block_length(data)["stationary"].iloc[0])
    return max(length, 1.0) if np.isfinite(length) else 1.0


def _check(confidence: float, n_resamples: int, shortest_block: float) -> None:
    if not 0.0 < confidence < 1.0:
        raise ConfigError(f"confidence must lie in (0, 1), but got {confidence}: 0.95 is usual.")
    if n_resamples < 1:
        raise ConfigError(f"n_resamples must be at least 1, but got {n_resamples}: 1000 is usual.")
    if not shortest_block >= 1.0:
        raise ConfigError(f"A block is at least 1 value long, but got {shortest_block}: leave block_length out to choose it from the data.")
