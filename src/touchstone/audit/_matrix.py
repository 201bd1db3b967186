"""A computed frame as bits, columns contiguous, and where its rows stand on sessions and symbols."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from touchstone.audit._tables import coded, stamps
from touchstone.errors import DataError, name_few
from touchstone.types import BoolArray, IntArray

__all__ = ["Axes", "Matrix"]

# Rows that are looked at before all are.
_PEEK = 65_536
_INTEGERS = {np.dtype(np.float32): np.int32, np.dtype(np.float64): np.int64}


@dataclass(frozen=True)
class Axes:
    """What rows are placed on: every session and symbol that the frames of an audit speak of.

    Attributes
    ----------
    sessions
        Microseconds since 1970, sorted.
    """

    sessions: IntArray
    symbols: pd.Index

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.sessions), len(self.symbols)


@dataclass(frozen=True)
class Matrix:
    """A frame on (date, symbol), and its rows in numbers.

    Attributes
    ----------
    session, symbol
        Position of each row on the axes, -1 off them.
    """

    frame: pd.DataFrame
    axes: Axes
    session: IntArray
    symbol: IntArray

    @classmethod
    def of(cls, frame: pd.DataFrame, axes: Axes) -> Matrix:
        """Place the rows of a frame.

        Raises
        ------
        DataError
            An index other than (date, symbol), or a row twice.
        """
        dates, names = _levels(frame)
        at = axes.sessions.searchsorted(dates[0])
        at[at == len(axes.sessions)] = 0
        known = np.where(axes.sessions[at] == dates[0], at, -1) if len(axes.sessions) else np.full(len(dates[0]), -1)
        made = cls(frame, axes, known[dates[1]].astype(np.int64), axes.symbols.get_indexer(names[0])[names[1]].astype(np.int64))
        made._refuse_twice()
        return made

    @cached_property
    def numbers(self) -> NDArray[Any]:
        """Shape (n_columns, n_rows), float32 where every column is, or else float64; a view where pandas keeps columns contiguous."""
        kind = np.float32 if all(dtype == np.float32 for dtype in self.frame.dtypes) else np.float64
        return np.ascontiguousarray(self.frame.to_numpy(kind).T)

    def bits(self, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Values of a floating type as integers of its width."""
        return self.numbers.astype(dtype, copy=False).view(_INTEGERS[dtype])

    @property
    def is_placed(self) -> BoolArray:
        """Rows that stand on both axes."""
        return (self.session >= 0) & (self.symbol >= 0)

    @property
    def cell(self) -> IntArray:
        """Number of each row's cell in the table of sessions by symbols; only for rows that are placed."""
        return self.session * len(self.axes.symbols) + self.symbol

    @cached_property
    def row_of(self) -> NDArray[np.int32]:
        """Row of each cell, -1 where there is none."""
        rows = np.full(self.axes.shape[0] * self.axes.shape[1], -1, dtype=np.int32)
        placed = np.flatnonzero(self.is_placed)
        rows[self.cell[placed]] = placed
        return rows

    @cached_property
    def present(self) -> BoolArray:
        """Which symbols have a row at which session, shape (n_sessions, n_symbols)."""
        return (self.row_of >= 0).reshape(self.axes.shape)

    def begins(self) -> IntArray:
        """Session of the first value of each column that has one."""
        in_order = bool(np.all(self.session[1:] >= self.session[:-1]))
        firsts = [_first(column, self.session, in_order) for column in self.numbers]
        return np.array([first for first in firsts if first >= 0], dtype=np.int64)

    def _refuse_twice(self) -> None:
        placed = self.is_placed
        twice = np.bincount(self.cell[placed], minlength=1) > 1
        if twice.any():
            offenders = name_few(f"{symbol} on {date}" for date, symbol in self.frame.index[self.frame.index.duplicated()])
            raise DataError(f"The audit compares rows by date and symbol, but some stand there twice: {offenders}; drop them.")


def _levels(frame: pd.DataFrame) -> tuple[tuple[IntArray, IntArray], tuple[pd.Index, IntArray]]:
    if list(frame.index.names) != ["date", "symbol"]:
        raise DataError(f"The audit compares frames on an index (date, symbol), got {list(frame.index.names)}: set the index.")
    places = coded(frame, "date"), coded(frame, "symbol")
    dates, names = (place for place in places if place is not None)
    return (stamps(dates.labels), dates.codes), (names.labels, names.codes)


def _first(column: NDArray[Any], session: IntArray, in_order: bool) -> int:
    """Earliest session with a value, -1 where there is none; of rows in order it looks at no more than it must."""
    if in_order:
        for start, stop in pairwise((0, _PEEK, len(column))):
            rows = np.flatnonzero(~np.isnan(column[start:stop]))
            if len(rows):
                return int(session[start + rows[0]])
        return -1
    rows = np.flatnonzero(~np.isnan(column))
    return int(session[rows].min()) if len(rows) else -1
