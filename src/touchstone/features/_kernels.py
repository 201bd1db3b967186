"""Compiled kernels over symbol-major panels: every value is built from the values of its own window, never from running sums.

A kernel takes panels of shape (n_symbols, n_sessions), NaN where a symbol has no bar, the first session to answer for, the
array to fill, of shape (n_symbols, n_sessions - first), and its windows. Sums run from the oldest value of the window to the
newest, so that a value has the same bits wherever the history that is given begins.

A window counts when its first and last value are there and at least four fifths of all; otherwise the value is NaN.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from touchstone.types import BoolArray, FloatArray, IntArray

__all__ = [
    "beta",
    "distance_to_high",
    "drawdown",
    "rank_sessions",
    "ratio_of_means",
    "residual_volatility",
    "return_between",
    "seasonality",
    "skewness",
    "volatility",
    "window_mean",
]

_YEAR = 252
_MONTH = 21
# Deviations of daily returns below this are rounding, not moves.
_STILL = 1e-10


@njit(cache=True, nogil=True)
def _usable(values: FloatArray, window: int) -> BoolArray:
    usable = np.zeros(values.shape[0], np.bool_)
    present = 0
    for t in range(values.shape[0]):
        present += not np.isnan(values[t])
        if t >= window:
            present -= not np.isnan(values[t - window])
        if t >= window - 1 and 5 * present >= 4 * window:
            usable[t] = not np.isnan(values[t]) and not np.isnan(values[t - window + 1])
    return usable


@njit(cache=True, nogil=True)
def _mean(values: FloatArray) -> float:
    total = 0.0
    count = 0
    for value in values:
        if not np.isnan(value):
            total += value
            count += 1
    return total / count


@njit(cache=True, nogil=True)
def _moments(values: FloatArray) -> tuple[int, float, float]:
    """Count, and sums of squared and cubed deviations from the mean."""
    mean = _mean(values)
    count = 0
    squares = 0.0
    cubes = 0.0
    for value in values:
        if not np.isnan(value):
            deviation = value - mean
            count += 1
            squares += deviation * deviation
            cubes += deviation * deviation * deviation
    return count, squares, cubes


@njit(cache=True, nogil=True)
def return_between(close: FloatArray, first: int, out: FloatArray, near: int, far: int) -> None:
    """Simple return from ``far`` sessions ago to ``near`` sessions ago."""
    for s in range(close.shape[0]):
        for t in range(first, close.shape[1]):
            out[s, t - first] = close[s, t - near] / close[s, t - far] - 1.0 if t >= far else np.nan


@njit(cache=True, nogil=True)
def window_mean(values: FloatArray, first: int, out: FloatArray, window: int) -> None:
    """Mean over the window."""
    for s in range(values.shape[0]):
        usable = _usable(values[s], window)
        for t in range(first, values.shape[1]):
            out[s, t - first] = _mean(values[s, t - window + 1 : t + 1]) if usable[t] else np.nan


@njit(cache=True, nogil=True)
def ratio_of_means(values: FloatArray, first: int, out: FloatArray, short: int, long: int) -> None:
    """Mean over the short window over the mean over the long one, less 1; NaN when the long mean is zero."""
    for s in range(values.shape[0]):
        usable_short = _usable(values[s], short)
        usable_long = _usable(values[s], long)
        for t in range(first, values.shape[1]):
            out[s, t - first] = np.nan
            if usable_short[t] and usable_long[t]:
                base = _mean(values[s, t - long + 1 : t + 1])
                if base > 0.0:
                    out[s, t - first] = _mean(values[s, t - short + 1 : t + 1]) / base - 1.0


@njit(cache=True, nogil=True)
def volatility(returns: FloatArray, first: int, out: FloatArray, window: int) -> None:
    """Standard deviation over the window, ddof 1, per session."""
    for s in range(returns.shape[0]):
        usable = _usable(returns[s], window)
        for t in range(first, returns.shape[1]):
            out[s, t - first] = np.nan
            if usable[t]:
                count, squares, _ = _moments(returns[s, t - window + 1 : t + 1])
                out[s, t - first] = np.sqrt(squares / (count - 1))


@njit(cache=True, nogil=True)
def skewness(returns: FloatArray, first: int, out: FloatArray, window: int) -> None:
    """Third standardised moment over the window (divisor n); NaN when nothing moved."""
    for s in range(returns.shape[0]):
        usable = _usable(returns[s], window)
        for t in range(first, returns.shape[1]):
            out[s, t - first] = np.nan
            if usable[t]:
                count, squares, cubes = _moments(returns[s, t - window + 1 : t + 1])
                deviation = np.sqrt(squares / count)
                if deviation > _STILL:
                    out[s, t - first] = cubes / count / (deviation * deviation * deviation)


@njit(cache=True, nogil=True)
def distance_to_high(close: FloatArray, first: int, out: FloatArray, window: int) -> None:
    """Last close over the highest close of the window, less 1 (at most 0)."""
    for s in range(close.shape[0]):
        usable = _usable(close[s], window)
        for t in range(first, close.shape[1]):
            out[s, t - first] = np.nan
            if usable[t]:
                high = 0.0
                for k in range(t - window + 1, t + 1):
                    # A comparison with NaN is false: sessions without a bar are passed over.
                    if close[s, k] > high:
                        high = close[s, k]
                out[s, t - first] = close[s, t] / high - 1.0


@njit(cache=True, nogil=True)
def drawdown(close: FloatArray, first: int, out: FloatArray, window: int) -> None:
    """Deepest fall from a running high inside the window (at most 0)."""
    for s in range(close.shape[0]):
        usable = _usable(close[s], window)
        for t in range(first, close.shape[1]):
            out[s, t - first] = np.nan
            if usable[t]:
                high = 0.0
                deepest = 1.0
                for k in range(t - window + 1, t + 1):
                    if close[s, k] > high:
                        high = close[s, k]
                    if close[s, k] < deepest * high:
                        deepest = close[s, k] / high
                out[s, t - first] = deepest - 1.0


@njit(cache=True, nogil=True)
def _regress(values: FloatArray, market: FloatArray) -> tuple[int, float, float]:
    """Count, slope and residual sum of squares of the least-squares line of values on market; NaN slope when the market is still."""
    count = 0
    total_x = 0.0
    total_y = 0.0
    for k in range(values.shape[0]):
        if not np.isnan(values[k]):
            count += 1
            total_x += market[k]
            total_y += values[k]
    mean_x = total_x / count
    mean_y = total_y / count
    xx = 0.0
    xy = 0.0
    yy = 0.0
    for k in range(values.shape[0]):
        if not np.isnan(values[k]):
            x = market[k] - mean_x
            y = values[k] - mean_y
            xx += x * x
            xy += x * y
            yy += y * y
    slope = xy / xx if np.sqrt(xx / count) > _STILL else np.nan
    return count, slope, max(yy - slope * xy, 0.0)


@njit(cache=True, nogil=True)
def _paired(values: FloatArray, market: FloatArray) -> FloatArray:
    """The values, NaN where the market has none."""
    paired = values.copy()
    for t in range(values.shape[0]):
        if np.isnan(market[t]):
            paired[t] = np.nan
    return paired


@njit(cache=True, nogil=True)
def beta(returns: FloatArray, market: FloatArray, first: int, out: FloatArray, window: int) -> None:
    """Slope of returns on the market's over the window; ``market`` has shape (n_sessions,)."""
    for s in range(returns.shape[0]):
        paired = _paired(returns[s], market)
        usable = _usable(paired, window)
        for t in range(first, returns.shape[1]):
            out[s, t - first] = np.nan
            if usable[t]:
                _, slope, _ = _regress(paired[t - window + 1 : t + 1], market[t - window + 1 : t + 1])
                out[s, t - first] = slope


@njit(cache=True, nogil=True)
def residual_volatility(returns: FloatArray, market: FloatArray, first: int, out: FloatArray, window: int) -> None:
    """Standard deviation of what the market's returns leave unexplained over the window (two parameters: ddof 2)."""
    for s in range(returns.shape[0]):
        paired = _paired(returns[s], market)
        usable = _usable(paired, window)
        for t in range(first, returns.shape[1]):
            out[s, t - first] = np.nan
            if usable[t]:
                count, slope, squares = _regress(paired[t - window + 1 : t + 1], market[t - window + 1 : t + 1])
                if not np.isnan(slope):
                    out[s, t - first] = np.sqrt(squares / (count - 2))


@njit(cache=True, nogil=True)
def seasonality(close: FloatArray, first: int, out: FloatArray, n_years: int) -> None:
    """Mean over the past years of the return in the 21 sessions that followed the same session of the year."""
    for s in range(close.shape[0]):
        for t in range(first, close.shape[1]):
            out[s, t - first] = np.nan
            if t >= n_years * _YEAR:
                total = 0.0
                for year in range(n_years, 0, -1):
                    start = t - year * _YEAR
                    total += close[s, start + _MONTH] / close[s, start] - 1.0
                out[s, t - first] = total / n_years


@njit(cache=True, nogil=True)
def rank_sessions(values: FloatArray, offsets: IntArray, out: FloatArray) -> None:
    """(average rank - 0.5) / n - 0.5 inside each session: rows ``offsets[i]`` to ``offsets[i + 1]``; NaN stays, one value alone is NaN."""
    for i in range(offsets.shape[0] - 1):
        start = offsets[i]
        block = values[start : offsets[i + 1]]
        out[start : offsets[i + 1]] = np.nan
        present = np.flatnonzero(~np.isnan(block))
        count = present.shape[0]
        if count < 2:
            continue
        order = present[np.argsort(block[present])]
        left = 0
        while left < count:
            right = left
            while right + 1 < count and block[order[right + 1]] == block[order[left]]:
                right += 1
            for k in range(left, right + 1):
                out[start + order[k]] = (0.5 * (left + right) + 0.5) / count - 0.5
            left = right + 1
