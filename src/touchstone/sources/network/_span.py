"""Which bars a span of sessions means, and where an update takes up again."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from touchstone.errors import ConfigError
from touchstone.market import bar_times, last_complete_bar, session_of
from touchstone.sources._registry import SourceRequest
from touchstone.sources.network._snapshots import Entry

__all__ = ["check_span", "first_bar", "inside", "last_bar", "take_up"]

# No exchange was closed for longer, but once in 1914.
_LONGEST_CLOSURE = pd.Timedelta(days=30)


def first_bar(calendar: str, timeframe: str, start: pd.Timestamp) -> pd.Timestamp:
    """Stamp of the first bar of the first session on or after a date; a daily bar's stamp is the date that was given."""
    day = start.normalize()
    return day if timeframe == "1d" else bar_times(calendar, day, day + _LONGEST_CLOSURE, timeframe)[0]


def last_bar(calendar: str, timeframe: str, end: pd.Timestamp | None, now: pd.Timestamp) -> pd.Timestamp:
    """Stamp of the last bar of the last session up to a date that is over by now.

    Raises
    ------
    ConfigError
        Unknown calendar or timeframe.
    """
    over = last_complete_bar(calendar, timeframe, now)
    if end is None or end.normalize() > over:
        return over
    day = end.normalize()
    return min(over, day if timeframe == "1d" else bar_times(calendar, day - _LONGEST_CLOSURE, day, timeframe)[-1])


def inside(dates: pd.DatetimeIndex, request: SourceRequest) -> pd.Series:
    """Tell which bars belong to the sessions asked for; one outside of every session counts by its own day."""
    days = pd.Series(dates)
    if request.timeframe != "1d":
        days = pd.Series(session_of(dates, request.calendar, request.timeframe)).fillna(days.dt.normalize())
    return request.spans(days)


def take_up(
    entries: Iterable[Entry], dates: pd.DatetimeIndex, *, start: pd.Timestamp, end: pd.Timestamp, overlap: int
) -> pd.Timestamp | None:
    """Find the bar from which on to ask again.

    Parameters
    ----------
    entries : iterable of Entry
        What was fetched for the symbol.
    dates : DatetimeIndex
        The bars that came, sorted.
    start, end : Timestamp
        The span wanted.
    overlap : int
        Known bars to ask for again.

    Returns
    -------
    Timestamp or None
        None when the start of the span, or any bar, was never fetched: then all of it is missing.
    """
    reach = None
    for entry in sorted(entries, key=lambda entry: (entry.start, entry.end)):
        if entry.start <= (start if reach is None else reach):
            reach = entry.end if reach is None else max(reach, entry.end)
    known = dates[dates <= min(reach, end)] if reach is not None else dates[:0]
    return known[max(0, len(known) - max(1, overlap))] if len(known) else None


def check_span(start: pd.Timestamp, end: pd.Timestamp) -> None:
    """Refuse a span without a bar that is over."""
    if start > end:
        raise ConfigError(
            f"A span to fetch must hold a bar that is over, but {start} comes after the last one, {end}: choose an earlier start."
        )
