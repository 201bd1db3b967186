"""Age of bars in the exchange's own time, and who must be fresh."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import DataError
from touchstone.market import Freshness, bar_times, empty_table, expected_bar, freshness, sessions

# Friday 2024-03-29 was Good Friday; the week after began on Monday.
DATES = sessions("XNYS", "2024-03-01", "2024-04-05")
LAST = DATES[-1]


def bars_until(**last: pd.Timestamp) -> pd.DataFrame:
    """Bars on every session up to the last one of each symbol."""
    keys = [(date, symbol) for symbol, end in last.items() for date in DATES if date <= end]
    return pd.DataFrame({"close": 1.0}, index=pd.MultiIndex.from_tuples(keys, names=["date", "symbol"]))


def held_against(bars: pd.DataFrame, expected: pd.Timestamp = LAST, **given: object) -> Freshness:
    return freshness(bars, calendar="XNYS", expected=expected, **given)


def spans(**ends: str) -> pd.DataFrame:
    table = pd.DataFrame({"symbol": list(ends), "start": DATES[0], "end": pd.DatetimeIndex(list(ends.values())).as_unit("us")})
    return table.astype({"symbol": "str"})


def delisting(symbol: str, ex_date: pd.Timestamp) -> pd.DataFrame:
    row = {"symbol": symbol, "ex_date": ex_date, "kind": "delisting", "value": -0.3, "known_at": ex_date}
    return pd.DataFrame([row]).astype(empty_table("actions").dtypes.to_dict())


def test_age_counts_sessions_and_not_days() -> None:
    thursday = pd.Timestamp("2024-03-28")
    found = held_against(bars_until(A=LAST, B=thursday), expected=pd.Timestamp("2024-04-02"), max_age_sessions=1)
    assert found.lagging.to_dict("records") == [
        {"symbol": "B", "last_bar": thursday, "sessions": 2.0, "minutes": pytest.approx(np.nan, nan_ok=True)}
    ]
    assert held_against(bars_until(A=LAST, B=thursday), expected=pd.Timestamp("2024-04-02"), max_age_sessions=2).passed


def test_the_error_names_what_was_seen_what_was_expected_and_five_that_lag() -> None:
    bars = bars_until(**{f"S{number}": DATES[-2 - number] for number in range(7)})
    with pytest.raises(DataError) as raised:
        held_against(bars, max_age_sessions=0).raise_when_stale()
    said = str(raised.value)
    assert "0 sessions behind the calendar, but the last one seen is 2024-04-04 where 2024-04-05 is expected" in said
    assert "7 of 7 symbols lag, S6 (2024-03-26), S5 (2024-03-27), S4 (2024-03-28), S3 (2024-04-01), S2 (2024-04-02) and 2 more" in said


def test_without_a_limit_nothing_is_stale() -> None:
    found = held_against(bars_until(A=DATES[0]))
    assert found.passed
    found.raise_when_stale()


def test_no_bars_at_all_are_stale() -> None:
    found = held_against(bars_until(A=LAST).assign(close=np.nan), max_age_sessions=100)
    assert not found.passed
    with pytest.raises(DataError, match="but there is none where 2024-04-05 is expected"):
        found.raise_when_stale()


def test_a_row_without_a_close_is_no_bar() -> None:
    bars = bars_until(A=LAST, B=LAST)
    bars.loc[(LAST, "B"), "close"] = np.nan
    assert held_against(bars, max_age_sessions=0).lagging["symbol"].tolist() == ["B"]


def test_a_member_that_left_or_was_delisted_need_not_be_fresh() -> None:
    bars = bars_until(A=LAST, LEFT=DATES[5], GONE=DATES[8], LATE=DATES[9], STRANGER=DATES[3])
    stated = spans(A="2099-12-31", LEFT=str(DATES[5].date()), GONE="2099-12-31", LATE="2099-12-31")
    found = held_against(bars, max_age_sessions=3, universe=stated, actions=delisting("GONE", DATES[9]))
    assert (found.lagging["symbol"].tolist(), found.n_checked) == (["LATE"], 2)


def test_a_name_that_was_used_again_after_a_delisting_must_be_fresh() -> None:
    found = held_against(bars_until(A=LAST, B=DATES[9]), max_age_sessions=3, actions=delisting("B", DATES[5]))
    assert found.lagging["symbol"].tolist() == ["B"]


def test_a_member_without_a_single_bar_lags_the_most() -> None:
    found = held_against(
        bars_until(A=LAST, B=DATES[9]), max_age_sessions=3, universe=spans(A="2099-12-31", B="2099-12-31", NEVER="2099-12-31")
    )
    assert found.lagging["symbol"].tolist() == ["NEVER", "B"]
    with pytest.raises(DataError, match=r"2 of 3 symbols lag, NEVER \(no bar\), B"):
        found.raise_when_stale()
    asked = held_against(bars_until(A=LAST), max_age_sessions=3, universe=spans(A="2099-12-31", NEVER="2099-12-31"), symbols=("A",))
    assert asked.passed


def test_spans_that_all_ended_do_not_excuse_the_market() -> None:
    stated = spans(A=str(DATES[3].date()))
    found = held_against(bars_until(A=DATES[10]), max_age_sessions=1, universe=stated)
    assert (found.lagging.empty, found.is_market_stale, found.passed) == (True, True, False)


def test_a_span_that_ends_with_the_data_excuses_nobody() -> None:
    stated = spans(A=str(DATES[10].date()), B=str(DATES[10].date()), LEFT=str(DATES[9].date()))
    found = held_against(bars_until(A=DATES[10], B=DATES[10], LEFT=DATES[9]), max_age_sessions=1, universe=stated)
    assert found.lagging["symbol"].tolist() == ["A", "B"]


def test_minutes_are_minutes_of_trading() -> None:
    grid = bar_times("XNYS", "2024-03-28", "2024-04-01", "5m")
    index = pd.MultiIndex.from_arrays([[grid[77], grid[75], grid[79]], ["THU", "EARLY", "MON"]], names=["date", "symbol"])
    bars = pd.DataFrame({"close": 1.0}, index=index)
    found = freshness(bars, calendar="XNYS", timeframe="5m", expected=grid[79], max_age_minutes=0)
    # From Thursday's close to the second bar of Monday lie ten minutes, over the holiday and the weekend.
    assert found.lagging.drop(columns="last_bar").to_numpy().tolist() == [["EARLY", 1.0, 20.0], ["THU", 1.0, 10.0]]
    assert freshness(bars, calendar="XNYS", timeframe="5m", expected=grid[79], max_age_minutes=10).lagging["symbol"].tolist() == ["EARLY"]


def test_minutes_of_daily_bars_are_those_of_the_sessions_missed() -> None:
    # A session of 390 minutes, and the half day before Thanksgiving's weekend.
    bars = pd.DataFrame({"close": 1.0}, index=pd.MultiIndex.from_tuples([(pd.Timestamp("2023-11-21"), "A")], names=["date", "symbol"]))
    found = freshness(bars, calendar="XNYS", expected=pd.Timestamp("2023-11-24"), max_age_minutes=599)
    assert found.lagging["minutes"].tolist() == [390.0 + 210.0]


def test_a_bar_that_is_younger_than_expected_is_fresh() -> None:
    assert held_against(bars_until(A=LAST), expected=DATES[-4], max_age_sessions=0, max_age_minutes=0).passed


@pytest.mark.parametrize(
    ("timeframe", "at", "end", "expected"),
    [
        ("1d", "2024-04-01 19:59", None, "2024-03-28"),
        ("1d", "2024-04-01 20:00", None, "2024-04-01"),
        ("1d", "2024-04-06 12:00", "2024-03-31", "2024-03-28"),
        ("1d", "2024-03-15 12:00", "2024-03-31", "2024-03-14"),
        ("5m", "2024-04-01 13:37", None, "2024-04-01 13:35"),
        ("5m", "2024-04-01 13:30", None, "2024-03-28 20:00"),
        ("5m", "2024-04-06 12:00", "2024-03-31", "2024-03-28 20:00"),
        ("5m", "2024-04-01 13:37", "2024-04-01", "2024-04-01 13:35"),
    ],
)
def test_the_expected_bar_is_over_and_inside_the_span(timeframe: str, at: str, end: str | None, expected: str) -> None:
    asked = None if end is None else pd.Timestamp(end)
    assert expected_bar("XNYS", timeframe, at=pd.Timestamp(at), end=asked) == pd.Timestamp(expected)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, len(DATES) - 1), min_size=1, max_size=5), st.integers(0, len(DATES) - 1), st.integers(0, 6))
def test_what_lags_is_what_the_definition_says(last: list[int], expected: int, limit: int) -> None:
    bars = bars_until(**{f"S{number}": DATES[place] for number, place in enumerate(last)})
    found = held_against(bars, expected=DATES[expected], max_age_sessions=limit)
    late = {f"S{number}" for number, place in enumerate(last) if expected - place > limit}
    assert set(found.lagging["symbol"]) == late
    assert found.passed == (not late)
