"""How much of each symbol's life has bars."""

from __future__ import annotations

import numpy as np
import pandas as pd

from touchstone.market._calendar import bar_times, session_of
from touchstone.types import IntArray

__all__ = ["coverage"]

_FEW_MONTHS, _FEW_WEEKS = 10, 10


def coverage(index: pd.Index, *, calendar: str, timeframe: str = "1d") -> pd.DataFrame:
    """Share of the bars that the calendar expects of each symbol, by stretch of time.

    What is expected of a symbol ends with its own first and last bar, so a listing half-way is no gap. The stretches are months, or
    weeks where there would be fewer than ten months, or sessions where there would be fewer than ten weeks.

    Parameters
    ----------
    index : MultiIndex (date, symbol)
        Index of clean bars, unique; a bar at a time that the calendar does not know covers nothing.
    calendar : str
        Exchange calendar.
    timeframe : {"1m", "5m", "15m", "30m", "1h", "1d"}
        Width of a bar.

    Returns
    -------
    DataFrame
        Index symbol, by first bar, then last bar, then name; columns the first session of each stretch, sorted; values from 0 (no bar)
        to 1 (all), NaN before the symbol's first and after its last bar.

    Raises
    ------
    ConfigError
        Unknown calendar or timeframe.
    """
    dates = pd.DatetimeIndex(index.get_level_values("date"))
    codes, symbols = pd.factorize(index.get_level_values("symbol"), sort=True)
    grid = _grid(dates, calendar, timeframe)
    stretch, starts = _stretches(session_of(grid, calendar, timeframe))
    place = grid.get_indexer(dates)
    codes, place = codes[place >= 0], place[place >= 0]
    first, last = np.full(len(symbols), len(grid)), np.full(len(symbols), -1)
    np.minimum.at(first, codes, place)
    np.maximum.at(last, codes, place)
    expected = _overlap(first, last, stretch, len(starts))
    seen = np.bincount(codes * len(starts) + stretch[place], minlength=expected.size).reshape(expected.shape)
    shares = np.divide(seen, expected, out=np.full(expected.shape, np.nan), where=expected > 0)
    order = np.lexsort((np.arange(len(symbols)), last, first))
    return pd.DataFrame(shares[order], index=pd.Index(symbols[order], name="symbol"), columns=starts)


def _grid(dates: pd.DatetimeIndex, calendar: str, timeframe: str) -> pd.DatetimeIndex:
    """The times of all bars between the first and the last one."""
    # The last bar of a session may be stamped with the day after it.
    day = pd.Timedelta(days=0 if timeframe == "1d" else 1)
    times = bar_times(calendar, dates.min() - day, dates.max(), timeframe)
    return times[(times >= dates.min()) & (times <= dates.max())]


def _stretches(sessions: pd.DatetimeIndex) -> tuple[IntArray, pd.DatetimeIndex]:
    """Number of the stretch of each bar, and the first session of each stretch."""
    months, weeks = sessions.to_period("M"), sessions.to_period("W")
    by: pd.PeriodIndex | pd.DatetimeIndex = sessions
    if months.nunique() >= _FEW_MONTHS:
        by = months
    elif weeks.nunique() >= _FEW_WEEKS:
        by = weeks
    codes = pd.factorize(by)[0].astype(np.int64)
    opens = np.flatnonzero(np.diff(codes, prepend=-1))
    return codes, sessions[opens]


def _overlap(first: IntArray, last: IntArray, stretch: IntArray, n_stretches: int) -> IntArray:
    """Bars of each stretch (columns) between the first and the last bar of each symbol (rows)."""
    edges = np.searchsorted(stretch, np.arange(n_stretches + 1))
    reach = np.minimum(last[:, None] + 1, edges[None, 1:]) - np.maximum(first[:, None], edges[None, :-1])
    overlap: IntArray = np.maximum(reach, 0)
    return overlap
