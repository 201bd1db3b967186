"""What holds for every account, whatever the market and the options: thousands of random panels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from random_panels import random_case

from touchstone.backtest import Costs, Execution, Limits, simulate

FREE = Costs(0.0, 0.0, 0.0)
SEEDS = st.integers(0, 2**31 - 1)
many = settings(max_examples=400, deadline=None, derandomize=True)
some = settings(max_examples=150, deadline=None, derandomize=True)


@many
@given(seed=SEEDS)
def test_equity_is_cash_and_positions_and_its_change_is_explained(seed: int) -> None:
    case = random_case(seed)
    result = simulate(case.bars, case.weights, **case.options)
    equity = result.equity
    held = result.positions.groupby("date")["value"].sum().reindex(equity.index, fill_value=0.0)
    np.testing.assert_allclose(equity["cash"] + held, equity["equity"], rtol=1e-9)
    paid = result.costs["total"]
    income = equity["dividends"] + equity.get("cash_interest", 0.0)
    explained = equity["price_pnl"] + income - paid
    np.testing.assert_allclose(equity["equity"].diff().iloc[1:], explained.iloc[1:], atol=1e-9 * 1e6)
    assert (result.costs >= 0.0).all(axis=None)


@some
@given(seed=SEEDS)
def test_fills_and_round_trips_tell_what_the_account_tells(seed: int) -> None:
    case = random_case(seed)
    result = simulate(case.bars, case.weights, **case.options)
    equity, fills = result.equity, result.fills
    for kind in set(result.costs.columns) & set(fills.columns):
        by_day = fills.groupby("date")[kind].sum().reindex(equity.index, fill_value=0.0)
        np.testing.assert_allclose(by_day, equity[kind], atol=1e-7, err_msg=kind)
        np.testing.assert_allclose(result.trades[kind].sum(), equity[kind].sum(), atol=1e-6)
    np.testing.assert_allclose(result.trades["borrow"].sum(), equity["borrow"].sum(), atol=1e-6)
    np.testing.assert_allclose(result.trades["dividends"].sum(), equity["dividends"].sum(), atol=1e-6)
    interest = equity.get("cash_interest", pd.Series(0.0)).sum() - equity.get("margin_interest", pd.Series(0.0)).sum()
    np.testing.assert_allclose(result.trades["pnl"].sum() + interest, equity["equity"].iloc[-1] - 1e6, atol=1e-5)


@some
@given(seed=SEEDS)
def test_fills_keep_to_volume_and_lots_and_orders_add_them_up(seed: int) -> None:
    case = random_case(seed)
    execution: Execution = case.options["execution"]
    result = simulate(case.bars, case.weights, **case.options)
    traded = result.fills[result.fills["reason"].isin(["rebalance", "carried", "reduced"]) & (result.fills["shares"] != 0.0)]
    volume = case.bars["volume"].reindex(pd.MultiIndex.from_frame(traded[["date", "symbol"]])).to_numpy()
    if execution.participation_cap is not None:
        assert (traded["shares"].abs() <= execution.participation_cap * volume * (1.0 + 1e-12)).all()
    if execution.unfilled == "cancel":
        assert not (result.fills["reason"] == "carried").any()
    of_decisions = result.fills[result.fills["reason"].isin(["rebalance", "carried"])]
    np.testing.assert_allclose(result.orders["shares"].sum(), of_decisions["shares"].sum(), atol=1e-6)
    splits = case.options["actions"]["kind"].eq("split").any()
    if execution.lot_size and not splits and execution.participation_cap is None:
        np.testing.assert_allclose(np.mod(result.positions["shares"], execution.lot_size), 0.0, atol=1e-9)


@some
@given(seed=SEEDS, weight=st.floats(0.1, 1.0))
def test_free_buy_and_hold_is_the_asset(seed: int, weight: float) -> None:
    case = random_case(seed, n_symbols=1, gaps=False)
    weights = pd.DataFrame({"S0": [weight]}, index=case.weights.index[:1])
    equity = simulate(case.bars, weights, costs=FREE, fill="next_close").equity["equity"]
    close = case.bars["close"].droplevel("symbol").loc[equity.index]
    grown = 1.0 - weight + weight * close / close.iloc[1]
    np.testing.assert_allclose(equity.iloc[1:] / 1e6, grown.iloc[1:], rtol=1e-12)


@some
@given(seed=SEEDS)
def test_twice_the_money_is_twice_of_everything_without_impact(seed: int) -> None:
    case = random_case(seed)
    costs = replace(case.options["costs"], slippage=Costs().slippage, commission_minimum=0.0)
    options = case.options | {"costs": costs, "execution": Execution()}
    once, twice = (simulate(case.bars, case.weights, **options, initial_cash=cash) for cash in (1e6, 2e6))
    np.testing.assert_array_equal(2.0 * once.equity["equity"], twice.equity["equity"])
    np.testing.assert_array_equal(2.0 * once.fills["shares"], twice.fills["shares"])
    np.testing.assert_array_equal(2.0 * once.costs.to_numpy(), twice.costs.to_numpy())


@some
@given(seed=SEEDS)
def test_the_order_of_symbols_does_not_matter(seed: int) -> None:
    case = random_case(seed)
    names = dict(zip(sorted(case.weights), np.random.default_rng(seed).permutation(sorted(case.weights)), strict=True))
    actions = case.options["actions"].assign(symbol=lambda table: table["symbol"].map(names))
    bars = case.bars.rename(index=names, level="symbol").sort_index()
    renamed = case.weights.rename(columns=names)[sorted(names.values())]
    first = simulate(case.bars, case.weights, **case.options)
    second = simulate(bars, renamed, **case.options | {"actions": actions})
    np.testing.assert_allclose(second.equity["equity"], first.equity["equity"], rtol=1e-9)
    shares = first.positions.assign(symbol=first.positions["symbol"].map(names)).sort_values(["date", "symbol"])
    assert second.positions[["date", "symbol"]].to_numpy().tolist() == shares[["date", "symbol"]].to_numpy().tolist()
    np.testing.assert_allclose(second.positions["shares"], shares["shares"], rtol=1e-7)


@some
@given(seed=SEEDS, after=st.integers(2, 10))
def test_another_future_leaves_the_past_as_it_was(seed: int, after: int) -> None:
    """Prices, volumes, fees, actions and decisions after a session change no bit up to it."""
    case = random_case(seed)
    dates = pd.date_range("2021-03-01", periods=12, unit="us")
    rng = np.random.default_rng(seed + 1)
    bars = case.bars.copy()
    late = bars.index.get_level_values("date") > dates[after]
    bars[late] = bars[late] * rng.uniform(0.8, 1.25, size=bars[late].shape)
    weights = case.weights.copy()
    weights[weights.index > dates[after]] *= 0.5
    # A delisting and the end of bars are known by their day; that a symbol will have no later bars is not changed here.
    actions = case.options["actions"]
    actions = actions[(actions["ex_date"] <= dates[after]) | (actions["kind"] == "delisting")]
    if not (case.weights.index < dates[after]).any():
        return
    known = simulate(case.bars, case.weights, **case.options)
    other = simulate(bars, weights, **case.options | {"actions": actions})
    for name in ("equity", "costs"):
        first, second = (getattr(result, name).loc[: dates[after]] for result in (known, other))
        pd.testing.assert_frame_equal(first, second, check_exact=True)
    first, second = (result.fills[result.fills["date"] <= dates[after]] for result in (known, other))
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_limits_that_do_not_bind_change_no_bit() -> None:
    case = random_case(3)
    wide = Limits(per_name=10.0, gross=10.0, net=10.0, turnover=100.0, leverage=100.0)
    options = case.options | {"limits": Limits()}
    plain, limited = simulate(case.bars, case.weights, **options), simulate(case.bars, case.weights, **options | {"limits": wide})
    pd.testing.assert_frame_equal(plain.equity, limited.equity, check_exact=True)
    assert limited.clippings.empty
