"""Weights that come in to be resized, and what must be known of every name they hold."""

from __future__ import annotations

import numpy as np
import pandas as pd

from touchstone.errors import DataError, moment, name_few
from touchstone.types import BoolArray, FloatArray

__all__ = ["checked", "of_held"]


def checked(weights: pd.DataFrame) -> FloatArray:
    """A copy of the weights' values.

    Raises
    ------
    DataError
        Weights that are not numbers, or repeated dates or symbols.
    """
    if not (weights.index.is_unique and weights.columns.is_unique):
        raise DataError("Weights must be on different dates and symbols, but some repeat: keep one of each.")
    values = np.array(weights, dtype=np.float64)
    if not np.isfinite(values).all():
        raise DataError(f"Weights must be finite, but are not for {_name(weights, ~np.isfinite(values))}: 0 is flat.")
    return values


def of_held(frame: pd.DataFrame, weights: pd.DataFrame, what: str, *, above: float = -np.inf) -> FloatArray:
    """Values of another frame on the weights' dates and symbols, 1 for names that are not held.

    Raises
    ------
    DataError
        A held name without a finite value above `above`; a date or symbol twice.
    """
    if not (frame.index.is_unique and frame.columns.is_unique):
        raise DataError(f"The {what} must be given once for each date and symbol, but some repeat: keep one of each.")
    values = frame.reindex(index=weights.index, columns=weights.columns).to_numpy(dtype=np.float64)
    held = weights.to_numpy() != 0.0
    bad = held & ~(np.isfinite(values) & (values > above))
    if bad.any():
        rule = "be known" if above == -np.inf else f"be known and above {above:g}"
        raise DataError(
            f"The {what} of every held name must {rule} at its decision, but is not for {_name(weights, bad)}: "
            "bring a longer history or leave these names out."
        )
    return np.where(held, values, 1.0)


def _name(weights: pd.DataFrame, where: BoolArray) -> str:
    return name_few(f"{weights.columns[column]} on {moment(weights.index[row])}" for row, column in np.argwhere(where))
