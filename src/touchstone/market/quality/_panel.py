"""Sound rows as one line of prices per symbol, with what recorded actions explain taken out of the moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.market._calendar import DAILY, days, session_of
from touchstone.market.quality._findings import fields_of
from touchstone.market.quality._kernels import own_scales, running_shift
from touchstone.market.quality._keys import Keys
from touchstone.types import BoolArray, FloatArray, IntArray

__all__ = ["Panel"]

# Of a recorded price after over before: a payment of all that a share is worth is a mistake in the record.
_LEAST_RATIO = 1e-4


@dataclass(frozen=True, eq=False)
class Panel:
    """Sound rows by symbol, then bar.

    Attributes
    ----------
    rows
        Row number in the raw bars.
    starts
        First row of each symbol in the panel, and the end; ``(n_symbols + 1,)``.
    code, bar
        Symbol and bar of each row.
    close, open
        Logs of prices. A recorded action shifts all later ones so that it is no move, if that makes the move on its ex-date smaller: prices
        may be adjusted for it already. Without opens `open` is `close`.
    is_border
        Whether the row is the first of its session, in bars shorter than a day: the move to it holds the night.
    is_opening
        Of each bar in the keys' `times`: whether it is the first of its session, in bars shorter than a day.
    scale, gap_scale
        Robust standard deviation of each symbol's moves (columns: within sessions, across their border) and of its moves from a close to
        the next open; NaN where it has too few moves.
    """

    keys: Keys
    rows: IntArray
    starts: IntArray
    code: IntArray
    bar: IntArray
    close: FloatArray
    open: FloatArray
    is_border: BoolArray
    is_opening: BoolArray
    scale: FloatArray
    gap_scale: FloatArray
    has_opens: bool

    @classmethod
    def of(cls, raw: pd.DataFrame, keys: Keys, is_sound: BoolArray, actions: pd.DataFrame | None) -> Panel:
        """Line up the sound rows; each key stands once among them."""
        rows = np.flatnonzero(is_sound)
        key = keys.key[rows]
        if not (np.diff(key) > 0).all():
            rows = rows[np.argsort(key, kind="stable")]
        code, bar = keys.code[rows], keys.bar[rows]
        starts = np.searchsorted(code, np.arange(len(keys.symbols) + 1)).astype(np.int64)
        fields = fields_of(raw, ("open", "close"))
        close = np.log(fields["close"][rows])
        opened = np.log(fields["open"][rows]) if "open" in fields else close
        sessions = keys.times if keys.timeframe == DAILY else session_of(keys.times, keys.calendar, keys.timeframe)
        if actions is not None and len(actions):
            shift = running_shift(close, starts, _expected_moves(close, _action_rows(keys, starts, bar, sessions, actions)))
            close, opened = close + shift, opened + shift
        session = np.zeros(len(keys.times), dtype=np.int64) if keys.timeframe == DAILY else days(sessions)
        is_border = _borders(code, session[bar])
        scale, gap_scale = own_scales(close, opened, starts, is_border)
        return cls(
            keys=keys,
            rows=rows,
            starts=starts,
            code=code,
            bar=bar,
            close=close,
            open=opened,
            is_border=is_border,
            is_opening=np.diff(session, prepend=session[:1]) > 0,
            scale=scale,
            gap_scale=gap_scale,
            has_opens="open" in fields,
        )


def _borders(code: IntArray, session: IntArray) -> BoolArray:
    is_border = np.zeros(len(code), dtype=np.bool_)
    is_border[1:] = (code[1:] == code[:-1]) & (session[1:] != session[:-1])
    return is_border


def _action_rows(keys: Keys, starts: IntArray, bar: IntArray, sessions: pd.DatetimeIndex, actions: pd.DataFrame) -> pd.DataFrame:
    """Recorded actions with the panel row at which each shows: the symbol's first one not before the ex-date."""
    code = keys.symbols.get_indexer(pd.Index(actions["symbol"]))
    wanted = actions.assign(code=code)[(code >= 0) & (actions["kind"] != "delisting").to_numpy()]
    code = wanted["code"].to_numpy()
    # The panel ascends by symbol, then bar, and so does this one number.
    n_bars = len(keys.times) + 1
    line = np.repeat(np.arange(len(starts) - 1), np.diff(starts)) * n_bars + bar
    ex_bar = np.searchsorted(days(sessions), days(wanted["ex_date"]))
    row = np.searchsorted(line, code * n_bars + ex_bar)
    inside = (row > starts[code]) & (row < starts[code + 1])
    return wanted.assign(row=row)[inside]


def _expected_moves(close: FloatArray, actions: pd.DataFrame) -> FloatArray:
    """Log of the price after the actions of a row over the last close; nought where there are none."""
    ratio = np.ones(len(close))
    is_split = (actions["kind"] == "split").to_numpy()
    rows, values = actions["row"].to_numpy(), actions["value"].to_numpy()
    np.divide.at(ratio, rows[is_split], values[is_split])
    np.subtract.at(ratio, rows[~is_split], values[~is_split] / np.exp(close[rows[~is_split] - 1]))
    return np.log(np.maximum(ratio, _LEAST_RATIO))
