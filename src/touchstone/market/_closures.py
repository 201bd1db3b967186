"""Days of the exchange's week on which it is closed, and whether that was known ahead."""

from __future__ import annotations

import exchange_calendars
import numpy as np
import pandas as pd

from touchstone.market._calendar import sessions

__all__ = ["closures"]

# Where closings outside the rules are this few in a year they came as surprises: mourning, storms, attacks. Exchanges that list their
# whole holidays like that, by the moon or by decree, have far more, and announce them before the year begins.
_SURPRISES = 5


def closures(calendar: str, start: pd.Timestamp | str, end: pd.Timestamp | str) -> pd.DataFrame:
    """List the weekdays on which an exchange is closed, both ends included.

    Parameters
    ----------
    calendar : str
        A name of `exchange_calendars`.
    start, end : Timestamp or str
        Span of dates.

    Returns
    -------
    DataFrame
        Index ``date`` (datetime64[us], naive, sorted): days of the exchange's week that are no session. Column ``known_ahead``: False
        for a closing outside the calendar's rules in a year with at most five of them. No other year's list changes that.

    Raises
    ------
    ConfigError
        Unknown calendar, or a span the calendar does not know.
    """
    open_days = sessions(calendar, start, end)
    first, last = pd.Timestamp(start).normalize(), pd.Timestamp(end).normalize()
    # Whole years, as `sessions` builds them: the library keeps that one.
    built = exchange_calendars.get_calendar(calendar, start=pd.Timestamp(first.year, 1, 1), end=pd.Timestamp(last.year, 12, 31))
    week = [weekday for weekday, mark in enumerate(built.weekmask) if mark == "1"]
    days = pd.date_range(first, last, name="date").as_unit("us")
    closed = days[days.weekday.isin(week) & ~days.isin(open_days)]
    outside = pd.DatetimeIndex(pd.to_datetime(list(built.adhoc_holidays), utc=True)).tz_localize(None).normalize().unique()
    per_year = outside.year.value_counts().reindex(closed.year, fill_value=0).to_numpy()
    surprise = np.asarray(closed.isin(outside)) & (per_year <= _SURPRISES)
    return pd.DataFrame({"known_ahead": ~surprise}, index=closed)
