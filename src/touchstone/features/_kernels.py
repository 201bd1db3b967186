"""Compiled kernels over symbol-major panels: every value is built from the values of its own window, never from running sums.

A kernel takes panels of shape (n_symbols, n_sessions), NaN where a symbol has no bar, the first session to answer for, the
array to fill, of shape (n_symbols, n_sessions - first), and its windows. Sums run from the oldest value of the window to the
newest, so that a value has the same bits wherever the history that is given begins.

A window counts when its first and last value are there and at least four fifths of all; otherwise the value is NaN.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

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
    "zscore_sessions",
]

_YEAR = 252
_MONTH = 21
# Deviations of daily returns below this are rounding, not moves.
_STILL = 1e-10
# Their keys stay in a core's own cache.
_SESSIONS_AT_ONCE = 64
# Above the key of every number: it would be that of a NaN.
_NO_KEY = np.uint64(0xFFFFFFFFFFFFFFFF)


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
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


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def _mean(values: FloatArray) -> float:
    total = 0.0
    count = 0
    for value in values:
        if not np.isnan(value):
            total += value
            count += 1
    return total / count


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
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


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def return_between(close: FloatArray, first: int, out: FloatArray, near: int, far: int) -> None:
    """Simple return from ``far`` sessions ago to ``near`` sessions ago."""
    for s in range(close.shape[0]):
        for t in range(first, close.shape[1]):
            out[s, t - first] = close[s, t - near] / close[s, t - far] - 1.0 if t >= far else np.nan


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def window_mean(values: FloatArray, first: int, out: FloatArray, window: int) -> None:
    """Mean over the window."""
    for s in range(values.shape[0]):
        usable = _usable(values[s], window)
        for t in range(first, values.shape[1]):
            out[s, t - first] = _mean(values[s, t - window + 1 : t + 1]) if usable[t] else np.nan


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
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


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def volatility(returns: FloatArray, first: int, out: FloatArray, window: int) -> None:
    """Standard deviation over the window, ddof 1, per session."""
    for s in range(returns.shape[0]):
        usable = _usable(returns[s], window)
        for t in range(first, returns.shape[1]):
            out[s, t - first] = np.nan
            if usable[t]:
                count, squares, _ = _moments(returns[s, t - window + 1 : t + 1])
                out[s, t - first] = np.sqrt(squares / (count - 1))


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
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


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
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


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
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


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
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


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def _paired(values: FloatArray, market: FloatArray) -> FloatArray:
    """The values, NaN where the market has none."""
    paired = values.copy()
    for t in range(values.shape[0]):
        if np.isnan(market[t]):
            paired[t] = np.nan
    return paired


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
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


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
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


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
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


def rank_sessions(values: FloatArray, offsets: IntArray, out: FloatArray) -> None:
    """(average rank - 0.5) / n - 0.5 inside each session: rows ``offsets[i]`` to ``offsets[i + 1]``; NaN stays, one value alone is NaN."""
    widths = np.diff(offsets)
    mask = np.uint64((1 << int(widths.max(initial=1)).bit_length()) - 1)
    for first in range(0, len(widths), _SESSIONS_AT_ONCE):
        keys = np.empty((min(_SESSIONS_AT_ONCE, len(widths) - first), widths[first : first + _SESSIONS_AT_ONCE].max()), np.uint64)
        _pack_keys(values, offsets[first:], mask, keys)
        # numpy sorts whole numbers with the processor's vector instructions: no other order of them, only sooner.
        keys.sort(axis=1)
        _unpack_ranks(values, offsets[first:], mask, keys, out)


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def _pack_keys(values: FloatArray, offsets: IntArray, mask: np.uint64, keys: NDArray[np.uint64]) -> None:
    """Whole numbers in the order of the values: the lowest bits, under the mask, give way to the position in the session."""
    sign = np.uint64(1) << np.uint64(63)
    bits = values.view(np.uint64)
    for i in range(keys.shape[0]):
        start = offsets[i]
        keys[i] = _NO_KEY
        for k in range(offsets[i + 1] - start):
            value = values[start + k]
            if not np.isnan(value):
                # Negative zero equals zero.
                key = bits[start + k] if value != 0.0 else np.uint64(0)
                key = ~key if key & sign else key | sign
                keys[i, k] = (key & ~mask) | np.uint64(k)


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def _unpack_ranks(values: FloatArray, offsets: IntArray, mask: np.uint64, keys: NDArray[np.uint64], out: FloatArray) -> None:
    """Ranks from sorted keys; values that differ under the mask only are put in order first."""
    order = np.empty(keys.shape[1], np.int64)
    ordered = np.empty(keys.shape[1])
    for i in range(keys.shape[0]):
        start = offsets[i]
        out[start : offsets[i + 1]] = np.nan
        count = 0
        while count < offsets[i + 1] - start and keys[i, count] != _NO_KEY:
            position = np.int64(keys[i, count] & mask)
            value = values[start + position]
            k = count
            while k > 0 and ordered[k - 1] > value:
                ordered[k] = ordered[k - 1]
                order[k] = order[k - 1]
                k -= 1
            ordered[k] = value
            order[k] = position
            count += 1
        left = 0
        while left < count and count > 1:
            right = left
            while right + 1 < count and ordered[right + 1] == ordered[left]:
                right += 1
            for k in range(left, right + 1):
                out[start + order[k]] = (0.5 * (left + right) + 0.5) / count - 0.5
            left = right + 1


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def zscore_sessions(values: FloatArray, _groups: IntArray, offsets: IntArray, out: FloatArray) -> None:
    """Distance from the session's mean in standard deviations, ddof 1; NaN stays, and under two values, or where all are equal, is all."""
    for i in range(offsets.shape[0] - 1):
        block = values[offsets[i] : offsets[i + 1]]
        low, high = np.inf, -np.inf
        for value in block:
            # A comparison with NaN is false.
            low = value if value < low else low
            high = value if value > high else high
        out[offsets[i] : offsets[i + 1]] = np.nan
        if low < high:
            mean = _mean(block)
            count, squares, _ = _moments(block)
            deviation = np.sqrt(squares / (count - 1))
            for k in range(block.shape[0]):
                # The smallest deviations have no square.
                out[offsets[i] + k] = (block[k] - mean) / deviation if deviation > 0.0 else np.nan
