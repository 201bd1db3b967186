"""Values of two computations side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from touchstone.audit._compare_kernels import differing
from touchstone.audit._matrix import Matrix
from touchstone.audit._report import LISTED, Outcome, listing
from touchstone.types import BoolArray, IntArray

__all__ = ["Scope", "compare"]

_ENDLESS = int(np.iinfo(np.int32).max)
# A mask that takes off the sign, and infinity, in the integers of both widths.
_BITS = {
    np.dtype(np.float32): np.array([0x7FFFFFFF, 0x7F800000], dtype=np.int32),
    np.dtype(np.float64): np.array([0x7FFFFFFFFFFFFFFF, 0x7FF0000000000000], dtype=np.int64),
}


@dataclass(frozen=True)
class Scope:
    """Which values must be equal.

    Attributes
    ----------
    check
        Name of the check.
    until
        Last session, a position, that counts for each symbol.
    columns
        Columns that count; all when None.
    cut
        What findings show as the cut of each symbol, microseconds.
    start
        First session that the second computation was given.
    lookback, partial
        As declared, where history was withheld: with less than its lookback a value may be NaN, of a partial column anything.
    """

    check: str
    until: IntArray
    cut: IntArray
    columns: frozenset[str] | None = None
    start: int = 0
    lookback: Mapping[str, int] | None = None
    partial: frozenset[str] = field(default_factory=frozenset)

    def needed(self, names: pd.Index) -> IntArray:
        given = self.lookback or {}
        return np.array([given.get(str(name), 0) for name in names], dtype=np.int64)

    def is_partial(self, names: pd.Index) -> BoolArray:
        return np.array([str(name) in self.partial for name in names], dtype=np.bool_)


def compare(expected: Matrix, observed: Matrix, scope: Scope) -> Outcome:
    """Count the values that differ in their bits; a row or column that one lacks is NaN."""
    names, columns = _columns(expected.frame.columns, observed.frame.columns, scope.columns)
    rows, session, symbol = _rows(expected, observed, scope)
    held = np.full(len(session), _ENDLESS, dtype=np.int32) if scope.lookback is None else (session - scope.start + 1).astype(np.int32)
    needed, partial = scope.needed(names), scope.is_partial(names)
    kind = np.promote_types(expected.numbers.dtype, observed.numbers.dtype)
    counts = np.zeros(len(names), dtype=np.int64)
    listed = np.zeros((len(names), LISTED), dtype=np.int64)
    differing(expected.bits(kind), observed.bits(kind), columns, rows, held, needed, partial, _BITS[kind], counts, listed)
    found = [
        listing(
            feature=str(names[c]),
            check=scope.check,
            symbol=expected.axes.symbols[symbol[some]],
            date=expected.axes.sessions[session[some]],
            cut=scope.cut[symbol[some]],
            expected=_shown(expected, columns[0, c], rows[0, some]),
            observed=_shown(observed, columns[1, c], rows[1, some]),
        )
        for c in np.flatnonzero(counts).tolist()
        for some in [listed[c, : counts[c]]]
    ]
    cuts = np.unique(scope.cut) if scope.lookback is None else np.empty(0, dtype=np.int64)
    return Outcome(scope.check, _n_compared(held, needed, partial), int(counts.sum()), tuple(found), cuts)


def _columns(left: pd.Index, right: pd.Index, chosen: frozenset[str] | None) -> tuple[pd.Index, IntArray]:
    names = left if left.equals(right) else left.append(right.difference(left))
    names = names if chosen is None else names[[str(name) in chosen for name in names]]
    return names, np.array([left.get_indexer(names), right.get_indexer(names)], dtype=np.int64)


def _rows(expected: Matrix, observed: Matrix, scope: Scope) -> tuple[NDArray[np.int32], IntArray, IntArray]:
    """Pairs of rows in the order of the second, then those that only the first has; with their sessions and symbols."""
    inside = np.flatnonzero(_counts(observed, scope))
    at = expected.row_of[observed.cell[inside]]
    lost = _counts(expected, scope)
    lost[at[at >= 0]] = False
    alone = np.flatnonzero(lost)
    none = np.full(len(alone), -1, dtype=np.int32)
    pairs = np.array([np.concatenate([at, alone]), np.concatenate([inside, none])], dtype=np.int32)
    session = np.concatenate([observed.session[inside], expected.session[alone]])
    return pairs, session, np.concatenate([observed.symbol[inside], expected.symbol[alone]])


def _counts(matrix: Matrix, scope: Scope) -> BoolArray:
    return matrix.is_placed & (matrix.session <= scope.until[matrix.symbol]) & (matrix.session >= scope.start)


def _n_compared(held: NDArray[np.int32], needed: IntArray, partial: BoolArray) -> int:
    """All pairs, but of partial columns those with a full lookback only."""
    full = {need: int((held >= need).sum()) for need in set(needed[partial].tolist())}
    return int((~partial).sum()) * len(held) + sum(full[need] for need in needed[partial].tolist())


def _shown(matrix: Matrix, column: int, rows: IntArray) -> NDArray[np.float64]:
    if column < 0:
        return np.full(len(rows), np.nan)
    return np.where(rows >= 0, matrix.numbers[column][np.maximum(rows, 0)], np.nan).astype(np.float64)
