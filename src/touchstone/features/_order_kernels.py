"""Compiled kernels of extremes, ranks and quantiles over windows; see `Feature` for what a kernel takes and fills.

A session without a bar is a place of the window without a value. A window that reaches back before the history has no values there.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from touchstone.features._window_kernels import SPAN, extremes, first_places, load, reaches, smallest, sums
from touchstone.types import FloatArray

__all__ = ["extreme", "place", "position", "quantile", "rank"]

# Guards a denominator that may be zero.
_GUARD = 1e-12


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def _signed(row: FloatArray, begin: int, sign: float, missing: float, values: FloatArray) -> int:
    """Copy a row from session ``begin`` on, times ``sign``, with something else where there is no value; -inf before the row begins.

    Says how many values there are.
    """
    lead = max(0, -begin)
    values[:lead] = -np.inf
    source, into, count = row[begin + lead :], values[lead:], 0
    for j in range(into.shape[0]):
        value = source[j]
        into[j] = sign * value if value == value else missing
        count += value == value
    return count


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def _blank(values: FloatArray, window: int, into: FloatArray) -> None:
    """Put NaN for windows without any finite value."""
    last = -window
    for k in range(values.shape[0]):
        if abs(values[k]) < np.inf:
            last = k
        if k >= window - 1 and k - last >= window:
            into[k - window + 1] = np.nan


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def extreme(values: FloatArray, base: FloatArray, first: int, out: FloatArray, window: int, sign: float) -> None:
    """Highest (``sign`` 1) or lowest (-1) value of the window over the present base."""
    n_out, tile = out.shape[1], SPAN - window + 1
    held, spare = np.empty(SPAN), np.empty((2, SPAN))
    for s in range(out.shape[0]):
        for start in range(0, n_out, tile):
            length = min(SPAN, n_out - start + window - 1)
            _signed(values[s], first + start - window + 1, sign, -np.inf, held[:length])
            top, under, into = extremes(held[:length], window, spare), base[s, first + start :], out[s, start : start + tile]
            for j in range(into.shape[0]):
                into[j] = sign * top[j] / under[j] if top[j] > -np.inf else np.nan


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def position(close: FloatArray, high: FloatArray, low: FloatArray, first: int, out: FloatArray, window: int) -> None:
    """Where the close lies between the window's lowest low and its highest high."""
    n_out, tile = out.shape[1], SPAN - window + 1
    held, spare, other = np.empty(SPAN), np.empty((2, SPAN)), np.empty((2, SPAN))
    for s in range(out.shape[0]):
        for start in range(0, n_out, tile):
            length, begin = min(SPAN, n_out - start + window - 1), first + start - window + 1
            _signed(high[s], begin, 1.0, -np.inf, held[:length])
            top = extremes(held[:length], window, spare)
            _signed(low[s], begin, -1.0, -np.inf, held[:length])
            bottom, now, into = extremes(held[:length], window, other), close[s, first + start :], out[s, start : start + tile]
            for j in range(into.shape[0]):
                into[j] = (now[j] + bottom[j]) / (top[j] + bottom[j] + _GUARD)


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def place(
    high: FloatArray, low: FloatArray, age: FloatArray, first: int, out: FloatArray, window: int, of_high: float, of_low: float
) -> None:
    """Place of the window's first highest high and of its first lowest low, so weighed, over the window's length.

    Places count from 1 where the window begins, or the history where it begins later. A session without a value comes before all.
    """
    n_out, tile = out.shape[1], SPAN - window + 1
    base, spare = np.zeros(2 * SPAN), np.empty((2, 2 * SPAN))
    for s in range(out.shape[0]):
        for start in range(0, n_out, tile):
            length = min(SPAN, n_out - start + window - 1)
            lived, into = age[s, first + start :], out[s, start : start + tile]
            into[:] = 0.0
            for row, sign, weight in ((high[s], 1.0, of_high), (low[s], -1.0, of_low)):
                if weight != 0.0:
                    count = _signed(row, first + start - window + 1, sign, np.inf, base[:length])
                    # Sessions before the first one are no part of a window.
                    base[: length - min(int(lived[into.shape[0] - 1]), length)] = -np.inf
                    state = first_places(base, length, window, spare)
                    for j in range(into.shape[0]):
                        into[j] += weight * (state[SPAN + j] - max(window - lived[j], 0.0) + 1.0)
                    if count < length:
                        _blank(base[:length], window, into)
            for j in range(into.shape[0]):
                into[j] /= window


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def rank(values: FloatArray, first: int, out: FloatArray, window: int) -> None:
    """Rank of the last value among those of the window, ties averaged, over their number."""
    n_out, tile, steps = out.shape[1], SPAN - window + 1, reaches(window)
    held, present, spare, score = np.empty(SPAN), np.empty(SPAN), np.empty((2, SPAN)), np.empty(SPAN, np.int64)
    for s in range(out.shape[0]):
        for start in range(0, n_out, tile):
            length = min(SPAN, n_out - start + window - 1)
            load(values[s], first + start - window + 1, held[:length], present[:length])
            for j in range(length):
                held[j] = held[j] if present[j] > 0.0 else np.nan
            count, last, into = sums(present[:length], steps, spare), held[window - 1 :], out[s, start : start + tile]
            score[:] = 2
            for k in range(window - 1):
                other = held[k:]
                for j in range(into.shape[0]):
                    # A comparison with NaN is false.
                    score[j] += (other[j] < last[j]) + (other[j] <= last[j])
            for j in range(into.shape[0]):
                into[j] = 0.5 * score[j] / count[j] if last[j] == last[j] else np.nan


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def _replace(ordered: FloatArray, count: int, old: float, new: float) -> int:
    """Take the old value out of the ordered ones and put the new one in, NaN is none; gives how many there are then."""
    at = 0
    if old == old:
        while ordered[at] < old:
            at += 1
    else:
        at = count
        count += 1
    if new == new:
        while at + 1 < count and ordered[at + 1] < new:
            ordered[at] = ordered[at + 1]
            at += 1
        while at > 0 and ordered[at - 1] > new:
            ordered[at] = ordered[at - 1]
            at -= 1
        ordered[at] = new
        return count
    for k in range(at, count - 1):
        ordered[k] = ordered[k + 1]
    return count - 1


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def _mend(row: FloatArray, begin: int, window: int, level: float, present: FloatArray, into: FloatArray) -> None:
    """Put in the quantiles of the windows that lack a value; the first of them begins at session ``begin``."""
    ordered, count, done = np.empty(window + 1), np.int64(0), -2
    n_there = 0.0
    for j in range(window - 1):
        n_there += present[j]
    for j in range(into.shape[0]):
        t = begin + j + window - 1
        n_there += present[j + window - 1]
        if n_there < window and present[j + window - 1] > 0.0:
            # The window follows on the last one that was ordered, or is ordered anew.
            follows = done == t - 1
            old = row[t - window] if follows and t >= window else np.nan
            count = count if follows else np.int64(0)
            for k in range(t if follows else max(0, t - window + 1), t + 1):
                count = _replace(ordered, count, old, row[k])
            done = t
            at = level * (count - 1)
            low = int(at)
            below, above = ordered[low], ordered[low + 1 if low + 1 < count else low]
            into[j] = (below + (above - below) * (at - low)) / row[t]
        n_there -= present[j]


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def quantile(values: FloatArray, first: int, out: FloatArray, window: int, level: float) -> None:
    """Quantile of the window's values, linear between two of them, over the last value."""
    n_out, tile, steps = out.shape[1], SPAN - window + 1, reaches(window)
    at = level * (window - 1)
    low = int(at)
    # Values are ordered from the nearer end.
    sign = 1.0 if 2.0 * at < window - 1 else -1.0
    keep = low + 2 if sign > 0.0 else window - low
    base, present, spare = np.empty((2, SPAN)), np.empty(SPAN), np.empty((2, keep + 1, SPAN))
    base[0] = -np.inf
    for s in range(out.shape[0]):
        for start in range(0, n_out, tile):
            length, begin = min(SPAN, n_out - start + window - 1), first + start - window + 1
            count = load(values[s], begin, base[1, :length], present[:length])
            for j in range(length):
                base[1, j] *= sign
            state, last, into = smallest(base, length, keep, steps, spare), values[s, first + start :], out[s, start : start + tile]
            below, above = state[keep - 1 if sign > 0.0 else keep], state[keep if sign > 0.0 else keep - 1]
            for j in range(into.shape[0]):
                into[j] = sign * (below[j] + (above[j] - below[j]) * (at - low)) / last[j]
            if count < length:
                _mend(values[s], begin, window, level, present, into)
