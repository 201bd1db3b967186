"""Compiled kernels of means, spreads, lines and correlations over windows; see `Feature` for what a kernel takes and fills.

A session without a bar is a place of the window without a value. A window that reaches back before the history has no values there.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from touchstone.features._window_kernels import SPAN, load, means, pairs, reaches, spreads, weigh
from touchstone.types import FloatArray, IntArray

__all__ = ["correlation", "line", "mean", "spread"]

# Guards a denominator that may be zero.
_GUARD = 1e-12
# A deviation up to this is none: a correlation with it says nothing.
_STILL = 2e-5


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def _weights(steps: IntArray, n_places: int, spare: FloatArray) -> FloatArray:
    """Weights of windows in which nothing is missing, and room for those of others."""
    weights, present = np.empty((2, 2 * steps.shape[0] + 1, SPAN)), np.empty(min(SPAN, n_places))
    present[:] = 1.0
    weigh(present, steps, spare, weights[0])
    return weights


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def mean(values: FloatArray, first: int, out: FloatArray, window: int, guard: float) -> None:
    """Mean over the window over the last value, to which ``guard`` is added."""
    n_out, tile, steps = out.shape[1], SPAN - window + 1, reaches(window)
    held, present, spare = np.empty(SPAN), np.empty(SPAN), np.empty((2, SPAN))
    weights = _weights(steps, n_out + window - 1, spare)
    for s in range(out.shape[0]):
        for start in range(0, n_out, tile):
            length = min(SPAN, n_out - start + window - 1)
            count = load(values[s], first + start - window + 1, held[:length], present[:length])
            own = weights[int(count < length)]
            if count < length:
                weigh(present[:length], steps, spare, own)
            average = means(held[:length], steps, spare, own)
            last, into = values[s, first + start :], out[s, start : start + tile]
            for j in range(into.shape[0]):
                into[j] = average[j] / (last[j] + guard)


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def _load_both(left: FloatArray, right: FloatArray, begin: int, base: FloatArray, present: FloatArray, other: FloatArray) -> int:
    """Copy two rows into the first two parts of a state, 0 where either has no finite value; ``present`` says where both have one."""
    n_places = present.shape[0]
    x, y = base[:n_places], base[SPAN : SPAN + n_places]
    count: int = min(load(left, begin, x, present), load(right, begin, y, other))
    if count < n_places:
        for j in range(n_places):
            present[j] *= other[j]
            x[j] *= present[j]
            y[j] *= present[j]
    return count


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def spread(values: FloatArray, volume: FloatArray, first: int, out: FloatArray, window: int, guard: float, is_flow: bool) -> None:
    """Standard deviation over the window, ddof 1, over the last value; of a flow, |value| x volume, over its mean.

    ``guard`` is added to what it is divided by.
    """
    n_out, tile, steps = out.shape[1], SPAN - window + 1, reaches(window)
    base, present, other, spare = np.zeros(2 * SPAN), np.empty(SPAN), np.empty(SPAN), np.empty((2, 2 * SPAN))
    weights = _weights(steps, n_out + window - 1, spare)
    for s in range(out.shape[0]):
        for start in range(0, n_out, tile):
            length, begin = min(SPAN, n_out - start + window - 1), first + start - window + 1
            if is_flow:
                count = _load_both(values[s], volume[s], begin, base, present[:length], other[:length])
                for j in range(length):
                    base[j] = abs(base[j]) * base[SPAN + j]
                base[SPAN:] = 0.0
            else:
                count = load(values[s], begin, base[:length], present[:length])
            own = weights[int(count < length)]
            if count < length:
                weigh(present[:length], steps, spare, own)
            state, n_values = spreads(base, length, steps, spare, own), own[2 * steps.shape[0]]
            under, into = (state if is_flow else values[s, first + start :]), out[s, start : start + tile]
            for j in range(into.shape[0]):
                into[j] = np.sqrt(state[SPAN + j] / max(n_values[j] - 1.0, 0.0)) / (under[j] + guard)


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def line(values: FloatArray, first: int, out: FloatArray, window: int, part: int) -> None:
    """Least-squares line over the window's places: 0 slope over the last value, 1 R squared, 2 last residual over the last value."""
    n_out, tile, steps = out.shape[1], SPAN - window + 1, reaches(window)
    base, present, spare = np.zeros(5 * SPAN), np.empty(SPAN), np.empty((2, 5 * SPAN))
    weights = _weights(steps, n_out + window - 1, spare)
    for s in range(out.shape[0]):
        for start in range(0, n_out, tile):
            length = min(SPAN, n_out - start + window - 1)
            count = load(values[s], first + start - window + 1, base[SPAN : SPAN + length], present[:length])
            own = weights[int(count < length)]
            if count < length:
                weigh(present[:length], steps, spare, own)
            state, n_values = pairs(base, length, 1.0, steps, spare, own), own[2 * steps.shape[0]]
            last, into = values[s, first + start :], out[s, start : start + tile]
            for j in range(into.shape[0]):
                slope = state[3 * SPAN + j] / state[2 * SPAN + j]
                if part == 0:
                    into[j] = slope / last[j]
                elif part == 1:
                    is_still = state[4 * SPAN + j] <= _STILL * _STILL * (n_values[j] - 1.0)
                    into[j] = np.nan if is_still else slope * state[3 * SPAN + j] / state[4 * SPAN + j]
                else:
                    into[j] = (last[j] - state[SPAN + j] - slope * (window - 1.0 - state[j])) / last[j]


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def correlation(left: FloatArray, right: FloatArray, first: int, out: FloatArray, window: int) -> None:
    """Correlation over the window's sessions that have both values; NaN where either stands still."""
    n_out, tile, steps = out.shape[1], SPAN - window + 1, reaches(window)
    base, present, other, spare = np.zeros(5 * SPAN), np.empty(SPAN), np.empty(SPAN), np.empty((2, 5 * SPAN))
    weights = _weights(steps, n_out + window - 1, spare)
    for s in range(out.shape[0]):
        for start in range(0, n_out, tile):
            length = min(SPAN, n_out - start + window - 1)
            count = _load_both(left[s], right[s], first + start - window + 1, base, present[:length], other[:length])
            own = weights[int(count < length)]
            if count < length:
                weigh(present[:length], steps, spare, own)
            state, n_values, into = pairs(base, length, 0.0, steps, spare, own), own[2 * steps.shape[0]], out[s, start : start + tile]
            for j in range(into.shape[0]):
                still = _STILL * _STILL * (n_values[j] - 1.0)
                has_moved = min(state[2 * SPAN + j], state[4 * SPAN + j]) > still
                into[j] = state[3 * SPAN + j] / np.sqrt(state[2 * SPAN + j] * state[4 * SPAN + j]) if has_moved else np.nan
