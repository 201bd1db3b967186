"""Who belongs to the market, and when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.market._calendar import days
from touchstone.market._codes import level_codes
from touchstone.types import BoolArray, IntArray

__all__ = ["Universe", "session_days"]

_DAY = 86_400_000_000  # microseconds


@dataclass(frozen=True, eq=False)
class Universe:
    """Point-in-time membership.

    Parameters
    ----------
    frame : DataFrame
        ``symbol, start, end``: sessions, both ends are members (a time of day counts as its day); a symbol may come back in another
        row.
    """

    frame: pd.DataFrame

    def mask(self, index: pd.Index) -> BoolArray:
        """Tell which rows of a (date, symbol) index belong to the universe on their date, in the order of the index.

        Whether a row belongs depends on the spans that contain it and on no other row. Where the index carries times of day, a row
        belongs to its day in UTC, a close at midnight to the day before.
        """
        when = session_days(days(index.get_level_values("date")))
        codes, symbols = level_codes(index, "symbol")
        known = np.unique(when)
        width = len(known) + 1
        key = codes * width + np.searchsorted(known, when)
        order = np.argsort(key, kind="stable")
        owner = symbols.get_indexer(pd.Index(self.frame["symbol"]))
        named = owner >= 0
        # A row stands after as many starts and as many ends of its symbol as lie before it: it is inside when more began.
        begins = owner * width + np.searchsorted(known, _floor(days(self.frame["start"])), side="left")
        ends = owner * width + np.searchsorted(known, _floor(days(self.frame["end"])), side="right")
        change = np.zeros(len(index) + 1, dtype=np.int64)
        np.add.at(change, np.searchsorted(key[order], begins[named]), 1)
        np.add.at(change, np.searchsorted(key[order], ends[named]), -1)
        inside = np.empty(len(index), dtype=np.bool_)
        inside[order] = np.cumsum(change)[:-1] > 0
        return inside


def session_days(when: IntArray) -> IntArray:
    """Dates as they are; times of day by the day on which the bar was traded."""
    return _floor(when - 1) if np.any(when % _DAY) else when


def _floor(when: IntArray) -> IntArray:
    return when // _DAY * _DAY
