"""Tables into the arrays of the loop: prices by session and symbol, orders by session, events in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from touchstone.backtest import _kernels
from touchstone.errors import ConfigError, DataError, moment, name_few, nearest
from touchstone.types import FloatArray, IntArray

__all__ = ["Events", "Orders", "Prices", "plan_events", "plan_orders", "read_prices"]

_KINDS = {"split": _kernels.SPLIT, "dividend": _kernels.DIVIDEND, "spinoff": _kernels.DIVIDEND, "delisting": _kernels.DELISTING}


@dataclass(frozen=True)
class Prices:
    """Closes and fill prices, shape (n_sessions, n_symbols), NaN where a symbol has no bar."""

    sessions: pd.DatetimeIndex
    symbols: pd.Index
    close: FloatArray
    fill: FloatArray
    fills_at_close: bool

    def since(self, row: int) -> Prices:
        """The same from a session on."""
        return Prices(self.sessions[row:], self.symbols, self.close[row:], self.fill[row:], self.fills_at_close)


class Orders(NamedTuple):
    """For every session the row of weights that is filled on it, -1 for none; and the weights."""

    numbers: IntArray
    weights: FloatArray


class Events(NamedTuple):
    """What happens to holdings over night, sorted by session, then kind."""

    session: IntArray
    symbol: IntArray
    kind: IntArray
    value: FloatArray


def read_prices(bars: pd.DataFrame, symbols: pd.Index, fill: str) -> Prices:
    """Spread the bars of the symbols over all sessions of the market."""
    if fill not in ("next_close", "next_open", "same_close"):
        raise ConfigError(f"fill must be known, but got '{fill}': {nearest(fill, ('next_close', 'next_open', 'same_close'))}.")
    index = _checked_index(bars, fill)
    date_codes, sessions = _codes(index, 0)
    symbol_codes, known = _codes(index, 1)
    symbols = pd.Index(symbols, dtype="str", name="symbol")
    columns = known.get_indexer(symbols)
    if (columns < 0).any():
        unknown = symbols[columns < 0]
        raise DataError(f"Target weights must name symbols of the bars, but got {name_few(unknown)}: drop them or bring their bars.")
    wanted = np.full(len(known), -1)
    wanted[columns] = np.arange(len(symbols))
    cells = _Cells(date_codes, wanted[symbol_codes], (len(sessions), len(symbols)))
    close = cells.spread(bars, "close")
    at_close = fill != "next_open"
    return Prices(pd.DatetimeIndex(sessions, name="date"), symbols, close, close if at_close else cells.spread(bars, "open"), at_close)


def plan_orders(target_weights: pd.DataFrame, sessions: pd.DatetimeIndex, fill: str) -> Orders:
    """Put each decision on the session of its fill; one decided on the last session is not filled any more."""
    decided = sessions.get_indexer(target_weights.index)
    if (decided < 0).any():
        strays = [moment(date) for date in target_weights.index[decided < 0]]
        raise DataError(f"Decisions must fall on sessions of the bars, but got {name_few(strays)}: move them to a session.")
    filled = decided if fill == "same_close" else decided + 1
    inside = filled < len(sessions)
    if not inside.any():
        raise DataError(f"A fill needs a session after the decision, but the bars end on {moment(sessions[-1])}: bring later bars.")
    if filled[0] == 0:
        raise DataError(
            f"The account opens on the session before the first fill, but the bars begin with it on {moment(sessions[0])}: "
            "decide one session later or bring one earlier bar."
        )
    numbers = np.full(len(sessions), -1, dtype=np.int64)
    numbers[filled[inside]] = np.flatnonzero(inside)
    return Orders(numbers, np.ascontiguousarray(target_weights.to_numpy(dtype=np.float64)))


def plan_events(actions: pd.DataFrame | None, prices: Prices) -> Events:
    """Put each action on the first session at or after its ex date, and close what has no bars any more.

    Bars that end early without a delisting would leave the money in a mark that never moves again: such a holding is
    sold at its last close on the session after, as a trade with its costs.
    """
    table = _known_actions(actions, prices.symbols)
    session = prices.sessions.searchsorted(table["ex_date"].to_numpy(), side="left")
    symbol = prices.symbols.get_indexer(pd.Index(table["symbol"], dtype="str"))
    kind = table["kind"].map(_KINDS).to_numpy(dtype=np.int64)
    value = table["value"].to_numpy(dtype=np.float64)
    n_sessions = len(prices.sessions)
    delisted = np.full(len(prices.symbols), -1)
    closing = (kind == _kernels.DELISTING) & (session < n_sessions)
    np.maximum.at(delisted, symbol[closing], session[closing])
    last_bar = n_sessions - 1 - np.argmax(~np.isnan(prices.close[::-1]), axis=0)
    ended = np.flatnonzero((last_bar < n_sessions - 1) & (delisted <= last_bar))
    session = np.concatenate([session, last_bar[ended] + 1])
    symbol = np.concatenate([symbol, ended])
    kind = np.concatenate([kind, np.full(len(ended), _kernels.BARS_ENDED)])
    value = np.concatenate([value, np.zeros(len(ended))])
    order = np.lexsort((symbol, kind, session))
    # On the opening session nothing is held yet, and earlier ex dates fall on it.
    order = order[(session[order] > 0) & (session[order] < n_sessions)]
    return Events(session[order].astype(np.int64), symbol[order].astype(np.int64), kind[order].astype(np.int64), value[order])


class _Cells:
    """Where each row of the bars lies in the panel; rows of other symbols are left out."""

    def __init__(self, rows: IntArray, columns: IntArray, shape: tuple[int, int]) -> None:
        self._wanted = columns >= 0
        self._flat = (rows * shape[1] + columns)[self._wanted]
        self._shape = shape
        if len(self._flat) and np.bincount(self._flat).max() > 1:
            raise DataError("Bars must hold one row per date and symbol, but some repeat: run touchstone.market.check on them.")

    def spread(self, bars: pd.DataFrame, field: str) -> FloatArray:
        panel = np.full(self._shape[0] * self._shape[1], np.nan)
        values = bars[field].to_numpy(dtype=np.float64)[self._wanted]
        if not (values > 0.0).all() or np.isinf(values).any():
            bad = bars.index[self._wanted][~((values > 0.0) & np.isfinite(values))]
            raise DataError(f"Prices must be positive numbers, but {field} is not at {name_few(bad)}: ingest the bars first.")
        panel[self._flat] = values
        return panel.reshape(self._shape)


def _codes(index: pd.MultiIndex, level: int) -> tuple[IntArray, pd.Index]:
    """Codes into the sorted values that occur; an index cut from a larger one keeps levels that do not."""
    used = index.remove_unused_levels()
    values = used.levels[level]
    order = np.argsort(values.to_numpy(), kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return place[used.codes[level]], values[order]


def _checked_index(bars: pd.DataFrame, fill: str) -> pd.MultiIndex:
    index = bars.index
    if not isinstance(index, pd.MultiIndex) or list(index.names) != ["date", "symbol"]:
        raise DataError(f"Bars must be indexed by (date, symbol), but got {list(bars.index.names)}: set that index.")
    if "close" not in bars:
        raise DataError(f"Bars must carry 'close', but got {name_few(bars.columns)}: bring closes.")
    if bars.empty:
        raise DataError("A backtest needs bars, but got none: check the span and the symbols.")
    if fill == "next_open" and "open" not in bars:
        raise DataError(
            f"fill 'next_open' needs the column 'open', but the bars carry {name_few(bars.columns)}: "
            "set backtest.fill (and labels.fill) to 'next_close', or bring bars with opens."
        )
    return index


def _known_actions(actions: pd.DataFrame | None, symbols: pd.Index) -> pd.DataFrame:
    if actions is None:
        return pd.DataFrame({"symbol": pd.Series(dtype="str"), "ex_date": pd.Series(dtype="datetime64[us]"), "kind": [], "value": []})
    strange = sorted(set(actions["kind"]) - set(_KINDS))
    if strange:
        raise DataError(f"Actions must be of a known kind, but got '{strange[0]}': {nearest(strange[0], _KINDS)}.")
    table = actions[actions["symbol"].isin(symbols)].astype({"ex_date": "datetime64[us]", "value": "float64"})
    value = table["value"]
    bad = table[~np.isfinite(value) | ((table["kind"] == "split") & (value <= 0.0)) | ((table["kind"] == "delisting") & (value < -1.0))]
    if len(bad):
        offenders = [f"{row.symbol} {row.kind} {moment(row.ex_date)} {row.value}" for row in bad.itertuples()]
        raise DataError(f"A split must be above 0, a delisting return at least -1, every value finite, but got {name_few(offenders)}.")
    return table
