"""The planted predictor: an AR(1) signal, the drift it gives to prices, and the amplitude at which it has the stated rank IC."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from touchstone.sources._simulated_prices import Paths, price_paths
from touchstone.sources._simulated_shocks import LARGEST_SHOCK, OVERNIGHT_SHARE, Shocks, autoregressive, draw_shocks
from touchstone.types import FloatArray

__all__ = ["FILLS", "Plan", "amplitude", "draw_signal", "fill_to_fill", "mean_rank_ic", "planted_paths"]

# Sessions from the decision to the fill that opens its label, as seen from the overnight and the intraday move that follow the fill.
FILLS = {"next_close": (2, 2), "next_open": (2, 1), "same_close": (1, 1)}
_SEED = 20100104  # the amplitude belongs to the design, not to the seed of one market
_GROUP = 100  # symbols in a cross-section of the calibration
_GROUPS = 4
_SESSIONS = 2520
_STEPS = 3


@dataclass(frozen=True)
class Plan:
    """What the signal is calibrated for."""

    rank_ic: float
    horizon: int
    fill: str
    half_life: float
    idiosyncratic_volatility: float
    n_symbols: int


def draw_signal(rng: np.random.Generator, *, n_sessions: int, n_symbols: int, half_life: float) -> FloatArray:
    """Stationary AR(1) of unit variance, ``(n_sessions, n_symbols)``; its autocorrelation halves in `half_life` sessions."""
    return autoregressive(rng.standard_normal((n_sessions, n_symbols)), 0.5 ** (1.0 / half_life))


def planted_paths(shocks: Shocks, signal: FloatArray, *, strength: float, plan: Plan) -> Paths:
    """Prices in which the signal of session t drifts from its fill to the next session's fill.

    The drift of one session is `strength` times the symbol's volatility times the signal; with strength 0 it is the market of the shocks.
    """
    drift = strength * shocks.volatility * signal
    overnight_delay, intraday_delay = FILLS[plan.fill]
    overnight = shocks.overnight + OVERNIGHT_SHARE * _later(drift, overnight_delay)
    intraday = shocks.intraday + (1.0 - OVERNIGHT_SHARE) * _later(drift, intraday_delay)
    return price_paths(_bounded(overnight), _bounded(intraday), lag=plan.horizon + 1)


def fill_to_fill(paths: Paths, *, horizon: int, fill: str) -> FloatArray:
    """Total return of each decision session's label; rows without a complete label are left off at the end."""
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
    """Strength at which the expected Spearman correlation per session is ``plan.rank_ic``, found by simulation.

    One market of the same design is drawn once; at each trial strength the IC is averaged over the signal and its mirror image on the same
    shocks, which cancels the correlation that the shocks have by chance (control variates).

    A cross-section of n symbols shows ``n / (n + 1)`` of the correlation of many (Kendall and Gibbons 1990, section 9: to first order
    Kendall's tau is two thirds of it), so the calibration runs on a cross-section of 100 and is carried over to `plan.n_symbols`.
    """
    if plan.rank_ic == 0.0:
        return 0.0
    return _solve(plan, plan.rank_ic * (_GROUP / (_GROUP + 1.0)) * (plan.n_symbols + 1.0) / plan.n_symbols)


def _solve(plan: Plan, target: float) -> float:
    rng = np.random.default_rng([_SEED, plan.horizon])
    shape = {"n_sessions": _SESSIONS + plan.horizon, "n_symbols": _GROUP * _GROUPS}
    shocks = draw_shocks(rng, **shape, idiosyncratic_volatility=plan.idiosyncratic_volatility)
    signal = draw_signal(rng, **shape, half_life=plan.half_life)
    strength = 2.0 * target / np.sqrt(plan.horizon)
    for _ in range(_STEPS):
        strength *= target / _shown(shocks, signal, strength, plan)
    return float(strength)


def _shown(shocks: Shocks, signal: FloatArray, strength: float, plan: Plan) -> float:
    """IC at one strength, averaged over the signal and its mirror image."""
    found = []
    for side in (1.0, -1.0):
        label = fill_to_fill(planted_paths(shocks, side * signal, strength=strength, plan=plan), horizon=plan.horizon, fill=plan.fill)
        every = slice(None, None, max(1, plan.horizon // 2))
        found.append(mean_rank_ic(_grouped(side * signal[: len(label)][every]), _grouped(label[every])))
    return (found[0] + found[1]) / 2.0


def _grouped(values: FloatArray) -> FloatArray:
    return values.reshape(len(values), _GROUPS, _GROUP)


def _later(drift: FloatArray, sessions: int) -> FloatArray:
    delayed = np.zeros_like(drift)
    delayed[sessions:] = drift[:-sessions]
    return delayed


def _bounded(moves: FloatArray) -> FloatArray:
    return np.clip(moves, -LARGEST_SHOCK, LARGEST_SHOCK)


def _ranks(values: FloatArray) -> FloatArray:
    return values.argsort(axis=-1).argsort(axis=-1).astype(np.float64)
