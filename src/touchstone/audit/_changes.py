"""The same tables with another future, or with less of a past."""

from __future__ import annotations

import numpy as np
import pandas as pd

from touchstone.audit._added import added_news, added_spans, with_added_bars
from touchstone.audit._tables import NEVER, Tables, TimedTable
from touchstone.types import BoolArray, FloatArray, IntArray

__all__ = ["limits_of", "perturb", "since", "truncate"]

# Rows that another future lacks. Of a history one symbol in five loses many and the others few: gaps cost time to compute on.
_DROPPED, _MANY, _FEW = 0.2, 0.5, 0.01
_DAY = 86_400_000_000


def limits_of(cut: int, tables: Tables) -> IntArray:
    """One cut, in microseconds, for every symbol, and at the end for what speaks of no single one."""
    return np.full(len(tables.symbols) + 1, cut, dtype=np.int64)


def truncate(tables: Tables, limits: IntArray) -> dict[str, pd.DataFrame]:
    """Keep of every table what was known at the cut of the symbol that it speaks of."""
    return {table.name: _truncated(table, limits) for table in tables.each}


def perturb(tables: Tables, limits: IntArray, *, seed: int, dropped: float = _DROPPED) -> dict[str, pd.DataFrame]:
    """Change all that became known after the cut of its symbol: every number, which rows are there, and rows that were not."""
    changed = {}
    for number, table in enumerate(sorted(tables.each, key=lambda table: table.name)):
        random = np.random.default_rng([seed, int(limits.min() % 2**31), number])
        changed[table.name] = _perturbed(table, limits, dropped, random)
    return {table.name: changed[table.name] for table in tables.each}


def since(tables: Tables, start: int) -> Tables:
    """Histories without what lies before a session; news, memberships and sectors stand as they were."""
    return Tables(tuple(table.rows(table.known >= start) if table.rule == "history" else table for table in tables.each), tables.symbols)


def _truncated(table: TimedTable, limits: IntArray) -> pd.DataFrame:
    later = _later(table, limits)
    kept = table.frame if not later.any() else table.frame[~later]
    if table.rule != "spans":
        return kept
    # A span that is still open at the cut has no known end.
    ends, limit = kept["end"].to_numpy(), limits[table.owner][~later]
    return kept.assign(end=np.where(_is_open(ends, limit), _as_dates(limit, ends), ends))


def _perturbed(table: TimedTable, limits: IntArray, dropped: float, random: np.random.Generator) -> pd.DataFrame:
    later = _later(table, limits)
    if table.rule == "always":
        return table.frame
    if table.rule == "spans":
        return _other_spans(table, limits, later, dropped, random)
    keep = ~later | (random.random(len(later)) >= _shares(table, dropped, random))
    kept, level = later[keep], _levels(table, random)[keep]
    numbers = {name: _other_numbers(table.frame[name].array[keep], kept, level, random) for name in table.frame.columns}
    changed = pd.DataFrame(numbers, index=table.frame.index[keep], columns=table.frame.columns, copy=False)
    if table.rule == "history":
        return with_added_bars(table, changed, keep, limits, random)
    return added_news(table, changed, limits, random)


def _shares(table: TimedTable, dropped: float, random: np.random.Generator) -> FloatArray:
    """How likely each row is to be dropped."""
    if not dropped or table.rule != "history" or not table.has_symbols:
        return np.full(len(table.frame), dropped)
    of_symbol = np.where(random.random(int(table.owner.max()) + 2) < dropped, _MANY, _FEW)
    return np.asarray(of_symbol[table.owner])


def _later(table: TimedTable, limits: IntArray) -> BoolArray:
    """Rows that were not yet known at the cut of their symbol."""
    later = table.known > limits[table.owner]
    if table.rule == "history" and table.has_symbols:
        # With a cut for each symbol a session may lose all its rows while a window of another symbol reaches across it.
        kept = np.bincount(table.position[~later], minlength=len(table.sessions)) > 0
        needed = table.sessions <= limits[:-1].max()
        later &= ~(needed & ~kept)[table.position]
    return later


def _levels(table: TimedTable, random: np.random.Generator) -> FloatArray:
    """What each row is about multiplied by. A symbol moves to another level: prices that leap every day take longer to compute on.

    Levels grow while amounts that are announced (a dividend, a loss on delisting) shrink, so that they stay possible together.
    """
    if table.rule == "history" and table.has_symbols:
        return np.asarray(random.uniform(1.3, 2.3, int(table.owner.max()) + 2)[table.owner])
    return random.uniform(*((1.3, 2.3) if table.rule == "history" else (0.42, 0.87)), len(table.frame))


def _other_numbers(
    values: pd.api.extensions.ExtensionArray, later: BoolArray, level: FloatArray, random: np.random.Generator
) -> np.ndarray | pd.api.extensions.ExtensionArray:
    if not pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
        return values
    numbers = np.asarray(values).copy()
    noise = level[later] * random.uniform(0.97, 1.03, int(later.sum()))
    moved = np.where(numbers[later] == 0, noise, numbers[later] * noise)
    # A whole number moves by at least one.
    numbers[later] = moved if numbers.dtype.kind == "f" else np.where(moved.round() == numbers[later], numbers[later] + 1, moved.round())
    return numbers


def _other_spans(table: TimedTable, limits: IntArray, later: BoolArray, dropped: float, random: np.random.Generator) -> pd.DataFrame:
    """Open spans end elsewhere; later ones that would overlap with them are gone, and the others say something else."""
    frame, limit = table.frame, limits[table.owner]
    starts, ends = frame["start"].to_numpy(), frame["end"].to_numpy().copy()
    is_open = ~later & _is_open(ends, limit)
    ends[is_open] = _as_dates(limit[is_open] + random.integers(1, 500, int(is_open.sum())) * _DAY, ends)
    changed = frame.assign(end=np.maximum(ends, starts))
    for column in frame.columns.difference(["symbol", "start", "end"]):
        values = changed[column].array.copy()
        values[later] = values[random.permutation(np.flatnonzero(later))]
        changed = changed.assign(**{column: values})
    keep = ~later | ((random.random(len(later)) >= dropped) & ~_overlapped(table, changed, is_open))
    return added_spans(changed[keep], limit[keep], random)


def _overlapped(table: TimedTable, changed: pd.DataFrame, is_open: BoolArray) -> BoolArray:
    if table.symbol is None or not is_open.any():
        return np.zeros(len(changed), dtype=np.bool_)
    reach = np.full(len(table.symbol.labels) + 1, -NEVER, dtype=np.int64)
    ends = changed["end"].to_numpy().astype("datetime64[us]").astype(np.int64)
    np.maximum.at(reach, table.symbol.codes[is_open], ends[is_open])
    return np.asarray(changed["start"].to_numpy().astype("datetime64[us]").astype(np.int64) <= reach[table.symbol.codes])


def _is_open(ends: np.ndarray, limit: IntArray) -> BoolArray:
    """NaT is no end that lies ahead."""
    return np.asarray((ends.astype("datetime64[us]").astype(np.int64) > limit) & ~np.isnat(ends))


def _as_dates(moments: IntArray, like: np.ndarray) -> np.ndarray:
    return moments.astype("datetime64[us]").astype(like.dtype)
