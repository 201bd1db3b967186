"""Compiled kernels of candles, lags, rises and falls; see `Feature` for what a kernel takes and fills."""

from __future__ import annotations

import numpy as np
from numba import njit

from touchstone.features._window_kernels import SPAN, reaches, sums
from touchstone.types import FloatArray

__all__ = ["candle", "changes", "lag_ratio", "ups"]

# Guards a denominator that may be zero.
_GUARD = 1e-12


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def candle(
    open_: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, first: int, out: FloatArray, part: int, over: int
) -> None:
    """A part of the session's candle (0 body, 1 length, 2 upper shadow, 3 lower shadow, 4 shift) over its open or (1) its length."""
    n_out = out.shape[1]
    for s in range(out.shape[0]):
        began, top, bottom, ended, into = open_[s, first:], high[s, first:], low[s, first:], close[s, first:], out[s]
        if part == 0:
            for t in range(n_out):
                into[t] = ended[t] - began[t]
        elif part == 1:
            for t in range(n_out):
                into[t] = top[t] - bottom[t]
        elif part == 2:
            for t in range(n_out):
                into[t] = top[t] - max(began[t], ended[t])
        elif part == 3:
            for t in range(n_out):
                into[t] = min(began[t], ended[t]) - bottom[t]
        else:
            for t in range(n_out):
                into[t] = 2.0 * ended[t] - top[t] - bottom[t]
        if over == 0:
            for t in range(n_out):
                into[t] /= began[t]
        else:
            for t in range(n_out):
                into[t] /= top[t] - bottom[t] + _GUARD


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def lag_ratio(values: FloatArray, base: FloatArray, first: int, out: FloatArray, lag: int, guard: float) -> None:
    """A value of ``lag`` sessions ago over the present base, to which ``guard`` is added."""
    lead = min(max(lag - first, 0), out.shape[1])
    for s in range(out.shape[0]):
        out[s, :lead] = np.nan
        past, present, into = values[s, first + lead - lag :], base[s, first + lead :], out[s, lead:]
        for t in range(into.shape[0]):
            into[t] = past[t] / (present[t] + guard)


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def _moves(row: FloatArray, begin: int, rises: FloatArray, falls: FloatArray) -> None:
    """Rises and falls since the session before, from session ``begin`` on; 0 where either session has no value."""
    lead = min(max(0, 1 - begin), rises.shape[0])
    rises[:lead] = 0.0
    falls[:lead] = 0.0
    now, before, up, down = row[begin + lead :], row[begin + lead - 1 :], rises[lead:], falls[lead:]
    for j in range(up.shape[0]):
        move = now[j] - before[j]
        # A comparison with NaN is false.
        up[j] = move if move > 0.0 else 0.0
        down[j] = -move if move < 0.0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def _has_move(row: FloatArray, t: int, window: int) -> bool:
    """Whether any session of the window that ends at session t has a value, and the session before it too."""
    k = t
    while k > max(t - window, 0) and np.isnan(row[k] - row[k - 1]):
        k -= 1
    return k > max(t - window, 0)


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def changes(values: FloatArray, first: int, out: FloatArray, window: int, of_rises: float, of_falls: float) -> None:
    """Rises and falls of the window, so weighed, over the way that was gone up and down; NaN before there is a change."""
    n_out, tile, steps = out.shape[1], SPAN - window + 1, reaches(window)
    rising, falling, spare, other = np.empty(SPAN), np.empty(SPAN), np.empty((2, SPAN)), np.empty((2, SPAN))
    for s in range(out.shape[0]):
        for start in range(0, n_out, tile):
            length = min(SPAN, n_out - start + window - 1)
            _moves(values[s], first + start - window + 1, rising[:length], falling[:length])
            rises, falls = sums(rising[:length], steps, spare), sums(falling[:length], steps, other)
            into, n_still = out[s, start : start + tile], 0
            for j in range(into.shape[0]):
                way = rises[j] + falls[j]
                into[j] = (of_rises * rises[j] + of_falls * falls[j]) / (way + _GUARD)
                n_still += way == 0.0
            for j in range(into.shape[0] if n_still else 0):
                t = first + start + j
                if rises[j] + falls[j] == 0.0 and (np.isnan(values[s, t]) or not _has_move(values[s], t, window)):
                    into[j] = np.nan


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def ups(values: FloatArray, age: FloatArray, first: int, out: FloatArray, window: int, of_rises: float, of_falls: float) -> None:
    """Share of sessions that rose and of those that fell, so weighed, among all of the window since the first session."""
    n_out, tile, steps = out.shape[1], SPAN - window + 1, reaches(window)
    rising, falling, spare = np.empty(SPAN), np.empty(SPAN), np.empty((2, SPAN))
    for s in range(out.shape[0]):
        for start in range(0, n_out, tile):
            length = min(SPAN, n_out - start + window - 1)
            _moves(values[s], first + start - window + 1, rising[:length], falling[:length])
            for j in range(length):
                rising[j] = (of_rises if rising[j] > 0.0 else 0.0) + (of_falls if falling[j] > 0.0 else 0.0)
            count, lived, into = sums(rising[:length], steps, spare), age[s, first + start :], out[s, start : start + tile]
            for j in range(into.shape[0]):
                into[j] = count[j] / min(lived[j], float(window))
