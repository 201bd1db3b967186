"""The sets `calendar` and `session_clock`: what the date and the exchange's calendar say about a session, the same for every symbol.

All is known ahead. What is still to come counts the sessions that were planned: a day on which the exchange closed by surprise, as for
a storm or in mourning, counts as a session until it has passed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from touchstone import market
from touchstone.errors import ConfigError
from touchstone.features._feature import FeatureSet, SessionFeature, Sessions
from touchstone.types import FloatArray, IntArray

__all__ = ["CALENDAR", "SESSION_CLOCK"]

# Returns are high from the last session of a month to the third of the next (Lakonishok and Smidt 1988).
_TURN = 3
_DAY, _MONTH, _YEAR = "datetime64[D]", "datetime64[M]", "datetime64[Y]"
# Options expire on the Friday that lies on one of these days of the month.
_THIRD_WEEK = (15, 21)
# Rounded: the sine of half a circle is zero.
_SINES = np.array([round(math.sin(2.0 * math.pi * month / 12.0), 15) for month in range(12)])

Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True, eq=False)
class _Table:
    """Counts for each session of some whole years."""

    days: Days
    counts: Mapping[str, FloatArray]


def _day_of_week(days: Days) -> FloatArray:
    # Day zero of the epoch was a Thursday.
    weekday: FloatArray = ((days.astype(np.int64) + 3) % 7).astype(np.float64)
    return weekday


def _month_position(days: Days) -> FloatArray:
    return _position(days, _MONTH)


def _year_position(days: Days) -> FloatArray:
    return _position(days, _YEAR)


def _position(days: Days, period: str) -> FloatArray:
    """Days of the period that are over at the end of the day, over all its days."""
    begin, end = days.astype(period).astype(_DAY), (days.astype(period) + 1).astype(_DAY)
    share: FloatArray = ((days - begin).astype(np.float64) + 1.0) / (end - begin).astype(np.float64)
    return share


def _month_sin(days: Days) -> FloatArray:
    return _SINES[_month(days)]


def _month_cos(days: Days) -> FloatArray:
    # A quarter ahead of the sine.
    return _SINES[(_month(days) + 3) % 12]


def _month(days: Days) -> IntArray:
    month: IntArray = days.astype(_MONTH).astype(np.int64) % 12
    return month


def _is_expiry_week(days: Days) -> FloatArray:
    friday = days - (_day_of_week(days) - 4.0).astype(np.int64)
    number: IntArray = (friday - friday.astype(_MONTH).astype(_DAY)).astype(np.int64) + 1
    is_third = (number >= _THIRD_WEEK[0]) & (number <= _THIRD_WEEK[1])
    return is_third.astype(np.float64)


def _of_day(given: Sessions, *, formula: Callable[[Days], FloatArray]) -> FloatArray:
    return formula(_days(given))


def _counted(given: Sessions, *, name: str) -> FloatArray:
    days = _days(given)
    years = days[[0, -1]].astype(_YEAR).astype(np.int64) + 1970
    table = _table(str(given.calendar), int(years[0]), int(years[1]))
    return table.counts[name][np.searchsorted(table.days, days)]


def _days(given: Sessions) -> Days:
    """The session of each bar."""
    if given.timeframe == "1d":
        return given.dates.to_numpy().astype(_DAY)
    return _days_of_bars(given.calendar, given.timeframe, _stamps(given))


def _stamps(given: Sessions) -> bytes:
    """The bars as a key: every column asks for the same ones."""
    return given.dates.to_numpy().astype("datetime64[us]").tobytes()


@lru_cache(maxsize=2)
def _days_of_bars(calendar: str | None, timeframe: str, stamps: bytes) -> Days:
    bars = pd.DatetimeIndex(np.frombuffer(stamps, "datetime64[us]"))
    days = market.days_of(bars) if calendar is None else market.session_of(bars, calendar, timeframe)
    return days.to_numpy().astype(_DAY)


@lru_cache(maxsize=16)
def _table(calendar: str, first: int, last: int) -> _Table:
    """Counts for the sessions of these years, from a calendar of one year more on either side, where it is known."""
    before, after = _known_year(calendar, first - 1, first), _known_year(calendar, last + 1, last)
    span = (f"{before}-01-01", f"{after}-12-31")
    sessions = market.sessions(calendar, *span).to_numpy().astype(_DAY)
    closed = market.closures(calendar, *span)
    known_ahead = closed["known_ahead"].to_numpy()
    holidays = closed.index.to_numpy().astype(_DAY)
    planned = np.sort(np.concatenate([sessions, holidays[~known_ahead]]))
    counts = {
        "sessions_since_month_end": _since(sessions, sessions.astype(_MONTH).astype(_DAY)),
        "sessions_until_month_end": _until(sessions, planned, (sessions.astype(_MONTH) + 1).astype(_DAY)),
        "sessions_since_quarter_end": _since(sessions, _quarter(sessions, 0)),
        "sessions_until_quarter_end": _until(sessions, planned, _quarter(sessions, 1)),
        "sessions_since_holiday": _since_holiday(sessions, holidays),
        "sessions_until_holiday": _until_holiday(sessions, planned, holidays[known_ahead]),
        "sessions_until_expiry": _until_expiry(sessions, planned, np.datetime64(f"{after + 1}-01-01", "D")),
    }
    turn = (counts["sessions_until_month_end"] == 0.0) | (counts["sessions_since_month_end"] <= _TURN)
    return _Table(sessions, {**counts, "is_turn_of_month": turn.astype(np.float64)})


def _known_year(calendar: str, wanted: int, otherwise: int) -> int:
    try:
        market.sessions(calendar, f"{wanted}-01-01", f"{wanted}-12-31")
    except ConfigError:
        return otherwise
    return wanted


def _since(sessions: Days, begins: Days) -> FloatArray:
    """Sessions from a day on, this one included: 1 on the first."""
    since: FloatArray = np.arange(1.0, len(sessions) + 1.0) - np.searchsorted(sessions, begins)
    return since


def _until(sessions: Days, planned: Days, ends: Days) -> FloatArray:
    """Planned sessions that are left before a day: 0 on the last."""
    left: IntArray = np.searchsorted(planned, ends) - np.searchsorted(planned, sessions) - 1
    return left.astype(np.float64)


def _quarter(sessions: Days, later: int) -> Days:
    """First day of the quarter, or of a later one."""
    months = sessions.astype(_MONTH).astype(np.int64)
    begins: Days = (3 * (months // 3 + later)).astype(_MONTH).astype(_DAY)
    return begins


def _since_holiday(sessions: Days, holidays: Days) -> FloatArray:
    """NaN where the last closed weekday lies further back than the year before."""
    place = np.searchsorted(holidays, sessions) - 1
    return _where_near(sessions, holidays, place, lambda days: _since(sessions, days))


def _until_holiday(sessions: Days, planned: Days, holidays: Days) -> FloatArray:
    """NaN where the next closed weekday comes after the next year, or after the years that the calendar knows."""
    place = np.searchsorted(holidays, sessions)
    return _where_near(sessions, holidays, place, lambda days: _until(sessions, planned, days))


def _where_near(sessions: Days, holidays: Days, place: IntArray, count: Callable[[Days], FloatArray]) -> FloatArray:
    """Counts to the holiday at a place, if it is there and no more than one year's number away: the same in any span of years."""
    there = (place >= 0) & (place < len(holidays))
    if not there.any():
        return np.full(len(sessions), np.nan)
    chosen = holidays[np.where(there, place, 0)]
    years = np.abs(chosen.astype(_YEAR).astype(np.int64) - sessions.astype(_YEAR).astype(np.int64))
    return np.where(there & (years <= 1), count(chosen), np.nan)


def _until_expiry(sessions: Days, planned: Days, end: np.datetime64) -> FloatArray:
    """Planned sessions to the third Friday of the month, or the last before it where that is closed; afterwards to the next month's."""
    this = _expiry(sessions.astype(_MONTH), planned)
    following = _expiry(sessions.astype(_MONTH) + 1, planned)
    expiry = np.where(this >= sessions, this, following)
    left = (np.searchsorted(planned, expiry) - np.searchsorted(planned, sessions)).astype(np.float64)
    left[(sessions.astype(_MONTH) + 1 >= end.astype(_MONTH)) & (this < sessions)] = np.nan
    return left


def _expiry(months: Days, planned: Days) -> Days:
    begins = months.astype(_DAY)
    first_friday = ((4.0 - _day_of_week(begins)) % 7.0).astype(np.int64)
    third = begins + first_friday + 14
    expiry: Days = planned[np.maximum(np.searchsorted(planned, third, side="right") - 1, 0)]
    return expiry


@dataclass(frozen=True, eq=False)
class _Clock:
    """How far into its session each bar ends."""

    minutes: FloatArray
    fraction: FloatArray


def _minute_of_session(given: Sessions) -> FloatArray:
    return _clock_of(given).minutes


def _session_fraction(given: Sessions) -> FloatArray:
    return _clock_of(given).fraction


def _clock_of(given: Sessions) -> _Clock:
    return _clock(str(given.calendar), given.timeframe, _stamps(given))


@lru_cache(maxsize=2)
def _clock(calendar: str, timeframe: str, stamps: bytes) -> _Clock:
    ends = pd.DatetimeIndex(np.frombuffer(stamps, "datetime64[us]"))
    days = market.session_of(ends, calendar, timeframe)
    # A daily bar ends with its session; bars of half an hour show when that is.
    width = "30m" if timeframe == "1d" else timeframe
    bars = market.bar_times(calendar, days[0], days[-1], width)
    owners = market.session_of(bars, calendar, width).to_numpy()
    begins = np.flatnonzero(np.append(True, owners[1:] != owners[:-1]))
    at = np.searchsorted(owners[begins], days.to_numpy())
    opens = bars.to_numpy()[begins][at] - pd.Timedelta(width).to_timedelta64()
    closes = bars.to_numpy()[np.append(begins[1:], len(bars)) - 1][at]
    over = closes if timeframe == "1d" else ends.to_numpy()
    minute = np.timedelta64(1, "m")
    return _Clock((over - opens) / minute, (over - opens) / (closes - opens))


def _on_dates(name: str, formula: Callable[[Days], FloatArray]) -> SessionFeature:
    return SessionFeature(name, 1, partial(_of_day, formula=formula))


def _on_calendar(name: str) -> SessionFeature:
    return SessionFeature(name, 1, partial(_counted, name=name), needs_calendar=True)


CALENDAR = FeatureSet(
    "calendar",
    (
        _on_dates("day_of_week", _day_of_week),
        _on_dates("month_position", _month_position),
        _on_dates("month_sin", _month_sin),
        _on_dates("month_cos", _month_cos),
        _on_dates("year_position", _year_position),
        _on_dates("is_expiry_week", _is_expiry_week),
        _on_calendar("sessions_since_month_end"),
        _on_calendar("sessions_until_month_end"),
        _on_calendar("sessions_since_quarter_end"),
        _on_calendar("sessions_until_quarter_end"),
        _on_calendar("is_turn_of_month"),
        _on_calendar("sessions_since_holiday"),
        _on_calendar("sessions_until_holiday"),
        _on_calendar("sessions_until_expiry"),
    ),
)

SESSION_CLOCK = FeatureSet(
    "session_clock",
    (
        SessionFeature("minute_of_session", 1, _minute_of_session, needs_calendar=True),
        SessionFeature("session_fraction", 1, _session_fraction, needs_calendar=True),
    ),
)
