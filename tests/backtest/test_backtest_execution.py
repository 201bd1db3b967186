"""Partial fills, lots and sessions that fill nothing."""

from __future__ import annotations

import pandas as pd
import pytest

from touchstone.backtest import Costs, Execution, simulate
from touchstone.errors import ConfigError

FREE = Costs(0.0, 0.0, 0.0)


@pytest.fixture
def bars(make_bars) -> pd.DataFrame:
    return make_bars({"A": [10.0] * 6}).assign(volume=[1e5, 1e5, 0.0, 3e5, 1e5, 1e5])


def test_the_rest_of_an_order_is_carried_until_its_weight_is_reached(bars, make_weights) -> None:
    result = simulate(bars, make_weights({0: {"A": 0.5}}), costs=FREE, execution=Execution(participation_cap=0.1))
    # A tenth of the volume: 10,000, none on the session without volume, then 30,000 and the last 10,000.
    assert result.fills["shares"].tolist() == [10_000.0, 30_000.0, 10_000.0]
    assert result.fills["reason"].tolist() == ["rebalance", "carried", "carried"]
    order = result.orders.iloc[0]
    assert (order["shares"], order["n_fills"], order["status"]) == (50_000.0, 3, "filled")
    assert order["last_date"] == pd.Timestamp("2020-01-05")


def test_the_rest_of_an_order_is_cancelled(bars, make_weights) -> None:
    execution = Execution(participation_cap=0.1, unfilled="cancel")
    result = simulate(bars, make_weights({0: {"A": 0.5}, 1: {"A": 0.4}}), costs=FREE, execution=execution)
    assert result.fills["shares"].tolist() == [10_000.0, 0.0]
    assert result.fills["reason"].tolist() == ["rebalance", "no_liquidity"]
    assert result.orders["status"].tolist() == ["partial", "unfilled"]


def test_an_order_without_a_bar_is_cancelled_too(make_bars, make_weights) -> None:
    bars = make_bars({"A": [10.0, None, 10.0, 10.0], "B": [1.0] * 4})
    weights = make_weights({0: {"A": 0.5, "B": 0.0}})
    carried = simulate(bars, weights, costs=FREE)
    cancelled = simulate(bars, weights, costs=FREE, execution=Execution(unfilled="cancel"))
    assert carried.fills["reason"].tolist() == ["no_bar", "carried"]
    assert cancelled.fills["reason"].tolist() == ["no_bar"]


@pytest.mark.parametrize(("weight", "shares"), [(0.12349, 12_300.0), (-0.12349, -12_300.0), (0.123, 12_300.0)])
def test_lots_round_towards_zero(bars, make_weights, weight: float, shares: float) -> None:
    result = simulate(bars, make_weights({0: {"A": weight}}), costs=FREE, execution=Execution(lot_size=100.0))
    assert result.fills["shares"].tolist() == [shares]


def test_less_than_a_lot_is_nothing(bars, make_weights) -> None:
    thin = bars.assign(volume=500.0)
    result = simulate(thin, make_weights({0: {"A": 0.5}}), costs=FREE, execution=Execution(participation_cap=0.1, lot_size=100.0))
    assert result.fills["reason"].tolist() == ["no_liquidity"]
    assert result.orders["status"].tolist() == ["unfilled"]


def test_a_holding_is_closed_over_as_many_sessions_as_it_takes(bars, make_weights) -> None:
    slow = Execution(participation_cap=0.3)
    result = simulate(bars.assign(volume=1e5), make_weights({0: {"A": 0.5}, 2: {"A": 0.0}}), costs=FREE, execution=slow)
    assert result.fills["shares"].tolist() == [30_000.0, 20_000.0, -30_000.0, -20_000.0]
    trip = result.trades.iloc[0]
    assert (trip["shares"], trip["n_fills"], trip["pnl"]) == (50_000.0, 4, 0.0)
    assert trip["closed"] == pd.Timestamp("2020-01-05")


def test_nonsense_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"participation_cap.*1\.5"):
        Execution(participation_cap=1.5)
    with pytest.raises(ConfigError, match="did you mean 'cancel'"):
        Execution(unfilled="cancelled")
    with pytest.raises(ConfigError, match="lot_size"):
        Execution(lot_size=-1.0)
