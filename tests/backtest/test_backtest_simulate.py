"""Accounts worked out by hand."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from touchstone.backtest import Costs, simulate
from touchstone.errors import ConfigError
from touchstone.labels import forward_return

FREE = Costs(0.0, 0.0, 0.0)
UNIT = 1e6


def test_next_close_fills_one_session_after_the_decision(make_bars, make_weights) -> None:
    bars = make_bars({"A": [10.0, 20.0, 40.0, 50.0, 25.0]})
    result = simulate(bars, make_weights({1: {"A": 1.0}}), costs=FREE)
    assert list(result.equity.index.day) == [2, 3, 4, 5]
    assert result.equity["equity"].tolist() == [UNIT, UNIT, 1.25 * UNIT, 0.625 * UNIT]
    assert result.returns.tolist() == [0.0, 0.25, -0.5]
    assert result.fills[["shares", "price", "reason"]].to_dict("list") == {"shares": [25_000.0], "price": [40.0], "reason": ["rebalance"]}


def test_next_open_trades_at_the_open_and_earns_the_session(make_bars, make_weights) -> None:
    bars = make_bars({"A": [10.0, 20.0, 40.0]}, {"A": [10.0, 16.0, 50.0]})
    result = simulate(bars, make_weights({0: {"A": 1.0}}), fill="next_open", costs=FREE)
    assert result.equity["equity"].tolist() == [UNIT, 1.25 * UNIT, 2.5 * UNIT]
    assert result.equity["price_pnl"].tolist() == [0.0, 0.25 * UNIT, 1.25 * UNIT]


def test_next_open_sizes_with_the_equity_at_the_open(make_bars, make_weights) -> None:
    bars = make_bars({"A": [10.0, 10.0, 10.0], "B": [1.0, 1.0, 1.0]}, {"A": [10.0, 10.0, 20.0], "B": [1.0, 1.0, 1.0]})
    result = simulate(bars, make_weights({0: {"A": 1.0, "B": 0.0}, 1: {"A": 0.0, "B": 1.0}}), fill="next_open", costs=FREE)
    # The open doubled the money before A was sold into B.
    assert result.equity["equity"].tolist() == [UNIT, UNIT, 2 * UNIT]
    assert result.positions.iloc[-1].to_dict() == {
        "date": pd.Timestamp("2020-01-03"),
        "symbol": "B",
        "shares": 2 * UNIT,
        "close": 1.0,
        "value": 2 * UNIT,
    }


def test_same_close_warns_and_fills_at_the_close_of_the_decision(make_bars, make_weights) -> None:
    bars = make_bars({"A": [10.0, 20.0, 40.0]})
    with pytest.warns(UserWarning, match="same_close"):
        result = simulate(bars, make_weights({1: {"A": 0.5}}), fill="same_close", costs=FREE)
    assert result.equity["equity"].tolist() == [UNIT, UNIT, 1.5 * UNIT]


def test_costs_written_out(make_bars, make_weights) -> None:
    bars = make_bars({"A": [10.0, 10.0, 10.0, 10.0], "B": [20.0, 20.0, 20.0, 20.0]})
    weights = make_weights({0: {"A": 0.5, "B": -0.5}, 2: {"A": 0.0, "B": 0.0}})
    result = simulate(bars, weights, costs=Costs(commission_bps=2.0, half_spread_bps=10.0, borrow_bps_per_year=504.0))
    equity = result.equity
    assert equity["commission"].tolist() == pytest.approx([0.0, 200.0, 0.0, 200.0])
    assert equity["spread"].tolist() == pytest.approx([0.0, 1000.0, 0.0, 1000.0])
    # 504 bps over 252 sessions are 2 bps of the 500,000 short at the last close.
    assert equity["borrow"].tolist() == pytest.approx([0.0, 0.0, 100.0, 100.0])
    assert equity["equity"].tolist() == pytest.approx([UNIT, UNIT - 1200.0, UNIT - 1300.0, UNIT - 2600.0])
    assert equity["traded"].tolist() == pytest.approx([0.0, UNIT, 0.0, UNIT])
    assert equity["turnover"].tolist() == pytest.approx([0.0, 1.0, 0.0, UNIT / (UNIT - 1300.0)])
    assert equity["n_positions"].tolist() == [0, 2, 2, 0]
    assert result.costs["total"].sum() == pytest.approx(2600.0)
    assert result.fills["commission"].sum() + result.fills["spread"].sum() == pytest.approx(2400.0)
    assert result.positions["symbol"].tolist() == ["A", "B", "A", "B"]


def test_a_year_of_borrowing_costs_the_yearly_rate(make_bars, make_weights) -> None:
    bars = make_bars({"A": [10.0] * 254})
    result = simulate(bars, make_weights({0: {"A": -1.0}}), costs=Costs(0.0, 0.0, 50.0))
    assert result.equity["borrow"].sum() == pytest.approx(0.005 * UNIT)
    assert result.equity["equity"].iloc[-1] == pytest.approx(0.995 * UNIT)


def test_a_split_changes_nothing_but_the_number_of_shares(make_bars, make_weights, make_actions) -> None:
    bars = make_bars({"A": [10.0, 10.0, 5.0, 6.0]})
    result = simulate(bars, make_weights({0: {"A": 1.0}}), costs=FREE, actions=make_actions(("A", 2, "split", 2.0)))
    assert result.equity["equity"].tolist() == [UNIT, UNIT, UNIT, 1.2 * UNIT]
    assert result.positions["shares"].tolist() == [100_000.0, 200_000.0, 200_000.0]
    assert len(result.fills) == 1


@pytest.mark.parametrize(("weight", "paid"), [(1.0, 100_000.0), (-1.0, -100_000.0)])
def test_dividends_are_paid_to_longs_and_charged_to_shorts(make_bars, make_weights, make_actions, weight: float, paid: float) -> None:
    bars = make_bars({"A": [10.0, 10.0, 9.0]})
    result = simulate(bars, make_weights({0: {"A": weight}}), costs=FREE, actions=make_actions(("A", 2, "dividend", 1.0)))
    assert result.equity["dividends"].tolist() == [0.0, 0.0, paid]
    assert result.equity["equity"].tolist() == [UNIT, UNIT, UNIT]


def test_a_dividend_on_a_split_day_is_per_new_share(make_bars, make_weights, make_actions) -> None:
    bars = make_bars({"A": [10.0, 10.0, 4.0]})
    actions = make_actions(("A", 2, "dividend", 1.0), ("A", 2, "split", 2.0))
    result = simulate(bars, make_weights({0: {"A": 1.0}}), costs=FREE, actions=actions)
    assert result.equity["equity"].tolist() == [UNIT, UNIT, UNIT]


def test_who_buys_on_the_ex_date_gets_no_dividend(make_bars, make_weights, make_actions) -> None:
    bars = make_bars({"A": [10.0, 10.0, 10.0]}, {"A": [10.0, 10.0, 10.0]})
    for fill in ("next_close", "next_open"):
        result = simulate(bars, make_weights({0: {"A": 1.0}}), fill=fill, costs=FREE, actions=make_actions(("A", 1, "dividend", 1.0)))
        assert result.equity["dividends"].sum() == 0.0


def test_an_action_off_the_sessions_takes_effect_on_the_next_one(make_bars, make_weights, make_actions) -> None:
    bars = make_bars({"A": [10.0, 10.0, 10.0, 10.0]}).drop(pd.Timestamp("2020-01-03"), level="date")
    result = simulate(bars, make_weights({0: {"A": 1.0}}), costs=FREE, actions=make_actions(("A", 2, "dividend", 1.0)))
    assert result.equity["dividends"].tolist() == [0.0, 0.0, 100_000.0]


def test_a_delisting_ends_the_holding_at_its_value_without_costs(make_bars, make_weights, make_actions) -> None:
    bars = make_bars({"A": [10.0, 10.0, 12.0, None, None], "B": [1.0] * 5})
    weights = make_weights({0: {"A": 1.0, "B": 0.0}})
    result = simulate(bars, weights, actions=make_actions(("A", 3, "delisting", -0.5)))
    closing = result.fills.iloc[-1]
    assert (closing["reason"], closing["price"], closing["commission"], closing["spread"]) == ("delisting", 6.0, 0.0, 0.0)
    assert result.equity["traded"].iloc[3] == 0.0
    assert result.equity["equity"].iloc[-1] == pytest.approx(0.6 * UNIT - 600.0)
    assert result.equity["positions_value"].iloc[-1] == 0.0


def test_a_delisting_to_nothing_loses_all_of_the_holding(make_bars, make_weights, make_actions) -> None:
    bars = make_bars({"A": [10.0, 10.0, None], "B": [1.0] * 3})
    result = simulate(bars, make_weights({0: {"A": 0.5, "B": 0.0}}), costs=FREE, actions=make_actions(("A", 2, "delisting", -1.0)))
    assert result.equity["equity"].tolist() == [UNIT, UNIT, 0.5 * UNIT]


def test_bars_that_just_end_are_sold_at_the_last_close_with_costs(make_bars, make_weights) -> None:
    bars = make_bars({"A": [10.0, 10.0, 12.0, None, None], "B": [1.0] * 5})
    result = simulate(bars, make_weights({0: {"A": 1.0, "B": 0.0}}), costs=Costs(1.0, 0.0, 0.0))
    closing = result.fills.iloc[-1]
    assert (closing["reason"], closing["price"], closing["date"]) == ("bars_ended", 12.0, pd.Timestamp("2020-01-04"))
    assert closing["commission"] == pytest.approx(120.0)
    assert result.equity["n_positions"].tolist() == [0, 1, 1, 0, 0]


def test_a_missing_bar_keeps_the_last_mark_and_makes_the_order_wait(make_bars, make_weights) -> None:
    bars = make_bars({"A": [10.0, 10.0, None, None, 20.0, 20.0], "B": [1.0] * 6})
    weights = make_weights({0: {"A": 0.5, "B": 0.0}, 1: {"A": 0.0, "B": 0.0}})
    result = simulate(bars, weights, costs=FREE)
    assert result.fills["reason"].tolist() == ["rebalance", "no_bar", "carried"]
    assert result.fills["shares"].tolist() == [50_000.0, 0.0, -50_000.0]
    assert list(result.fills["date"].dt.day) == [2, 3, 5]
    assert result.fills["notional"].tolist() == [500_000.0, 0.0, -UNIT]
    assert result.equity["equity"].tolist() == [UNIT, UNIT, UNIT, UNIT, 1.5 * UNIT, 1.5 * UNIT]


def test_the_next_decision_replaces_a_waiting_order(make_bars, make_weights) -> None:
    bars = make_bars({"A": [10.0, None, None, 20.0, 20.0], "B": [1.0] * 5})
    weights = make_weights({0: {"A": 0.5, "B": 0.0}, 1: {"A": 0.0, "B": 0.0}})
    result = simulate(bars, weights, costs=FREE)
    assert result.fills["reason"].tolist() == ["no_bar"]
    assert result.equity["n_positions"].sum() == 0


def test_a_split_over_a_gap_keeps_the_value(make_bars, make_weights, make_actions) -> None:
    bars = make_bars({"A": [10.0, 10.0, None, 5.0], "B": [1.0] * 4})
    result = simulate(bars, make_weights({0: {"A": 1.0, "B": 0.0}}), costs=FREE, actions=make_actions(("A", 2, "split", 2.0)))
    assert result.equity["equity"].tolist() == [UNIT] * 4


def test_a_decision_on_the_last_session_is_not_filled(make_bars, make_weights) -> None:
    bars = make_bars({"A": [10.0, 10.0, 20.0]})
    result = simulate(bars, make_weights({0: {"A": 1.0}, 2: {"A": 0.0}}), costs=FREE)
    assert len(result.fills) == 1
    assert result.equity["equity"].iloc[-1] == 2 * UNIT


def test_holdings_drift_between_decisions(make_bars, make_weights) -> None:
    bars = make_bars({"A": [1.0, 1.0, 2.0, 2.0], "B": [1.0, 1.0, 1.0, 1.0]})
    result = simulate(bars, make_weights({0: {"A": 0.5, "B": 0.5}, 2: {"A": 0.5, "B": 0.5}}), costs=FREE)
    value = result.positions.pivot_table(index="date", columns="symbol", values="value")
    assert value["A"].tolist() == [500_000.0, UNIT, 750_000.0]
    assert value["B"].tolist() == [500_000.0, 500_000.0, 750_000.0]


@pytest.mark.parametrize("fill", ["next_close", "next_open", "same_close"])
@pytest.mark.parametrize("weight", [1.0, -0.5])
def test_holding_for_the_horizon_earns_the_label(fill: str, weight: float, make_actions) -> None:
    """The labels' idea of a return and the account's are written by different hands and must agree."""
    rng = np.random.default_rng(11)
    dates, horizon, decided = pd.date_range("2020-01-01", periods=12, unit="us"), 4, 3
    index = pd.MultiIndex.from_product([dates, ["A", "B"]], names=["date", "symbol"])
    close = np.exp(rng.normal(scale=0.05, size=len(index))) * np.where(index.get_level_values("date") < dates[5], 150.0, 50.0)
    bars = pd.DataFrame({"open": close * np.exp(rng.normal(scale=0.01, size=len(index))), "close": close}, index=index)
    actions = make_actions(("A", 4, "dividend", 0.3), ("A", 5, "split", 3.0), ("A", 6, "dividend", 0.7), ("A", 8, "dividend", 9.0))
    exits = decided + horizon
    weights = pd.DataFrame({"A": [weight, 0.0]}, index=pd.DatetimeIndex([dates[decided], dates[exits]], name="date"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        label = forward_return(bars, horizon=horizon, fill=fill, actions=actions).loc[(dates[decided], "A"), "label"]
        result = simulate(bars, weights, fill=fill, costs=FREE, actions=actions)
    assert result.equity["equity"].iloc[-1] / UNIT - 1.0 == pytest.approx(weight * label, rel=1e-12)


def test_a_delisted_holding_earns_the_label(make_bars, make_weights, make_actions) -> None:
    bars = make_bars({"A": [10.0, 10.0, 12.0, None, None, None], "B": [1.0] * 6})
    actions = make_actions(("A", 3, "delisting", -0.3))
    label = forward_return(bars, horizon=4, actions=actions).loc[(pd.Timestamp("2020-01-01"), "A"), "label"]
    result = simulate(bars, make_weights({0: {"A": 1.0, "B": 0.0}}), costs=FREE, actions=actions)
    assert result.equity["equity"].iloc[-1] / UNIT - 1.0 == pytest.approx(label, rel=1e-12)


def test_costs_scale_and_refuse_nonsense() -> None:
    assert Costs().scaled(2.0) == Costs(2.0, 10.0, 100.0)
    assert Costs().scaled(0.0) == FREE
    for bad in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="half_spread_bps"):
            Costs(half_spread_bps=bad)
