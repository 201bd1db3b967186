"""A simulated market of short bars: the hours of an exchange, the volatility of daily bars, and nothing that predicts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from touchstone.errors import SourceError
from touchstone.lineage import data_hash
from touchstone.market import adjust, at_bars, bar_times, session_of, validate
from touchstone.sources import load
from touchstone.sources._registry import _checked as checked
from touchstone.sources._simulated import SimulatedMarket, simulate_market
from touchstone.sources._simulated_clock import Clock
from touchstone.sources._simulated_shocks import draw_shocks
from touchstone.sources._simulated_signal import Plan, amplitude, draw_signal, fill_to_fill, mean_rank_ic, planted_paths

TABLES = ("bars", "actions", "signals", "universe", "benchmark")
PLAN = Plan(rank_ic=0.05, horizon=6, fill="next_close", half_life=10.0, idiosyncratic_volatility=0.02, n_symbols=40, bars_per_session=13)
# Recorded before a market could have more than one bar a session.
DAILY = (
    (
        {"n_symbols": 12, "n_sessions": 300, "seed": 0},
        ("391081af5c357161", "75adf5e0de6df107", "a2eb48fda954e94d", "5c9bc9acf37053f7", "15679bd0c3fabc73"),
    ),
    (
        {"n_symbols": 30, "n_sessions": 600, "seed": 7, "rank_ic": 0.1},
        ("71e11f5bffc68836", "a97a1574cff95fc2", "1bacd1dbd9089129", "ed1331132b4f3208", "b384d0987958b9f7"),
    ),
    (
        {"n_symbols": 9, "n_sessions": 260, "seed": 3, "rank_ic": 0.0, "calendar": "24/7", "fill": "next_open", "horizon": 3},
        ("52f08a4f026cf752", "0f0ea3dfac6bcf5b", "a0df7cda63aea8d5", "5703a47fe305fff4", "d244e7da8c29d7a1"),
    ),
)


def _wide(values: pd.Series) -> pd.DataFrame:
    return values.unstack()  # noqa: PD010 - keys are unique, nothing is to be aggregated


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    return simulate_market(n_symbols=40, n_sessions=300, seed=4, rank_ic=0.0, timeframe="30m", start="2019-03-01")


@pytest.mark.parametrize(("arguments", "hashes"), DAILY, ids=["plain", "stronger", "24/7"])
def test_daily_markets_are_the_same_to_the_bit_as_before_there_were_others(arguments: dict[str, object], hashes: tuple[str, ...]) -> None:
    data = simulate_market(**arguments).data  # type: ignore[arg-type]
    assert tuple(data_hash(getattr(data, name))[:16] for name in TABLES) == hashes


def test_bars_are_those_of_the_calendar(market: SimulatedMarket) -> None:
    data = market.data
    for table in TABLES:
        validate("raw_bars" if table == "bars" else table, getattr(data, table))
    dates = data.benchmark.index
    sessions = session_of(dates, "XNYS", "30m")
    assert sessions.nunique() == 300
    assert dates.equals(bar_times("XNYS", sessions[0], sessions[-1], "30m"))
    assert data.metadata.timeframe == "30m"
    assert set(data.bars.index.get_level_values("date")) == set(dates)


def test_only_the_first_bar_of_a_session_opens_elsewhere_than_the_one_before_closed(market: SimulatedMarket) -> None:
    adjusted = adjust(market.data.bars, _timed(market))
    opened, closed = (_wide(adjusted[field]) for field in ("open", "close"))
    sessions = session_of(pd.DatetimeIndex(closed.index), "XNYS", "30m")
    is_first = np.append(True, sessions[1:] != sessions[:-1])
    gaps = (opened / closed.shift() - 1.0).abs()
    assert gaps[~is_first].max().max() < 1e-9
    assert gaps[is_first].median().min() > 1e-4


def test_a_session_moves_as_much_as_a_daily_bar(market: SimulatedMarket) -> None:
    daily = simulate_market(n_symbols=40, n_sessions=300, seed=4, rank_ic=0.0, start="2019-03-01")
    closes = _wide(adjust(market.data.bars, _timed(market))["close"])
    sessions = np.asarray(session_of(pd.DatetimeIndex(closes.index), "XNYS", "30m"))
    by_session = closes.groupby(sessions).last().pct_change(fill_method=None)
    by_day = _wide(adjust(daily.data.bars, daily.data.actions)["close"]).pct_change(fill_method=None)
    assert by_session.std().median() == pytest.approx(by_day.std().median(), rel=0.1)
    volume = market.data.bars["volume"].groupby([np.asarray(session_of(_dates(market), "XNYS", "30m")), _symbols(market)]).sum()
    assert volume.median() == pytest.approx(daily.data.bars["volume"].median(), rel=0.5)


def test_listings_and_actions_are_dated_by_session(market: SimulatedMarket) -> None:
    data = market.data
    last = data.bars.groupby(level="symbol", sort=True).apply(lambda rows: rows.index.get_level_values("date").max())
    first = data.bars.groupby(level="symbol", sort=True).apply(lambda rows: rows.index.get_level_values("date").min())
    spans = data.universe.set_index("symbol").loc[last.index]
    ends, starts = (session_of(pd.DatetimeIndex(values), "XNYS", "30m") for values in (last, first))
    assert (spans["end"] == ends).all()
    assert (spans["start"] == starts).all()
    # A life ends with its session and begins with one.
    assert set(last) <= set(_session_ends(data.benchmark.index))
    dated = data.actions[["ex_date", "known_at"]]
    assert (dated == dated.apply(lambda dates: dates.dt.normalize())).all(axis=None)
    gone = data.actions[data.actions["kind"] == "delisting"].set_index("symbol")["ex_date"]
    assert len(gone) > 0
    assert (gone > spans["end"].loc[gone.index]).all()


def test_adjusting_takes_the_ex_dates_out(market: SimulatedMarket) -> None:
    actions = market.data.actions
    assert set(actions["kind"]) >= {"dividend", "split"}
    splits = actions[actions["kind"] == "split"]
    adjusted = _wide(adjust(market.data.bars, _timed(market))["close"]).pct_change(fill_method=None)
    traded = _wide(market.data.bars["close"]).pct_change(fill_method=None)
    assert traded.abs().max().max() > 0.4
    assert adjusted.abs().max().max() < 0.25
    for split in splits.itertuples():
        first = traded.index[traded.index >= split.ex_date][0]
        assert abs(traded.loc[first, split.symbol]) > 0.4


def test_the_source_serves_the_width_that_is_asked_for() -> None:
    data = load("simulated", timeframe="1h", n_symbols=3, n_sessions=5)
    assert len(data.benchmark) == 5 * 7


def test_a_source_that_gives_another_width_is_refused() -> None:
    given = simulate_market(n_symbols=2, n_sessions=3, rank_ic=0.0).data
    with pytest.raises(SourceError, match=r"'simulated' gives 1d and data\.timeframe is 5m"):
        checked(given, "5m")


def test_bars_of_a_market_that_never_closes() -> None:
    data = simulate_market(n_symbols=3, n_sessions=4, timeframe="1h", calendar="24/7", start="2021-05-01").data
    assert len(data.benchmark) == 96
    assert data.benchmark.index[[0, -1]].strftime("%m-%d %H:%M").tolist() == ["05-01 01:00", "05-05 00:00"]


def test_mirrored_shocks_after_the_fill_mirror_every_label() -> None:
    """Which is why nothing predicts: whatever was known, every label is as likely as its negative (decision 0007)."""
    shocks = draw_shocks(
        np.random.default_rng(8), clock=Clock.regular(120, bars_per_session=13), n_symbols=50, idiosyncratic_volatility=0.03
    )
    signal = np.zeros((120, 50))
    label = fill_to_fill(planted_paths(shocks, signal, strength=0.0, plan=PLAN), horizon=6, fill="next_close")
    for decision in (12, 24, 25, 60):
        moves = {name: getattr(shocks, name).copy() for name in ("overnight", "intraday")}
        for values in moves.values():
            values[decision + 2 :] *= -1.0
        mirrored = planted_paths(replace(shocks, **moves), signal, strength=0.0, plan=PLAN)
        other = fill_to_fill(mirrored, horizon=6, fill="next_close")
        np.testing.assert_allclose(other[decision], -label[decision], rtol=1e-9, atol=1e-12)


def test_no_property_of_a_symbol_predicts_where_nothing_is_planted() -> None:
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        shocks = draw_shocks(rng, clock=Clock.regular(650, bars_per_session=13), n_symbols=40, idiosyncratic_volatility=0.03)
        paths = planted_paths(shocks, np.zeros((650, 40)), strength=0.0, plan=PLAN)
        label = fill_to_fill(paths, horizon=6, fill="next_close")[6:]
        past = (paths.closes[6:] / paths.closes[:-6] - 1.0)[: len(label)]
        known = (
            np.broadcast_to(shocks.volatility, label.shape),
            past,
            shocks.intraday_volatility[6 : 6 + len(label)],
            paths.closes[6 : 6 + len(label)],
        )
        found.append([mean_rank_ic(values, label) for values in known])
    by_market = np.array(found)
    error = by_market.std(axis=0, ddof=1) / np.sqrt(len(by_market))
    assert (error < 0.006).all()
    assert (np.abs(by_market.mean(axis=0) / error) < 4.0).all()


def test_a_planted_signal_predicts_as_much_as_stated() -> None:
    strength = amplitude(PLAN)
    gained = []
    for seed in range(6):
        rng = np.random.default_rng([77, seed])
        shocks = draw_shocks(rng, clock=Clock.regular(1300, bars_per_session=13), n_symbols=240, idiosyncratic_volatility=0.02)
        signal = draw_signal(rng, n_bars=1300, n_symbols=240, half_life=PLAN.half_life)
        ics = []
        for planted in (strength, 0.0):
            label = fill_to_fill(planted_paths(shocks, signal, strength=planted, plan=PLAN), horizon=6, fill="next_close")[::2]
            shape = (len(label), 6, 40)
            ics.append(mean_rank_ic(signal[: 2 * len(label) : 2].reshape(shape), label.reshape(shape)))
        gained.append(ics[0] - ics[1])
    assert np.mean(gained) == pytest.approx(0.05, abs=0.003)


def _timed(market: SimulatedMarket) -> pd.DataFrame:
    return at_bars(market.data.actions, _dates(market), calendar="XNYS", timeframe="30m")


def _dates(market: SimulatedMarket) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(market.data.bars.index.get_level_values("date"))


def _symbols(market: SimulatedMarket) -> pd.Index:
    return market.data.bars.index.get_level_values("symbol")


def _session_ends(dates: pd.Index) -> pd.Index:
    return pd.Series(dates).groupby(np.asarray(session_of(pd.DatetimeIndex(dates), "XNYS", "30m"))).max().array
