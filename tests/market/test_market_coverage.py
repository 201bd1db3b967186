"""Coverage counts bars against the calendar, within each symbol's own life."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from touchstone import market


def index_of(*rows: tuple[str, pd.DatetimeIndex]) -> pd.MultiIndex:
    dates = np.concatenate([dates.to_numpy() for _, dates in rows])
    symbols = np.concatenate([[symbol] * len(dates) for symbol, dates in rows])
    return pd.MultiIndex.from_arrays([pd.DatetimeIndex(dates), pd.array(symbols, dtype="str")], names=["date", "symbol"])


def test_a_month_counts_what_the_calendar_expects_of_the_symbols_own_life() -> None:
    year = market.sessions("XNYS", "2019-01-01", "2019-12-31")
    march = year[year.month == 3]
    late = year[year >= march[10]]
    gappy = year.delete(np.flatnonzero((year.month == 6) & (year.day > 20)))

    shares = market.coverage(index_of(("WHOLE", year), ("LATE", late), ("GAPPY", gappy)), calendar="XNYS")

    assert shares.index.tolist() == ["GAPPY", "WHOLE", "LATE"], "by first bar, then name"
    assert shares.columns.tolist() == [year[year.month == month][0] for month in range(1, 13)]
    assert (shares.loc["WHOLE"] == 1.0).all()
    assert shares.loc["LATE"].isna().tolist() == [True, True] + [False] * 10
    assert shares.loc["LATE"].iloc[2] == 1.0, "March begins with the listing, so nothing is missing"
    june = year[year.month == 6]
    assert shares.loc["GAPPY"].iloc[5] == pytest.approx((june.day <= 20).sum() / len(june))


@pytest.mark.parametrize(("days", "stretches"), [("2019-01-31", 21), ("2019-06-28", 26), ("2019-12-31", 12)])
def test_short_spans_are_cut_into_weeks_or_sessions(days: str, stretches: int) -> None:
    dates = market.sessions("XNYS", "2019-01-01", days)

    assert market.coverage(index_of(("A", dates)), calendar="XNYS").shape == (1, stretches)


def test_intraday_bars_are_counted_against_the_bars_of_each_session() -> None:
    times = market.bar_times("XNYS", "2019-01-02", "2019-01-04", "30m")

    shares = market.coverage(index_of(("A", times), ("B", times.delete([3, 4]))), calendar="XNYS", timeframe="30m")

    assert shares.loc["A"].tolist() == [1.0, 1.0, 1.0]
    assert shares.loc["B"].tolist() == pytest.approx([11 / 13, 1.0, 1.0])
