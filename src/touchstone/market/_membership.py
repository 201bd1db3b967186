"""Rules of membership that look back only, and what must be said where nobody stated it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, name_few
from touchstone.market._calendar import DAILY, days, session_of
from touchstone.market._codes import last_bars, level_codes
from touchstone.market._moments import at_bars
from touchstone.market._universe import Universe
from touchstone.types import BoolArray, FloatArray, IntArray

__all__ = ["eligible", "membership_caveats"]


def eligible(
    bars: pd.DataFrame,
    universe: pd.DataFrame,
    *,
    min_age: int = 0,
    min_dollar_volume: float = 0.0,
    window: int = 63,
    calendar: str = "XNYS",
    timeframe: str = DAILY,
    adjustment: str = "none",
) -> pd.DataFrame:
    """Narrow a stated membership by rules that each look back only.

    A symbol belongs at a bar when the universe says so, at least `min_age` of its bars came before, and the median of close times
    volume over its last `window` bars, this one included, is at least `min_dollar_volume`. That is known at the bar's close, when
    a decision is taken. On intraday bars the rules are judged once a session, by the sessions before it, so that the answer is
    known before it opens: age and window count the symbol's sessions, and what counts is a whole session's dollar volume.

    Parameters
    ----------
    bars : DataFrame, index (date, symbol)
        ``close`` and ``volume`` as traded, or both adjusted for splits, which leaves their product as it was.
    universe : DataFrame
        ``symbol, start, end``, the stated membership.
    min_age : int
        0 switches the rule off. Bars before the first one given are unknown and do not count.
    min_dollar_volume : float
        In the currency of the bars; 0 switches the rule off. Before `window` bars are there, or where one has no volume, a symbol
        does not belong.
    window : int
    calendar, timeframe : str
    adjustment : {"none", "split", "total_return"}
        What the prices are.

    Returns
    -------
    DataFrame
        ``symbol, start, end``, sorted: unbroken runs of the symbol's bars on which it belongs, from the first to the last of them;
        of whole sessions with intraday bars, as `at_bars` sets them.
        An `end` is where a run happens to stop: use it through `Universe.mask`, which asks for each row alone. Without a rule the
        universe as it was given.

    Raises
    ------
    ConfigError
        `min_dollar_volume` on bars without a volume, or on prices that later dividends have changed.
    """
    if not min_age and not min_dollar_volume:
        return universe
    if min_dollar_volume:
        _require_dollars(bars, adjustment)
    timed = partial(at_bars, stamps=pd.DatetimeIndex(bars.index.unique("date")), calendar=calendar, timeframe=timeframe)
    rows = _Rows.of(bars, calendar, timeframe, with_volume=min_dollar_volume > 0.0)
    member = Universe(timed(universe)).mask(bars.index)[rows.first_bar] & (rows.age >= min_age)
    if min_dollar_volume:
        member &= rows.usual_dollars(window) >= min_dollar_volume
    first, last = rows.ends_of_runs(member)
    spans = {"symbol": rows.names.take(rows.symbol[first]), "start": rows.session[first], "end": rows.session[last]}
    return timed(pd.DataFrame(spans).astype({"symbol": "str"}))


def membership_caveats(bars: pd.DataFrame, universe: pd.DataFrame, actions: pd.DataFrame) -> tuple[str, ...]:
    """What a reader must know where nobody states who belonged when, or how a symbol ended.

    Parameters
    ----------
    bars : DataFrame, index (date, symbol)
        In any order; a row without a close is no bar.
    universe : DataFrame
        ``symbol, start, end`` as stated by the source or a table; empty where nobody does.
    actions : DataFrame
        ``symbol, kind``, for delistings.

    Returns
    -------
    tuple of str
        Sentences for the metadata's caveats.
    """
    told = []
    if universe.empty:
        told.append(
            "Nobody states who belonged when: membership is each symbol's own life in the data, from its first to its last bar, and that "
            "end is known only afterwards. Symbols that were gone when the list was drawn up are missing, which flatters results: compare "
            "with the equal-weighted universe."
        )
    last = last_bars(bars)
    delisted = set(actions.loc[actions["kind"] == "delisting", "symbol"])
    ended = [symbol for symbol in last.index[last < last.max()] if symbol not in delisted]
    if ended:
        told.append(
            f"{len(ended)} of {len(last)} symbols end before the data without a delisting on record ({name_few(ended)}): nobody says what "
            "holders got. A holding is sold at its last close on the session after, at usual costs; labels that reach beyond are missing."
        )
    return tuple(told)


@dataclass(frozen=True, eq=False)
class _Rows:
    """What is judged, by symbol, then time: every bar, or on intraday bars every session of a symbol.

    Attributes
    ----------
    names : Index
    first_bar, symbol, age : int64 arrays
        Number of its first bar; position in `names`; how many rows of the symbol came before.
    session : DatetimeIndex
    dollars : float64 array or None
        Close times volume.
    judged_at : int64 array
        The row at whose close the row's membership is known: itself, or for a session the one before; -1 for none.
    """

    names: pd.Index
    first_bar: IntArray
    symbol: IntArray
    age: IntArray
    session: pd.DatetimeIndex
    dollars: FloatArray | None
    judged_at: IntArray

    @classmethod
    def of(cls, bars: pd.DataFrame, calendar: str, timeframe: str, *, with_volume: bool) -> _Rows:
        codes, names = level_codes(bars.index, "symbol")
        dates = bars.index.get_level_values("date")
        session = pd.DatetimeIndex(dates) if timeframe == DAILY else session_of(pd.DatetimeIndex(dates), calendar, timeframe)
        order = np.lexsort((days(dates), codes))
        symbol, stamps = codes[order].astype(np.int64), days(session)[order]
        # Of a session's bars, which follow each other, one row remains; of daily bars every one.
        starts = np.flatnonzero((np.diff(symbol, prepend=-1) != 0) | (np.diff(stamps, prepend=stamps[:1] - 1) != 0))
        dollars = None
        if with_volume:
            traded = (bars["close"].to_numpy(np.float64) * bars["volume"].to_numpy(np.float64))[order]
            dollars = np.add.reduceat(traded, starts) if len(starts) else traded
        symbol = symbol[starts]
        begins = np.flatnonzero(np.diff(symbol, prepend=-1))
        age = np.arange(len(symbol)) - np.repeat(begins, np.diff(begins, append=len(symbol)))
        judged_at = np.arange(len(symbol)) if timeframe == DAILY else np.where(age > 0, np.arange(len(symbol)) - 1, -1)
        sessions = pd.DatetimeIndex(stamps[starts].astype("datetime64[us]"))
        return cls(pd.Index(names), order[starts], symbol, age, sessions, dollars, judged_at)

    def usual_dollars(self, window: int) -> FloatArray:
        """Median dollar volume of the window that ends where each row is judged; NaN before there are so many rows."""
        median = pd.Series(self.dollars).rolling(window, min_periods=window).median().to_numpy(copy=True)
        # The window slides over all symbols in one go: the first ones of a symbol reach into the one before it.
        median[self.age < window - 1] = np.nan
        return np.where(self.judged_at >= 0, median[self.judged_at], np.nan)

    def ends_of_runs(self, member: BoolArray) -> tuple[IntArray, IntArray]:
        """First and last row of every unbroken run of members within a symbol."""
        is_new = np.diff(self.symbol, prepend=-1) != 0
        before = np.concatenate([[False], member[:-1]]) & ~is_new
        after = np.concatenate([member[1:] & ~is_new[1:], [False]])
        return np.flatnonzero(member & ~before), np.flatnonzero(member & ~after)


def _require_dollars(bars: pd.DataFrame, adjustment: str) -> None:
    if "volume" not in bars:
        raise ConfigError(
            f"data.universe.min_dollar_volume needs volumes, but the bars carry only {name_few(bars.columns)}: "
            "set it to 0, or bring volumes."
        )
    if adjustment == "total_return":
        raise ConfigError(
            "data.universe.min_dollar_volume needs prices that were seen at the time, but these are adjusted for total return, and later "
            "dividends have lowered them: set it to 0, or bring prices as traded or adjusted for splits."
        )
