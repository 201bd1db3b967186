"""Compiled windows that slide over one row of sessions, for kernels to build on.

A window grows by joining two that lie side by side: 1, 2, 4, ... values, and one value more where the length is odd. Each step is
one pass along the sessions, so that a window of w values costs about log2(w) passes instead of w, and the order of operations
inside a window is the same wherever it lies: a value has the same bits wherever the history that is given begins.

Element j of a state speaks of the window that begins at place j of the buffer. Means and squared deviations of two windows are
joined without cancellation (Chan, Golub and LeVeque 1983), and nothing is carried on from one window to the next.

Division by zero is numpy's (``error_model``): a check at every division would keep loops from being vectorised. Nobody calls a kernel
from C: without a wrapper for that (``no_cfunc_wrapper``) the first call is sooner done.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from touchstone.types import FloatArray, IntArray

__all__ = ["SPAN", "extremes", "first_places", "load", "means", "pairs", "reaches", "smallest", "spreads", "sums", "weigh"]

# Places of a buffer, and the stride of states that lie in one array: a few of them fit into the nearest cache.
SPAN = 512


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def reaches(window: int) -> IntArray:
    """By how much each step widens a window on its way from one value to ``window``: its whole size, or 1."""
    count, size = 0, window
    while size > 1:
        size -= 1 if size % 2 else size // 2
        count += 1
    steps, size = np.empty(count, np.int64), window
    for step in range(count - 1, -1, -1):
        steps[step] = 1 if size % 2 else size // 2
        size -= steps[step]
    return steps


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def load(row: FloatArray, begin: int, values: FloatArray, present: FloatArray) -> int:
    """Copy a row from session ``begin`` on, 0 where there is no finite value, as before the row begins; say how many there are."""
    lead = max(0, -begin)
    values[:lead] = 0.0
    present[:lead] = 0.0
    source, into, there = row[begin + lead :], values[lead:], present[lead:]
    count = 0
    for j in range(into.shape[0]):
        value = source[j]
        # False for NaN and for what is infinite.
        is_there = value - value == 0.0
        into[j] = value if is_there else 0.0
        there[j] = 1.0 if is_there else 0.0
        count += is_there
    return count


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def sums(values: FloatArray, steps: IntArray, spare: FloatArray) -> FloatArray:
    """Sums over the windows inside ``values``."""
    current, size, free = values, 1, 0
    for reach in steps:
        left, right, out = current, (values if reach == 1 else current)[size:], spare[free]
        for j in range(values.shape[0] - size - reach + 1):
            out[j] = left[j] + right[j]
        current, size, free = out, size + reach, 1 - free
    return current


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def weigh(present: FloatArray, steps: IntArray, spare: FloatArray, weights: FloatArray) -> None:
    """Say how each step weighs the two windows that it joins.

    With m and n values in the earlier and the later one, ``weights`` gets a row n / (m + n) for each step, then a row m n / (m + n)
    for each step, then one that says how many values the windows have.
    """
    n_steps = steps.shape[0]
    current, size, free = present, 1, 0
    for step in range(n_steps):
        reach = steps[step]
        left, right, out = current, (present if reach == 1 else current)[size:], spare[free]
        share, scale = weights[step], weights[n_steps + step]
        for j in range(present.shape[0] - size - reach + 1):
            count = left[j] + right[j]
            out[j] = count
            share[j] = right[j] / max(count, 1.0)
            scale[j] = left[j] * share[j]
        current, size, free = out, size + reach, 1 - free
    counts = weights[2 * n_steps]
    for j in range(present.shape[0] - size + 1):
        counts[j] = current[j]


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def means(values: FloatArray, steps: IntArray, spare: FloatArray, weights: FloatArray) -> FloatArray:
    """Means over the windows inside ``values``."""
    current, size, free = values, 1, 0
    for step in range(steps.shape[0]):
        reach = steps[step]
        left, right, out, share = current, (values if reach == 1 else current)[size:], spare[free], weights[step]
        for j in range(values.shape[0] - size - reach + 1):
            out[j] = left[j] + (right[j] - left[j]) * share[j]
        current, size, free = out, size + reach, 1 - free
    return current


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def spreads(base: FloatArray, n_places: int, steps: IntArray, spare: FloatArray, weights: FloatArray) -> FloatArray:
    """Means and sums of squared deviations over the windows of a state (values, zeros)."""
    current, size, free = base, 1, 0
    for step in range(steps.shape[0]):
        reach = steps[step]
        left, right, out = current, (base if reach == 1 else current)[size:], spare[free]
        share, scale = weights[step], weights[steps.shape[0] + step]
        for j in range(n_places - size - reach + 1):
            apart = right[j] - left[j]
            out[j] = left[j] + apart * share[j]
            out[SPAN + j] = left[SPAN + j] + right[SPAN + j] + apart * apart * scale[j]
        current, size, free = out, size + reach, 1 - free
    return current


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def pairs(base: FloatArray, n_places: int, stride: float, steps: IntArray, spare: FloatArray, weights: FloatArray) -> FloatArray:
    """Means of x and y, and sums of xx, xy and yy of their deviations, over the windows of a state (x, y, zeros, zeros, zeros).

    With ``stride`` 1 x counts from where each window begins, with 0 it is what the state says.
    """
    current, size, free = base, 1, 0
    for step in range(steps.shape[0]):
        reach = steps[step]
        left, right, out = current, (base if reach == 1 else current)[size:], spare[free]
        share, scale, shift = weights[step], weights[steps.shape[0] + step], stride * size
        for j in range(n_places - size - reach + 1):
            x = right[j] - left[j] + shift
            y = right[SPAN + j] - left[SPAN + j]
            out[j] = left[j] + x * share[j]
            out[SPAN + j] = left[SPAN + j] + y * share[j]
            x_scaled = x * scale[j]
            out[2 * SPAN + j] = left[2 * SPAN + j] + right[2 * SPAN + j] + x * x_scaled
            out[3 * SPAN + j] = left[3 * SPAN + j] + right[3 * SPAN + j] + y * x_scaled
            out[4 * SPAN + j] = left[4 * SPAN + j] + right[4 * SPAN + j] + y * y * scale[j]
        current, size, free = out, size + reach, 1 - free
    return current


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def extremes(values: FloatArray, window: int, spare: FloatArray) -> FloatArray:
    """Largest values of the windows inside ``values``; the two that are joined may overlap."""
    current, size, free = values, 1, 0
    while size < window:
        reach = min(size, window - size)
        left, right, out = current, current[reach:], spare[free]
        for j in range(values.shape[0] - size - reach + 1):
            out[j] = max(left[j], right[j])
        current, size, free = out, size + reach, 1 - free
    return current


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def first_places(base: FloatArray, n_places: int, window: int, spare: FloatArray) -> FloatArray:
    """Largest values, and how many places after its beginning each window first has it, for a state (values, zeros), each SPAN long."""
    current, size, free = base, 1, 0
    while size < window:
        reach = min(size, window - size)
        left, right, out = current, current[reach:], spare[free]
        for j in range(n_places - size - reach + 1):
            is_later = right[j] > left[j]
            out[j] = right[j] if is_later else left[j]
            out[SPAN + j] = right[SPAN + j] + reach if is_later else left[SPAN + j]
        current, size, free = out, size + reach, 1 - free
    return current


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def smallest(base: FloatArray, n_places: int, keep: int, steps: IntArray, spare: FloatArray) -> FloatArray:
    """The ``keep`` smallest values of each window, the two largest of them in the last rows, for a state (-inf, values).

    The i-th smallest of two ordered lists is the smallest of max(left[a], right[b]) over a + b = i, with row 0 below everything.
    """
    current, size, free = base, 1, 0
    spare[:, 0] = -np.inf
    for step in range(steps.shape[0]):
        reach = steps[step]
        left, right, out, n_left = current, (base if reach == 1 else current), spare[free], min(size, keep)
        for i in range(keep - 1 if step == steps.shape[0] - 1 else 1, min(size + reach, keep) + 1):
            row, last = out[i, : n_places - size - reach + 1], min(i, n_left)
            row[:] = np.inf
            for a in range(max(0, i - min(reach, keep)), last + 1, 2):
                # Two at a time; where the number is odd the last is taken twice.
                b = min(a + 1, last)
                one, other, two, another = left[a], right[i - a, size:], left[b], right[i - b, size:]
                for j in range(row.shape[0]):
                    row[j] = min(row[j], min(max(one[j], other[j]), max(two[j], another[j])))
        current, size, free = out, size + reach, 1 - free
    return current
