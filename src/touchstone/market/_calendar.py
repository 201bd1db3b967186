"""The sessions of an exchange."""

from __future__ import annotations

from difflib import get_close_matches

import exchange_calendars
import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, name_few
from touchstone.types import IntArray

__all__ = ["days", "sessions"]


def sessions(calendar: str, start: pd.Timestamp | str, end: pd.Timestamp | str) -> pd.DatetimeIndex:
    """List the sessions of an exchange, both ends included.

    Parameters
    ----------
    calendar : str
        A name of `exchange_calendars`, such as ``XNYS`` or ``24/7``.
    start, end : Timestamp or str
        Always taken from the data: the library's own default span moves with the day it runs on.

    Returns
    -------
    DatetimeIndex, datetime64[us], naive, sorted, name "date"
        Empty when no session lies in the span.

    Raises
    ------
    ConfigError
        Unknown calendar, or a span the calendar does not know.
    """
    first, last = pd.Timestamp(start).normalize(), pd.Timestamp(end).normalize()
    if first > last:
        raise ConfigError(f"A span of sessions must start before it ends, but got {first:%Y-%m-%d} to {last:%Y-%m-%d}.")
    known = exchange_calendars.get_calendar_names(include_aliases=True)
    if calendar not in known:
        raise ConfigError(f"The calendar must be one of exchange_calendars, but got '{calendar}': {_hint(calendar, known)}")
    # A span without a session cannot be built, a year always can; and the library keeps the last one it built.
    whole_years = pd.Timestamp(first.year, 1, 1), pd.Timestamp(last.year, 12, 31)
    try:
        built = exchange_calendars.get_calendar(calendar, start=whole_years[0], end=whole_years[1])
    except ValueError as problem:
        raise ConfigError(f"The calendar {calendar} does not cover {first:%Y-%m-%d} to {last:%Y-%m-%d}: {problem}") from None
    listed = pd.DatetimeIndex(built.sessions.to_numpy().astype("datetime64[us]"), name="date")
    return listed[(listed >= first) & (listed <= last)]


def _hint(calendar: str, known: list[str]) -> str:
    # A hundred names would drown the one that was meant.
    return f"did you mean {name_few(get_close_matches(calendar.upper(), known, n=3, cutoff=0.5) or ['XNYS'])}?"


def days(dates: pd.Index | pd.Series) -> IntArray:
    """Dates as the integers behind datetime64[us]: comparing and sorting those is several times faster."""
    return dates.to_numpy().astype("datetime64[us]").astype(np.int64)
