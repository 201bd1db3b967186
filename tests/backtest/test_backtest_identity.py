"""The account against a plain one kept in dictionaries, and against its own identities, on random markets."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.backtest import Costs, Result, simulate

COSTS = Costs(commission_bps=3.0, half_spread_bps=7.0, borrow_bps_per_year=900.0)


class Market:
    """A random small market with gaps, endings and actions."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        n_sessions, n_symbols = int(rng.integers(5, 16)), int(rng.integers(2, 6))
        self.dates = pd.date_range("2021-03-01", periods=n_sessions, unit="us")
        self.symbols = [f"S{number}" for number in range(n_symbols)]
        close = 20.0 * np.exp(np.cumsum(rng.normal(scale=0.03, size=(n_sessions, n_symbols)), axis=0))
        present = rng.random(close.shape) > 0.15
        present[:, 0] = True
        listed_until = np.full(n_symbols, n_sessions)
        rows = []
        for column, symbol in enumerate(self.symbols):
            if column and rng.random() < 0.5:
                listed_until[column] = int(rng.integers(2, n_sessions))
                present[listed_until[column] :, column] = False
                if rng.random() < 0.6:
                    rows.append((symbol, self.dates[listed_until[column]], "delisting", float(rng.uniform(-1.0, 0.2))))
            for session in range(1, listed_until[column]):
                if rng.random() < 0.1:
                    rows.append((symbol, self.dates[session], "split", float(rng.choice([2.0, 0.5, 1.5]))))
                if rng.random() < 0.15:
                    rows.append((symbol, self.dates[session], "dividend", float(rng.uniform(0.0, 1.0))))
        self.actions = pd.DataFrame(rows, columns=["symbol", "ex_date", "kind", "value"])
        index = pd.MultiIndex.from_product([self.dates, self.symbols], names=["date", "symbol"])
        opens = close * np.exp(rng.normal(scale=0.01, size=close.shape))
        self.bars = pd.DataFrame({"open": opens.ravel(), "close": close.ravel()}, index=index)[present.ravel()]
        decided = np.flatnonzero(rng.random(n_sessions - 1) < 0.6)
        if not len(decided):
            decided = np.array([0])
        weights = rng.uniform(-0.3, 0.3, size=(len(decided), n_symbols)) * (rng.random((len(decided), n_symbols)) < 0.8)
        known = self.bars.index.get_level_values("symbol").unique()
        self.weights = pd.DataFrame(weights, index=pd.DatetimeIndex(self.dates[decided], name="date"), columns=self.symbols)[sorted(known)]

        self._prices = {field: self.bars[field].to_dict() for field in ("open", "close")}

    def at(self, date: pd.Timestamp, symbol: str, field: str) -> float | None:
        return self._prices[field].get((date, symbol))


def plain_equity(market: Market, fill: str) -> list[float]:
    """The rules of the docstring, one symbol at a time; cash is the only thing that is carried."""
    dates = sorted(market.bars.index.get_level_values("date").unique())
    last_bar = {symbol: max(date for date, name in market.bars.index if name == symbol) for symbol in market.weights}
    fill_on = {dates[dates.index(date) + 1]: weights for date, weights in market.weights.iterrows() if date != dates[-1]}
    first = min(fill_on)
    cash, shares, marks, waiting, equity = 1e6, dict.fromkeys(market.weights, 0.0), {}, {}, [1e6]
    for date in dates[dates.index(first) :]:
        short = sum(min(shares[symbol], 0.0) * marks[symbol] for symbol in shares if shares[symbol])
        cash += short * COSTS.borrow_bps_per_year / 1e4 / 252
        todays = market.actions[market.actions["ex_date"] == date]
        for kind in ("split", "dividend", "delisting"):
            for action in todays[todays["kind"] == kind].itertuples():
                if kind == "delisting":
                    waiting.pop(action.symbol, None)
                held = shares.get(action.symbol, 0.0)
                if held and kind == "split":
                    shares[action.symbol], marks[action.symbol] = held * action.value, marks[action.symbol] / action.value
                elif held and kind == "dividend":
                    cash += held * action.value
                elif held:
                    cash, shares[action.symbol] = cash + held * marks[action.symbol] * (1 + action.value), 0.0
        for symbol in shares:
            ends_here = last_bar[symbol] < date and dates[dates.index(last_bar[symbol]) + 1] == date
            delisted = ((market.actions["symbol"] == symbol) & (market.actions["kind"] == "delisting")).any()
            if ends_here and not delisted:
                waiting.pop(symbol, None)
                value = shares[symbol] * marks.get(symbol, 0.0)
                cash += value - abs(value) * (COSTS.commission_bps + COSTS.half_spread_bps) / 1e4
                shares[symbol] = 0.0
        if date in fill_on:
            waiting = dict(fill_on[date])
        field = "open" if fill == "next_open" else "close"
        prices = {symbol: market.at(date, symbol, field) for symbol in shares}
        marks |= {symbol: price for symbol, price in prices.items() if price is not None}
        before = cash + sum(shares[symbol] * marks[symbol] for symbol in shares if shares[symbol])
        for symbol in [name for name in waiting if prices[name] is not None]:
            target = waiting.pop(symbol) * before / prices[symbol]
            notional = (target - shares[symbol]) * prices[symbol]
            cash -= notional + abs(notional) * (COSTS.commission_bps + COSTS.half_spread_bps) / 1e4
            shares[symbol] = target
        marks |= {symbol: market.at(date, symbol, "close") for symbol in shares if market.at(date, symbol, "close") is not None}
        equity.append(cash + sum(shares[symbol] * marks[symbol] for symbol in shares if shares[symbol]))
    return equity


def simulated(seed: int, fill: str) -> tuple[Market, Result]:
    market = Market(seed)
    return market, simulate(market.bars, market.weights, fill=fill, costs=COSTS, actions=market.actions)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1_000_000), fill=st.sampled_from(["next_close", "next_open"]))
def test_the_account_equals_the_plain_one(seed: int, fill: str) -> None:
    market, result = simulated(seed, fill)
    np.testing.assert_allclose(result.equity["equity"].to_numpy(), plain_equity(market, fill), rtol=1e-10)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1_000_000), fill=st.sampled_from(["next_close", "next_open"]))
def test_identities_hold_every_session(seed: int, fill: str) -> None:
    _, result = simulated(seed, fill)
    equity = result.equity
    np.testing.assert_array_equal(equity["equity"], equity["cash"] + equity["positions_value"])
    np.testing.assert_array_equal(equity["positions_value"], equity["long_value"] + equity["short_value"])
    explained = equity["price_pnl"] + equity["dividends"] - equity["commission"] - equity["spread"] - equity["borrow"]
    np.testing.assert_allclose(equity["equity"].diff().iloc[1:], explained.iloc[1:], atol=1e-6)
    assert equity.iloc[0]["equity"] == 1e6
    assert explained.iloc[0] == 0.0
    assert (equity[["commission", "spread", "borrow", "traded", "long_value"]] >= 0.0).all(axis=None)
    assert (equity["short_value"] <= 0.0).all()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1_000_000), fill=st.sampled_from(["next_close", "next_open"]))
def test_tables_tell_the_same_story(seed: int, fill: str) -> None:
    _, result = simulated(seed, fill)
    equity, trades, positions = result.equity, result.fills, result.positions
    for name in ("commission", "spread"):
        by_day = trades.groupby("date")[name].sum().reindex(equity.index, fill_value=0.0)
        np.testing.assert_allclose(by_day, equity[name], atol=1e-9)
        np.testing.assert_array_equal(result.costs[name], equity[name])
    traded = trades[trades["reason"] != "delisting"].set_index("date")["notional"].abs().groupby(level=0).sum()
    np.testing.assert_allclose(traded.reindex(equity.index, fill_value=0.0), equity["traded"], rtol=1e-12, atol=1e-9)
    held = positions.groupby("date")["value"].agg(["sum", "size"]).reindex(equity.index, fill_value=0)
    np.testing.assert_allclose(held["sum"], equity["positions_value"], atol=1e-6)
    np.testing.assert_array_equal(held["size"], equity["n_positions"])
    assert not positions.duplicated(["date", "symbol"]).any()


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1_000_000))
def test_costs_never_help(seed: int) -> None:
    market = Market(seed)
    final = [
        simulate(market.bars, market.weights, costs=COSTS.scaled(multiplier), actions=market.actions).equity["equity"].iloc[1]
        for multiplier in (0.0, 1.0, 2.0)
    ]
    assert final == sorted(final, reverse=True)


def test_same_inputs_same_bytes_and_inputs_left_alone() -> None:
    market = Market(5)
    before = market.bars.copy(), market.weights.copy(), market.actions.copy()
    first = simulate(market.bars, market.weights, costs=COSTS, actions=market.actions)
    shuffled = market.bars.sample(frac=1.0, random_state=1)
    second = simulate(shuffled, market.weights, costs=COSTS, actions=market.actions.sample(frac=1.0, random_state=1))
    for name in ("equity", "orders", "fills", "trades", "positions", "costs"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name), check_exact=True)
    for given_table, copy in zip((market.bars, market.weights, market.actions), before, strict=True):
        pd.testing.assert_frame_equal(given_table, copy, check_exact=True)


def test_scale_of_the_money_does_not_matter() -> None:
    market = Market(9)
    small = simulate(market.bars, market.weights, costs=COSTS, actions=market.actions, initial_cash=1e3)
    large = simulate(market.bars, market.weights, costs=COSTS, actions=market.actions, initial_cash=1e9)
    np.testing.assert_allclose(small.returns, large.returns, rtol=1e-9, atol=1e-12)
    assert small.returns.abs().max() == pytest.approx(large.returns.abs().max())
