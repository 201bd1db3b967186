"""Two matrices compared bit for bit through a mapping of their rows, without a copy of either."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from touchstone.types import BoolArray, IntArray

__all__ = ["differing"]

# Rows whose mapping stays in the fastest cache while every column passes over them.
_TILE = 4096


@njit(cache=True, nogil=True)
def differing(
    expected: NDArray[Any],
    observed: NDArray[Any],
    columns: IntArray,
    rows: NDArray[np.int32],
    held: NDArray[np.int32],
    needed: IntArray,
    partial: BoolArray,
    bits: NDArray[Any],
    counts: IntArray,
    listed: IntArray,
) -> None:
    """Count, for each pair of columns, the pairs of rows whose bits differ, and list the first of them.

    ``expected`` and ``observed`` hold the bits as integers, shape (n_columns, n_rows) each. ``columns`` and ``rows`` are pairs of
    positions, shape (2, n_pairs), -1 where a matrix lacks one: what is lacking is NaN. NaN equals NaN; ``bits`` are, in the
    integers of the matrices, a mask that takes off the sign, and infinity: what lies above it is NaN. Where fewer than ``needed``
    sessions were ``held``, a value of a ``partial`` column may be anything, and any other may be NaN.
    """
    unsigned, infinity = bits[0], bits[1]
    at, to = rows[0], rows[1]
    for first in range(0, len(at), _TILE):
        last = min(first + _TILE, len(at))
        rows_are_paired = at[first:last].min() >= 0 and to[first:last].min() >= 0
        for c in range(columns.shape[1]):
            is_paired = rows_are_paired and columns[0, c] >= 0 and columns[1, c] >= 0
            left_values, right_values = expected[max(columns[0, c], 0)], observed[max(columns[1, c], 0)]
            for i in range(first, last):
                # Nearly all pairs are equal. An unsigned position needs no check whether it counts from the end.
                left, right = left_values[np.uint32(max(at[i], 0))], right_values[np.uint32(max(to[i], 0))]
                if left == right and is_paired:
                    continue
                left = left if columns[0, c] >= 0 and at[i] >= 0 else unsigned
                right = right if columns[1, c] >= 0 and to[i] >= 0 else unsigned
                is_missing = (right & unsigned) > infinity
                if left == right or (is_missing and (left & unsigned) > infinity):
                    continue
                if held[i] < needed[c] and (is_missing or partial[c]):
                    continue
                if counts[c] < listed.shape[1]:
                    listed[c, counts[c]] = i
                counts[c] += 1
