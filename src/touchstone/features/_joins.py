"""Macro series and signals joined by when they were known, never by the period they speak of."""

from __future__ import annotations

import numpy as np
import pandas as pd

from touchstone.errors import DataError, name_few
from touchstone.types import FloatArray, IntArray

__all__ = ["EVERY_SYMBOL", "macro_by_session", "market_wide", "signal_by_session"]

EVERY_SYMBOL = "*"


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


def market_wide(signals: pd.DataFrame) -> list[str]:
    """Names of the signals that speak of every symbol at once, by the symbol ``*``, sorted.

    Raises
    ------
    DataError
        A name with rows for ``*`` and rows for single symbols: it would be ranked on some sessions and not on others.
    """
    speaks_of_all = (signals["symbol"] == EVERY_SYMBOL).to_numpy()
    # A set of millions of names one by one would take longer than the features.
    for_all, for_one = (set(signals["name"][chosen].unique()) for chosen in (speaks_of_all, ~speaks_of_all))
    both = sorted(for_all & for_one)
    if both:
        raise DataError(
            f"A signal must speak of every symbol ('{EVERY_SYMBOL}') or of single ones, but {name_few(both)} does both: "
            "give the two different names."
        )
    return sorted(for_all)


def signal_by_session(signals: pd.DataFrame, name: str, symbols: pd.Index, sessions: pd.DatetimeIndex) -> FloatArray:
    """Value of one signal for each symbol at the close of each session.

    As with macro, of the rows known by then the latest period wins, and of one period the latest ``known_at``: a late correction of
    an old value does not take the place of a newer one. A row whose symbol is ``*`` speaks of every symbol. With a column
    ``expires_at`` a row counts until then, that session included, and after it the best of those that still count; without the column
    no row expires.

    Returns
    -------
    FloatArray
        Shape (n_symbols, n_sessions); NaN before the first value is known and where all that was known has expired.
    """
    rows = signals[signals["name"] == name].sort_values(["period", "known_at"], kind="stable")
    owner = symbols.get_indexer(pd.Index(rows["symbol"]))
    for_all = (rows["symbol"] == EVERY_SYMBOL).to_numpy()
    slot = sessions.searchsorted(pd.DatetimeIndex(rows["known_at"]), side="left")
    stop = _stops(rows, sessions)
    in_time, lasts = slot < len(sessions), stop == len(sessions)
    inside, everywhere = in_time & lasts & (owner >= 0), in_time & lasts & for_all
    latest = np.full((len(symbols), len(sessions)), -1, dtype=np.int64)
    np.maximum.at(latest, (owner[inside], slot[inside]), np.flatnonzero(inside))
    common = np.full(len(sessions), -1, dtype=np.int64)
    np.maximum.at(common, slot[everywhere], np.flatnonzero(everywhere))
    best = np.maximum.accumulate(np.maximum(latest, common), axis=1)
    for row in np.flatnonzero(in_time & ~lasts & (for_all | (owner >= 0))):
        counts = best[:, slot[row] : stop[row]] if for_all[row] else best[owner[row], slot[row] : stop[row]]
        np.maximum(counts, row, out=counts)
    return np.append(rows["value"].to_numpy(np.float64), np.nan)[best]


def _stops(rows: pd.DataFrame, sessions: pd.DatetimeIndex) -> IntArray:
    """The first session at which each row counts no more; the number of sessions where it lasts beyond them."""
    if "expires_at" not in rows:
        return np.full(len(rows), len(sessions), dtype=np.int64)
    return np.asarray(sessions.searchsorted(pd.DatetimeIndex(rows["expires_at"]), side="right"), dtype=np.int64)
