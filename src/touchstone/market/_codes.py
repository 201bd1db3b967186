"""Rows of a (date, symbol) index as numbers: at millions of rows, names are looked up once and never spelt out."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd

from touchstone.types import IntArray

__all__ = ["last_bars", "level_codes"]


def level_codes(index: pd.Index, level: str) -> tuple[IntArray, pd.Index]:
    """Position of each row among the sorted values of a level that occur, and these values."""
    table = cast("pd.MultiIndex", index)
    at = table.names.index(level)
    codes, values = table.codes[at], table.levels[at]
    used = np.flatnonzero(np.bincount(codes, minlength=len(values)))
    used = used[values[used].argsort()]
    position = np.zeros(len(values), dtype=np.int64)
    position[used] = np.arange(len(used))
    return position[codes], values[used]


def last_bars(bars: pd.DataFrame) -> pd.Series:
    """Latest date with a close, by symbol, sorted; a symbol without any is left out."""
    index = bars.index[bars["close"].notna().to_numpy()]
    date, dates = level_codes(index, "date")
    symbol, symbols = level_codes(index, "symbol")
    last = np.zeros(len(symbols), dtype=np.int64)
    np.maximum.at(last, symbol, date)
    return pd.Series(dates.to_numpy()[last].astype("datetime64[us]"), index=pd.Index(symbols, dtype="str"))
