"""Who belongs to the market, and when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.market._calendar import days
from touchstone.market._codes import level_codes
from touchstone.types import BoolArray, IntArray

__all__ = ["Universe", "on_one_clock"]

_DAY = 86_400_000_000  # microseconds


@dataclass(frozen=True, eq=False)
class Universe:
    """Point-in-time membership.

    Parameters
    ----------
    frame : DataFrame
        ``symbol, start, end``: sessions, or moments in UTC as `at_bars` makes them of sessions; both ends are members. A symbol may
        come back in another row.
    """

    frame: pd.DataFrame

    def mask(self, index: pd.Index) -> BoolArray:
        """Tell which rows of a (date, symbol) index belong to the universe on their date, in the order of the index.

        Whether a row belongs depends on the spans that contain it and on no other row. Where the index carries times of day, a span's
        end with one is a moment, and one without is a whole day in UTC, a close at midnight counting for the day before: dates
        that are set on the clock of the bars are right for every exchange. Among sessions a time of day counts as its day.
        """
        when = days(index.get_level_values("date"))
        starts, ends = on_one_clock(when, days(self.frame["start"]), days(self.frame["end"]))
        codes, symbols = level_codes(index, "symbol")
        known = np.unique(when)
        width = len(known) + 1
        key = codes * width + np.searchsorted(known, when)
        order = np.argsort(key, kind="stable")
        owner = symbols.get_indexer(pd.Index(self.frame["symbol"]))
        named = owner >= 0
        # A row stands after as many starts and as many ends of its symbol as lie before it: it is inside when more began.
        begun = owner * width + np.searchsorted(known, starts, side="left")
        ended = owner * width + np.searchsorted(known, ends, side="right")
        change = np.zeros(len(index) + 1, dtype=np.int64)
        np.add.at(change, np.searchsorted(key[order], begun[named]), 1)
        np.add.at(change, np.searchsorted(key[order], ended[named]), -1)
        inside = np.empty(len(index), dtype=np.bool_)
        inside[order] = np.cumsum(change)[:-1] > 0
        return inside


def on_one_clock(when: IntArray, starts: IntArray, ends: IntArray) -> tuple[IntArray, IntArray]:
    """Both ends of spans as they compare with the stamps of rows: start <= stamp <= end, microseconds all."""
    if not np.any(when % _DAY):
        return starts // _DAY * _DAY, ends // _DAY * _DAY
    # A bar that closes at midnight was traded on the day before.
    return starts + (starts % _DAY == 0), ends + np.where(ends % _DAY == 0, _DAY, 0)
