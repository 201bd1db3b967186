"""Days on which an exchange is closed, and which of them nobody could know ahead."""

from __future__ import annotations

import pandas as pd
import pytest

from touchstone import market
from touchstone.errors import ConfigError


def _days(closed: pd.DataFrame) -> list[str]:
    return closed.index.strftime("%Y-%m-%d").tolist()


def test_holidays_of_new_york_in_2020() -> None:
    """As the New York Stock Exchange announced them."""
    closed = market.closures("XNYS", "2020-01-01", "2020-12-31")
    assert _days(closed) == [f"2020-{day}" for day in ["01-01", "01-20", "02-17", "04-10", "05-25", "07-03", "09-07", "11-26", "12-25"]]
    assert closed["known_ahead"].all()


@pytest.mark.parametrize(
    ("span", "days"),
    [
        (("2001-09-10", "2001-09-18"), ["2001-09-11", "2001-09-12", "2001-09-13", "2001-09-14"]),
        (("2012-10-26", "2012-11-02"), ["2012-10-29", "2012-10-30"]),
        (("2018-11-30", "2018-12-07"), ["2018-12-05"]),
    ],
)
def test_attacks_storms_and_mourning_came_as_surprises(span: tuple[str, str], days: list[str]) -> None:
    closed = market.closures("XNYS", *span)
    assert _days(closed) == days
    assert not closed["known_ahead"].any()


def test_holidays_by_decree_are_announced() -> None:
    """Shanghai's calendar lists its whole holidays as exceptions."""
    assert market.closures("XSHG", "2019-01-01", "2019-12-31")["known_ahead"].all()


def test_a_market_that_never_closes_has_none_and_weekends_are_none() -> None:
    assert market.closures("24/7", "2020-01-01", "2021-12-31").empty
    assert market.closures("XNYS", "2020-02-22", "2020-02-23").empty


def test_the_span_changes_no_day() -> None:
    whole = market.closures("XNYS", "2010-01-01", "2020-12-31")
    for year in (2011, 2012, 2018):
        pd.testing.assert_frame_equal(market.closures("XNYS", f"{year}-03-01", f"{year}-12-31"), whole[f"{year}-03-01" : f"{year}-12-31"])


def test_an_unknown_calendar_is_named() -> None:
    with pytest.raises(ConfigError, match="must be one of exchange_calendars, but got 'XNYZ'"):
        market.closures("XNYZ", "2020-01-01", "2020-12-31")
