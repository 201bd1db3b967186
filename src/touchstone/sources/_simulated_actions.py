"""Lives and corporate actions of simulated symbols: listings, delistings, dividends and splits on as-traded prices.

Who is listed and delisted, and when, is drawn without looking at a price, and a delisting pays a premium as often as it costs one.
Dividends and splits leave the total return as it was.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.sources._simulated_clock import Clock
from touchstone.sources._simulated_shocks import SESSIONS_PER_QUARTER
from touchstone.types import BoolArray, FloatArray, IntArray

__all__ = ["Actions", "Lives", "draw_actions", "draw_lives"]

SHARE_LISTED_LATE = 0.1
DELISTINGS_PER_YEAR = 0.015  # of the symbols
SHARE_PAYING = 0.6
NOTICE = 10  # sessions from the announcement of a dividend or split to its ex-date
CHEAPEST_START, DEAREST_START = 12.0, 200.0
# A price beyond these is split so that it comes back to about the middle one.
LOW_PRICE, USUAL_PRICE, HIGH_PRICE = 5.0, 75.0, 250.0


@dataclass(frozen=True)
class Lives:
    """First and last session of each symbol, by number, and the return on the last close of those that end before the market does."""

    first: IntArray
    last: IntArray
    is_delisted: BoolArray
    delisting_return: FloatArray

    def alive(self, clock: Clock) -> BoolArray:
        """Who trades when, ``(n_bars, n_symbols)``."""
        session = clock.session[:, None]
        return (session >= self.first) & (session <= self.last)


@dataclass(frozen=True)
class Actions:
    """What turns total-return prices into prices as traded, and the table that turns them back.

    Attributes
    ----------
    table
        ``session, symbol`` (numbers), ``kind, value, known`` (session number), sorted.
    price_factor
        As-traded price over total-return price, ``(n_bars, n_symbols)``.
    shares
        Shares that one share of the first bar has become by splits, ``(n_bars, n_symbols)``.
    clock
        The sessions of the bars.
    """

    table: pd.DataFrame
    price_factor: FloatArray
    shares: FloatArray
    clock: Clock

    @property
    def is_ex_date(self) -> BoolArray:
        """The bars from which an action of a living symbol counts, ``(n_bars, n_symbols)``."""
        marked = np.zeros(self.shares.shape, dtype=np.bool_)
        inside = self.table[self.table["kind"] != "delisting"]
        marked[self.clock.first[inside["session"]], inside["symbol"]] = True
        return marked


@dataclass(frozen=True)
class _Dividends:
    """Sessions of the announcement and the ex-date, with the bars that count for them: the last of the one, the first of the other."""

    known: IntArray
    ex: IntArray
    known_bar: IntArray
    ex_bar: IntArray
    symbol: IntArray
    yields: FloatArray


def draw_lives(rng: np.random.Generator, *, n_sessions: int, n_symbols: int, sessions_per_year: float = 252.0) -> Lives:
    """Draw when symbols are listed and delisted; a market of a few symbols or sessions keeps all of them throughout."""
    order = rng.permutation(n_symbols)
    late = order[: int(SHARE_LISTED_LATE * n_symbols)]
    n_delisted = min(round(DELISTINGS_PER_YEAR * n_symbols * n_sessions / sessions_per_year), n_symbols // 2)
    ended = rng.permutation(n_symbols)[:n_delisted]
    first = np.zeros(n_symbols, dtype=np.int64)
    first[late] = rng.integers(0, max(1, int(0.8 * n_sessions)), len(late))
    last = np.full(n_symbols, n_sessions - 1, dtype=np.int64)
    last[ended] = rng.integers(first[ended], n_sessions)
    sizes = rng.uniform(0.05, 0.4, n_symbols) * rng.choice([-1.0, 1.0], n_symbols)
    return Lives(first=first, last=last, is_delisted=last < n_sessions - 1, delisting_return=sizes)


def draw_actions(rng: np.random.Generator, total_return: FloatArray, lives: Lives, clock: Clock) -> Actions:
    """Draw dividends and splits along total-return closes.

    A dividend is cash fixed at its announcement: its yield times the close of that session. At the first bar of its ex-date the price
    falls by the cash, so that ``(close + cash) / previous close`` is the total return. A split is announced when the price as traded
    leaves its usual range.
    """
    n_symbols = total_return.shape[1]
    dividends = _draw_dividends(rng, lives, clock)
    fall = dividends.yields * total_return[dividends.known_bar, dividends.symbol] / total_return[dividends.ex_bar, dividends.symbol]
    kept = np.ones(total_return.shape)
    kept[dividends.ex_bar, dividends.symbol] = 1.0 - fall
    first_price = np.exp(rng.uniform(np.log(CHEAPEST_START), np.log(DEAREST_START), n_symbols))
    unsplit = np.cumprod(kept, axis=0) * (first_price / total_return[clock.first[lives.first], np.arange(n_symbols)])
    splits = _find_splits(unsplit * total_return, lives, _is_waiting(dividends, total_return.shape), clock)
    ratios = np.ones(total_return.shape)
    ratios[clock.first[splits["session"]], splits["symbol"]] = splits["value"]
    shares = np.multiply.accumulate(ratios, axis=0)
    factor = unsplit / shares
    before = unsplit[dividends.ex_bar - 1, dividends.symbol] / shares[dividends.ex_bar, dividends.symbol]
    cash = before * dividends.yields * total_return[dividends.known_bar, dividends.symbol]
    table = pd.concat([_dividend_table(dividends, cash), splits, _delistings(lives)], ignore_index=True)
    return Actions(table.sort_values(["session", "symbol", "kind"], ignore_index=True), price_factor=factor, shares=shares, clock=clock)


def _draw_dividends(rng: np.random.Generator, lives: Lives, clock: Clock) -> _Dividends:
    n_symbols = len(lives.first)
    is_paying = rng.random(n_symbols) < SHARE_PAYING
    quarterly = rng.uniform(0.01, 0.04, n_symbols) / 4.0
    phase = rng.integers(0, SESSIONS_PER_QUARTER, n_symbols)
    ex = phase + SESSIONS_PER_QUARTER * np.arange(clock.n_sessions // SESSIONS_PER_QUARTER + 1)[:, None]
    is_paid = is_paying & (ex - NOTICE >= lives.first) & (ex <= lives.last)
    row, symbol = np.nonzero(is_paid)
    known, ex = ex[row, symbol] - NOTICE, ex[row, symbol]
    return _Dividends(known, ex, clock.last[known], clock.first[ex], symbol=symbol, yields=quarterly[symbol])


def _is_waiting(dividends: _Dividends, shape: tuple[int, ...]) -> BoolArray:
    """Bars between the announcement of a dividend and its ex-date: a split there would change what was announced."""
    change = np.zeros((shape[0] + 1, shape[1]), dtype=np.int64)
    np.add.at(change, (dividends.known_bar + 1, dividends.symbol), 1)
    np.add.at(change, (dividends.ex_bar + 1, dividends.symbol), -1)
    return np.cumsum(change, axis=0)[:-1] > 0


def _find_splits(prices: FloatArray, lives: Lives, is_waiting: BoolArray, clock: Clock) -> pd.DataFrame:
    found: list[tuple[int, int, str, float, int]] = []
    for symbol in range(prices.shape[1]):
        bar, last, shares = int(clock.first[lives.first[symbol]]), int(lives.last[symbol]), 1.0
        while True:
            ahead = prices[bar : clock.last[last] + 1, symbol] / shares
            beyond = np.flatnonzero((ahead > HIGH_PRICE) | (ahead < LOW_PRICE))
            if not len(beyond):
                break
            known = int(clock.session[bar + int(beyond[0])])
            ex = known + NOTICE
            while ex <= last and is_waiting[clock.first[ex], symbol]:
                ex += 1
            if ex > last:
                break
            ratio = _split_ratio(float(ahead[beyond[0]]))
            found.append((ex, symbol, "split", ratio, known))
            bar, shares = int(clock.first[ex]), shares * ratio
    return _table(found)


def _split_ratio(price: float) -> float:
    """New shares for an old one."""
    return 0.1 if price < LOW_PRICE else float(max(2, round(price / USUAL_PRICE)))


def _dividend_table(dividends: _Dividends, cash: FloatArray) -> pd.DataFrame:
    columns = (dividends.ex.tolist(), dividends.symbol.tolist(), ["dividend"] * len(cash), cash.tolist(), dividends.known.tolist())
    return _table(list(zip(*columns, strict=True)))


def _delistings(lives: Lives) -> pd.DataFrame:
    ended = np.flatnonzero(lives.is_delisted)
    return _table([(int(lives.last[s]) + 1, int(s), "delisting", float(lives.delisting_return[s]), int(lives.last[s]) + 1) for s in ended])


def _table(rows: list[tuple[int, int, str, float, int]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["session", "symbol", "kind", "value", "known"])
    return frame.astype({"session": "int64", "symbol": "int64", "kind": "str", "value": "float64", "known": "int64"})
