"""The bars as panels of the loop: prices, volumes and costs by session and symbol."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from touchstone.backtest._books import Market
from touchstone.backtest._costs import Costs
from touchstone.errors import ConfigError, DataError, name_few, nearest
from touchstone.types import BoolArray, FloatArray, IntArray

__all__ = ["FILLS", "Panels", "read_panels"]

FILLS = ("next_close", "next_open", "same_close")
_BPS = 1e-4


@dataclass(frozen=True)
class Panels:
    """The sessions of the market, the symbols that are traded, and what the loop reads of both."""

    sessions: pd.DatetimeIndex
    symbols: pd.Index
    market: Market

    def since(self, row: int) -> Panels:
        """The same from a session on."""
        return Panels(self.sessions[row:], self.symbols, Market(*(panel[row:] for panel in self.market)))


def read_panels(bars: pd.DataFrame, symbols: pd.Index, fill: str, costs: Costs, *, volume: bool, periods_per_year: float) -> Panels:
    """Spread what is needed of the bars over all sessions of the market; `volatility` is left for who knows the splits."""
    if fill not in FILLS:
        raise ConfigError(f"fill must be known, but got '{fill}': {nearest(fill, FILLS)}.")
    cells, sessions, symbols = _find_cells(bars, symbols, fill)
    close = cells.spread(bars, "close", positive=True)
    unused = np.empty((0, 0))
    rate = costs.column_multiplier * _BPS
    market = Market(
        close=close,
        fill=cells.spread(bars, "open", positive=True) if fill == "next_open" else close,
        volume=cells.spread(bars, "volume", positive=False) if volume else unused,
        half_spread=_carried(cells, bars, costs.half_spread_column, rate),
        borrow=_carried(cells, bars, costs.borrow_column, rate / periods_per_year),
        volatility=cells.spread(bars, costs.slippage.volatility_column, positive=False) if costs.slippage.volatility_column else unused,
    )
    return Panels(sessions, symbols, market)


def _find_cells(bars: pd.DataFrame, symbols: pd.Index, fill: str) -> tuple[_Cells, pd.DatetimeIndex, pd.Index]:
    index = _checked_index(bars, fill)
    date_codes, sessions = _codes(index, 0)
    symbol_codes, known = _codes(index, 1)
    symbols = pd.Index(symbols, dtype="str", name="symbol")
    columns = known.get_indexer(symbols)
    if (columns < 0).any():
        unknown = symbols[columns < 0]
        raise DataError(f"Target weights must name symbols of the bars, but got {name_few(unknown)}: drop them or bring their bars.")
    if len(columns) != len(known) or not (columns == np.arange(len(known))).all():
        wanted = np.full(len(known), -1)
        wanted[columns] = np.arange(len(symbols))
        symbol_codes = wanted[symbol_codes]
    cells = _Cells(date_codes, symbol_codes, (len(sessions), len(symbols)))
    return cells, pd.DatetimeIndex(sessions, name="date"), symbols


class _Cells:
    """Where each row of the bars lies in the panel; rows of other symbols are left out."""

    def __init__(self, rows: IntArray, columns: IntArray, shape: tuple[int, int]) -> None:
        self._flat = rows * shape[1] + columns
        self._wanted: BoolArray | None = None
        self._shape = shape
        if len(columns) and columns.min() < 0:
            self._wanted = columns >= 0
            self._flat = self._flat[self._wanted]
        taken = np.zeros(shape[0] * shape[1], dtype=np.bool_)
        taken[self._flat] = True
        if np.count_nonzero(taken) != len(self._flat):
            raise DataError("Bars must hold one row per date and symbol, but some repeat: run touchstone.market.check on them.")

    def spread(self, bars: pd.DataFrame, field: str, *, positive: bool) -> FloatArray:
        """One column as a panel, NaN where there is no bar; numbers above 0, or not below it."""
        if field not in bars:
            raise DataError(f"The bars must carry '{field}', but carry {name_few(bars.columns)}: bring it or switch off what uses it.")
        values = bars[field].to_numpy(dtype=np.float64)
        values = values if self._wanted is None else values[self._wanted]
        good = (values > 0.0 if positive else values >= 0.0) & (values < np.inf)
        if not good.all():
            self._refuse(bars, field, good, positive=positive)
        panel = np.full(self._shape[0] * self._shape[1], np.nan)
        panel[self._flat] = values
        return panel.reshape(self._shape)

    def _refuse(self, bars: pd.DataFrame, field: str, good: BoolArray, *, positive: bool) -> None:
        bad = (bars.index if self._wanted is None else bars.index[self._wanted])[~good]
        if field in ("open", "close"):
            raise DataError(f"Prices must be positive numbers, but {field} is not at {name_few(bad)}: ingest the bars first.")
        rule = "positive" if positive else "not below 0"
        raise DataError(f"'{field}' must be a number {rule} on every bar, but is not at {name_few(bad)}: mend those rows.")


def _carried(cells: _Cells, bars: pd.DataFrame, field: str | None, rate: float) -> FloatArray:
    """A column of basis points as fractions, carried over missing bars."""
    if field is None:
        return np.empty((0, 0))
    panel = cells.spread(bars, field, positive=False)
    panel *= rate
    for before, row in pairwise(panel):
        np.copyto(row, before, where=np.isnan(row))
    return panel


def _codes(index: pd.MultiIndex, level: int) -> tuple[IntArray, pd.Index]:
    """Codes into the sorted values that occur; an index cut from a larger one keeps levels that do not."""
    codes, values = np.asarray(index.codes[level]), index.levels[level]
    used = np.bincount(codes, minlength=len(values)) > 0
    if used.all() and values.is_monotonic_increasing:
        return codes.astype(np.int64), values
    order = np.argsort(values.to_numpy(), kind="stable")
    order = order[used[order]]
    place = np.full(len(values), -1, dtype=np.int64)
    place[order] = np.arange(len(order))
    return place[codes], values[order]


def _checked_index(bars: pd.DataFrame, fill: str) -> pd.MultiIndex:
    index = bars.index
    if not isinstance(index, pd.MultiIndex) or list(index.names) != ["date", "symbol"]:
        raise DataError(f"Bars must be indexed by (date, symbol), but got {list(bars.index.names)}: set that index.")
    if "close" not in bars:
        raise DataError(f"Bars must carry 'close', but got {name_few(bars.columns)}: bring closes.")
    if bars.empty:
        raise DataError("A backtest needs bars, but got none: check the span and the symbols.")
    if min(codes.min() for codes in index.codes) < 0:
        raise DataError("Bars must name a date and a symbol in every row, but some are missing: ingest the bars first.")
    if fill == "next_open" and "open" not in bars:
        raise DataError(
            f"fill 'next_open' needs the column 'open', but the bars carry {name_few(bars.columns)}: "
            "set backtest.fill (and labels.fill) to 'next_close', or bring bars with opens."
        )
    return index
