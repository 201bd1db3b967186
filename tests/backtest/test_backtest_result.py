"""The tables that are made of a run: round trips, orders, exposures; made when read, and then kept."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pandas as pd
import pytest

from touchstone.backtest import Costs, simulate

FREE = Costs(0.0, 0.0, 0.0)


def test_a_round_trip_from_flat_to_flat(make_bars, make_weights) -> None:
    bars = make_bars({"A": [10.0, 10.0, 12.0, 15.0, 15.0]})
    costs = Costs(commission_bps=10.0, half_spread_bps=0.0)
    trades = simulate(bars, make_weights({0: {"A": 0.5}, 2: {"A": 0.0}}), costs=costs).trades
    trip = trades.iloc[0]
    assert (len(trades), trip["side"], trip["n_fills"]) == (1, "long", 2)
    assert (trip["shares"], trip["entry_price"], trip["exit_price"]) == (50_000.0, 10.0, 15.0)
    assert (trip["opened"], trip["closed"]) == (pd.Timestamp("2020-01-02"), pd.Timestamp("2020-01-04"))
    assert trip["pnl"] == pytest.approx(250_000.0 - 500.0 - 750.0)


def test_a_fill_through_zero_closes_one_trip_and_opens_another(make_bars, make_weights) -> None:
    bars = make_bars({"A": [10.0, 10.0, 10.0, 8.0]})
    result = simulate(bars, make_weights({0: {"A": 0.6}, 1: {"A": -0.3}}), costs=Costs(10.0, 0.0, 0.0))
    trades = result.trades
    assert trades["side"].tolist() == ["long", "short"]
    assert trades["n_fills"].tolist() == [2, 1]
    # Two thirds of the second fill close what was held, and pay two thirds of its commission.
    assert trades["commission"].sum() == pytest.approx(result.fills["commission"].sum())
    assert trades["closed"].isna().tolist() == [False, True]
    assert trades["pnl"].sum() == pytest.approx(result.equity["equity"].iloc[-1] - 1e6)


def test_a_round_trip_over_a_split_and_a_dividend(make_bars, make_weights, make_actions) -> None:
    bars = make_bars({"A": [10.0, 10.0, 5.0, 6.0]})
    actions = make_actions(("A", 2, "split", 2.0), ("A", 3, "dividend", 0.5))
    trip = simulate(bars, make_weights({0: {"A": 0.5}, 2: {"A": 0.0}}), costs=FREE, actions=actions).trades.iloc[0]
    assert (trip["shares"], trip["entry_price"], trip["exit_price"]) == (100_000.0, 5.0, 6.0)
    assert (trip["dividends"], trip["pnl"]) == (50_000.0, 150_000.0)


def test_what_is_held_is_an_open_trip_at_its_last_close(make_bars, make_weights) -> None:
    bars = make_bars({"A": [10.0, 10.0, 12.0]})
    trip = simulate(bars, make_weights({0: {"A": -0.5}}), costs=FREE).trades.iloc[0]
    assert trip["side"] == "short"
    assert trip[["closed", "exit_price"]].isna().all()
    assert trip["pnl"] == pytest.approx(-100_000.0)


def test_exposures_cash_and_turnover(make_bars, make_weights) -> None:
    bars = make_bars({"A": [10.0] * 3, "B": [20.0] * 3})
    result = simulate(bars, make_weights({0: {"A": 0.5, "B": -0.3}}), costs=FREE)
    assert result.exposures.iloc[1].tolist() == pytest.approx([0.5, -0.3, 0.8, 0.2, 2.0])
    assert result.cash.iloc[1] == pytest.approx(0.8e6)
    assert result.turnover.tolist() == pytest.approx([0.0, 0.8, 0.0])


def test_tables_are_made_once_and_the_result_is_frozen(make_bars, make_weights) -> None:
    result = simulate(make_bars({"A": [10.0] * 3}), make_weights({0: {"A": 0.5}}))
    assert result.fills is result.fills
    with pytest.raises(FrozenInstanceError):
        result.run = None  # type: ignore[misc]
    assert result.clippings.columns.tolist() == ["date", "name", "rule", "asked", "limit"]


def test_long_and_short_as_vectorbt_has_them(make_bars, make_weights) -> None:
    """vectorbt 1.2.0, from_orders(size_type="targetpercent", group_by=True, cash_sharing=True) on the same closes, read off once."""
    bars = make_bars({"A": [10.0, 10.0, 11.0, 12.0, 9.0], "B": [20.0, 20.0, 19.0, 18.0, 21.0]})
    result = simulate(bars, make_weights({0: {"A": 1.0, "B": -1.0}}), costs=FREE)
    assert result.equity["equity"].tolist() == [1_000_000.0, 1_000_000.0, 1_150_000.0, 1_300_000.0, 850_000.0]
