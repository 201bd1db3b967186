"""Dates without a time of day, set on the clock of intraday bars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from touchstone.market._calendar import DAILY, bar_times, session_of
from touchstone.market._ex_dates import on_ex_dates
from touchstone.types import BoolArray

__all__ = ["at_bars"]

_OPENING, _CLOSING = "ex_date", ("known_at", "expires_at")
_DAY, _TICK = np.timedelta64(1, "D"), np.timedelta64(1, "us")
# Dates this far beyond the bars touch none of them, and stay as they are.
_MARGIN = pd.Timedelta(days=15)

Times = npt.NDArray[np.datetime64]


def at_bars(table: pd.DataFrame, stamps: pd.DatetimeIndex, *, calendar: str, timeframe: str) -> pd.DataFrame:
    """Say at which moment each date of a table counts, so that it can be compared with the stamps of intraday bars.

    A date is a value at midnight. An ``ex_date`` counts from the first bar of its session, or of the next one where the day has none.
    ``known_at`` and ``expires_at`` are the close of their session, or the end of a day that has none: what is published on a day is
    not known to the bars of that day before its close. An action known on its very ex-date is known at that first bar, as the
    exchange quotes without it from then on. A span from ``start`` to ``end`` goes from the first bar of its first session to the
    last bar of its last one, a microsecond aside where that bar closes at midnight; one without a session lies between two bars. A
    value with a time of day is a moment in UTC and stays; on a calendar with bars that close at midnight a column that carries any
    time of day is read as moments throughout.

    Parameters
    ----------
    table : DataFrame
        Actions, macro, signals, universe or sectors of the data contract.
    stamps : DatetimeIndex
        Of the bars, in any order.
    calendar : str
    timeframe : {"1m", "5m", "15m", "30m", "1h", "1d"}
        With ``1d`` sessions are dates: actions known in the course of their ex-date count with it, all else is given back as it is.

    Returns
    -------
    DataFrame
        The same rows and columns.

    Raises
    ------
    ConfigError
        Unknown calendar or timeframe, or a span the calendar does not know.
    DataError
        An ex-date with a time of day beside daily bars.
    """
    if timeframe == DAILY:
        return on_ex_dates(table) if _OPENING in table else table
    if table.empty or not len(stamps):
        return table
    clock = _Clock.of(stamps, calendar, timeframe)
    moved = {name: clock.closing(table[name]) for name in _CLOSING if name in table}
    if _OPENING in table:
        opening = clock.opening(table[_OPENING])
        at_once = (table["known_at"] == table[_OPENING]).to_numpy()
        moved |= {_OPENING: opening, "known_at": np.where(at_once, opening, moved["known_at"])}
    if {"start", "end"} <= set(table.columns):
        moved |= clock.spans(table["start"], table["end"])
    return table.assign(**moved)


@dataclass(frozen=True)
class _Clock:
    """First and last stamp of each session about the bars."""

    sessions: Times
    first: Times
    last: Times
    is_midnight_a_close: bool

    @classmethod
    def of(cls, stamps: pd.DatetimeIndex, calendar: str, timeframe: str) -> _Clock:
        every = bar_times(calendar, stamps.min() - _MARGIN, stamps.max() + _MARGIN, timeframe)
        sessions, first = np.unique(session_of(every, calendar, timeframe).to_numpy(), return_index=True)
        closes = every.to_numpy()
        last = np.append(first[1:], len(closes)) - 1
        return cls(sessions, closes[first], closes[last], bool((every == every.normalize()).any()))

    def opening(self, dates: pd.Series) -> Times:
        given = dates.to_numpy().astype("datetime64[us]")
        place = np.minimum(np.searchsorted(self.sessions, given), len(self.sessions) - 1)
        return np.where(self._is_date(given), self.first[place], given)

    def spans(self, starts: pd.Series, ends: pd.Series) -> dict[str, Times]:
        until = ends.to_numpy().astype("datetime64[us]")
        place = np.maximum(np.searchsorted(self.sessions, until, side="right") - 1, 0)
        begun, ended = self.opening(starts), np.where(self._is_date(until), self.last[place], until)
        # A span without a session lies between two bars.
        between = begun > ended
        return {
            "start": np.where(between, ended + _TICK, self._off_midnight(begun, -_TICK)),
            "end": np.where(between, ended + _TICK, self._off_midnight(ended, _TICK)),
        }

    def closing(self, dates: pd.Series) -> Times:
        given = dates.to_numpy().astype("datetime64[us]")
        place = np.minimum(np.searchsorted(self.sessions, given), len(self.sessions) - 1)
        ends = np.where(self.sessions[place] == given, self.last[place], given + _DAY - _TICK)
        return np.where(self._is_date(given), ends, given)

    def _off_midnight(self, moments: Times, aside: np.timedelta64) -> Times:
        """A bar may close at midnight, and its stamp would read as a date."""
        at_midnight = (moments == moments.astype("datetime64[D]")) & (moments >= self.sessions[0]) & (moments <= self.sessions[-1] + _DAY)
        return np.where(at_midnight, moments + aside, moments)

    def _is_date(self, given: Times) -> BoolArray:
        at_midnight: BoolArray = given == given.astype("datetime64[D]")
        near = at_midnight & (given >= self.sessions[0]) & (given <= self.sessions[-1])
        is_told_in_dates = bool(at_midnight.all()) or not self.is_midnight_a_close
        return near if is_told_in_dates else np.zeros_like(near)
