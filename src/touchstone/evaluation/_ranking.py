"""How well scores order what came after them."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, DataError, name_few, nearest
from touchstone.types import FloatArray, IntArray

__all__ = ["information_coefficient", "quantile_returns"]

_FEWEST_PAIRS = 5


class _Pairs(NamedTuple):
    """Pairs of a score and a return, with the number of their date; and all dates of the scores."""

    score: FloatArray
    outcome: FloatArray
    day: IntArray
    dates: pd.DatetimeIndex


def information_coefficient(scores: pd.Series, returns: pd.Series, method: Literal["rank", "pearson"] = "rank") -> pd.Series:
    """Correlation across symbols, date by date, of scores with the returns that followed.

    Parameters
    ----------
    scores : Series, index (date, symbol)
        Known at the close of `date`.
    returns : Series, index (date, symbol)
        The label of the same row, known when its span ends. Rows are matched by index; those without a partner and
        NaN on either side are left out.
    method : {"rank", "pearson"}
        Spearman (ties take their average rank) or Pearson.

    Returns
    -------
    Series, index `date` (every date of `scores`, ascending), name "information_coefficient"
        NaN with fewer than five pairs, or where one side is constant. Known when the labels are.

    Raises
    ------
    ConfigError
        An unknown method.
    DataError
        Rows that are not unique by (date, symbol), or infinite values.

    References
    ----------
    Grinold, Kahn (2000), Active Portfolio Management, 2nd ed., ch. 6.
    """
    if method not in ("rank", "pearson"):
        raise ConfigError(f"method must be known, but got '{method}': {nearest(method, ('rank', 'pearson'))}.")
    pairs = _pair(scores, returns)
    left, right = pairs.score, pairs.outcome
    if method == "rank":
        left, right = _average_ranks(left, pairs.day), _average_ranks(right, pairs.day)
    values = _correlations(left, right, pairs.day, len(pairs.dates))
    return pd.Series(values, index=pairs.dates, name="information_coefficient")


def quantile_returns(scores: pd.Series, returns: pd.Series, *, n_quantiles: int = 5) -> pd.DataFrame:
    """Mean return of the symbols by quantile of their score.

    On each date the pairs are put into `n_quantiles` buckets by average rank of the score, so that tied names stay
    together; the bucket's mean is taken per date, then over dates, so that every date counts the same. Dates with
    fewer pairs than buckets are left out.

    Parameters
    ----------
    scores, returns : Series, index (date, symbol)
        As for `information_coefficient`.
    n_quantiles : int, at least 2

    Returns
    -------
    DataFrame, index `quantile` 1 (lowest scores) … n_quantiles (highest)
        `mean_return` (fraction per label span; NaN for a bucket that ties left empty on every date) and `n_dates`.

    Raises
    ------
    ConfigError
        Fewer than two quantiles.
    DataError
        Rows that are not unique by (date, symbol), or infinite values.
    """
    if n_quantiles < 2:
        raise ConfigError(f"n_quantiles must be at least 2, but got {n_quantiles}: five is usual.")
    pairs = _pair(scores, returns)
    n_pairs = np.bincount(pairs.day, minlength=len(pairs.dates))[pairs.day]
    enough = n_pairs >= n_quantiles
    score, outcome, day, size = pairs.score[enough], pairs.outcome[enough], pairs.day[enough], n_pairs[enough]
    bucket = np.floor((_average_ranks(score, day) - 0.5) / size * n_quantiles).astype(np.int64)
    by_date = pd.Series(outcome).groupby([bucket, day]).mean()
    means = by_date.groupby(level=0).agg(["mean", "size"]).reindex(range(n_quantiles))
    means.index = pd.RangeIndex(1, n_quantiles + 1, name="quantile")
    return pd.DataFrame({"mean_return": means["mean"].astype(np.float64), "n_dates": means["size"].fillna(0).astype(np.int64)})


def _pair(scores: pd.Series, returns: pd.Series) -> _Pairs:
    for name, series in (("scores", scores), ("returns", returns)):
        if not isinstance(series.index, pd.MultiIndex) or list(series.index.names) != ["date", "symbol"]:
            raise DataError(f"{name} must be indexed by (date, symbol), but got {list(series.index.names)}: set that index.")
        if not series.index.is_unique:
            raise DataError(f"{name} must be unique by (date, symbol), but some rows repeat: keep one of each.")
    matched = returns if returns.index.equals(scores.index) else returns.reindex(scores.index)
    score, outcome = scores.to_numpy(dtype=np.float64), matched.to_numpy(dtype=np.float64)
    all_days, dates = pd.factorize(scores.index.get_level_values("date"), sort=True)
    for name, values in (("scores", score), ("returns", outcome)):
        if np.isinf(values).any():
            raise DataError(
                f"{name} must be finite or NaN, but got {name_few(scores.index[np.isinf(values)])} infinite: mend or drop them."
            )
    both = ~(np.isnan(score) | np.isnan(outcome))
    return _Pairs(score[both], outcome[both], all_days[both].astype(np.int64), pd.DatetimeIndex(dates, name="date"))


def _average_ranks(values: FloatArray, day: IntArray) -> FloatArray:
    return np.asarray(pd.Series(values).groupby(day).rank(method="average"), dtype=np.float64)


def _correlations(left: FloatArray, right: FloatArray, day: IntArray, n_days: int) -> FloatArray:
    count = np.bincount(day, minlength=n_days)
    left, right = _centred(left, day, count), _centred(right, day, count)
    covariance = np.bincount(day, weights=left * right, minlength=n_days)
    spread = np.sqrt(np.bincount(day, weights=left**2, minlength=n_days)) * np.sqrt(np.bincount(day, weights=right**2, minlength=n_days))
    values = np.full(n_days, np.nan)
    defined = (count >= _FEWEST_PAIRS) & (spread > 0.0)
    values[defined] = covariance[defined] / spread[defined]
    return np.asarray(np.clip(values, -1.0, 1.0), dtype=np.float64)


def _centred(values: FloatArray, day: IntArray, count: IntArray) -> FloatArray:
    """Less the day's mean; a constant day becomes exactly 0, not rounding that would correlate with something."""
    mean = np.bincount(day, weights=values, minlength=len(count)) / np.maximum(count, 1)
    by_day = pd.Series(values).groupby(day)
    constant = (by_day.transform("max") == by_day.transform("min")).to_numpy()
    return np.asarray(np.where(constant, 0.0, values - mean[day]), dtype=np.float64)
