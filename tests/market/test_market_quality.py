"""Each check finds what it is for, says so, and leaves sound rows alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import DataError
from touchstone.market import check, sessions, validate

DATES = sessions("XNYS", "2020-01-02", "2020-01-31")


def raw_bars(n_symbols: int = 2, n_sessions: int = 6) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([list("ABCDEF")[:n_symbols], DATES[:n_sessions]], names=["symbol", "date"]).swaplevel()
    close = 10.0 + np.arange(len(index), dtype=float)
    return pd.DataFrame({"open": close - 0.5, "high": close + 1.0, "low": close - 1.0, "close": close, "volume": 100.0}, index=index)


def set_value(bars: pd.DataFrame, row: int, **values: float) -> pd.DataFrame:
    changed = bars.copy()
    for field, value in values.items():
        changed.iloc[row, changed.columns.get_loc(field)] = value
    return changed


def test_sound_bars_have_no_findings() -> None:
    assert check(raw_bars(), calendar="XNYS").empty
    assert check(raw_bars().iloc[:0], calendar="XNYS").empty


@pytest.mark.parametrize(
    ("values", "name", "observed", "expected"),
    [
        ({"close": np.nan}, "missing_value", "close = nan", "close: a finite number"),
        ({"volume": np.nan}, "missing_value", "volume = nan", "volume: a finite number"),
        ({"high": np.inf}, "missing_value", "high = inf", "high: a finite number"),
        ({"low": -1.0}, "non_positive", "low = -1", "low > 0"),
        ({"volume": -1.0}, "non_positive", "volume = -1", "volume >= 0"),
        ({"high": 11.9}, "close_outside_range", "close = 12", "close <= high = 11.9"),
        ({"low": 12.1, "open": 12.2}, "close_outside_range", "close = 12", "close >= low = 12.1"),
        ({"low": 11.6}, "high_low", "low = 11.6", "low <= 11.5"),
        ({"open": 13.1}, "high_low", "high = 13", "high >= 13.1"),
    ],
)
def test_a_fault_of_one_row(values: dict[str, float], name: str, observed: str, expected: str) -> None:
    found = check(set_value(raw_bars(), 2, **values), calendar="XNYS")
    assert found.to_dict("records") == [
        {
            "symbol": "A",
            "date": DATES[2],
            "check": name,
            "severity": "error",
            "observed": observed,
            "expected": expected,
            "action": "quarantined",
            "score": 0.0,
        }
    ]


def test_no_volume_traded_is_sound() -> None:
    assert check(raw_bars().assign(volume=0.0), calendar="XNYS").empty


def test_float_dust_breaches_nothing_but_a_tick_does() -> None:
    bars = raw_bars()
    dust = bars.assign(high=bars["close"] * (1.0 - 5e-7), low=bars["open"] * (1.0 + 5e-7))
    assert check(dust, calendar="XNYS").empty
    tick = bars.assign(high=bars["close"] - 0.0001)
    assert set(check(tick, calendar="XNYS")["check"]) == {"close_outside_range"}


def test_a_high_below_the_low_is_a_breach_even_with_closes_alone_between() -> None:
    bars = raw_bars().drop(columns=["open"])
    crossed = set_value(bars, 0, high=9.0, low=11.0)
    assert list(check(crossed, calendar="XNYS")["check"]) == ["close_outside_range", "close_outside_range", "high_low"]


def test_closes_alone_are_checked_for_what_they_have() -> None:
    closes = set_value(raw_bars()[["close"]], 3, close=0.0)
    assert list(check(closes, calendar="XNYS")["check"]) == ["non_positive"]


def test_the_same_row_again_is_a_duplicate_and_the_first_stays() -> None:
    bars = raw_bars()
    found = check(bars.iloc[[0, 1, 2, 3, 4, 4, 4, 5, 6, 7, 8, 9, 10, 11]], calendar="XNYS")
    assert list(found["check"]) == ["duplicate", "duplicate"]
    assert set(found["date"]) == {DATES[4]}
    assert set(found["action"]) == {"quarantined"}


def test_another_row_for_the_same_key_is_a_conflict() -> None:
    bars = raw_bars()
    other = set_value(bars.iloc[[5]], 0, close=15.5)
    found = check(pd.concat([bars.iloc[:6], other, bars.iloc[6:]]), calendar="XNYS")
    assert list(found["check"]) == ["conflicting_duplicate"]
    assert found["observed"].item() == "close = 15.5"
    assert found["expected"].item() == "one row, close = 15"


def test_a_sound_row_is_kept_when_the_one_before_it_is_faulty() -> None:
    bars = raw_bars()
    faulty = set_value(bars.iloc[[0]], 0, close=np.nan)
    found = check(pd.concat([faulty, bars]), calendar="XNYS")
    assert list(found["check"]) == ["missing_value"]


def test_a_weekend_and_a_holiday_are_no_sessions() -> None:
    bars = raw_bars(1, 3).reset_index()
    bars["date"] = pd.to_datetime(["2020-01-18", "2020-01-20", "2020-01-21"]).as_unit("us")
    found = check(bars.set_index(["date", "symbol"]), calendar="XNYS")
    assert list(found["check"]) == ["not_a_session"] * 2
    assert list(found["observed"]) == ["a bar on Saturday", "a bar on Monday"]


def test_a_time_of_day_is_no_session_of_daily_bars() -> None:
    bars = raw_bars(1, 1).reset_index()
    bars["date"] = pd.to_datetime(["2020-01-21 16:00"]).as_unit("us")
    assert check(bars.set_index(["date", "symbol"]), calendar="XNYS")["observed"].item() == "a bar on Tuesday 16:00"


def test_sessions_missing_inside_a_life_are_found_one_by_one() -> None:
    bars = raw_bars(2, 8)
    gone = bars.drop(index=[(DATES[3], "A"), (DATES[4], "A"), (DATES[6], "B")])
    found = check(gone, calendar="XNYS")
    assert list(zip(found["symbol"], found["date"], strict=True)) == [("A", DATES[3]), ("A", DATES[4]), ("B", DATES[6])]
    assert set(found["check"]) == {"missing_session"}
    assert set(found["action"]) == {"kept"}
    assert set(found["severity"]) == {"warning"}


def test_sessions_before_a_listing_and_after_an_end_are_not_missing() -> None:
    bars = raw_bars(2, 8)
    assert check(bars.drop(index=[(DATES[0], "A"), (DATES[7], "B"), (DATES[6], "B")]), calendar="XNYS").empty


def test_a_quarantined_row_is_not_also_a_missing_session() -> None:
    found = check(set_value(raw_bars(), 2, close=np.nan), calendar="XNYS")
    assert "missing_session" not in set(found["check"])


def test_a_faulty_row_far_away_does_not_stretch_a_life() -> None:
    bars = raw_bars(1, 5)
    stray = set_value(bars.iloc[[0]], 0, close=-1.0).rename(index={DATES[0]: DATES[15]})
    assert set(check(pd.concat([bars, stray]), calendar="XNYS")["check"]) == {"close_outside_range", "non_positive"}


def test_a_row_out_of_order_is_found_and_sorted() -> None:
    bars = raw_bars(1, 5).iloc[[0, 3, 1, 2, 4]]
    found = check(bars, calendar="XNYS")
    assert list(found["check"]) == ["out_of_order"] * 2
    assert list(found["date"]) == [DATES[1], DATES[2]]
    assert found["observed"].iloc[0] == f"after {DATES[3]:%Y-%m-%d}"
    assert set(found["action"]) == {"repaired"}


def test_rows_of_several_symbols_in_date_order_are_in_order() -> None:
    assert check(raw_bars().sort_index(), calendar="XNYS").empty


def test_findings_obey_their_schema_and_the_input_is_left_alone() -> None:
    bars = set_value(raw_bars(), 2, close=np.nan, high=-1.0)
    before = bars.copy()
    found = check(bars, calendar="XNYS")
    validate("quality", found)
    pd.testing.assert_frame_equal(bars, before)
    keys = found[["symbol", "date", "check"]]
    assert keys.equals(keys.sort_values(["symbol", "date", "check"], ignore_index=True))


def test_what_is_no_table_of_raw_bars_is_refused() -> None:
    with pytest.raises(DataError, match=r"must be indexed by"):
        check(raw_bars().reset_index(), calendar="XNYS")


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.permutations(range(12)), st.sets(st.integers(0, 11), max_size=4))
def test_faults_are_found_in_whatever_order_rows_stand(order: list[int], faulty: set[int]) -> None:
    bars = raw_bars()
    for row in sorted(faulty):
        bars = set_value(bars, row, close=np.nan)
    found = check(bars.iloc[order], calendar="XNYS")
    hit = found[found["check"] == "missing_value"]
    wanted = bars.index[sorted(faulty)]
    assert sorted(zip(hit["date"], hit["symbol"], strict=True)) == sorted(wanted)
