"""Compiled steps across the symbols of a session.

Each takes the values of all rows, their sectors, the borders of the sessions and the array to fill: rows ``offsets[i]`` to
``offsets[i + 1]`` are one session. A missing value is no part of the cross-section and stays missing. Sums run over the rows of a
session in their order.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from touchstone.features._kernels import rank_sessions, window_mean
from touchstone.types import FloatArray, IntArray

__all__ = ["log_window_mean", "neutral_sessions", "rank_among", "winsor_sessions"]

# Three standard deviations of a normal law, in median absolute deviations.
_FENCE = 3.0 * 1.482602218505602


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def log_window_mean(values: FloatArray, first: int, out: FloatArray, window: int) -> None:
    """Logarithm of the mean over the window; NaN where the mean is zero."""
    window_mean(values, first, out, window)
    for s in range(out.shape[0]):
        for t in range(out.shape[1]):
            out[s, t] = np.log(out[s, t]) if out[s, t] > 0.0 else np.nan


def rank_among(values: FloatArray, _groups: IntArray, offsets: IntArray, out: FloatArray) -> None:
    """The ranks of `rank_sessions`, as a step across."""
    rank_sessions(values, offsets, out)


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def neutral_sessions(values: FloatArray, groups: IntArray, offsets: IntArray, out: FloatArray) -> None:
    """The value less the mean of its sector's members in the session; NaN where the sector is unknown or has no other member."""
    n_groups = groups.max() + 1
    count = np.empty(n_groups, np.int64)
    origin = np.empty(n_groups)
    total = np.empty(n_groups)
    for i in range(offsets.shape[0] - 1):
        count[:] = 0
        total[:] = 0.0
        for row in range(offsets[i], offsets[i + 1]):
            group = groups[row]
            if group >= 0 and not np.isnan(values[row]):
                # Distances from the sector's first member: equal values then differ by zero, not by rounding.
                origin[group] = origin[group] if count[group] else values[row]
                total[group] += values[row] - origin[group]
                count[group] += 1
        for row in range(offsets[i], offsets[i + 1]):
            group = groups[row]
            is_compared = group >= 0 and count[group] > 1
            out[row] = values[row] - origin[group] - total[group] / count[group] if is_compared else np.nan


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def winsor_sessions(values: FloatArray, _groups: IntArray, offsets: IntArray, out: FloatArray) -> None:
    """The value, moved to the nearer fence where it lies beyond: the session's median ± 3 x 1.4826 median absolute deviations.

    Where over half of the values are one and the same there is no such deviation, and every value stays as it is.
    """
    # Loops, not whole arrays: they compile in a quarter of the time.
    scratch = np.empty(values.shape[0])
    for i in range(offsets.shape[0] - 1):
        n = 0
        for row in range(offsets[i], offsets[i + 1]):
            out[row] = values[row]
            if not np.isnan(values[row]):
                scratch[n] = values[row]
                n += 1
        if n > 0:
            middle = _middle(scratch, n)
            for k in range(n):
                scratch[k] = abs(scratch[k] - middle)
            reach = _FENCE * _middle(scratch, n)
            for row in range(offsets[i], offsets[i + 1]):
                if reach > 0.0 and abs(values[row] - middle) > reach:
                    out[row] = middle + reach if values[row] > middle else middle - reach


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def _middle(values: FloatArray, n: int) -> float:
    """Median of the first ``n``, by Hoare's selection; they change places."""
    low, high = 0, n - 1
    while low < high:
        pivot = values[(low + high) // 2]
        left, right = low, high
        while left <= right:
            while values[left] < pivot:
                left += 1
            while pivot < values[right]:
                right -= 1
            if left <= right:
                swapped = values[left]
                values[left] = values[right]
                values[right] = swapped
                left += 1
                right -= 1
        if n // 2 <= right:
            high = right
        elif n // 2 >= left:
            low = left
        else:
            break
    upper = float(values[n // 2])
    if n % 2:
        return upper
    # Everything before its place is at most as large.
    lower = float(values[0])
    for k in range(1, n // 2):
        lower = max(lower, values[k])
    return 0.5 * (lower + upper)
