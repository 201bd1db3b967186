"""Compiled moves between date-major rows and symbol-major panels."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from touchstone.types import Float32Array, FloatArray, IntArray

__all__ = ["gather", "lay_out", "put"]

# Sessions whose rows are written before the next ones: their lines stay in the cache while a block's symbols fill them.
_TILE = 64


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def lay_out(symbol_of: IntArray, session_of: IntArray, row_of: NDArray[np.int32], born: IntArray) -> None:
    """Fill ``row_of`` (n_symbols, n_sessions), -1 where there is no row, and ``born``: each symbol's first session."""
    row_of[:] = -1
    born[:] = row_of.shape[1]
    for row in range(symbol_of.shape[0]):
        symbol = symbol_of[row]
        session = session_of[row]
        row_of[symbol, session] = row
        if session < born[symbol]:
            born[symbol] = session


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def gather(values: FloatArray, row_of: NDArray[np.int32], panel: FloatArray) -> None:
    """Fill a panel with the values of its rows; NaN where there is no row."""
    for s in range(row_of.shape[0]):
        for t in range(row_of.shape[1]):
            row = row_of[s, t]
            panel[s, t] = values[row] if row >= 0 else np.nan


@njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def put(panel: FloatArray, row_of: NDArray[np.int32], column: Float32Array) -> None:
    """Write a panel's values to their rows of a column, rounded to float32."""
    n_sessions = row_of.shape[1]
    for start in range(0, n_sessions, _TILE):
        for t in range(start, min(start + _TILE, n_sessions)):
            for s in range(row_of.shape[0]):
                row = row_of[s, t]
                if row >= 0:
                    column[row] = panel[s, t]
