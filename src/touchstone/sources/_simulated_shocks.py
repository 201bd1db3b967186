"""The shocks of a simulated market: factors, fat tails, clustered volatility, overnight gaps, earnings jumps; all symmetric about nought.

Nothing here depends on a price, and flipping the sign of every draw gives an equally likely market. What follows from that is told in
`_simulated_prices`.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from touchstone.sources._simulated_clock import Clock
from touchstone.types import FloatArray, IntArray

__all__ = ["Shocks", "autoregressive", "draw_shocks"]

N_SECTORS = 8
MARKET_VOLATILITY = 0.010  # per session, like the factors below
SECTOR_VOLATILITY = 0.006
OVERNIGHT_SHARE = 0.3  # of the variance of a session
DEGREES_OF_FREEDOM = 5.0  # of the Student t that gives the fat tails
VOLATILITY_SPREAD = 0.3  # standard deviation of the log of the symbols' volatilities
BETA_SPREAD = 0.25
SESSIONS_PER_QUARTER = 63
JUMP_SIZE = 3.0  # standard deviation of an earnings gap, in volatilities of the symbol
LARGEST_SHOCK = 0.22  # of the anchor, overnight and intraday each; keeps prices positive


@dataclass(frozen=True)
class Shocks:
    """Moves as fractions of an anchor price, by bar (rows) and symbol (columns).

    Attributes
    ----------
    overnight, intraday
        Moves from the last close to the open and from there to the close of the bar, ``(n_bars, n_symbols)``; only the first bar of a
        session opens elsewhere than the bar before it closed.
    intraday_volatility
        Standard deviation that `intraday` was drawn with, ``(n_bars, n_symbols)``.
    market
        Moves of the market factor from close to close, ``(n_bars,)``.
    volatility
        Idiosyncratic volatility of each symbol per session, ``(n_symbols,)``.
    sector
        Number of each symbol's sector factor, ``(n_symbols,)``.
    clock
        The sessions of the bars.
    """

    overnight: FloatArray
    intraday: FloatArray
    intraday_volatility: FloatArray
    market: FloatArray
    volatility: FloatArray
    sector: IntArray
    clock: Clock


@dataclass(frozen=True)
class _Loadings:
    """How the symbols take part in the factors, and how much everything moves in each session."""

    beta: FloatArray
    sector: IntArray
    market_scale: FloatArray
    sector_scale: FloatArray
    own_scale: FloatArray

    def on(self, clock: Clock) -> _Loadings:
        """The same by bar."""
        scales = (self.market_scale, self.sector_scale, self.own_scale)
        return _Loadings(self.beta, self.sector, *(scale[clock.session] * clock.scale for scale in scales))

    def moves(self, rng: np.random.Generator, share: float) -> tuple[FloatArray, FloatArray]:
        """Moves of the market, one column, and of the symbols, with a share of the variance."""
        market = self.market_scale * _fat_tailed(rng, self.market_scale.shape)
        sectors = self.sector_scale * _fat_tailed(rng, self.sector_scale.shape)
        own = self.own_scale * _fat_tailed(rng, self.own_scale.shape)
        return np.sqrt(share) * market, np.sqrt(share) * (market * self.beta + sectors[:, self.sector] + own)

    def volatility(self, share: float) -> FloatArray:
        variance = (self.market_scale * self.beta) ** 2 + self.sector_scale[:, self.sector] ** 2 + self.own_scale**2
        return np.asarray(np.sqrt(share * variance), dtype=np.float64)


def draw_shocks(rng: np.random.Generator, *, clock: Clock, n_symbols: int, idiosyncratic_volatility: float) -> Shocks:
    """Draw market, sector and own moves of every symbol.

    The root mean square of the symbols' idiosyncratic volatilities, gaps included, is `idiosyncratic_volatility` per session, however
    many bars the session has: its hours of trading share their variance evenly, and the night before has its own.
    """
    n_sessions = clock.n_sessions
    relative = np.exp(VOLATILITY_SPREAD * _normal_scores(rng, n_symbols))
    volatility = idiosyncratic_volatility * relative / np.sqrt((relative**2).mean())
    beta = 1.0 + BETA_SPREAD * _normal_scores(rng, n_symbols)
    sector = rng.permutation(np.arange(n_symbols) % N_SECTORS)
    market_scale = MARKET_VOLATILITY * _clusters(rng, (n_sessions, 1), persistence=0.985, spread=0.4)
    sector_scale = SECTOR_VOLATILITY * _clusters(rng, (n_sessions, N_SECTORS), persistence=0.97, spread=0.3)
    jump_share = JUMP_SIZE**2 / SESSIONS_PER_QUARTER
    own_scale = volatility * np.sqrt(1.0 - jump_share) * _clusters(rng, (n_sessions, n_symbols), persistence=0.97, spread=0.35)
    by_session = _Loadings(beta, sector, market_scale, sector_scale, own_scale)
    by_bar = by_session.on(clock)
    market_overnight, overnight = by_session.moves(rng, OVERNIGHT_SHARE)
    market_intraday, intraday = by_bar.moves(rng, 1.0 - OVERNIGHT_SHARE)
    overnight = overnight + volatility * _earnings_gaps(rng, n_sessions, n_symbols)
    market = _at_first_bars(market_overnight, clock) + market_intraday
    return Shocks(
        overnight=_at_first_bars(np.clip(overnight, -LARGEST_SHOCK, LARGEST_SHOCK), clock),
        intraday=np.clip(intraday, -LARGEST_SHOCK, LARGEST_SHOCK),
        intraday_volatility=by_bar.volatility(1.0 - OVERNIGHT_SHARE),
        market=np.clip(market[:, 0], -LARGEST_SHOCK, LARGEST_SHOCK),
        volatility=volatility,
        sector=sector,
        clock=clock,
    )


def _at_first_bars(by_session: FloatArray, clock: Clock) -> FloatArray:
    """What happens over night, at the first bar of each session; nought at the others."""
    by_bar = np.zeros((clock.n_bars, by_session.shape[1]))
    by_bar[clock.first] = by_session
    return by_bar


def _normal_scores(rng: np.random.Generator, n: int) -> FloatArray:
    """Quantiles of the standard normal in random order: every market has the same spread, only its bearers differ."""
    return rng.permutation(np.array([NormalDist().inv_cdf((place + 0.5) / n) for place in range(n)]))


def autoregressive(noise: FloatArray, persistence: float) -> FloatArray:
    """Turn standard normal noise into stationary AR(1) columns of unit variance."""
    values = np.empty_like(noise)
    values[0] = noise[0]
    fresh = np.sqrt(1.0 - persistence**2) * noise
    for session in range(1, len(noise)):
        values[session] = persistence * values[session - 1] + fresh[session]
    return values


def _clusters(rng: np.random.Generator, shape: tuple[int, int], *, persistence: float, spread: float) -> FloatArray:
    """Slowly moving multipliers of volatility whose mean square is one."""
    return np.exp(spread * autoregressive(rng.standard_normal(shape), persistence) - spread**2)


def _fat_tailed(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """Student t noise of unit variance."""
    return rng.standard_t(DEGREES_OF_FREEDOM, shape) * np.sqrt((DEGREES_OF_FREEDOM - 2.0) / DEGREES_OF_FREEDOM)


def _earnings_gaps(rng: np.random.Generator, n_sessions: int, n_symbols: int) -> FloatArray:
    """One gap a quarter at each symbol's own place in it, nought elsewhere."""
    phase: IntArray = rng.integers(0, SESSIONS_PER_QUARTER, n_symbols)
    is_due = np.arange(n_sessions)[:, None] % SESSIONS_PER_QUARTER == phase
    gaps = np.zeros((n_sessions, n_symbols))
    gaps[is_due] = JUMP_SIZE * rng.standard_normal(int(is_due.sum()))
    return gaps
