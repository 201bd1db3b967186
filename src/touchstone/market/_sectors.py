"""Which sector a symbol belonged to, and when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.market._calendar import days
from touchstone.market._schemas import validate
from touchstone.market._universe import on_one_clock
from touchstone.types import IntArray

__all__ = ["UNKNOWN_SECTOR", "Sectors"]

UNKNOWN_SECTOR = "unknown"


@dataclass(frozen=True, eq=False)
class Sectors:
    """Sectors by date.

    Parameters
    ----------
    frame : DataFrame
        ``symbol, sector, start, end``: sessions, or moments as in `Universe`; both ends belong to the span; spans of one symbol must
        not overlap. ``unknown`` is a sector like any other.

    Raises
    ------
    DataError
        A frame that breaks the schema of ``sectors``.
    """

    frame: pd.DataFrame

    def __post_init__(self) -> None:
        validate("sectors", self.frame)

    def at(self, index: pd.MultiIndex) -> pd.Series:
        """Give the sector of each row of a (date, symbol) index.

        Returns
        -------
        Series, the given index, str, name "sector"
            ``unknown`` where no span covers the row's date. Known at the date as far as the table's spans were.
        """
        rows = self.frame.sort_values(["symbol", "start"], kind="stable", ignore_index=True)
        symbols = pd.Index(rows["symbol"].unique())
        span_owner, owner = symbols.get_indexer(rows["symbol"]), symbols.get_indexer(index.get_level_values("symbol"))
        when = days(index.get_level_values("date"))
        starts, ends = on_one_clock(when, days(rows["start"]), days(rows["end"]))
        # Spans of a symbol do not overlap: the last that has begun is the only one that can cover a date. One past the last row of
        # the table stands for no span at all.
        place = _last_begun(span_owner, starts, owner, when)
        covers = (np.append(span_owner, -1)[place] == owner) & (when <= np.append(ends, -1)[place])
        place[~covers] = len(rows)
        names = np.append(rows["sector"].to_numpy(dtype=object), UNKNOWN_SECTOR)
        return pd.Series(names[place], index=index, name="sector", dtype="str")


def _last_begun(span_owner: IntArray, starts: IntArray, owners: IntArray, when: IntArray) -> IntArray:
    """Position of the last span whose (owner, start) is not after each row's (owner, date); -1 where there is none."""
    keys = np.concatenate([span_owner, owners])
    times = np.concatenate([starts, when])
    is_row = np.concatenate([np.zeros(len(starts), dtype=np.bool_), np.ones(len(when), dtype=np.bool_)])
    order = np.lexsort((is_row, times, keys))
    begun = np.cumsum(~is_row[order]) - 1
    place = np.empty(len(order), dtype=np.int64)
    place[order] = begun
    return place[len(starts) :]
