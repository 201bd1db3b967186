"""Macro series and signals joined by when they were known, never by the period they speak of."""

from __future__ import annotations

import numpy as np
import pandas as pd

from touchstone.types import FloatArray, IntArray

__all__ = ["macro_by_session", "signal_by_session"]


def macro_by_session(macro: pd.DataFrame, series: str, sessions: pd.DatetimeIndex) -> FloatArray:
    """Value of one series at the close of each session.

    Of the rows with ``known_at <= session <= expires_at`` the latest period wins, and of one period the latest ``known_at``.

    Returns
    -------
    FloatArray
        Shape (n_sessions,); NaN where nothing was known or what was known has expired.
    """
    rows = macro[macro["series"] == series].sort_values(["period", "known_at"], kind="stable")
    values = rows["value"].to_numpy(np.float64)
    starts = sessions.searchsorted(pd.DatetimeIndex(rows["known_at"]), side="left")
    stops = sessions.searchsorted(pd.DatetimeIndex(rows["expires_at"]), side="right")
    known = np.full(len(sessions), np.nan)
    # Rows in rising order of what wins: each paints over the sessions in which it was the best known.
    for value, start, stop in zip(values, starts, stops, strict=True):
        known[start:stop] = value
    return known


def signal_by_session(signals: pd.DataFrame, name: str, symbols: pd.Index, sessions: pd.DatetimeIndex) -> FloatArray:
    """Value of one signal for each symbol at the close of each session: the one that became known last.

    Returns
    -------
    FloatArray
        Shape (n_symbols, n_sessions); NaN before the first value is known.
    """
    rows = signals[signals["name"] == name].sort_values(["known_at", "period"], kind="stable")
    owner = symbols.get_indexer(pd.Index(rows["symbol"]))
    slot = sessions.searchsorted(pd.DatetimeIndex(rows["known_at"]), side="left")
    inside = (owner >= 0) & (slot < len(sessions))
    latest = np.full((len(symbols), len(sessions)), -1, dtype=np.int64)
    np.maximum.at(latest, (owner[inside], slot[inside]), np.flatnonzero(inside))
    return _carry_forward(latest, rows["value"].to_numpy(np.float64))


def _carry_forward(latest: IntArray, values: FloatArray) -> FloatArray:
    row = np.maximum.accumulate(latest, axis=1)
    return np.append(values, np.nan)[row]
