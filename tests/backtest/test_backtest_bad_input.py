from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from touchstone.backtest import simulate
from touchstone.errors import ConfigError, DataError, OrderError


@pytest.fixture
def bars(make_bars) -> pd.DataFrame:
    return make_bars({"A": [10.0, 11.0, 12.0], "B": [5.0, 5.0, 5.0]})


@pytest.fixture
def weights(make_weights) -> pd.DataFrame:
    return make_weights({0: {"A": 0.5, "B": -0.5}})


def test_next_open_without_opens_names_both_ways_out(bars, weights) -> None:
    with pytest.raises(DataError, match=r"next_open.*close.*'next_close', or bring bars with opens"):
        simulate(bars, weights, fill="next_open")


def test_unknown_fill_names_the_nearest(bars, weights) -> None:
    with pytest.raises(ConfigError, match="did you mean 'next_close'"):
        simulate(bars, weights, fill="nextclose")


@pytest.mark.parametrize("cash", [0.0, -1.0, float("nan"), float("inf")])
def test_cash_must_be_positive(bars, weights, cash: float) -> None:
    with pytest.raises(ConfigError, match="initial_cash"):
        simulate(bars, weights, initial_cash=cash)


def test_equity_used_up_names_the_date(make_bars, make_weights) -> None:
    bars = make_bars({"A": [10.0, 10.0, 30.0, 10.0]})
    with pytest.raises(OrderError, match="2020-01-03"):
        simulate(bars, make_weights({0: {"A": -1.0}}))


def test_equity_used_up_at_the_open_is_not_traded_on(make_bars, make_weights) -> None:
    bars = make_bars({"A": [10.0, 10.0, 10.0]}, {"A": [10.0, 10.0, 30.0]})
    with pytest.raises(OrderError, match="2020-01-03"):
        simulate(bars, make_weights({0: {"A": -1.0}, 1: {"A": -1.0}}), fill="next_open")


def test_weights_that_break_the_contract(bars, weights) -> None:
    with pytest.raises(DataError, match="got none"):
        simulate(bars, weights.iloc[:0])
    with pytest.raises(DataError, match="A are not everywhere"):
        simulate(bars, weights.assign(A=np.nan))
    with pytest.raises(DataError, match=r"symbols of the bars, but got C"):
        simulate(bars, weights.assign(C=0.0))
    with pytest.raises(DataError, match="ascending"):
        simulate(bars, pd.concat([weights, weights]))
    with pytest.raises(DataError, match="indexed by date"):
        simulate(bars, weights.reset_index(drop=True))


def test_decisions_need_a_session_and_one_after(bars, weights) -> None:
    with pytest.raises(DataError, match="2019-06-01"):
        simulate(bars, weights.set_axis(pd.DatetimeIndex(["2019-06-01"], name="date")))
    with pytest.raises(DataError, match="bars end on 2020-01-03"):
        simulate(bars, weights.set_axis(pd.DatetimeIndex(["2020-01-03"], name="date")))
    with pytest.warns(UserWarning, match="same_close"), pytest.raises(DataError, match="one session later"):
        simulate(bars, weights, fill="same_close")


@pytest.mark.parametrize("price", [float("nan"), 0.0, -1.0, float("inf")])
def test_prices_must_be_positive_numbers(bars, weights, price: float) -> None:
    bad = bars.copy()
    bad.iloc[2, 0] = price
    with pytest.raises(DataError, match=r"close.*2020-01-02.*'A'"):
        simulate(bad, weights)


def test_bars_that_break_the_contract(bars, weights) -> None:
    with pytest.raises(DataError, match="one row per date and symbol"):
        simulate(pd.concat([bars, bars]), weights)
    with pytest.raises(DataError, match="must carry 'close'"):
        simulate(bars.rename(columns={"close": "last"}), weights)
    with pytest.raises(DataError, match="indexed by"):
        simulate(bars.reset_index(), weights)
    with pytest.raises(DataError, match="needs bars"):
        simulate(bars.iloc[:0], weights)


@pytest.mark.parametrize(("kind", "value"), [("split", 0.0), ("delisting", -1.5), ("dividend", float("nan"))])
def test_actions_must_make_sense(bars, weights, make_actions, kind: str, value: float) -> None:
    with pytest.raises(DataError, match=f"A {kind} 2020-01-03"):
        simulate(bars, weights, actions=make_actions(("A", 2, kind, value)))


def test_unknown_action_names_the_nearest(bars, weights, make_actions) -> None:
    with pytest.raises(DataError, match="did you mean 'dividend'"):
        simulate(bars, weights, actions=make_actions(("A", 2, "divident", 1.0)))


def test_bars_cut_from_a_larger_table_work(make_bars, weights) -> None:
    bars = make_bars({"A": [10.0, 11.0, 12.0, 13.0], "B": [5.0] * 4, "C": [1.0] * 4})
    cut = bars[(bars.index.get_level_values("symbol") != "C") & (bars.index.get_level_values("date") < pd.Timestamp("2020-01-04"))]
    assert list(simulate(cut, weights).equity.index.day) == [1, 2, 3]
