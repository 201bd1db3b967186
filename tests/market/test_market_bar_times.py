"""Bars of any width within the sessions of an exchange."""

from __future__ import annotations

import exchange_calendars
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import ConfigError
from touchstone.market import bar_times, last_complete_bar, periods_per_year, session_of, sessions

WIDTHS = ("1m", "5m", "15m", "30m", "1h")


def _times(found: pd.DatetimeIndex) -> list[str]:
    return [f"{stamp:%m-%d %H:%M}" for stamp in found]


def test_daily_bars_are_the_sessions() -> None:
    assert bar_times("XNYS", "2020-01-17", "2020-01-22").equals(sessions("XNYS", "2020-01-17", "2020-01-22"))
    assert bar_times("XNYS", "2020-01-17", "2020-01-22", "1d").name == "date"


def test_a_bar_is_stamped_with_its_close_and_the_last_one_ends_with_the_session() -> None:
    # New York trades 09:30 to 16:00, 14:30 to 21:00 UTC in winter: seven bars of an hour, the last of half an hour.
    found = bar_times("XNYS", "2019-01-02", "2019-01-02", "1h")
    assert _times(found) == ["01-02 15:30", "01-02 16:30", "01-02 17:30", "01-02 18:30", "01-02 19:30", "01-02 20:30", "01-02 21:00"]
    assert found.dtype == "datetime64[us]"
    assert found.name == "date"
    assert found.tz is None


def test_a_full_session_in_new_york_has_78_bars_of_five_minutes() -> None:
    assert [len(bar_times("XNYS", "2019-01-02", "2019-01-02", width)) for width in WIDTHS] == [390, 78, 26, 13, 7]


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        ("2019-03-08", "14:35", "21:00"),  # the Friday before US clocks went forward
        ("2019-03-11", "13:35", "20:00"),  # the Monday after
        ("2019-11-01", "13:35", "20:00"),  # the Friday before they went back
        ("2019-11-04", "14:35", "21:00"),  # the Monday after
    ],
)
def test_daylight_saving_moves_the_session_in_utc(day: str, first: str, last: str) -> None:
    found = bar_times("XNYS", day, day, "5m")
    assert (f"{found[0]:%H:%M}", f"{found[-1]:%H:%M}", len(found)) == (first, last, 78)


def test_a_session_that_closes_early_has_fewer_bars() -> None:
    # The day after Thanksgiving closes at 13:00 in New York, 18:00 UTC.
    found = bar_times("XNYS", "2019-11-29", "2019-11-29", "5m")
    assert (f"{found[-1]:%H:%M}", len(found)) == ("18:00", 42)
    assert _times(bar_times("XNYS", "2019-11-29", "2019-11-29", "1h"))[-2:] == ["11-29 17:30", "11-29 18:00"]


@pytest.mark.parametrize(
    ("calendar", "a_year", "hours"), [("ASEX", 246, 7 + 1 / 3), ("XBSE", 251, 7.75), ("XBEL", 252, 4.5), ("XCYS", 247, 6.5)]
)
def test_exchanges_with_an_orthodox_easter_have_sessions(calendar: str, a_year: int, hours: float) -> None:
    # Easter 2024 was on 31 March in the west and on 5 May in the east; all four were closed on the Friday before.
    assert pd.Timestamp("2024-05-03") not in sessions(calendar, "2024-04-29", "2024-05-10")
    assert (periods_per_year(calendar), periods_per_year(calendar, "5m")) == (a_year, a_year * round(hours * 12))


def test_every_calendar_has_sessions_or_says_in_a_line_why_not() -> None:
    refused = {}
    for name in exchange_calendars.get_calendar_names(include_aliases=False):
        try:
            counted = sessions(name, "2023-01-01", "2023-12-31")
        except ConfigError as error:
            refused[name] = str(error)
        else:
            assert 230 <= len(counted) <= 365, name
    # pandas 3 does not ask this calendar for the Sundays it traded on until 2026.
    assert list(refused) == ["XTAE"]
    assert len(refused["XTAE"]) < 300


def test_no_bar_lies_in_a_lunch_break() -> None:
    # Tokyo in 2019: 09:00 to 11:30 and 12:30 to 15:00, nine hours ahead of UTC.
    found = bar_times("XTKS", "2019-01-04", "2019-01-04", "1h")
    assert _times(found) == ["01-04 01:00", "01-04 02:00", "01-04 02:30", "01-04 04:30", "01-04 05:30", "01-04 06:00"]


def test_an_early_close_before_the_break_has_no_afternoon() -> None:
    # Hong Kong on Christmas Eve: 09:30 to 12:00, eight hours ahead of UTC.
    assert _times(bar_times("XHKG", "2019-12-24", "2019-12-24", "1h")) == ["12-24 02:30", "12-24 03:30", "12-24 04:00"]


def test_the_last_bar_of_a_market_that_never_closes_is_stamped_midnight() -> None:
    found = bar_times("24/7", "2019-12-31", "2019-12-31", "1h")
    assert len(found) == 24
    assert found[-1] == pd.Timestamp("2020-01-01")
    assert set(session_of(found, "24/7", "1h")) == {pd.Timestamp("2019-12-31")}


def test_a_session_that_opens_the_evening_before_keeps_its_date() -> None:
    # Sydney opens at 23:00 UTC of the day before.
    found = bar_times("XASX", "2019-01-02", "2019-01-02", "1h")
    assert found[0] == pd.Timestamp("2019-01-02 00:00")
    assert set(session_of(found, "XASX", "1h")) == {pd.Timestamp("2019-01-02")}


def test_a_span_without_a_session_has_no_bars() -> None:
    assert len(bar_times("XNYS", "2020-01-18", "2020-01-20", "5m")) == 0


def test_what_a_caller_does_to_its_index_does_not_reach_the_next() -> None:
    found = bar_times("XNYS", "2019-01-02", "2019-01-02", "5m")
    found.name = "mine"
    assert bar_times("XNYS", "2019-01-02", "2019-01-02", "5m").name == "date"


def test_stamps_outside_the_hours_belong_to_no_session() -> None:
    # The open itself ends no bar of the session; Saturday has none.
    stamps = pd.DatetimeIndex(["2019-01-02 14:30", "2019-01-02 14:31", "2019-01-02 21:00", "2019-01-02 21:01", "2019-01-05 15:00"])
    found = session_of(stamps, "XNYS", "1m")
    assert list(found.isna()) == [True, False, False, True, True]
    assert found.dtype == "datetime64[us]"


def test_a_daily_stamp_is_its_own_session_or_none() -> None:
    found = session_of(pd.DatetimeIndex(["2019-01-05", "2019-01-04", "2019-01-04 12:00", "NaT"]), "XNYS")
    assert found[1] == pd.Timestamp("2019-01-04")
    assert list(found.isna()) == [True, False, True, True]
    assert len(session_of(pd.DatetimeIndex([]), "XNYS")) == 0


@given(
    calendar=st.sampled_from(["XNYS", "XTKS", "XHKG", "XASX", "XLON", "24/7"]),
    start=st.dates(pd.Timestamp("2010-01-01").date(), pd.Timestamp("2020-12-01").date()),
    length=st.integers(0, 20),
    width=st.sampled_from(WIDTHS),
)
@settings(max_examples=60, deadline=None)
def test_bars_tile_their_sessions(calendar: str, start: object, length: int, width: str) -> None:
    first = pd.Timestamp(str(start))
    last = first + pd.Timedelta(days=length)
    found = bar_times(calendar, first, last, width)
    owners = session_of(found, calendar, width)
    assert found.is_monotonic_increasing
    assert found.is_unique
    assert not owners.isna().any()
    assert list(owners.unique()) == list(sessions(calendar, first, last))
    assert found.isin(bar_times(calendar, first, last, "1m")).all()


def test_a_usual_year_in_bars() -> None:
    # 252 sessions of 390 minutes; a market that never closes has 365 days of 24 hours.
    assert [periods_per_year("XNYS", width) for width in ("1d", *WIDTHS)] == [252, 98280, 19656, 6552, 3276, 1764]
    assert [periods_per_year("24/7", width) for width in ("1d", "1h")] == [365, 8760]


@pytest.mark.parametrize(
    ("timeframe", "at", "bar"),
    [
        ("1d", "2019-11-29 17:59", "2019-11-27"),  # Thanksgiving has no session, the day after closes at 18:00
        ("1d", "2019-11-29 18:00", "2019-11-29"),
        ("1d", "2019-12-01 12:00", "2019-11-29"),
        ("5m", "2019-11-29 14:34", "2019-11-27 21:00"),
        ("5m", "2019-11-29 14:35", "2019-11-29 14:35"),
        ("5m", "2019-11-29 14:39", "2019-11-29 14:35"),
        ("1h", "2019-11-30 03:00", "2019-11-29 18:00"),
        ("1h", "2019-11-29 13:00-05:00", "2019-11-29 18:00"),
    ],
)
def test_the_last_bar_that_is_over(timeframe: str, at: str, bar: str) -> None:
    assert last_complete_bar("XNYS", timeframe, at) == pd.Timestamp(bar)


def test_the_day_that_never_closes_is_over_at_midnight() -> None:
    assert last_complete_bar("24/7", "1d", "2020-01-01 00:00") == pd.Timestamp("2019-12-31")
    assert last_complete_bar("24/7", "1h", "2020-01-01 00:00") == pd.Timestamp("2020-01-01")


@given(moment=st.datetimes(pd.Timestamp("2018-01-01").to_pydatetime(), pd.Timestamp("2019-12-31").to_pydatetime()))
@settings(max_examples=40, deadline=None)
def test_the_last_bar_is_the_last_of_all_bars_up_to_the_moment(moment: object) -> None:
    at = pd.Timestamp(str(moment))
    every = bar_times("XTKS", "2017-12-01", "2020-01-15", "15m")
    assert last_complete_bar("XTKS", "15m", at) == every[every <= at][-1]


def test_an_unknown_timeframe_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"got '5min': did you mean '?5m"):
        bar_times("XNYS", "2020-01-01", "2020-01-31", "5min")
    with pytest.raises(ConfigError, match="timeframe"):
        session_of(pd.DatetimeIndex(["2020-01-02"]), "XNYS", "2h")
