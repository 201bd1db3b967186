"""The planted predictor: an AR(1) signal, the drift it gives to prices, and the amplitude at which it has the stated rank IC."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from touchstone.sources._simulated_clock import Clock
from touchstone.sources._simulated_prices import Paths, price_paths
from touchstone.sources._simulated_shocks import LARGEST_SHOCK, OVERNIGHT_SHARE, Shocks, autoregressive, draw_shocks
from touchstone.types import FloatArray

__all__ = ["FILLS", "Plan", "amplitude", "draw_signal", "fill_to_fill", "mean_rank_ic", "planted_paths"]

# Bars from the decision to the fill that opens its label, as seen from the overnight and the intraday move that follow the fill.
FILLS = {"next_close": (2, 2), "next_open": (2, 1), "same_close": (1, 1)}
_SEED = 20100104  # the amplitude belongs to the design, not to the seed of one market
_SYMBOLS, _BARS = 250, 2520  # of one market of the calibration
_FEWEST, _MOST = 4, 12  # markets; long labels need more for the same error


@dataclass(frozen=True)
class Plan:
    """What the signal is calibrated for; horizon and half-life count bars."""

    rank_ic: float
    horizon: int
    fill: str
    half_life: float
    idiosyncratic_volatility: float
    n_symbols: int
    bars_per_session: int = 1


def draw_signal(rng: np.random.Generator, *, n_bars: int, n_symbols: int, half_life: float) -> FloatArray:
    """Stationary AR(1) of unit variance, ``(n_bars, n_symbols)``; its autocorrelation halves in `half_life` bars."""
    return autoregressive(rng.standard_normal((n_bars, n_symbols)), _persistence(half_life))


def planted_paths(shocks: Shocks, signal: FloatArray, *, strength: float, plan: Plan) -> Paths:
    """Prices in which the signal of bar t drifts from its fill to the next bar's fill.

    The drift of one bar is `strength` times the symbol's volatility a bar times the signal; with strength 0 it is the market of the
    shocks. Part of a daily bar's drift comes over night; shorter bars drift while they trade.
    """
    share = OVERNIGHT_SHARE if shocks.clock.is_daily else 0.0
    drift = strength * shocks.volatility * signal * shocks.clock.scale
    overnight_delay, intraday_delay = FILLS[plan.fill]
    overnight = shocks.overnight + share * _later(drift, overnight_delay)
    intraday = shocks.intraday + (1.0 - share) * _later(drift, intraday_delay)
    return price_paths(_bounded(overnight), _bounded(intraday), lag=plan.horizon + 1)


def fill_to_fill(paths: Paths, *, horizon: int, fill: str) -> FloatArray:
    """Total return of each decision's label; rows without a complete label are left off at the end."""
    prices = paths.opens if fill == "next_open" else paths.closes
    first = 0 if fill == "same_close" else 1
    start = prices[first : len(prices) - horizon]
    return prices[first + horizon :] / start - 1.0


def mean_rank_ic(signal: FloatArray, label: FloatArray) -> float:
    """Mean over the leading axes of Spearman's correlation along the last; for values without ties."""
    n = signal.shape[-1]
    squares = ((_ranks(signal) - _ranks(label)) ** 2).sum(axis=-1)
    return float(1.0 - 6.0 * squares.mean() / (n * (n * n - 1.0)))


@lru_cache(maxsize=64)
def amplitude(plan: Plan) -> float:
    """Strength at which the expected Spearman correlation per bar is ``plan.rank_ic``, found by simulation.

    Markets of the same design are drawn from fixed seeds. Two control variates keep their chance out of the result: the IC is averaged over
    the signal and its mirror image on the same shocks, and divided by how strongly the signal's ranks happen to go with its own drift
    relative to the exact expectation. What remains is a standard error of about 0.3 % of the stated IC at 5 daily bars, 0.6 % at 60.

    A cross-section of n symbols shows ``n / (n + 1)`` of the correlation of endlessly many (Kendall and Gibbons 1990, chapter 9, with
    Kendall's tau two thirds of it for weak dependence), so one size of calibration serves every `plan.n_symbols`.
    """
    if plan.rank_ic == 0.0:
        return 0.0
    target = plan.rank_ic * _finite(_SYMBOLS) / _finite(plan.n_symbols)
    strength = target * np.sqrt(plan.horizon) / _expected_drift(plan)
    # The IC is almost proportional to the strength: two steps in one market bring the guess near, and one with all of them is exact enough.
    for n_markets in (1, 1, min(_MOST, max(_FEWEST, plan.horizon // 3))):
        strength *= target / np.mean([_shown(market, strength, plan) for market in range(n_markets)])
    return float(strength)


def _shown(market: int, strength: float, plan: Plan) -> float:
    """IC at one strength in one market of the calibration."""
    rng = np.random.default_rng([_SEED, market])
    clock = Clock.regular(_BARS + plan.horizon + 1, bars_per_session=plan.bars_per_session)
    shocks = draw_shocks(rng, clock=clock, n_symbols=_SYMBOLS, idiosyncratic_volatility=plan.idiosyncratic_volatility)
    signal = draw_signal(rng, n_bars=clock.n_bars, n_symbols=_SYMBOLS, half_life=plan.half_life)
    every = slice(0, _BARS, max(1, plan.horizon // 2))
    found = 0.0
    for mirrored in (signal, -signal):
        label = fill_to_fill(planted_paths(shocks, mirrored, strength=strength, plan=plan), horizon=plan.horizon, fill=plan.fill)
        found += mean_rank_ic(mirrored[every], label[every]) / 2.0
    drift = sliding_window_view(signal, plan.horizon, axis=0).sum(axis=-1)
    return found / (_rank_product(signal[every], drift[every]) / _expected_drift(plan))


def _rank_product(signal: FloatArray, drift: FloatArray) -> float:
    """Mean product of ranks and drift over its expectation for a drift of independent standard normals equal to the signal."""
    n = signal.shape[-1]
    products = ((_ranks(signal) - (n - 1) / 2.0) * drift).sum(axis=-1)
    return float(products.mean() / (n * (n - 1) / (2.0 * np.sqrt(np.pi))))


def _expected_drift(plan: Plan) -> float:
    """Expected sum of the signal over the label's bars when it stands at one on the first."""
    return float((_persistence(plan.half_life) ** np.arange(plan.horizon)).sum())


def _finite(n_symbols: int) -> float:
    return n_symbols / (n_symbols + 1.0)


def _persistence(half_life: float) -> float:
    return float(0.5 ** (1.0 / half_life))


def _later(drift: FloatArray, bars: int) -> FloatArray:
    delayed = np.zeros_like(drift)
    delayed[bars:] = drift[:-bars]
    return delayed


def _bounded(moves: FloatArray) -> FloatArray:
    return np.clip(moves, -LARGEST_SHOCK, LARGEST_SHOCK)


def _ranks(values: FloatArray) -> FloatArray:
    return values.argsort(axis=-1).argsort(axis=-1).astype(np.float64)
