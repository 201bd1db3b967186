"""The sets `calendar` and `session_clock` against calendars that were printed, counts made by hand, and cut histories."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone import audit, features, market
from touchstone.features import FeatureSet, Sessions, _calendar
from touchstone.features._calendar import CALENDAR, SESSION_CLOCK

# Monthly options of 2020, and of two months whose third Friday is Good Friday, from Cboe's expiration calendars.
EXPIRIES = [
    f"2020-{day}" for day in ["01-17", "02-21", "03-20", "04-17", "05-15", "06-19", "07-17", "08-21", "09-18", "10-16", "11-20", "12-18"]
]
EARLY_EXPIRIES = ["2014-04-17", "2019-04-18"]
# The last session before each holiday of the New York Stock Exchange in 2020, and before New Year's Day of 2021.
BEFORE_HOLIDAYS = [f"2020-{day}" for day in ["01-17", "02-14", "04-09", "05-22", "07-02", "09-04", "11-25", "12-24", "12-31"]]


def values_of(calendar: str, start: str, end: str, *, timeframe: str = "1d", declared: FeatureSet = CALENDAR) -> pd.DataFrame:
    return values_on(market.bar_times(calendar, start, end, timeframe), calendar, timeframe, declared)


def values_on(dates: pd.DatetimeIndex, calendar: str | None, timeframe: str, declared: FeatureSet) -> pd.DataFrame:
    given_sessions = Sessions(dates, calendar, timeframe, market.empty_table("macro"))
    columns = [feature for feature in declared.features if calendar or not feature.needs_calendar]
    return pd.DataFrame({feature.name: feature.values(given_sessions) for feature in columns}, index=dates)


@pytest.fixture(scope="module")
def year() -> pd.DataFrame:
    return values_of("XNYS", "2020-01-01", "2020-12-31")


def _where(column: pd.Series, value: float) -> list[str]:
    return column.index[column == value].strftime("%Y-%m-%d").tolist()


def test_expiry_falls_on_the_third_friday_or_the_session_before(year: pd.DataFrame) -> None:
    assert _where(year["sessions_until_expiry"], 0.0) == EXPIRIES
    for day in EARLY_EXPIRIES:
        around = values_of("XNYS", f"{day[:7]}-01", f"{day[:7]}-30")
        assert _where(around["sessions_until_expiry"], 0.0) == [day]
    weeks = year.index[year["is_expiry_week"] == 1.0].to_period("W-SUN").unique()
    assert weeks.equals(pd.DatetimeIndex(EXPIRIES).to_period("W-SUN").rename("date"))


def test_the_last_session_before_a_holiday_counts_zero_and_the_next_one(year: pd.DataFrame) -> None:
    assert _where(year["sessions_until_holiday"], 0.0) == BEFORE_HOLIDAYS
    after = [_next_session(year.index, day) for day in ["2020-01-01", *BEFORE_HOLIDAYS[:-1]]]
    assert _where(year["sessions_since_holiday"], 1.0) == after


def _next_session(sessions: pd.DatetimeIndex, day: str) -> str:
    return sessions[sessions > day][0].strftime("%Y-%m-%d")


def test_months_and_quarters_are_counted_from_both_ends(year: pd.DataFrame) -> None:
    for column, number in (("month", year.index.month), ("quarter", year.index.quarter)):
        for one in number.unique():
            own = year[number == one]
            np.testing.assert_array_equal(own[f"sessions_since_{column}_end"], np.arange(1.0, len(own) + 1.0))
            np.testing.assert_array_equal(own[f"sessions_until_{column}_end"], np.arange(len(own) - 1.0, -1.0, -1.0))


def test_the_turn_of_the_month_is_four_sessions(year: pd.DataFrame) -> None:
    turn = year.index[year["is_turn_of_month"] == 1.0]
    days = [day.strftime("%m-%d") for day in turn if day.month in (5, 6) and day.strftime("%m-%d") > "05-10"]
    assert days == ["05-29", "06-01", "06-02", "06-03", "06-30"]


def test_positions_of_a_date_by_hand() -> None:
    own = values_on(pd.DatetimeIndex(["2020-02-29", "2020-12-31", "2021-04-01"]).as_unit("us"), None, "1d", CALENDAR)
    np.testing.assert_array_equal(own["day_of_week"], [5.0, 3.0, 3.0])
    np.testing.assert_array_equal(own["month_position"], [1.0, 1.0, 1.0 / 30.0])
    np.testing.assert_array_equal(own["year_position"], [60.0 / 366.0, 1.0, 91.0 / 365.0])
    np.testing.assert_allclose(own["month_sin"], [0.5, -0.5, 1.0])
    np.testing.assert_allclose(own["month_cos"], [np.sqrt(0.75), np.sqrt(0.75), 0.0])


@settings(max_examples=10, deadline=None)
@given(start=st.dates(date(2017, 1, 1), date(2019, 6, 1)), days=st.integers(10, 900))
def test_where_the_sessions_begin_and_end_changes_nothing(start: date, days: int) -> None:
    whole = values_of("XNYS", "2015-01-01", "2022-12-31")
    part = values_of("XNYS", str(start), str(start + timedelta(days=days)))
    pd.testing.assert_frame_equal(part, whole.loc[part.index], check_exact=True)


def test_a_closing_that_nobody_knew_of_is_counted_until_it_has_passed() -> None:
    """New York mourned on 2018-12-05, by a decision of 2018-12-01."""
    around = values_of("XNYS", "2018-11-30", "2018-12-07")
    # Planned were 20 sessions of December: 3rd to 7th, three weeks, 24th, 26th to 28th and 31st, without the 25th.
    np.testing.assert_array_equal(around["sessions_until_month_end"], [0.0, 19.0, 18.0, 16.0, 15.0])
    np.testing.assert_array_equal(around["sessions_until_holiday"], [16.0, 15.0, 14.0, 12.0, 11.0])
    np.testing.assert_array_equal(around["sessions_until_expiry"], [15.0, 14.0, 13.0, 11.0, 10.0])
    np.testing.assert_array_equal(around["sessions_since_month_end"], [21.0, 1.0, 2.0, 3.0, 4.0])
    np.testing.assert_array_equal(around["sessions_since_holiday"], [6.0, 7.0, 8.0, 1.0, 2.0])


def test_what_the_calendar_does_not_know_yet_is_missing(monkeypatch: pytest.MonkeyPatch, year: pd.DataFrame) -> None:
    """Without next year's calendar nobody knows the holiday after Christmas, nor January's expiry."""
    monkeypatch.setattr(_calendar, "_known_year", lambda calendar, wanted, otherwise: otherwise)
    table = _calendar._table.__wrapped__("XNYS", 2020, 2020)
    for name, counts in table.counts.items():
        expected = year[name].to_numpy().copy()
        if name == "sessions_until_holiday":
            expected[year.index > "2020-12-25"] = np.nan
        if name == "sessions_until_expiry":
            expected[year.index > "2020-12-18"] = np.nan
        np.testing.assert_array_equal(counts[: len(expected)], expected, err_msg=name)


def test_a_holiday_of_the_year_after_next_is_too_far_to_count() -> None:
    """Which years the bars span decides which holidays are listed, so a rare one must not count for some spans only."""
    sessions = np.array(["2020-12-30", "2021-01-04"], dtype="datetime64[D]")
    holidays = np.array(["2018-05-01", "2022-05-02"], dtype="datetime64[D]")
    np.testing.assert_array_equal(_calendar._until_holiday(sessions, sessions, holidays), [np.nan, 0.0])
    np.testing.assert_array_equal(_calendar._since_holiday(sessions, holidays), [np.nan, np.nan])


def test_a_market_that_never_closes_has_no_holidays() -> None:
    always = values_of("24/7", "2020-12-01", "2021-01-31")
    assert always[["sessions_since_holiday", "sessions_until_holiday"]].isna().all(axis=None)
    assert always.drop(columns=["sessions_since_holiday", "sessions_until_holiday"]).notna().all(axis=None)
    assert always.loc["2020-12-31", "sessions_since_month_end"] == 31.0


def test_bars_of_a_session_say_what_their_session_says(year: pd.DataFrame) -> None:
    hours = values_of("XNYS", "2020-11-24", "2020-11-30", timeframe="1h")
    days = market.session_of(hours.index, "XNYS", "1h")
    pd.testing.assert_frame_equal(hours.reset_index(drop=True), year.loc[days].reset_index(drop=True), check_exact=True)


def test_the_clock_of_a_whole_and_of_a_short_session() -> None:
    """New York trades from 9:30 to 16:00, on the day after Thanksgiving to 13:00."""
    clock = values_of("XNYS", "2020-11-25", "2020-11-27", timeframe="1h", declared=SESSION_CLOCK)
    np.testing.assert_array_equal(clock["minute_of_session"], [60, 120, 180, 240, 300, 360, 390, 60, 120, 180, 210])
    np.testing.assert_allclose(clock["session_fraction"], clock["minute_of_session"] / ([390.0] * 7 + [210.0] * 4))
    daily = values_of("XNYS", "2020-11-25", "2020-11-27", declared=SESSION_CLOCK)
    np.testing.assert_array_equal(daily, [[390.0, 1.0], [210.0, 1.0]])


def test_a_session_that_is_cut_short_in_the_data_is_not_short() -> None:
    whole = values_of("XTKS", "2020-11-24", "2020-11-26", timeframe="30m", declared=SESSION_CLOCK)
    for cut in (slice(3, 17), slice(0, 1), slice(12, 30)):
        part = values_on(whole.index[cut], "XTKS", "30m", SESSION_CLOCK)
        pd.testing.assert_frame_equal(part, whole.iloc[cut], check_exact=True)


def _new_york(bars: pd.DataFrame) -> pd.DataFrame:
    """The awkward market's bars, on sessions of New York."""
    sessions = market.sessions("XNYS", "2015-01-02", "2017-12-29")
    codes = bars.index.get_level_values("date").unique().get_indexer(bars.index.get_level_values("date"))
    index = pd.MultiIndex.from_arrays([sessions[codes], bars.index.get_level_values("symbol")], names=["date", "symbol"])
    return bars.set_axis(index)


def test_in_the_matrix_it_is_the_same_for_all_and_never_ranked(bars: pd.DataFrame) -> None:
    given_bars = _new_york(bars)
    matrix = features.compute(given_bars, "calendar", calendar="XNYS", transform="rank")
    by_session = matrix.groupby("date")
    pd.testing.assert_frame_equal(by_session.min(), by_session.max())
    assert matrix["sessions_until_quarter_end"].max() > 55.0
    plan = features.plan("calendar", fields=["close"])
    assert plan.ranked == ()
    assert plan.lookback == 1


def test_without_a_calendar_only_dates_are_left() -> None:
    plan = features.plan(["calendar", "session_clock"], fields=["close"], has_calendar=False)
    assert plan.columns == ("day_of_week", "month_position", "month_sin", "month_cos", "year_position", "is_expiry_week")
    assert {out.reason for out in plan.left_out} == {"no calendar is named"}


def test_online_it_is_what_the_batch_gives(bars: pd.DataFrame) -> None:
    given_bars = _new_york(bars)
    both = ["calendar", "session_clock"]
    whole = features.compute(given_bars, both, calendar="XNYS", transform="rank")
    dates = given_bars.index.get_level_values("date")
    for n_sessions in (1, 3, 300):
        recent = given_bars[dates >= dates.unique()[-n_sessions]]
        online = features.latest(recent, both, calendar="XNYS", transform="rank")
        pd.testing.assert_frame_equal(online, whole[dates == dates.max()], check_exact=True)


def test_the_audit_finds_no_future(bars: pd.DataFrame) -> None:
    given_bars = _new_york(bars)
    both = ["calendar", "session_clock"]
    plan = features.plan(both, fields=["close"])
    report = audit.look_ahead(
        lambda **tables: features.compute(tables["bars"], both, calendar="XNYS", transform="rank"),
        {"bars": given_bars},
        per_symbol=plan.per_symbol,
        lookback=plan.lookbacks,
        partial=plan.partial,
        seed=2,
    )
    report.raise_on_leak()
    assert report.n_compared > 50_000
