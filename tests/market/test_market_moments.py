"""Dates of actions, macro and signals on the clock of intraday bars."""

from __future__ import annotations

import pandas as pd

from touchstone.market import at_bars, bar_times, days_of, validate

STAMPS = bar_times("XNYS", "2019-01-02", "2019-02-01", "30m")


def _actions(*rows: tuple[str, str]) -> pd.DataFrame:
    ex, known = ([row[side] for row in rows] for side in (0, 1))
    n = len(rows)
    return pd.DataFrame(
        {
            "symbol": pd.Series(["A"] * n, dtype="str"),
            "ex_date": pd.to_datetime(pd.Series(ex), format="mixed").astype("datetime64[us]"),
            "kind": pd.Series(["split"] * n, dtype="str"),
            "value": [2.0] * n,
            "known_at": pd.to_datetime(pd.Series(known), format="mixed").astype("datetime64[us]"),
        }
    )


def _macro(known: str, expires: str) -> pd.DataFrame:
    dates = {
        name: pd.to_datetime(pd.Series([value])).astype("datetime64[us]") for name, value in (("known_at", known), ("expires_at", expires))
    }
    return pd.DataFrame({"series": pd.Series(["cpi"], dtype="str"), "period": dates["known_at"].dt.normalize(), "value": [1.0], **dates})


def _told(dates: pd.Series) -> list[str]:
    return dates.dt.strftime("%m-%d %H:%M").tolist()


def test_an_action_counts_from_the_first_bar_of_its_session() -> None:
    # The 12th was a Saturday: what is dated there counts from Monday.
    moved = validate(
        "actions", at_bars(_actions(("2019-01-10", "2019-01-03"), ("2019-01-12", "2019-01-12")), STAMPS, calendar="XNYS", timeframe="30m")
    )
    assert _told(moved["ex_date"]) == ["01-10 15:00", "01-14 15:00"]


def test_an_action_is_known_at_the_close_of_a_day_but_at_once_on_its_ex_date() -> None:
    given = _actions(("2019-01-10", "2019-01-03"), ("2019-01-10", "2019-01-10"), ("2019-01-10", "2019-01-15"))
    moved = at_bars(given, STAMPS, calendar="XNYS", timeframe="30m")
    assert _told(moved["known_at"]) == ["01-03 21:00", "01-10 15:00", "01-15 21:00"]


def test_what_is_published_on_a_day_is_known_at_its_close() -> None:
    moved = validate("macro", at_bars(_macro("2019-01-10", "2019-01-31"), STAMPS, calendar="XNYS", timeframe="30m"))
    assert _told(moved["known_at"]) == ["01-10 21:00"]
    assert _told(moved["expires_at"]) == ["01-31 21:00"]


def test_what_is_published_on_a_day_off_is_known_when_it_ends() -> None:
    moved = validate("macro", at_bars(_macro("2019-01-12", "2019-01-12"), STAMPS, calendar="XNYS", timeframe="30m"))
    assert moved["known_at"].iloc[0] == pd.Timestamp("2019-01-12 23:59:59.999999")


def test_a_time_of_day_is_a_moment_and_stays() -> None:
    moved = at_bars(_macro("2019-01-10 13:30", "2019-01-31 20:00"), STAMPS, calendar="XNYS", timeframe="30m")
    assert _told(moved["known_at"]) == ["01-10 13:30"]
    assert _told(moved["expires_at"]) == ["01-31 20:00"]


def test_a_date_among_moments_is_still_a_date_where_no_bar_ends_at_midnight() -> None:
    given = pd.concat([_macro("2019-01-10 13:30", "2019-01-31"), _macro("2019-01-11", "2019-01-31")], ignore_index=True)
    assert _told(at_bars(given, STAMPS, calendar="XNYS", timeframe="30m")["known_at"]) == ["01-10 13:30", "01-11 21:00"]


def test_midnight_is_the_close_of_a_bar_where_the_market_never_closes() -> None:
    stamps = bar_times("24/7", "2019-01-02", "2019-02-01", "1h")
    moments = pd.concat([_macro("2019-01-10 13:00", "2019-01-31"), _macro("2019-01-11 00:00", "2019-01-31")], ignore_index=True)
    assert _told(at_bars(moments, stamps, calendar="24/7", timeframe="1h")["known_at"]) == ["01-10 13:00", "01-11 00:00"]
    dates = at_bars(_macro("2019-01-10", "2019-01-31"), stamps, calendar="24/7", timeframe="1h")
    assert _told(dates["known_at"]) == ["01-11 00:00"]


def test_the_first_bar_of_a_session_that_opens_the_evening_before() -> None:
    stamps = bar_times("XASX", "2019-01-02", "2019-02-01", "1h")
    moved = at_bars(_actions(("2019-01-10", "2019-01-03")), stamps, calendar="XASX", timeframe="1h")
    assert _told(moved["ex_date"]) == ["01-10 00:00"]
    half_hours = bar_times("XASX", "2019-01-02", "2019-02-01", "30m")
    assert _told(at_bars(_actions(("2019-01-10", "2019-01-03")), half_hours, calendar="XASX", timeframe="30m")["ex_date"]) == [
        "01-09 23:30"
    ]


def test_daily_tables_and_dates_far_from_the_bars_stay() -> None:
    given = _actions(("2019-01-10", "2019-01-03"))
    assert at_bars(given, STAMPS, calendar="XNYS", timeframe="1d") is given
    early = _macro("1950-01-10", "1950-02-10")
    pd.testing.assert_frame_equal(at_bars(early, STAMPS, calendar="XNYS", timeframe="30m"), early)


def test_days_of_bars() -> None:
    sessions = pd.DatetimeIndex(["2019-12-31", "2020-01-01"])
    assert days_of(sessions).equals(sessions)
    hours = bar_times("24/7", "2019-12-31", "2019-12-31", "1h")
    assert set(days_of(hours)) == {pd.Timestamp("2019-12-31")}
