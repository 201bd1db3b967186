"""Linear algebra summed in a fixed order: BLAS and LAPACK round differently with another number of threads."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["cross_products", "solve_positive"]


@njit(cache=True, nogil=True)
def cross_products(rows):  # type: ignore[no-untyped-def]
    """Lower triangle of rows' @ rows, shape (n_columns, n_columns), summed row by row."""
    n_rows, n_columns = rows.shape
    total = np.zeros((n_columns, n_columns))
    for row in range(n_rows):
        for i in range(n_columns):
            value = rows[row, i]
            for j in range(i + 1):
                total[i, j] += value * rows[row, j]
    return total


@njit(cache=True, nogil=True)
def solve_positive(matrix, right):  # type: ignore[no-untyped-def]
    """Solve for a symmetric positive definite matrix, given by its lower triangle, by Cholesky's factors."""
    n = len(right)
    factor = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            left = matrix[i, j]
            for k in range(j):
                left -= factor[i, k] * factor[j, k]
            factor[i, j] = np.sqrt(left) if i == j else left / factor[j, j]
    solution = right.copy()
    for i in range(n):
        for k in range(i):
            solution[i] -= factor[i, k] * solution[k]
        solution[i] /= factor[i, i]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            solution[i] -= factor[k, i] * solution[k]
        solution[i] /= factor[i, i]
    return solution
