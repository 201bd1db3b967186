"""Who belongs to the market, and when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.market._calendar import days
from touchstone.types import BoolArray

__all__ = ["Universe"]


@dataclass(frozen=True, eq=False)
class Universe:
    """Point-in-time membership.

    Parameters
    ----------
    frame : DataFrame
        ``symbol, start, end``; both ends are members; a symbol may come back in another row.
    """

    frame: pd.DataFrame

    def mask(self, index: pd.Index) -> BoolArray:
        """Tell which rows of a (date, symbol) index belong to the universe on their date, in the order of the index."""
        codes, symbols = pd.factorize(index.get_level_values("symbol"), sort=True)
        when = days(index.get_level_values("date"))
        order = np.lexsort((when, codes))
        bounds = np.searchsorted(codes[order], np.arange(len(symbols) + 1))
        when = when[order]
        change = np.zeros(len(index) + 1, dtype=np.int64)
        wanted = pd.Index(symbols).get_indexer(pd.Index(self.frame["symbol"]))
        for code, start, end in zip(wanted, days(self.frame["start"]), days(self.frame["end"]), strict=True):
            if code >= 0:
                lo, hi = bounds[code], bounds[code + 1]
                change[lo + np.searchsorted(when[lo:hi], start)] += 1
                change[lo + np.searchsorted(when[lo:hi], end, side="right")] -= 1
        inside = np.empty(len(index), dtype=np.bool_)
        inside[order] = np.cumsum(change)[:-1] > 0
        return inside
