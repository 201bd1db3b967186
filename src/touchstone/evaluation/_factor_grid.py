"""Rows on (date, symbol) as grids of sessions by symbols, sorted once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from touchstone.errors import DataError, name_few
from touchstone.evaluation._factor_kernels import bucket_rows, correlate_rows
from touchstone.types import FloatArray, IntArray

__all__ = ["Cells", "Sorted"]


@dataclass(frozen=True)
class Sorted:
    """A grid (n_sessions, n_symbols), NaN where there is nothing, with the columns of each row by value."""

    values: FloatArray
    order: IntArray

    @classmethod
    def of(cls, values: FloatArray) -> Sorted:
        return cls(values, np.argsort(values, axis=1))

    def correlations(self, other: Sorted) -> FloatArray:
        """(2, n_sessions): Spearman and Pearson across symbols, session by session."""
        out = np.empty((2, len(self.values)))
        correlate_rows(self.values, self.order, other.values, other.order, out)
        return out

    def rank_correlations(self, other: Sorted) -> FloatArray:
        """(n_sessions,): Spearman alone, for less."""
        out = np.empty((1, len(self.values)))
        correlate_rows(self.values, self.order, other.values, other.order, out)
        ranked: FloatArray = out[0]
        return ranked

    def lagged_correlations(self, lag: int) -> FloatArray:
        """Spearman of each session's values with those of `lag` sessions before; (n_sessions - lag,)."""
        if lag >= len(self.values):
            return np.empty(0)
        now, before = Sorted(self.values[lag:], self.order[lag:]), Sorted(self.values[:-lag], self.order[:-lag])
        return now.rank_correlations(before)

    def buckets(self, partner: FloatArray, n_buckets: int) -> NDArray[np.int8]:
        """The bucket of each cell among those of its session whose partner is there, 0 the lowest; -1 for none."""
        out = np.empty(self.values.shape, dtype=np.int8)
        bucket_rows(self.values, self.order, partner, n_buckets, out)
        return out


@dataclass(frozen=True, eq=False)
class Cells:
    """The cell of every row of an index.

    Attributes
    ----------
    index : MultiIndex (date, symbol), date-major
    dates : DatetimeIndex, shape (n_sessions,)
    session, asset : int64 arrays, shape (n_rows,)
    """

    index: pd.MultiIndex
    dates: pd.DatetimeIndex
    session: IntArray
    asset: IntArray

    @classmethod
    def of(cls, index: pd.Index) -> Cells:
        """Read an index.

        Raises
        ------
        DataError
            Not (date, symbol), not unique, empty, or dates that go backwards.
        """
        if not isinstance(index, pd.MultiIndex) or list(index.names) != ["date", "symbol"]:
            raise DataError(f"Features must be indexed by (date, symbol), but got {list(index.names)}: set that index.")
        if not len(index):
            raise DataError("Features are assessed on rows, but there are none: give a span with sessions.")
        session, dates = pd.factorize(index.get_level_values("date"), sort=True)
        asset, symbols = pd.factorize(index.get_level_values("symbol"), sort=True)
        if (np.diff(session) < 0).any() or np.unique(session * len(symbols) + asset).size < len(index):
            raise DataError("Features must be unique by (date, symbol) and date-major, but their rows are not: sort, and keep one of each.")
        return cls(index, pd.DatetimeIndex(dates, name="date"), session.astype(np.int64), asset.astype(np.int64))

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.dates), int(self.asset.max()) + 1

    @property
    def first_row(self) -> IntArray:
        """Position of the first row of each session, and the number of rows at the end."""
        return np.searchsorted(self.session, np.arange(len(self.dates) + 1)).astype(np.int64)

    def matched(self, values: pd.Series, what: str) -> FloatArray:
        """A series brought to the rows of the index as float64 (n_rows,); NaN where it has none.

        Raises
        ------
        DataError
            Infinite values.
        """
        given = values if values.index.equals(self.index) else values.reindex(self.index)
        numbers = given.to_numpy(dtype=np.float64)
        if np.isinf(numbers).any():
            raise DataError(f"{what} must be finite or NaN, but got {name_few(self.index[np.isinf(numbers)])} infinite: mend or drop them.")
        return numbers

    def grid(self, values: FloatArray) -> FloatArray:
        """One column as a grid, NaN where there is no row."""
        panel = np.full(self.shape, np.nan)
        panel[self.session, self.asset] = values
        return panel

    def above_median(self, values: pd.Series, what: str) -> FloatArray:
        """A grid with 1 where a value is above the median of its session, 0 where it is not, NaN where there is none."""
        numbers = self.matched(values, what)
        median = pd.Series(numbers).groupby(self.session).transform("median").to_numpy()
        return self.grid(np.where(np.isnan(numbers), np.nan, numbers > median))
