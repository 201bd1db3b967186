"""The rows of bars ordered by symbol, then date: where each symbol starts, and what its closes are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.market._calendar import days
from touchstone.types import FloatArray, IntArray

__all__ = ["SymbolRows"]


@dataclass(frozen=True)
class SymbolRows:
    """Rows ordered by symbol, then date, and where each symbol starts."""

    symbols: pd.Index
    order: IntArray
    starts: IntArray
    dates: IntArray
    closes: FloatArray

    @classmethod
    def of(cls, bars: pd.DataFrame) -> SymbolRows:
        codes, symbols = pd.factorize(bars.index.get_level_values("symbol"), sort=True)
        dates = days(bars.index.get_level_values("date"))
        order = np.lexsort((dates, codes))
        starts = np.searchsorted(codes[order], np.arange(len(symbols) + 1))
        closes = bars["close"].to_numpy(dtype=np.float64)[order]
        return cls(pd.Index(symbols), order, starts, dates[order], closes)

    def row_at(self, symbol: int, day: int) -> int:
        """First row of the symbol whose date is not before the day; the row after its last where there is none."""
        lo, hi = self.starts[symbol], self.starts[symbol + 1]
        return int(lo + np.searchsorted(self.dates[lo:hi], day))

    def running_product(self, steps: FloatArray, base: FloatArray) -> FloatArray:
        """Multiply the steps of each symbol in date order from its base, and put the rows back into the bars' order."""
        result = np.empty(len(steps))
        for symbol, factor in enumerate(base):
            rows = slice(self.starts[symbol], self.starts[symbol + 1])
            factors = steps[rows].copy()
            factors[0] = factor
            result[self.order[rows]] = np.multiply.accumulate(factors)
        return result
