"""Scores as a panel of decisions, and the order of its names."""

from __future__ import annotations

import numpy as np
import pandas as pd

from touchstone.errors import DataError, name_few
from touchstone.portfolio._options import at_least
from touchstone.types import FloatArray, IntArray

__all__ = ["n_scored", "places", "score_panel", "weights_frame"]


def score_panel(scores: pd.Series, rebalance_every: int = 1) -> pd.DataFrame:
    """Spread scores over dates and sorted symbols, and keep every k-th scored session, counted from the first.

    Raises
    ------
    ConfigError
        `rebalance_every` below 1.
    DataError
        Scores that are not unique by (date, symbol), infinite, or all NaN.
    """
    at_least("rebalance_every", rebalance_every, 1)
    if list(scores.index.names) != ["date", "symbol"]:
        raise DataError(f"Scores must be indexed by (date, symbol), but got {list(scores.index.names)}: set that index.")
    if not scores.index.is_unique:
        repeats = name_few(scores.index[scores.index.duplicated()])
        raise DataError(f"Scores must be unique by (date, symbol), but got repeats: {repeats}. Keep one of each.")
    values = scores.astype(np.float64)
    infinite = np.isinf(values.to_numpy())
    if infinite.any():
        raise DataError(f"Scores must be finite or NaN, but got infinite ones: {name_few(values.index[infinite])}. Mend the model.")
    panel = values.unstack("symbol").sort_index(axis=0).sort_index(axis=1)  # noqa: PD010 - keys are unique: nothing to aggregate
    panel = panel.loc[panel.notna().any(axis=1)]
    if panel.empty:
        raise DataError(f"Weights need scores, but all {len(scores)} are NaN or absent: check the model's predictions.")
    return panel.iloc[::rebalance_every]


def places(values: FloatArray) -> IntArray:
    """Place of each name in its row, 0 for the best; at equal scores the earlier symbol is the better one, NaN comes last."""
    # A stable sort keeps symbol order among equal scores; negation puts the best first.
    order = np.argsort(-values, axis=1, kind="stable")
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.broadcast_to(np.arange(values.shape[1]), values.shape), axis=1)
    return place


def n_scored(values: FloatArray) -> IntArray:
    """Names scored in each row, shape (n_decisions, 1)."""
    return np.asarray(np.count_nonzero(~np.isnan(values), axis=1, keepdims=True), dtype=np.int64)


def weights_frame(weights: FloatArray, panel: pd.DataFrame) -> pd.DataFrame:
    """Weights on the decisions and symbols of a panel of scores."""
    return pd.DataFrame(weights, index=panel.index, columns=panel.columns)
