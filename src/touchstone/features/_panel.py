"""Bars on a grid of sessions and symbols, and panels of it: one contiguous row of sessions per symbol and field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from touchstone import market
from touchstone.errors import DataError, moment, name_few
from touchstone.features import _layout_kernels as kernels
from touchstone.features._feature import BENCHMARK_RETURNS
from touchstone.types import FloatArray, IntArray

__all__ = ["Block", "Grid", "Source", "locate"]

# Some feeds know a bar's close and volume but not its range: what needs the range is then missing on that bar.
_REQUIRED = ("close", "volume")
# To take six columns one by one takes longer than half of alpha158 for five symbols; to copy a small table whole does not.
_SMALL = 10_000
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

    @property
    def row_of(self) -> NDArray[np.int32]:
        """Row of the bars of each symbol and session, -1 where there is none; shape (n_symbols, n_sessions)."""
        return self._laid_out[0]

    @property
    def born(self) -> IntArray:
        """Position of each symbol's first session."""
        return self._laid_out[1]

    @cached_property
    def _laid_out(self) -> tuple[NDArray[np.int32], IntArray]:
        row_of = np.empty((len(self.symbols), len(self.sessions)), dtype=np.int32)
        born = np.empty(len(self.symbols), dtype=np.int64)
        kernels.lay_out(self.symbol_of, self.session_of, row_of, born)
        return row_of, born


def locate(bars: pd.DataFrame, calendar: str | None, timeframe: str = "1d") -> Grid:
    """Lay the rows of the bars out on sessions and symbols.

    The sessions are those of the calendar between the first and the last bar, or without one every date that has a bar; with an
    intraday timeframe each "session" of the panels is one bar of that width.

    Raises
    ------
    DataError
        No rows, another index than (date, symbol), dates that are text or carry a time zone, dates that go backwards, rows twice,
        a field twice, a date that is no session.
    """
    if bars.empty or not isinstance(bars.index, pd.MultiIndex) or list(bars.index.names) != ["date", "symbol"]:
        raise DataError(
            f"Features need bars with rows on an index (date, symbol), got {len(bars)} rows on {list(bars.index.names)}: "
            "ingest them first or set the index."
        )
    if not bars.columns.is_unique:
        twice = name_few(sorted(map(str, bars.columns[bars.columns.duplicated()])))
        raise DataError(f"Every field of the bars must stand in one column, but {twice} stands in several: drop the others.")
    dates, sessions = _axis(bars.index, "date")
    # Text would be put in the order of its letters, and a zone would be another clock than the tables'.
    if sessions.dtype.kind != "M" or isinstance(sessions.dtype, pd.DatetimeTZDtype):
        raise DataError(
            f"The dates of bars must be datetime64 without a time zone, got {sessions.dtype}: turn them with pandas.to_datetime."
        )
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


@dataclass(frozen=True)
class Source:
    """What panels are made of: the rows of the bars and where they stand.

    Attributes
    ----------
    grid
        Layout of ``bars`` and ``adjusted``, which have the same rows.
    bars, adjusted
        Prices as they came, for what was traded, and adjusted forward, for everything else.
    benchmark
        ``close`` by date; its returns are those between consecutive sessions of the grid.
    """

    grid: Grid
    bars: pd.DataFrame
    adjusted: pd.DataFrame
    benchmark: pd.DataFrame
    _columns: dict[tuple[str, str], FloatArray] = field(default_factory=dict, repr=False)

    def column(self, name: str, *, traded: bool = False) -> FloatArray:
        """One field of every row, float64, once it is known to be fit."""
        key = ("traded" if traded else "adjusted", name)
        if key not in self._columns:
            values = self._whole if not traded or self.adjusted is self.bars else {}
            bars = self.bars if traded else self.adjusted
            self._columns[key] = _fit(bars, name, values[name] if name in values else bars[name].to_numpy(np.float64))
        return self._columns[key]

    @cached_property
    def _whole(self) -> dict[str, FloatArray]:
        """Every adjusted field of a small table of numbers, taken at once."""
        bars = self.adjusted
        if len(bars) > _SMALL or set(bars.dtypes.tolist()) != {np.dtype(np.float64)}:
            return {}
        return dict(zip(bars.columns, bars.to_numpy().T, strict=True))

    def panel(self, name: str) -> FloatArray:
        """One adjusted field as a panel of all symbols and sessions."""
        panel = np.empty(self.grid.row_of.shape)
        kernels.gather(self.column(name), self.grid.row_of, panel)
        return panel

    @cached_property
    def benchmark_returns(self) -> FloatArray:
        """Simple returns of the benchmark, shape (n_sessions,); NaN where a close is missing."""
        return _returns(self.benchmark["close"].reindex(self.grid.sessions).to_numpy(np.float64))


class Block:
    """Panels of a few symbols over a span of sessions, made when they are first asked for."""

    def __init__(self, source: Source, symbols: IntArray, sessions: slice) -> None:
        self._source = source
        self._symbols, self._sessions = symbols, sessions
        self._row_of = source.grid.row_of[symbols, sessions]
        self._panels: dict[str, FloatArray] = {}

    def panel(self, name: str) -> FloatArray:
        """The panel of one input that features declare, shape (n_symbols, n_sessions) of the block, NaN where a symbol has no bar.

        ``benchmark_returns`` has shape (n_sessions,).
        """
        if name not in self._panels:
            made = _DERIVATIONS.get(name)
            self._panels[name] = self._gathered(name) if made is None else made(self)
        return self._panels[name]

    def _gathered(self, name: str, *, traded: bool = False) -> FloatArray:
        panel = np.empty(self._row_of.shape)
        kernels.gather(self._source.column(name, traded=traded), self._row_of, panel)
        return panel

    def _benchmark(self) -> FloatArray:
        return self._source.benchmark_returns[self._sessions]

    def _age(self) -> FloatArray:
        sessions = np.arange(self._sessions.start, self._sessions.stop, dtype=np.float64)
        age: FloatArray = np.maximum(sessions - self._source.grid.born[self._symbols][:, None] + 1.0, 0.0)
        return age

    def _traded_value(self) -> FloatArray:
        return self._gathered("close", traded=True) * self._gathered("volume", traded=True)

    def _price_impact(self) -> FloatArray:
        traded = self.panel("traded_value")
        # A session without trades has no impact to measure.
        return np.abs(self.panel("returns")) / np.where(traded > 0.0, traded, np.nan)

    def _log_volume_ratio(self) -> FloatArray:
        volume = self.panel("volume")
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(volume / _previous(volume) + 1.0)


_DERIVATIONS: dict[str, Callable[[Block], FloatArray]] = {
    "returns": lambda block: _returns(block.panel("close")),
    "previous_close": lambda block: _previous(block.panel("close")),
    "log_volume": lambda block: np.log(block.panel("volume") + 1.0),
    "log_volume_ratio": Block._log_volume_ratio,
    "high_low_range": lambda block: block.panel("high") / block.panel("low") - 1.0,
    "traded_value": Block._traded_value,
    "price_impact": Block._price_impact,
    "age": Block._age,
    BENCHMARK_RETURNS: Block._benchmark,
}


def _axis(index: pd.MultiIndex, level: str) -> tuple[IntArray, pd.Index]:
    """Sorted values of a level that are in use, and the position of each row on them."""
    at = index.names.index(level)
    codes, values = index.codes[at], index.levels[at]
    if np.any(codes < 0):
        raise DataError(f"Every bar must have a {level}, but {np.sum(codes < 0)} of {len(codes)} rows have none: quarantine those rows.")
    used = np.flatnonzero(np.bincount(codes, minlength=len(values)))
    if values.is_monotonic_increasing:
        # As nearly all are, and to sort five names takes as long as ten features of them.
        if len(used) == len(values):
            return codes.astype(np.int64), values
    else:
        used = used[values[used].argsort()]
    position = np.zeros(len(values), dtype=np.int64)
    position[used] = np.arange(len(used))
    return position[codes], values[used]


def _fit(bars: pd.DataFrame, name: str, values: FloatArray) -> FloatArray:
    # NaN compares false, so it is caught too; a price must be above zero, a volume may be zero.
    fit = (values >= 0.0 if name == "volume" else values > 0.0) & (values < np.inf)
    if name not in _REQUIRED:
        fit |= np.isnan(values)
    if not fit.all():
        shown = zip(bars.index[~fit], values[~fit], strict=True)
        offenders = name_few(f"{value} of {symbol} on {moment(date)}" for (date, symbol), value in shown)
        raise DataError(f"'{name}' must be {_rule(name)} in every bar, got {offenders}: quarantine those rows or drop the field.")
    return values


def _rule(name: str) -> str:
    return "there, finite and above zero" if name in _REQUIRED else "finite and above zero, or NaN,"


def _previous(values: FloatArray) -> FloatArray:
    previous = np.full_like(values, np.nan)
    previous[..., 1:] = values[..., :-1]
    return previous


def _returns(close: FloatArray) -> FloatArray:
    return close / _previous(close) - 1.0
