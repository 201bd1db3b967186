"""Sessions of an exchange."""

from __future__ import annotations

import pandas as pd
import pytest

from touchstone.errors import ConfigError
from touchstone.market import sessions


def test_sessions_of_a_week_with_a_holiday() -> None:
    # 2020-01-20 was Martin Luther King Day.
    found = sessions("XNYS", "2020-01-17", "2020-01-22")
    assert [f"{day:%Y-%m-%d}" for day in found] == ["2020-01-17", "2020-01-21", "2020-01-22"]
    assert found.dtype == "datetime64[us]"
    assert found.name == "date"


def test_a_span_without_a_session_is_empty_and_not_an_error() -> None:
    assert len(sessions("XNYS", "2020-01-18", "2020-01-20")) == 0


def test_sessions_do_not_depend_on_the_day_they_are_asked_for() -> None:
    # The library's own default starts twenty years before today.
    assert sessions("XNYS", "1990-01-01", "1990-12-31")[0] == pd.Timestamp("1990-01-02")
    assert len(sessions("XNYS", "1990-01-01", "1990-12-31")) == 253


def test_a_calendar_without_holidays() -> None:
    assert len(sessions("24/7", "2020-01-01", "2020-01-31")) == 31


def test_an_unknown_calendar_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"got 'XNYZ': did you mean .*XNYS"):
        sessions("XNYZ", "2020-01-01", "2020-01-31")


def test_a_span_that_ends_before_it_starts() -> None:
    with pytest.raises(ConfigError, match=r"2020-01-31 to 2020-01-01"):
        sessions("XNYS", "2020-01-31", "2020-01-01")


def test_a_span_that_the_calendar_does_not_know() -> None:
    with pytest.raises(ConfigError, match=r"XKRX does not cover 1900-01-01"):
        sessions("XKRX", "1900-01-01", "1900-02-01")
