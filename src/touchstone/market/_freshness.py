"""How far the last bars lie behind the last one that is over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.errors import DataError, moment, name_few
from touchstone.market._calendar import DAILY, bar_times, days, last_complete_bar, session_of, sessions
from touchstone.market._codes import last_bars
from touchstone.market._moments import at_bars
from touchstone.market._schemas import empty_table
from touchstone.types import BoolArray, IntArray

__all__ = ["Freshness", "expected_bar", "freshness"]

# No exchange of exchange_calendars stays closed for longer.
_LONGEST_BREAK = pd.Timedelta(days=366)


@dataclass(frozen=True, eq=False)
class Freshness:
    """Whether the bars reach as far as they should.

    Attributes
    ----------
    last_seen : Timestamp
        Latest bar of any symbol; NaT without bars.
    expected : Timestamp
        The bar that should be there.
    lagging : DataFrame
        ``symbol, last_bar, sessions, minutes`` of the symbols beyond a limit, the furthest behind first. `last_bar` is NaT for a member
        that never had a bar; then `sessions` and `minutes` are NaN. `minutes` is NaN without a limit in minutes.
    n_checked : int
        Symbols that must be fresh.
    max_age_sessions, max_age_minutes : int or None
        The limits; None for no limit.
    is_market_stale : bool
        Whether even `last_seen` lies beyond a limit.
    """

    last_seen: pd.Timestamp
    expected: pd.Timestamp
    lagging: pd.DataFrame
    n_checked: int
    max_age_sessions: int | None
    max_age_minutes: int | None
    is_market_stale: bool

    @property
    def passed(self) -> bool:
        """Whether no symbol that must be fresh lies beyond a limit, nor the market as a whole."""
        return self.lagging.empty and not self.is_market_stale

    def raise_when_stale(self) -> None:
        """Stop what would compute with old bars.

        Raises
        ------
        DataError
            Names the last bar seen, the one expected and at most five symbols that lag.
        """
        if self.passed:
            return
        limits = ((self.max_age_sessions, "session"), (self.max_age_minutes, "minute of trading"))
        allowed = " and ".join(_count(limit, unit) for limit, unit in limits if limit is not None)
        seen = "there is none" if pd.isna(self.last_seen) else f"the last one seen is {moment(self.last_seen)}"
        raise DataError(
            f"Bars may lie {allowed} behind the calendar, but {seen} where {moment(self.expected)} is expected{self._laggards()}: "
            "bring newer bars (touchstone refresh), state when a symbol left (universe, delisting), or raise the limit."
        )

    def _laggards(self) -> str:
        if self.lagging.empty:
            return ""
        rows = zip(self.lagging["symbol"], self.lagging["last_bar"], strict=True)
        named = name_few(f"{symbol} ({'no bar' if pd.isna(last) else moment(last)})" for symbol, last in rows)
        return f", and {len(self.lagging)} of {self.n_checked} symbols lag, {named}"


def freshness(
    bars: pd.DataFrame,
    *,
    calendar: str,
    expected: pd.Timestamp,
    timeframe: str = DAILY,
    max_age_sessions: int | None = None,
    max_age_minutes: int | None = None,
    universe: pd.DataFrame | None = None,
    actions: pd.DataFrame | None = None,
    symbols: tuple[str, ...] = (),
) -> Freshness:
    """Hold the last bar of the market and of every symbol against the one that is expected.

    Age is counted in the exchange's own time, so that nights, weekends and holidays age nothing: the sessions, and the minutes of
    trading, that lie after a bar and not after the expected one. A daily bar stands for its session's close.

    Which symbols must be fresh: with a stated `universe` its members whose span reaches the latest bar of the market, without one every
    symbol; never one that was delisted after its last bar.

    Parameters
    ----------
    bars : DataFrame, index (date, symbol)
        In any order; a row without a close is no bar.
    calendar : str
    expected : Timestamp
        As `expected_bar` gives it; this function reads no clock.
    timeframe : {"1m", "5m", "15m", "30m", "1h", "1d"}
    max_age_sessions, max_age_minutes : int, optional
        0 asks for the expected bar itself; None is no limit.
    universe : DataFrame, optional
        ``symbol, start, end``: membership that the source or a table *states*. Spans that were read off the bars end with them and
        would excuse every symbol.
    actions : DataFrame, optional
        ``symbol, ex_date, kind``, for delistings.
    symbols : tuple of str
        Those that were asked for; empty: all.

    Returns
    -------
    Freshness
    """
    last = last_bars(bars)
    last = last[last.index.isin(symbols)] if symbols else last
    last_seen = pd.Timestamp(last.max()) if len(last) else pd.Timestamp("NaT")
    spans = None if universe is None else at_bars(universe, pd.DatetimeIndex([*last, expected]), calendar=calendar, timeframe=timeframe)
    names = _who(last, spans, expected, symbols)
    required = _still_listed(last.reindex(pd.Index(sorted(names), dtype="str")), expected, actions)
    limits = {"sessions": max_age_sessions, "minutes": max_age_minutes}
    stamps = pd.Series([*required, last_seen]).astype("datetime64[us]")
    ages = pd.DataFrame({"symbol": [*required.index, ""], "last_bar": stamps})
    ages["sessions"] = _sessions_behind(stamps, expected, calendar, timeframe)
    ages["minutes"] = np.nan if max_age_minutes is None else _minutes_behind(stamps, expected, calendar, timeframe)
    late = np.zeros(len(ages), dtype=np.bool_)
    for unit, limit in limits.items():
        if limit is not None:
            late |= ~(ages[unit] <= limit).to_numpy()
    lagging = ages[:-1][late[:-1]].sort_values(["last_bar", "symbol"], na_position="first", ignore_index=True)
    return Freshness(
        last_seen, expected, lagging.astype({"symbol": "str"}), len(required), max_age_sessions, max_age_minutes, bool(late[-1])
    )


def expected_bar(calendar: str, timeframe: str = DAILY, *, at: pd.Timestamp, end: pd.Timestamp | None = None) -> pd.Timestamp:
    """Name the last bar that should be there: the last one that is over at a moment, or the last of the span asked for if that is earlier.

    Parameters
    ----------
    calendar : str
    timeframe : {"1m", "5m", "15m", "30m", "1h", "1d"}
    at : Timestamp
        In UTC; naive is read as UTC.
    end : Timestamp, optional
        Last session asked for.

    Returns
    -------
    Timestamp, naive

    Raises
    ------
    ConfigError
        Unknown calendar or timeframe, or no session within the year before.
    """
    complete = last_complete_bar(calendar, timeframe, at)
    if end is None or session_of(pd.DatetimeIndex([complete]), calendar, timeframe)[0] <= end:
        return complete
    session = sessions(calendar, end - _LONGEST_BREAK, end)[-1]
    return pd.Timestamp(bar_times(calendar, session, session, timeframe)[-1])


def _who(last: pd.Series, universe: pd.DataFrame | None, expected: pd.Timestamp, symbols: tuple[str, ...]) -> set[str]:
    """Symbols that must be fresh unless they were delisted."""
    asked = set(symbols)
    if universe is None or universe.empty:
        return set(last.index) | asked
    seen = last.max() if len(last) else expected
    members = set(universe.loc[(universe["start"] <= expected) & (universe["end"] >= seen), "symbol"])
    return members & asked if asked else members


def _still_listed(last: pd.Series, expected: pd.Timestamp, actions: pd.DataFrame | None) -> pd.Series:
    """The last bars without those of symbols that were delisted after them."""
    gone = empty_table("actions") if actions is None else actions[actions["kind"] == "delisting"]
    ends = gone[gone["ex_date"] <= expected].groupby("symbol")["ex_date"].max().reindex(last.index)
    delisted: BoolArray = (ends.notna() & ~(last > ends)).to_numpy()
    return last[~delisted]


def _sessions_behind(stamps: pd.Series, expected: pd.Timestamp, calendar: str, timeframe: str) -> pd.Series:
    if stamps.isna().all():
        return pd.Series(np.nan, index=stamps.index)
    # Intraday bars need their hours: a session may begin the evening before its date.
    start = min(stamps.min(), expected).normalize() - pd.Timedelta(days=7)
    grid = bar_times(calendar, start, expected + pd.Timedelta(days=1), timeframe)
    number = pd.factorize(session_of(grid, calendar, timeframe))[0]
    return _behind(stamps, number[np.maximum(_place(grid, stamps) - 1, 0)], number[_place(grid, pd.Series([expected]))[0] - 1])


def _minutes_behind(stamps: pd.Series, expected: pd.Timestamp, calendar: str, timeframe: str) -> pd.Series:
    if stamps.isna().all():
        return pd.Series(np.nan, index=stamps.index)
    grid = bar_times(calendar, min(stamps.min(), expected).normalize() - pd.Timedelta(days=7), expected + pd.Timedelta(days=1), "1m")
    over = session_of(grid, calendar, "1m") if timeframe == DAILY else grid
    return _behind(stamps, _place(over, stamps), _place(over, pd.Series([expected]))[0])


def _place(grid: pd.DatetimeIndex, stamps: pd.Series) -> IntArray:
    return np.searchsorted(days(grid), days(stamps), side="right").astype(np.int64)


def _behind(stamps: pd.Series, place: IntArray, expected: int) -> pd.Series:
    """How far each place lies before the expected one; a bar beyond it is no younger than fresh, one that never was has no age."""
    return pd.Series(np.maximum(expected - place, 0).astype(np.float64), index=stamps.index).where(stamps.notna())


def _count(limit: int, unit: str) -> str:
    first, *rest = unit.split(" ", 1)
    return " ".join([str(limit), first if limit == 1 else f"{first}s", *rest])
