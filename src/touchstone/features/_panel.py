"""Bars as symbol-major panels: one contiguous row of sessions per symbol and field."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone import market
from touchstone.errors import DataError, moment, name_few
from touchstone.features._feature import BENCHMARK_RETURNS
from touchstone.types import FloatArray, IntArray

__all__ = ["Grid", "fill_panels", "locate"]

# A session may open the evening before its date in UTC and close after it.
_NIGHT = pd.Timedelta(days=2)


@dataclass(frozen=True)
class Grid:
    """Where each row of the bars stands.

    Attributes
    ----------
    sessions, symbols
        Axes of the panels, sorted.
    session_of, symbol_of
        Positions on them of each row of the bars.
    """

    sessions: pd.DatetimeIndex
    symbols: pd.Index
    session_of: IntArray
    symbol_of: IntArray


def locate(bars: pd.DataFrame, calendar: str | None, timeframe: str = "1d") -> Grid:
    """Lay the rows of the bars out on sessions and symbols.

    The sessions are those of the calendar between the first and the last bar, or without one every date that has a bar; with an
    intraday timeframe each "session" of the panels is one bar of that width.

    Raises
    ------
    DataError
        No rows, another index than (date, symbol), dates that go backwards, rows twice, a date that is no session.
    """
    if bars.empty or not isinstance(bars.index, pd.MultiIndex) or list(bars.index.names) != ["date", "symbol"]:
        raise DataError(
            f"Features need bars with rows on an index (date, symbol), got {len(bars)} rows on {list(bars.index.names)}: "
            "ingest them first or set the index."
        )
    dates, sessions = _axis(bars.index, "date")
    names, symbols = _axis(bars.index, "symbol")
    if np.any(np.diff(dates * len(symbols) + names) <= 0):
        raise DataError("Bars must be sorted by date, then symbol, with no row twice, but a date or symbol goes backwards: ingest them.")
    given = pd.DatetimeIndex(sessions)
    if calendar is None:
        return Grid(given, symbols, dates, names)
    known = market.bar_times(calendar, given[0] - _NIGHT, given[-1] + _NIGHT, timeframe)
    known = known[(known >= given[0]) & (known <= given[-1])]
    position = known.get_indexer(given)
    if np.any(position < 0):
        offenders = name_few(moment(date) for date in given[position < 0])
        what = "a session" if timeframe == "1d" else f"a {timeframe} bar"
        raise DataError(f"Every date of the bars must be {what} of {calendar}, got {offenders}: quarantine them or name another calendar.")
    return Grid(known, symbols, position.astype(np.int64)[dates], names)


def fill_panels(
    grid: Grid, bars: pd.DataFrame, adjusted: pd.DataFrame, benchmark: pd.DataFrame, names: Iterable[str]
) -> dict[str, FloatArray]:
    """The panels that the kernels ask for.

    Parameters
    ----------
    grid
        Layout of ``bars`` and ``adjusted``, which have the same rows.
    bars, adjusted
        Prices as they came, for what was traded, and adjusted forward, for everything else.
    benchmark
        ``close`` by date; its returns are those between consecutive sessions of the grid.
    names
        Inputs that features declare.

    Returns
    -------
    dict
        Panels of shape (n_symbols, n_sessions), NaN where a symbol has no bar; ``benchmark_returns`` of shape (n_sessions,).
    """

    def derive(name: str) -> FloatArray:
        if name == BENCHMARK_RETURNS:
            return _returns(benchmark["close"].reindex(grid.sessions).to_numpy(np.float64))
        if name == "returns":
            return _returns(_scatter(grid, adjusted, "close"))
        if name == "high_low_range":
            return _scatter(grid, adjusted, "high") / _scatter(grid, adjusted, "low") - 1.0
        if name == "price_impact":
            return _price_impact(derive("returns"), _scatter(grid, bars, "close") * _scatter(grid, bars, "volume"))
        return _scatter(grid, adjusted, name)

    return {name: derive(name) for name in sorted(set(names))}


def _axis(index: pd.MultiIndex, level: str) -> tuple[IntArray, pd.Index]:
    """Sorted values of a level that are in use, and the position of each row on them."""
    at = index.names.index(level)
    codes, values = index.codes[at], index.levels[at]
    if np.any(codes < 0):
        raise DataError(f"Every bar must have a {level}, but {np.sum(codes < 0)} of {len(codes)} rows have none: quarantine those rows.")
    used = np.flatnonzero(np.bincount(codes, minlength=len(values)))
    used = used[values[used].argsort()]
    position = np.zeros(len(values), dtype=np.int64)
    position[used] = np.arange(len(used))
    return position[codes], values[used]


def _scatter(grid: Grid, bars: pd.DataFrame, field: str) -> FloatArray:
    values = bars[field].to_numpy(np.float64)
    # NaN compares false, so it is caught too; a price must be above zero, a volume may be zero.
    unfit = ~(values >= 0.0 if field == "volume" else values > 0.0)
    if unfit.any():
        shown = zip(bars.index[unfit], values[unfit], strict=True)
        offenders = name_few(f"{value} of {symbol} on {moment(date)}" for (date, symbol), value in shown)
        raise DataError(f"'{field}' must be there and above zero in every bar, got {offenders}: quarantine those rows or drop the field.")
    panel = np.full((len(grid.symbols), len(grid.sessions)), np.nan)
    panel[grid.symbol_of, grid.session_of] = values
    return panel


def _returns(close: FloatArray) -> FloatArray:
    returns = np.full_like(close, np.nan)
    np.divide(close[..., 1:], close[..., :-1], out=returns[..., 1:])
    returns[..., 1:] -= 1.0
    return returns


def _price_impact(returns: FloatArray, traded: FloatArray) -> FloatArray:
    # A session without trades has no impact to measure.
    return np.abs(returns) / np.where(traded > 0.0, traded, np.nan)
