"""The sessions of an exchange and the bars of any width within them."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

import exchange_calendars
import numpy as np
import numpy.typing as npt
import pandas as pd
from exchange_calendars.pandas_extensions.offsets import OrthodoxEaster

from touchstone.errors import ConfigError, name_few, nearest
from touchstone.types import IntArray

__all__ = ["bar_times", "days", "days_of", "last_complete_bar", "periods_per_year", "session_of", "sessions"]

DAILY = "1d"
_MINUTES = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60}
# Ten years that are over: how many sessions a year has may not depend on the day it is asked.
_REFERENCE_YEARS = (2015, 2024)
# A session may open the evening before its date and close at midnight after it.
_NEIGHBOURS = pd.Timedelta(days=2)

# pandas 3 adds an offset to a date by `_add_datetime`; exchange_calendars 4.13 still defines the `_apply` of pandas 2, and without this
# the calendars of Athens, Belgrade, Bucharest and Cyprus cannot be built.
if "_add_datetime" not in vars(OrthodoxEaster):
    OrthodoxEaster._add_datetime = OrthodoxEaster._apply

Times = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class _Hours:
    """When the sessions of some whole years trade, in UTC; the breaks are NaT where there is none."""

    dates: Times
    opens: Times
    break_starts: Times
    break_ends: Times
    closes: Times


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
    first, last = _span(start, end)
    listed = pd.DatetimeIndex(_hours(calendar, first, last).dates, name="date")
    return listed[(listed >= first) & (listed <= last)]


def bar_times(calendar: str, start: pd.Timestamp | str, end: pd.Timestamp | str, timeframe: str = DAILY) -> pd.DatetimeIndex:
    """List the stamps that the bars of an exchange carry, for every session between two session dates.

    A daily bar is stamped with its session, a shorter one with its close in UTC. Bars are counted from the open of the
    session, and again from the end of its break where it has one; the last bar before the break or the close ends there, even if
    it is shorter than the others. A session that closes early has fewer bars.

    Parameters
    ----------
    calendar : str
        A name of `exchange_calendars`.
    start, end : Timestamp or str
        Session dates, both included; a time of day is ignored.
    timeframe : {"1m", "5m", "15m", "30m", "1h", "1d"}

    Returns
    -------
    DatetimeIndex, datetime64[us], naive, sorted, name "date"
        The last stamp of a session may fall on the next day in UTC: midnight on a calendar that never closes.

    Raises
    ------
    ConfigError
        Unknown calendar or timeframe, or a span the calendar does not know.
    """
    if _is_daily(timeframe):
        return sessions(calendar, start, end)
    # The cache must not hand out an index that its caller can rename.
    return _intraday(calendar, *_span(start, end), _MINUTES[timeframe])[0].copy()


def session_of(times: pd.DatetimeIndex, calendar: str, timeframe: str = DAILY) -> pd.DatetimeIndex:
    """Say which session each bar belongs to.

    Parameters
    ----------
    times : DatetimeIndex
        Stamps of bars, in any order: session dates for ``1d``, closes in UTC otherwise.
    calendar : str
        A name of `exchange_calendars`.
    timeframe : {"1m", "5m", "15m", "30m", "1h", "1d"}

    Returns
    -------
    DatetimeIndex, datetime64[us], naive, in the order of `times`, name "date"
        NaT where a stamp lies in no session: a day that is none, or a time outside the hours (open excluded, close included).

    Raises
    ------
    ConfigError
        Unknown calendar or timeframe, or a span the calendar does not know.
    """
    stamps = times.to_numpy().astype("datetime64[us]")
    known = stamps[~np.isnat(stamps)]
    if not len(known):
        return pd.DatetimeIndex(stamps, name="date")
    daily = _is_daily(timeframe)
    hours = _hours(calendar, pd.Timestamp(known.min()) - _NEIGHBOURS, pd.Timestamp(known.max()) + _NEIGHBOURS)
    ends = hours.dates if daily else hours.closes
    # NaT sorts behind every session, and is then no match.
    place = np.minimum(np.searchsorted(ends, stamps), len(ends) - 1)
    inside = stamps == hours.dates[place] if daily else (stamps > hours.opens[place]) & (stamps <= hours.closes[place])
    return pd.DatetimeIndex(np.where(inside, hours.dates[place], np.datetime64("NaT", "us")), name="date")


def periods_per_year(calendar: str, timeframe: str = DAILY) -> int:
    """Count the bars of a usual year.

    Sessions per year are the rounded mean of 2015 to 2024, or of those of these years that the calendar knows (252 for ``XNYS``, 365
    for ``24/7``); a shorter bar multiplies them by the bars of a regular session, the most frequent number over these years.

    Parameters
    ----------
    calendar : str
        A name of `exchange_calendars`.
    timeframe : {"1m", "5m", "15m", "30m", "1h", "1d"}

    Raises
    ------
    ConfigError
        Unknown calendar or timeframe, or a calendar that does not know these years.
    """
    return _per_session(calendar, timeframe) * _sessions_per_year(calendar)


def last_complete_bar(calendar: str, timeframe: str, at: pd.Timestamp | str) -> pd.Timestamp:
    """Find the last bar that is over at a moment.

    Parameters
    ----------
    calendar : str
        A name of `exchange_calendars`.
    timeframe : {"1m", "5m", "15m", "30m", "1h", "1d"}
    at : Timestamp or str
        A moment in UTC; without a time zone it is read as UTC.

    Returns
    -------
    Timestamp, naive
        Stamp of the last bar whose close is not after `at`: its session for ``1d``, its close in UTC otherwise.

    Raises
    ------
    ConfigError
        Unknown calendar or timeframe, or no session has closed within the year before.
    """
    given = pd.Timestamp(at)
    moment = given.tz_convert("UTC").tz_localize(None) if given.tzinfo else given
    hours = _hours(calendar, moment - pd.Timedelta(days=366), moment + _NEIGHBOURS)
    stamps, ends = hours.dates, hours.closes
    if not _is_daily(timeframe):
        begun = max(int(np.searchsorted(hours.opens, moment.to_datetime64())) - 1, 0)
        last_two = (pd.Timestamp(hours.dates[place]) for place in (max(begun - 1, 0), begun))
        stamps = ends = _intraday(calendar, *last_two, _MINUTES[timeframe])[0].to_numpy()
    place = int(np.searchsorted(ends, moment.to_datetime64(), side="right")) - 1
    if place < 0:
        raise ConfigError(f"A bar of {calendar} must have closed within the year before {moment:%Y-%m-%d %H:%M} UTC, but none has.")
    return pd.Timestamp(stamps[place]).as_unit("us")


def days(dates: pd.Index | pd.Series) -> IntArray:
    """Dates as the integers behind datetime64[us]: comparing and sorting those is several times faster."""
    return dates.to_numpy().astype("datetime64[us]").astype(np.int64)


def days_of(stamps: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Say on which day in UTC each bar was traded, where the calendar is not at hand: for counting by month or year.

    Parameters
    ----------
    stamps : DatetimeIndex
        Sessions, or where any of them has a time of day, closes of shorter bars.

    Returns
    -------
    DatetimeIndex
        Sessions as they are; the day on which a bar ends otherwise, one that ends at midnight on the day before.
    """
    days_alone = stamps.normalize()
    return stamps if days_alone.equals(stamps) else (stamps - pd.Timedelta(1, "us")).normalize()


@lru_cache(maxsize=64)
def _per_session(calendar: str, timeframe: str) -> int:
    if _is_daily(timeframe):
        return 1
    first, last = _reference(calendar)
    _, counts = _intraday(calendar, pd.Timestamp(first, 1, 1), pd.Timestamp(last, 12, 31), _MINUTES[timeframe])
    return int(np.bincount(counts).argmax())


@lru_cache(maxsize=64)
def _sessions_per_year(calendar: str) -> int:
    first, last = _reference(calendar)
    return round(len(sessions(calendar, f"{first}-01-01", f"{last}-12-31")) / (last - first + 1))


@lru_cache(maxsize=64)
def _reference(calendar: str) -> tuple[int, int]:
    """The reference years, without the first ones where a calendar begins later."""
    first, last = _REFERENCE_YEARS
    while first < last:
        try:
            _hours_of_years(calendar, first, last)
        except ConfigError:
            first += 1
        else:
            break
    return first, last


@lru_cache(maxsize=16)
def _intraday(calendar: str, first: pd.Timestamp, last: pd.Timestamp, minutes: int) -> tuple[pd.DatetimeIndex, IntArray]:
    """Closes of all bars of the sessions between two dates, and how many each session has."""
    hours = _hours(calendar, first, last)
    asked = (hours.dates >= first.to_datetime64()) & (hours.dates <= last.to_datetime64())
    opens, closes, breaks = hours.opens[asked], hours.closes[asked], hours.break_starts[asked]
    # Each session is a morning up to its break, or to its close, and an afternoon that is empty without a break.
    starts = np.column_stack([opens, np.where(np.isnat(breaks), closes, hours.break_ends[asked])]).ravel()
    ends = np.column_stack([np.where(np.isnat(breaks), closes, breaks), closes]).ravel()
    width = np.timedelta64(minutes, "m").astype("timedelta64[us]")
    counts: IntArray = -((starts - ends) // width)
    number = np.arange(1, counts.sum() + 1) - np.repeat(np.cumsum(counts) - counts, counts)
    stamps = np.minimum(np.repeat(starts, counts) + number * width, np.repeat(ends, counts))
    return pd.DatetimeIndex(stamps, name="date"), counts.reshape(-1, 2).sum(axis=1)


def _hours(calendar: str, first: pd.Timestamp, last: pd.Timestamp) -> _Hours:
    return _hours_of_years(calendar, first.year, last.year)


@lru_cache(maxsize=32)
def _hours_of_years(calendar: str, first: int, last: int) -> _Hours:
    # A span without a session cannot be built, a year always can.
    known = exchange_calendars.get_calendar_names(include_aliases=True)
    if calendar not in known:
        raise ConfigError(f"The calendar must be one of exchange_calendars, but got '{calendar}': {_hint(calendar, known)}")
    try:
        built = exchange_calendars.get_calendar(calendar, start=pd.Timestamp(first, 1, 1), end=pd.Timestamp(last, 12, 31))
    except ValueError as problem:
        told = textwrap.shorten(str(problem), 200, placeholder=" …")
        raise ConfigError(f"The calendar {calendar} does not cover {first}-01-01 to {last}-12-31: {told}") from None
    times = (_naive(getattr(built, name)) for name in ("opens", "break_starts", "break_ends", "closes"))
    return _Hours(built.sessions.to_numpy().astype("datetime64[us]"), *times)


def _naive(moments: pd.Series) -> Times:
    naive: Times = moments.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("datetime64[us]")
    return naive


def _span(start: pd.Timestamp | str, end: pd.Timestamp | str) -> tuple[pd.Timestamp, pd.Timestamp]:
    first, last = pd.Timestamp(start).normalize(), pd.Timestamp(end).normalize()
    if first > last:
        raise ConfigError(f"A span of sessions must start before it ends, but got {first:%Y-%m-%d} to {last:%Y-%m-%d}.")
    return first, last


def _is_daily(timeframe: str) -> bool:
    if timeframe != DAILY and timeframe not in _MINUTES:
        raise ConfigError(
            f"A timeframe must be one of {', '.join([*_MINUTES, DAILY])}, but got '{timeframe}': {nearest(timeframe, _MINUTES)}."
        )
    return timeframe == DAILY


def _hint(calendar: str, known: list[str]) -> str:
    # A hundred names would drown the one that was meant.
    return f"did you mean {name_few(get_close_matches(calendar.upper(), known, n=3, cutoff=0.5) or ['XNYS'])}?"
