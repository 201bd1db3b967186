"""A market whose truth is known: simulated bars, a planted predictor of stated strength, and data errors with their answer key."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from numbers import Integral, Real

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, nearest
from touchstone.market import MarketData, Metadata, Timeframe, bar_times, empty_table, session_of, sessions
from touchstone.sources._registry import SourceRequest
from touchstone.sources._simulated_actions import Actions, draw_actions, draw_lives
from touchstone.sources._simulated_clock import Clock
from touchstone.sources._simulated_errors import inject_errors
from touchstone.sources._simulated_prices import Paths, high_low, price_index
from touchstone.sources._simulated_shocks import Shocks, autoregressive, draw_shocks
from touchstone.sources._simulated_signal import FILLS, Plan, amplitude, draw_signal, planted_paths
from touchstone.sources._simulated_tables import CURRENCY, FIELDS, Tables
from touchstone.types import FloatArray

__all__ = ["SimulatedMarket", "SimulatedSource", "simulate_market"]

_BENCHMARK = "simulated market factor"
_CAVEATS = (
    "The market is simulated: a result on it says what the platform finds when the truth is known, and nothing about real prices.",
    "The benchmark is the market factor of the simulation, without drift and without costs.",
)
# Each part draws from its own stream, so that planting a signal or injecting errors changes nothing else in the market of a seed.
_STREAMS = {name: number for number, name in enumerate(("shocks", "lives", "actions", "ranges", "volume", "signal", "errors"))}
# (name, lowest, highest) with both ends allowed.
_LIMITS = (
    ("n_symbols", 1, 100_000),
    ("n_sessions", 2, 25_000),
    ("rank_ic", 0.0, 0.3),
    ("horizon", 1, 252),
    ("signal_half_life", 0.1, 1000.0),
    ("idiosyncratic_volatility", 1e-4, 0.05),
    ("errors_per_kind", 0, 100_000),
    ("seed", 0, 2**63 - 1),
)


@dataclass(frozen=True, eq=False)
class SimulatedMarket:
    """A simulated market and what is wrong with it.

    Parameters
    ----------
    data : MarketData
        Raw tables as a source gives them, injected errors included; prices as traded.
    answer_key : DataFrame
        One row for every value that is not the true one: ``symbol, date`` of the row that carries it, ``kind`` (scaled, swapped, spike,
        high_low, duplicate, missing, non_positive, time_travel), ``field``, ``true`` (the value that belongs there), ``injected`` (the
        value that stands there) and ``true_date``, which differs from ``date`` for rows stamped with another session only. A ``duplicate``
        stands after the row that it repeats, and half of them are exact: their two values are the same. Empty without errors.
    signal_strength : float
        Drift from fill to fill per unit of the signal, in idiosyncratic volatilities of the symbol; 0 where nothing is planted.
    """

    data: MarketData
    answer_key: pd.DataFrame
    signal_strength: float


@dataclass(frozen=True)
class _Design:
    """The checked arguments of `simulate_market`."""

    n_symbols: int
    n_sessions: int
    seed: int
    rank_ic: float
    horizon: int
    fill: str
    signal_half_life: float
    idiosyncratic_volatility: float
    errors_per_kind: int
    calendar: str
    timeframe: Timeframe
    start: pd.Timestamp

    def rng(self, stream: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, _STREAMS[stream]])

    def plan(self, clock: Clock) -> Plan:
        return Plan(
            rank_ic=self.rank_ic,
            horizon=self.horizon,
            fill=self.fill,
            half_life=self.signal_half_life,
            idiosyncratic_volatility=self.idiosyncratic_volatility,
            n_symbols=self.n_symbols,
            bars_per_session=int(np.bincount(np.bincount(clock.session)).argmax()),
        )


def simulate_market(
    *,
    n_symbols: int = 100,
    n_sessions: int = 2520,
    seed: int = 0,
    rank_ic: float = 0.05,
    horizon: int = 5,
    fill: str = "next_close",
    signal_half_life: float = 10.0,
    idiosyncratic_volatility: float = 0.02,
    errors_per_kind: int = 0,
    calendar: str = "XNYS",
    timeframe: Timeframe = "1d",
    start: str | dt.date | pd.Timestamp = "2010-01-04",
) -> SimulatedMarket:
    """Simulate a market of any size in which one signal predicts exactly as much as asked, and nothing else does.

    Returns come from a market and eight sector factors and each symbol's own moves, with Student t shocks, volatility in clusters, gaps
    overnight and at quarterly earnings; volume goes with moves. Symbols are listed and delisted, pay dividends and split.

    With ``rank_ic=0`` every simple return is symmetric with mean nought given all of the past, and every pair of labels of up to `horizon`
    bars is as likely to come out in one order as in the other: no feature has an expected rank IC (`_simulated_prices` says why; on
    labels of four times `horizon` volatility has one of -0.01). With more, drift proportional to the signal ``planted`` runs from each
    decision's fill to the next one's.

    Parameters
    ----------
    n_symbols, n_sessions : int
        Size; with an intraday `timeframe` each session has all its bars, 78 of five minutes in New York. A tenth of the symbols is
        listed late and 1.5 % a year are delisted, so fewer are alive on most sessions.
    seed : int
        Same seed, same market; `rank_ic` and `errors_per_kind` leave all other draws as they are.
    rank_ic : float, 0 to 0.3
        Expected Spearman correlation per bar of the signal with the label at `horizon`, calibrated by simulation to about
        half a per cent of itself (one at long horizons). The signal stands in the table also at 0, and predicts nothing there.
    horizon : int
        Bars from fill to fill of the label.
    fill : {"next_close", "next_open", "same_close"}
        Fill of the label.
    signal_half_life : float
        Bars in which the signal's autocorrelation halves.
    idiosyncratic_volatility : float
        Root mean square over symbols of their own volatility per session, earnings gaps included. Shorter bars share it: the night
        has three tenths of the variance, the hours of trading the rest, evenly.
    errors_per_kind : int
        Errors to inject of each of eight kinds.
    calendar : str
        Exchange calendar of the sessions.
    timeframe : {"1m", "5m", "15m", "30m", "1h", "1d"}
        Width of a bar. Horizon, half-life and the planted IC count bars of this width; listings, quarters and notices count sessions.
        Shorter bars open where the one before closed, but for the first of a session, and their signal drifts while they trade.
    start : str or date
        No session lies before it.

    Returns
    -------
    SimulatedMarket
        Bars ``open high low close volume`` as traded; the signal of a bar is known at its close; listings and
        actions are dated by session; benchmark: index of the market factor.

    Raises
    ------
    ConfigError
        An argument out of its range, an unknown fill or calendar, or more errors than there is room for.
    """
    design = _Design(
        n_symbols=n_symbols,
        n_sessions=n_sessions,
        seed=seed,
        rank_ic=rank_ic,
        horizon=horizon,
        fill=fill,
        signal_half_life=signal_half_life,
        idiosyncratic_volatility=idiosyncratic_volatility,
        errors_per_kind=errors_per_kind,
        calendar=calendar,
        timeframe=timeframe,
        start=_day(start),
    )
    return _simulate(_checked(design))


class SimulatedSource:
    """`simulate_market` as a source: its options are the arguments of that function.

    The market makes its own span: start and end of a request are not looked at. When symbols are asked for, the others are left out after
    the whole market was simulated.
    """

    name = "simulated"

    def load(self, request: SourceRequest) -> MarketData:
        """Simulate the raw tables.

        Raises
        ------
        ConfigError
            As `simulate_market`; an unknown option or symbol.
        """
        return self.simulate(request).data

    def simulate(self, request: SourceRequest) -> SimulatedMarket:
        """Simulate the raw tables together with the answer key of the injected errors."""
        own = {"calendar", "seed", "timeframe"}
        request.expect_options(self.name, *sorted(set(simulate_market.__kwdefaults__ or {}) - own))
        market = simulate_market(calendar=request.calendar, timeframe=request.timeframe, seed=request.seed, **request.options)
        return _only(market, request) if request.symbols else market


def _day(given: str | dt.date | pd.Timestamp) -> pd.Timestamp:
    try:
        return pd.Timestamp(given).normalize()
    except ValueError:
        raise ConfigError(f"A simulated market's start must be a date like 2010-01-04, but got '{given}'.") from None


def _checked(design: _Design) -> _Design:
    for name, lowest, highest in _LIMITS:
        value = getattr(design, name)
        is_whole = isinstance(lowest, int)
        fits = isinstance(value, Integral if is_whole else Real) and not isinstance(value, bool)
        if not fits or not lowest <= value <= highest:
            kind = "a whole number" if is_whole else "a number"
            raise ConfigError(f"A simulated market's {name} must be {kind} from {lowest} to {highest}, but got {value!r}.")
    if design.fill not in FILLS:
        raise ConfigError(f"A label's fill must be a known one, but got '{design.fill}': {nearest(str(design.fill), FILLS)}.")
    return design


def _simulate(design: _Design) -> SimulatedMarket:
    dates, owners = _bars(design)
    clock = Clock(pd.factorize(owners)[0].astype(np.int64))
    plan = design.plan(clock)
    shocks = draw_shocks(
        design.rng("shocks"), clock=clock, n_symbols=design.n_symbols, idiosyncratic_volatility=design.idiosyncratic_volatility
    )
    signal = draw_signal(design.rng("signal"), n_bars=clock.n_bars, n_symbols=design.n_symbols, half_life=design.signal_half_life)
    strength = amplitude(plan)
    paths = planted_paths(shocks, signal, strength=strength, plan=plan)
    lives = draw_lives(design.rng("lives"), n_sessions=design.n_sessions, n_symbols=design.n_symbols)
    actions = draw_actions(design.rng("actions"), paths.closes, lives, clock)
    tables = Tables.of(dates, owners[clock.first], design.n_symbols)
    fields = _fields(design, paths, shocks, actions)
    alive = lives.alive(clock)
    injected = inject_errors(design.rng("errors"), fields, alive, is_special=actions.is_ex_date, per_kind=design.errors_per_kind)
    data = MarketData(
        bars=tables.bars(injected),
        actions=tables.actions(actions),
        macro=empty_table("macro"),
        signals=tables.signals(signal, alive),
        universe=tables.universe(lives),
        benchmark=tables.benchmark(price_index(shocks.market, lag=design.horizon + 1)),
        metadata=_metadata(design),
        assets=tables.assets(design.calendar),
        sectors=tables.sectors(lives, shocks.sector),
    )
    return SimulatedMarket(data=data, answer_key=tables.answer_key(injected), signal_strength=strength)


def _bars(design: _Design) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex]:
    """Stamps of all bars, and the session of each."""
    days = _sessions(design.calendar, design.start, design.n_sessions)
    stamps = bar_times(design.calendar, days[0], days[-1], design.timeframe)
    return stamps, session_of(stamps, design.calendar, design.timeframe)


def _metadata(design: _Design) -> Metadata:
    return Metadata(
        source=SimulatedSource.name,
        adjustment="none",
        fields=FIELDS,
        calendar=design.calendar,
        timeframe=design.timeframe,
        currency=CURRENCY,
        benchmark_name=_BENCHMARK,
        caveats=_CAVEATS,
    )


@lru_cache(maxsize=8)
def _sessions(calendar: str, start: pd.Timestamp, n_sessions: int) -> pd.DatetimeIndex:
    """The first sessions from a day on, of a calendar that has at least 230 a year."""
    end = start + pd.Timedelta(days=int(n_sessions * 366 / 230) + 30)
    return sessions(calendar, start, end)[:n_sessions]


def _fields(design: _Design, paths: Paths, shocks: Shocks, actions: Actions) -> dict[str, FloatArray]:
    high, low = high_low(design.rng("ranges"), paths, shocks)
    factor = actions.price_factor
    prices = {"open": paths.opens * factor, "high": high * factor, "low": low * factor, "close": paths.closes * factor}
    return prices | {"volume": _volume(design, prices["close"], shocks, actions)}


def _volume(design: _Design, closes: FloatArray, shocks: Shocks, actions: Actions) -> FloatArray:
    """Whole shares, more on bars with a large move, in the share count of the session."""
    rng = design.rng("volume")
    scale = shocks.clock.scale
    usual = np.exp(rng.normal(np.log(5e7), 1.0, design.n_symbols)) / closes[0] * scale**2
    mood = 0.4 * autoregressive(rng.standard_normal(closes.shape), 0.9)
    excitement = 0.35 * np.minimum(np.abs(shocks.overnight + shocks.intraday) / (shocks.volatility * scale), 8.0)
    return np.maximum(np.rint(usual * actions.shares * np.exp(mood + excitement - 0.4)), 1.0)


def _only(market: SimulatedMarket, request: SourceRequest) -> SimulatedMarket:
    data = market.data
    wanted = request.choose(SimulatedSource.name, data.universe["symbol"].tolist())
    tables = {name: _of(getattr(data, name), wanted) for name in ("actions", "signals", "universe", "assets", "sectors")}
    bars = data.bars[data.bars.index.isin(wanted, level="symbol")]
    kept = MarketData(bars=bars, macro=data.macro, benchmark=data.benchmark, metadata=data.metadata, **tables)
    return SimulatedMarket(kept, _of(market.answer_key, wanted), market.signal_strength)


def _of(table: pd.DataFrame, symbols: list[str]) -> pd.DataFrame:
    return table[table["symbol"].isin(symbols)].reset_index(drop=True)
