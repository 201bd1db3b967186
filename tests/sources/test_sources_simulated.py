"""The simulated market keeps the data contract, the shape that was asked for, and its word about seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from touchstone.errors import ConfigError
from touchstone.market import adjust, ingest, sessions, validate
from touchstone.sources import SourceRequest, load
from touchstone.sources._simulated import SimulatedMarket, SimulatedSource, simulate_market
from touchstone.sources._simulated_actions import Lives, draw_actions, draw_lives
from touchstone.sources._simulated_clock import Clock

TABLES = ("bars", "actions", "macro", "signals", "universe", "benchmark")


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    return simulate_market(n_symbols=60, n_sessions=1000, seed=11, rank_ic=0.0)


def _same(one: SimulatedMarket, other: SimulatedMarket, tables: tuple[str, ...] = TABLES) -> None:
    for table in tables:
        pd.testing.assert_frame_equal(getattr(one.data, table), getattr(other.data, table), check_exact=True)


def _wide(values: pd.Series) -> pd.DataFrame:
    return values.unstack()  # noqa: PD010 - keys are unique, nothing is to be aggregated


def test_every_table_keeps_the_contract(market: SimulatedMarket) -> None:
    for table in TABLES:
        validate(table, getattr(market.data, table))
    assert tuple(market.data.bars.columns) == market.data.metadata.fields == ("open", "high", "low", "close", "volume")
    assert market.data.metadata.adjustment == "none"
    assert market.data.metadata.benchmark_name
    assert market.data.macro.empty
    assert market.answer_key.empty


def test_a_clean_market_passes_ingestion_as_it_is(market: SimulatedMarket) -> None:
    ingested = ingest(market.data)
    # Leaps at earnings are noted, and stay.
    assert set(ingested.quality["check"]) <= {"jump"}
    assert ingested.quarantine.empty
    pd.testing.assert_frame_equal(ingested.bars, market.data.bars, check_exact=True)


def test_sessions_are_the_first_of_the_calendar(market: SimulatedMarket) -> None:
    dates = market.data.benchmark.index
    assert len(dates) == 1000
    assert dates.equals(sessions("XNYS", "2010-01-04", dates[-1]))
    weekend = simulate_market(n_symbols=2, n_sessions=10, rank_ic=0.0, calendar="24/7", start="2021-05-01")
    assert weekend.data.benchmark.index[[0, -1]].strftime("%Y-%m-%d").tolist() == ["2021-05-01", "2021-05-10"]


def test_symbols_have_bars_and_signals_from_listing_to_the_last_session(market: SimulatedMarket) -> None:
    bars, universe = market.data.bars, market.data.universe.set_index("symbol")
    dates = market.data.benchmark.index
    for index in (bars.index, pd.MultiIndex.from_frame(market.data.signals[["period", "symbol"]])):
        listed = index.to_frame(index=False, name=["date", "symbol"]).groupby("symbol")["date"].agg(["min", "max", "count"])
        assert (listed["min"] == universe["start"]).all()
        assert (listed["max"] == universe["end"]).all()
        assert (listed["count"] == dates.get_indexer(universe["end"]) - dates.get_indexer(universe["start"]) + 1).all()
    assert (universe["start"] > dates[0]).sum() in range(3, 7)


def test_a_delisting_stands_on_the_session_after_the_last_bar(market: SimulatedMarket) -> None:
    dates = market.data.benchmark.index
    delistings = market.data.actions.query("kind == 'delisting'").set_index("symbol")
    ended = market.data.universe.set_index("symbol")["end"]
    ended = ended[ended < dates[-1]]
    assert len(ended) >= 3
    assert set(delistings.index) == set(ended.index)
    assert (dates.get_indexer(delistings["ex_date"]) == dates.get_indexer(ended[delistings.index]) + 1).all()
    assert delistings["value"].between(-0.4, 0.4).all()


def test_actions_are_announced_before_their_ex_date_and_inside_a_life(market: SimulatedMarket) -> None:
    actions = market.data.actions.query("kind != 'delisting'").merge(market.data.universe, on="symbol")
    assert set(actions["kind"]) == {"dividend", "split"}
    assert (actions["known_at"] < actions["ex_date"]).all()
    assert (actions["known_at"] >= actions["start"]).all()
    assert (actions["ex_date"] <= actions["end"]).all()


def test_no_split_falls_between_the_announcement_of_a_dividend_and_its_ex_date(market: SimulatedMarket) -> None:
    actions = market.data.actions
    pairs = actions.query("kind == 'split'").merge(actions.query("kind == 'dividend'"), on="symbol", suffixes=("", "_dividend"))
    assert len(pairs)
    assert not ((pairs["ex_date"] > pairs["known_at_dividend"]) & (pairs["ex_date"] <= pairs["ex_date_dividend"])).any()


def test_adjusting_gives_back_the_total_return() -> None:
    rng = np.random.default_rng(5)
    closes = np.exp(np.cumsum(rng.normal(0.0, 0.04, (800, 8)), axis=0))
    lives = Lives(
        first=np.array([0, 0, 0, 0, 0, 0, 100, 300]),
        last=np.array([799, 799, 799, 799, 799, 500, 799, 799]),
        is_delisted=np.arange(8) == 5,
        delisting_return=np.full(8, 0.1),
    )
    actions = draw_actions(rng, closes, lives, Clock.regular(len(closes)))
    assert set(actions.table["kind"]) == {"dividend", "split", "delisting"}
    dates = pd.date_range("2020-01-01", periods=800, unit="us")
    symbols = pd.Index([f"S{number}" for number in range(8)], dtype="str")
    session, symbol = np.nonzero(lives.alive(Clock.regular(800)))
    index = pd.MultiIndex.from_arrays([dates[session], symbols[symbol]], names=["date", "symbol"])
    traded = (closes * actions.price_factor)[session, symbol]
    bars = pd.DataFrame({"close": traded, "volume": 1000.0 * actions.shares[session, symbol]}, index=index)
    table = actions.table.assign(
        symbol=symbols[actions.table["symbol"]], ex_date=dates[actions.table["session"]], known_at=dates[actions.table["known"]]
    )
    adjusted = adjust(bars, table)
    start = closes[lives.first, np.arange(8)] / traded[[np.flatnonzero(symbol == number)[0] for number in range(8)]]
    np.testing.assert_allclose(adjusted["close"], (closes / start)[session, symbol], rtol=1e-11)
    np.testing.assert_allclose(adjusted["volume"], 1000.0, rtol=1e-12)


def test_prices_are_split_back_into_a_usual_range() -> None:
    closes = np.linspace(1.0, 40.0, 600)[:, None] * np.ones(4)
    lives = draw_lives(np.random.default_rng(0), n_sessions=600, n_symbols=4)
    actions = draw_actions(np.random.default_rng(0), closes, lives, Clock.regular(len(closes)))
    traded = closes * actions.price_factor
    assert (actions.table["kind"] == "split").sum() >= 4
    assert traded.max() < 350.0


def test_the_market_looks_like_one(market: SimulatedMarket) -> None:
    closes = _wide(adjust(market.data.bars, market.data.actions)["close"])
    returns = (closes / closes.shift() - 1.0).iloc[1:]
    benchmark = market.data.benchmark["close"].pct_change()
    beta = returns.apply(lambda column: column.cov(benchmark)) / benchmark.var()
    own = returns.sub(np.outer(benchmark.loc[returns.index], beta))
    assert beta.mean() == pytest.approx(1.0, abs=0.1)
    # The sector's part, about 0.006 a session, is left in what the market does not explain.
    assert np.sqrt((own.var()).mean()) == pytest.approx(np.hypot(0.02, 0.006), rel=0.1)
    assert returns.kurt().median() > 1.0
    assert returns.abs().apply(lambda column: column.autocorr(1)).median() > 0.05
    volume = np.log(_wide(market.data.bars["volume"]).loc[returns.index])
    assert volume.corrwith(returns.abs()).median() > 0.1
    gaps = _wide(market.data.bars["open"]) / _wide(market.data.bars["close"]).shift() - 1.0
    assert 0.15 < (gaps.std() ** 2 / returns.std() ** 2).median() < 0.6


def test_opens_and_closes_lie_within_the_range_of_the_session(market: SimulatedMarket) -> None:
    bars = market.data.bars
    assert (bars["high"] >= bars[["open", "close"]].max(axis=1)).all()
    assert (bars["low"] <= bars[["open", "close"]].min(axis=1)).all()
    assert (bars["low"] > 0.0).all()
    assert ((bars["high"] / bars["low"]).groupby("symbol").median() > 1.01).all()


def test_the_same_seed_gives_the_same_market_and_another_one_another() -> None:
    size = {"n_symbols": 8, "n_sessions": 60, "errors_per_kind": 0}
    _same(simulate_market(seed=3, **size), simulate_market(seed=3, **size))
    assert not simulate_market(seed=4, **size).data.bars.equals(simulate_market(seed=3, **size).data.bars)


def test_neither_a_signal_nor_errors_change_anything_else_in_the_market() -> None:
    size = {"n_symbols": 20, "n_sessions": 120, "seed": 2}
    plain = simulate_market(rank_ic=0.0, **size)
    planted = simulate_market(rank_ic=0.1, **size)
    spoilt = simulate_market(rank_ic=0.0, errors_per_kind=2, **size)
    _same(plain, planted, ("signals", "universe", "benchmark"))
    _same(plain, spoilt, ("actions", "signals", "universe", "benchmark"))
    assert plain.signal_strength == 0.0
    assert planted.signal_strength > 0.02
    assert not planted.data.bars.equals(plain.data.bars)


def test_a_market_may_be_tiny() -> None:
    market = simulate_market(n_symbols=1, n_sessions=2, rank_ic=0.0)
    assert market.data.bars.shape == (2, 5)
    for table in TABLES:
        validate(table, getattr(market.data, table))


def test_prices_stay_positive_at_the_largest_volatility_and_the_longest_lag() -> None:
    market = simulate_market(n_symbols=40, n_sessions=1500, rank_ic=0.0, idiosyncratic_volatility=0.05, horizon=252)
    assert (market.data.bars.to_numpy() > 0.0).all()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"n_symbols": 0}, "n_symbols must be a whole number from 1"),
        ({"n_sessions": 1}, "n_sessions must be a whole number from 2"),
        ({"n_sessions": 10.5}, "got 10.5"),
        ({"n_symbols": True}, "got True"),
        ({"rank_ic": 0.31}, "rank_ic must be a number from 0.0 to 0.3"),
        ({"rank_ic": float("nan")}, "got nan"),
        ({"rank_ic": "high"}, "got 'high'"),
        ({"horizon": 0}, "horizon must be"),
        ({"seed": -1}, "seed must be"),
        ({"idiosyncratic_volatility": 0.06}, "idiosyncratic_volatility must be"),
        ({"signal_half_life": 0.0}, "signal_half_life must be"),
        ({"fill": "next_clsoe"}, "did you mean 'next_close'"),
        ({"calendar": "XNYZ"}, "XNYZ"),
        ({"start": "the beginning"}, "start must be a date like 2010-01-04"),
        ({"errors_per_kind": 3, "n_sessions": 15}, "no room left"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace("?", r"\?")):
        simulate_market(**({"n_symbols": 5, "n_sessions": 30, "rank_ic": 0.0} | given))


def test_the_source_is_the_function() -> None:
    size = {"n_symbols": 12, "n_sessions": 80, "rank_ic": 0.0, "errors_per_kind": 1}
    expected = simulate_market(seed=6, **size)
    loaded = load("simulated", start="2003-01-01", end="2022-12-31", seed=6, **size)
    pd.testing.assert_frame_equal(loaded.bars, expected.data.bars, check_exact=True)
    assert loaded.metadata == expected.data.metadata
    market = SimulatedSource().simulate(SourceRequest(seed=6, options=size))
    pd.testing.assert_frame_equal(market.answer_key, expected.answer_key)


def test_the_source_leaves_out_symbols_that_were_not_asked_for() -> None:
    size = {"n_symbols": 12, "n_sessions": 80, "rank_ic": 0.0}
    whole, part = load("simulated", **size), load("simulated", symbols=["S007", "S003"], **size)
    assert part.universe["symbol"].tolist() == ["S003", "S007"]
    assert set(part.signals["symbol"]) == set(part.bars.index.get_level_values("symbol")) == {"S003", "S007"}
    pd.testing.assert_frame_equal(part.bars, whole.bars[whole.bars.index.isin(["S003", "S007"], level="symbol")])
    pd.testing.assert_frame_equal(part.benchmark, whole.benchmark)


def test_the_source_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ConfigError, match="did you mean 'rank_ic'"):
        load("simulated", rank_icc=0.1)
    with pytest.raises(ConfigError, match="lacks 'S999'"):
        load("simulated", n_symbols=3, n_sessions=5, rank_ic=0.0, symbols=["S999"])
