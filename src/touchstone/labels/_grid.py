"""Rows on (date, symbol) laid out as a grid of sessions by symbols."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.types import FloatArray, IntArray

__all__ = ["Grid"]


@dataclass(frozen=True)
class Grid:
    """The sessions and symbols of an index, and the cell of every row.

    Attributes
    ----------
    dates : DatetimeIndex, shape (n_sessions,)
        The market's sessions: sorted union of the rows' dates.
    symbols : Index, shape (n_symbols,)
    session, asset : int64 arrays, shape (n_rows,)
        Positions of each row's date in `dates` and of its symbol in `symbols`.
    """

    dates: pd.DatetimeIndex
    symbols: pd.Index[str]
    session: IntArray
    asset: IntArray

    @classmethod
    def of(cls, index: pd.MultiIndex) -> Grid:
        session, dates = pd.factorize(index.get_level_values("date"), sort=True)
        asset, symbols = pd.factorize(index.get_level_values("symbol"), sort=True)
        return cls(pd.DatetimeIndex(dates).as_unit("us"), pd.Index(symbols), session.astype(np.int64), asset.astype(np.int64))

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.dates), len(self.symbols)

    def scatter(self, values: FloatArray) -> FloatArray:
        """The grid of one column, shape (n_sessions, n_symbols); NaN where there is no row."""
        panel = np.full(self.shape, np.nan)
        panel[self.session, self.asset] = values
        return panel

    def session_at_or_after(self, dates: pd.Series) -> IntArray:
        """Number of the first session on or after each date; n_sessions when the grid ends before it."""
        return self.dates.searchsorted(pd.DatetimeIndex(dates).as_unit("us"), side="left").astype(np.int64)
