"""The truth about a simulated market: nothing predicts unless it was planted, and what was planted predicts as much as stated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from touchstone.features import compute
from touchstone.labels import forward_return
from touchstone.sources._simulated import SimulatedMarket, simulate_market
from touchstone.sources._simulated_clock import Clock
from touchstone.sources._simulated_prices import price_paths
from touchstone.sources._simulated_shocks import Shocks, draw_shocks
from touchstone.sources._simulated_signal import Plan, draw_signal, fill_to_fill, mean_rank_ic, planted_paths
from touchstone.types import FloatArray

PLAN = Plan(rank_ic=0.05, horizon=5, fill="next_close", half_life=10.0, idiosyncratic_volatility=0.02, n_symbols=100)


def _centred_ranks(values: FloatArray) -> FloatArray:
    """Ranks along the last axis about their middle, nought where a value is missing."""
    ranks = values.argsort(axis=-1).argsort(axis=-1).astype(np.float64)
    known = np.isfinite(values)
    return np.where(known, ranks - (known.sum(axis=-1, keepdims=True) - 1) / 2.0, 0.0)


def _rank_ic(features: FloatArray, label: FloatArray) -> FloatArray:
    """Mean Spearman correlation over sessions of each feature ``(…, n_sessions, n_symbols)``, on the pairs that are complete."""
    complete = np.isfinite(features) & np.isfinite(label)
    own, other = (_centred_ranks(np.where(complete, values, np.nan)) for values in (features, label))
    spread = np.sqrt((own**2).sum(axis=-1) * (other**2).sum(axis=-1))
    enough = complete.sum(axis=-1) >= 5
    ic = np.divide((own * other).sum(axis=-1), spread, out=np.zeros_like(spread), where=enough & (spread > 0.0))
    return ic.sum(axis=-1) / np.maximum(enough.sum(axis=-1), 1)


def _grid(values: pd.Series | pd.DataFrame) -> FloatArray:
    """Values on (date, symbol) as ``(n_columns, n_sessions, n_symbols)``."""
    dates, symbols = values.index.get_level_values("date"), values.index.get_level_values("symbol")
    row, column = pd.factorize(dates, sort=True)[0], pd.factorize(symbols, sort=True)[0]
    grid = np.full((1 if values.ndim == 1 else values.shape[1], row.max() + 1, column.max() + 1), np.nan)
    grid[:, row, column] = values.to_numpy().T
    return grid


def _features_ic(market: SimulatedMarket) -> pd.Series:
    data = market.data
    features = compute(
        data.bars,
        ["momentum"],
        signals=data.signals,
        universe=data.universe,
        benchmark=data.benchmark,
        actions=data.actions,
        transform="none",
    )
    label = forward_return(data.bars, horizon=5, actions=data.actions)["label"]
    age = np.isfinite(_grid(label * 0.0 + 1.0)).cumsum(axis=1).astype(np.float64)
    values = np.concatenate([_grid(features), age])
    return pd.Series(_rank_ic(values, _grid(label)), index=[*features.columns, "listing_age"])


def _t_statistics(by_market: pd.DataFrame) -> pd.Series:
    return by_market.mean() / (by_market.std() / np.sqrt(len(by_market)))


def test_no_feature_predicts_where_nothing_is_planted() -> None:
    by_market = pd.DataFrame([_features_ic(simulate_market(n_symbols=24, n_sessions=620, seed=seed, rank_ic=0.0)) for seed in range(200)])
    assert by_market.shape[1] >= 19
    assert by_market.abs().max().max() > 0.0
    t_statistics = _t_statistics(by_market)
    assert t_statistics.abs().max() < 4.0, t_statistics.round(1).to_dict()
    # As many markets would show a leaning of a hundredth, the size that compounding gives to volatility.
    assert (by_market.std() / np.sqrt(200) < 0.003)[["volatility_60", "return_5", "beta_60", "signal_planted"]].all()


def test_a_planted_signal_is_seen_by_the_same_measure() -> None:
    by_market = pd.DataFrame([_features_ic(simulate_market(n_symbols=24, n_sessions=620, seed=seed, rank_ic=0.05)) for seed in range(12)])
    assert _t_statistics(by_market)["signal_planted"] > 4.0


def test_compounded_returns_would_lean_against_volatility_and_anchored_ones_do_not() -> None:
    found: dict[int, list[float]] = {1: [], 6: []}
    for seed in range(16):
        shocks = draw_shocks(np.random.default_rng(seed), clock=Clock.regular(1260), n_symbols=100, idiosyncratic_volatility=0.02)
        for lag in found:
            label = fill_to_fill(price_paths(shocks.overnight, shocks.intraday, lag=lag), horizon=5, fill="next_close")[::5]
            found[lag].append(mean_rank_ic(np.broadcast_to(shocks.volatility, label.shape), label))
    compounded, anchored = np.array(found[1]), np.array(found[6])
    leaning = compounded - anchored
    assert leaning.mean() < -0.005
    assert leaning.mean() + 4.0 * leaning.std(ddof=1) / 4.0 < 0.0
    assert abs(anchored.mean()) < 4.0 * anchored.std(ddof=1) / 4.0


@pytest.mark.parametrize(("fill", "first_intraday"), [("next_close", 2), ("next_open", 1), ("same_close", 1)])
def test_mirrored_shocks_after_the_fill_mirror_every_label(fill: str, first_intraday: int) -> None:
    plan = replace(PLAN, fill=fill)
    shocks = draw_shocks(np.random.default_rng(8), clock=Clock.regular(80), n_symbols=50, idiosyncratic_volatility=0.03)
    signal = np.zeros((80, 50))
    label = fill_to_fill(planted_paths(shocks, signal, strength=0.0, plan=plan), horizon=5, fill=fill)
    for decision in (12, 33, 60):
        mirrored = _mirrored(shocks, overnight=decision + (1 if fill == "same_close" else 2), intraday=decision + first_intraday)
        other = fill_to_fill(planted_paths(mirrored, signal, strength=0.0, plan=plan), horizon=5, fill=fill)
        np.testing.assert_allclose(other[decision], -label[decision], rtol=1e-9, atol=1e-12)
        assert np.abs(label[decision]).min() > 0.0


def _mirrored(shocks: Shocks, *, overnight: int, intraday: int) -> Shocks:
    moves = {"overnight": shocks.overnight.copy(), "intraday": shocks.intraday.copy()}
    moves["overnight"][overnight:] *= -1.0
    moves["intraday"][intraday:] *= -1.0
    return replace(shocks, **moves)


def test_simple_returns_are_symmetric_whatever_went_before() -> None:
    shocks = draw_shocks(np.random.default_rng(4), clock=Clock.regular(400), n_symbols=200, idiosyncratic_volatility=0.02)
    closes = price_paths(shocks.overnight, shocks.intraday, lag=6).closes
    returns = closes[1:] / closes[:-1] - 1.0
    past = (closes[1:-1] < closes[:-2], closes[1:-1] >= closes[:-2])
    for fell in past:
        after = returns[1:][fell]
        assert abs(after.mean()) < 4.0 * after.std() / np.sqrt(after.size) * 3.0  # the market's share of a session is common to all
        assert abs((after > 0.0).mean() - 0.5) < 0.03


@pytest.fixture(scope="module")
def unplanted() -> dict[int, float]:
    return {seed: _signal_ic(simulate_market(n_symbols=100, n_sessions=1260, seed=seed, rank_ic=0.0)) for seed in range(8)}


def _signal_ic(market: SimulatedMarket) -> float:
    signals = market.data.signals.rename(columns={"period": "date"}).set_index(["date", "symbol"])["value"]
    label = forward_return(market.data.bars, horizon=5, actions=market.data.actions)["label"]
    return float(_rank_ic(_grid(signals), _grid(label))[0])


@pytest.mark.parametrize("rank_ic", [0.02, 0.05, 0.15])
def test_the_signal_has_the_stated_rank_ic(rank_ic: float, unplanted: dict[int, float]) -> None:
    # The same shocks without the signal tell how much of the correlation is chance.
    gained = np.array(
        [
            _signal_ic(simulate_market(n_symbols=100, n_sessions=1260, seed=seed, rank_ic=rank_ic)) - chance
            for seed, chance in unplanted.items()
        ]
    )
    assert gained.std(ddof=1) / np.sqrt(len(gained)) < 0.0007
    assert gained.mean() == pytest.approx(rank_ic, abs=0.002)


@pytest.mark.parametrize("change", [{"fill": "next_open"}, {"horizon": 20}, {"half_life": 2.0}, {"n_symbols": 12}], ids=str)
def test_the_calibration_holds_for_other_designs(change: dict[str, object]) -> None:
    plan = replace(PLAN, **change)  # type: ignore[arg-type]
    market = simulate_market(
        n_symbols=plan.n_symbols, n_sessions=2, rank_ic=0.05, horizon=plan.horizon, fill=plan.fill, signal_half_life=plan.half_life
    )
    groups = 240 // plan.n_symbols
    gained = []
    for seed in range(4):
        rng = np.random.default_rng([99, seed])
        n_symbols = plan.n_symbols * groups
        shocks = draw_shocks(rng, clock=Clock.regular(1500), n_symbols=n_symbols, idiosyncratic_volatility=0.02)
        signal = draw_signal(rng, n_bars=1500, n_symbols=n_symbols, half_life=plan.half_life)
        ics = []
        for strength in (market.signal_strength, 0.0):
            label = fill_to_fill(planted_paths(shocks, signal, strength=strength, plan=plan), horizon=plan.horizon, fill=plan.fill)[::3]
            shape = (len(label), groups, plan.n_symbols)
            ics.append(mean_rank_ic(signal[: 3 * len(label) : 3].reshape(shape), label.reshape(shape)))
        gained.append(ics[0] - ics[1])
    assert np.mean(gained) == pytest.approx(0.05, abs=0.002)


def test_the_signal_is_autoregressive_with_the_stated_half_life() -> None:
    signal = draw_signal(np.random.default_rng(1), n_bars=4000, n_symbols=200, half_life=10.0)
    assert signal.std() == pytest.approx(1.0, rel=0.02)
    assert np.mean(signal[10:] * signal[:-10]) == pytest.approx(0.5, abs=0.02)
