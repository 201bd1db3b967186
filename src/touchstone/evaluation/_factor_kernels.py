"""Compiled ranks and correlations over grids of sessions by symbols, from orders that were sorted once.

A grid holds NaN where there is no value. Its order lists the columns of each row by value, NaN last, so that ranks among any
part of a row need no second sort. Sums of ranks are multiples of a quarter and so exact: no order of the symbols changes them.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from touchstone.types import FloatArray, IntArray

__all__ = ["bucket_rows", "correlate_rows", "rank_rows"]

_FEWEST_PAIRS = 5


@njit(cache=True, nogil=True)
def _average_ranks(values: FloatArray, order: IntArray, partner: FloatArray, ranks: FloatArray) -> int:
    """Ranks from 1, ties averaged, of the values whose partner is there; NaN elsewhere. Gives how many there are."""
    ranks[:] = np.nan
    n, first, size = 0, 0, len(values)
    while first < size and not np.isnan(values[order[first]]):
        last, tied = first, 0
        while last < size and values[order[last]] == values[order[first]]:
            if not np.isnan(partner[order[last]]):
                tied += 1
            last += 1
        for place in range(first, last):
            if not np.isnan(partner[order[place]]):
                ranks[order[place]] = n + 0.5 * (tied + 1)
        n += tied
        first = last
    return n


@njit(cache=True, nogil=True)
def _correlation(left: FloatArray, right: FloatArray, n: int) -> float:
    """Pearson correlation of the n pairs that are both there; NaN where one side is constant."""
    first = -1
    left_varies = right_varies = False
    left_sum = right_sum = 0.0
    for place in range(len(left)):
        if not np.isnan(left[place] + right[place]):
            first = place if first < 0 else first
            left_varies |= left[place] != left[first]
            right_varies |= right[place] != right[first]
            left_sum += left[place]
            right_sum += right[place]
    if n < _FEWEST_PAIRS or not left_varies or not right_varies:
        return np.nan
    left_mean, right_mean = left_sum / n, right_sum / n
    both = left_spread = right_spread = 0.0
    for place in range(len(left)):
        if not np.isnan(left[place] + right[place]):
            a, b = left[place] - left_mean, right[place] - right_mean
            both += a * b
            left_spread += a * a
            right_spread += b * b
    value: float = both / (np.sqrt(left_spread) * np.sqrt(right_spread))
    return min(max(value, -1.0), 1.0)


@njit(cache=True, nogil=True)
def correlate_rows(left: FloatArray, left_order: IntArray, right: FloatArray, right_order: IntArray, out: FloatArray) -> None:
    """Fill (1 or 2, n_sessions): Spearman, then Pearson correlation of the pairs of each row; NaN under five pairs or for a constant."""
    n_sessions, n_symbols = left.shape
    left_ranks, right_ranks = np.empty(n_symbols), np.empty(n_symbols)
    for session in range(n_sessions):
        n = _average_ranks(left[session], left_order[session], right[session], left_ranks)
        _average_ranks(right[session], right_order[session], left[session], right_ranks)
        out[0, session] = _correlation(left_ranks, right_ranks, n)
        if len(out) > 1:
            out[1, session] = _correlation(left[session], right[session], n)


@njit(cache=True, nogil=True)
def bucket_rows(values: FloatArray, order: IntArray, partner: FloatArray, n_buckets: int, out: NDArray[np.int8]) -> None:
    """Fill each cell with its bucket by rank among the pairs of its row, 0 the lowest; -1 without one, or with fewer pairs than buckets."""
    n_sessions, n_symbols = values.shape
    ranks = np.empty(n_symbols)
    for session in range(n_sessions):
        n = _average_ranks(values[session], order[session], partner[session], ranks)
        for place in range(n_symbols):
            known = n >= n_buckets and not np.isnan(ranks[place])
            out[session, place] = int((ranks[place] - 0.5) / n * n_buckets) if known else -1


@njit(cache=True, nogil=True)
def rank_rows(values: FloatArray, order: IntArray, out: FloatArray) -> None:
    """Fill each cell with its rank within the row less the row's mean rank, over the number of values; NaN where there is none."""
    for row in range(len(values)):
        n = _average_ranks(values[row], order[row], values[row], out[row])
        for place in range(values.shape[1]):
            out[row, place] = (out[row, place] - 0.5 * (n + 1)) / max(n, 1)
