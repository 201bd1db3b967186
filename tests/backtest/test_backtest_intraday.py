"""An account in short bars: actions at the first bar of a session, the borrow fee by the bars of a year."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from touchstone.backtest import Costs, simulate, trade_scores
from touchstone.market import at_bars, bar_times, periods_per_year

STAMPS = bar_times("XNYS", "2019-01-02", "2019-01-04", "1h")
FREE = Costs(commission_bps=0.0, half_spread_bps=0.0, borrow_bps_per_year=0.0)


def _bars(**prices: np.ndarray) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([STAMPS, list(prices)], names=["date", "symbol"])
    return pd.DataFrame({"close": np.column_stack(list(prices.values())).ravel()}, index=index)


def _weights(**held: float) -> pd.DataFrame:
    return pd.DataFrame(held, index=pd.DatetimeIndex(STAMPS[:1], name="date"))


def _action(kind: str, day: str, value: float) -> pd.DataFrame:
    date = pd.Series(pd.to_datetime([day])).astype("datetime64[us]")
    names = {"symbol": pd.Series(["A"], dtype="str"), "kind": pd.Series([kind], dtype="str")}
    table = pd.DataFrame({**names, "ex_date": date, "value": [value], "known_at": date})
    return at_bars(table, STAMPS, calendar="XNYS", timeframe="1h")


def test_a_split_over_night_changes_no_equity() -> None:
    prices = np.where(np.arange(21) >= 7, 50.0, 100.0)
    result = simulate(_bars(A=prices), _weights(A=1.0), costs=FREE, actions=_action("split", "2019-01-03", 2.0))
    np.testing.assert_allclose(result.equity["equity"], 1e6, rtol=1e-12)


def test_a_dividend_is_paid_at_the_first_bar() -> None:
    result = simulate(_bars(A=np.full(21, 100.0)), _weights(A=1.0), costs=FREE, actions=_action("dividend", "2019-01-03", 1.0))
    paid = result.equity["dividends"]
    assert paid[paid > 0.0].index.tolist() == [STAMPS[7]]


def test_a_delisting_closes_at_the_first_bar_of_its_session() -> None:
    a = np.where(np.arange(21) < 14, 100.0, np.nan)
    bars = _bars(A=a, B=np.full(21, 10.0)).dropna()
    result = simulate(bars, _weights(A=0.5, B=0.0), costs=FREE, actions=_action("delisting", "2019-01-04", -0.4))
    closed = result.fills[result.fills["reason"] == "delisting"]
    assert closed["date"].tolist() == [STAMPS[14]]
    assert result.equity["equity"].iloc[-1] == pytest.approx(0.8e6)


def test_the_borrow_fee_of_a_year_is_spread_over_its_bars() -> None:
    a_year = periods_per_year("XNYS", "1h")
    scores = pd.Series(
        np.tile([1.0, 2.0], 21), index=pd.MultiIndex.from_product([STAMPS, ["A", "B"]], names=["date", "symbol"]), name="score"
    )
    costs = Costs(commission_bps=0.0, half_spread_bps=0.0, borrow_bps_per_year=100.0)
    result = trade_scores(
        scores, _bars(A=np.full(21, 10.0), B=np.full(21, 20.0)), side_fraction=0.5, rebalance_every=21, costs=costs, periods_per_year=a_year
    )
    # Half the equity is short; a year at one per cent costs half a per cent of it.
    assert a_year == 252 * 7
    assert result.costs["borrow"].iloc[5] * a_year == pytest.approx(0.005 * 1e6, rel=1e-3)
