"""Compiled steps of the technical indicators, on the bars that a symbol has: sessions without a bar are taken out first.

`pack` moves the bars of a row together, `unpack` puts what was computed from them back on their sessions. In between nothing is
missing, and every sum is built from the values of its own window by doubling: two neighbouring windows of m bars make one of 2m. The
tree of additions is the same wherever the history that is given begins, and so are the bits.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from touchstone.types import FloatArray, IntArray

__all__ = ["bars_since", "decayed_sum", "deviation", "pack", "places", "unpack"]


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def places(panel: FloatArray, start: int, at_least: int) -> IntArray:
    """Sessions from ``start`` on that have a bar, moved together at the left of ``at_least`` columns or more; -1 behind the last."""
    found = np.full((panel.shape[0], max(panel.shape[1] - start, at_least)), -1, np.int64)
    longest = at_least
    for s in range(panel.shape[0]):
        count = 0
        for t in range(start, panel.shape[1]):
            if not np.isnan(panel[s, t]):
                found[s, count] = t
                count += 1
        longest = max(longest, count)
    return found[:, :longest].copy()


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def pack(panel: FloatArray, sessions: IntArray) -> FloatArray:
    """The values on those sessions; NaN behind the last bar of a row."""
    packed = np.full(sessions.shape, np.nan)
    for s in range(sessions.shape[0]):
        for i in range(sessions.shape[1]):
            if sessions[s, i] < 0:
                break
            packed[s, i] = panel[s, sessions[s, i]]
    return packed


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def unpack(
    values: FloatArray, sessions: IntArray, age: FloatArray, first: int, out: FloatArray, begins: int, settled: int, lookback: int
) -> None:
    """Put values of bars back on their sessions, and NaN where they would look further back than ``lookback`` sessions.

    A value looks back ``settled`` bars; with fewer bars it counts from bar ``begins`` on, as long as all since the symbol's first
    lie within the lookback.
    """
    out[:] = np.nan
    for s in range(sessions.shape[0]):
        for i in range(begins, sessions.shape[1]):
            t = sessions[s, i]
            if t < 0:
                break
            if t >= first and (age[s, t] < lookback or (i >= settled and t - sessions[s, i - settled] < lookback)):
                out[s, t - first] = values[s, i]


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def _join(near: FloatArray, far: FloatArray, weight: float, out: FloatArray) -> None:
    for k in range(out.shape[0]):
        out[k] = near[k] + weight * far[k]


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def decayed_sum(values: FloatArray, decay: float, length: int) -> FloatArray:
    """Sum of the last ``length`` values, the one k bars ago times decay to the power k; what lies before the row counts as zero."""
    n = values.shape[1]
    total = np.zeros(values.shape)
    # Sums over 1, 2, 4, ... bars, each made from the one before.
    blocks = np.empty((2, n))
    for s in range(values.shape[0]):
        for i in range(n):
            blocks[0, i] = values[s, i]
        now, size, power = 0, 1, decay
        reach, reached = 0, 1.0
        left = length
        while left > 0:
            if left & 1 and reach < n:
                _join(total[s, reach:], blocks[now], reached, total[s, reach:])
                reach += size
                reached *= power
            for i in range(min(size, n)):
                blocks[1 - now, i] = blocks[now, i]
            if size < n:
                _join(blocks[now, size:], blocks[now], power, blocks[1 - now, size:])
            now = 1 - now
            size *= 2
            power *= power
            left >>= 1
    return total


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def deviation(values: FloatArray, means: FloatArray, length: int, squared: bool) -> FloatArray:
    """Mean over the window of the absolute deviation from the window's mean, or of its square."""
    total = np.zeros(values.shape)
    for s in range(values.shape[0]):
        for k in range(length):
            old = values[s, : max(values.shape[1] - k, 0)]
            mean, target = means[s, k:], total[s, k:]
            for i in range(target.shape[0]):
                distance = old[i] - mean[i]
                target[i] += (distance * distance if squared else abs(distance)) / length
    return total


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def bars_since(values: FloatArray, extremes: FloatArray, length: int) -> FloatArray:
    """Bars since the value last stood at the extreme of the window."""
    since = np.zeros(values.shape)
    for s in range(values.shape[0]):
        for i in range(length - 1, values.shape[1]):
            k = 0
            while k < length - 1 and values[s, i - k] != extremes[s, i]:
                k += 1
            since[s, i] = k
    return since
