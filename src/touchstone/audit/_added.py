"""Rows that nobody has seen, dated after a cut."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd

from touchstone.audit._tables import NEVER, Place, TimedTable
from touchstone.types import BoolArray, IntArray

__all__ = ["added_news", "added_spans", "with_added_bars"]

# Of the sessions after the cut on which a symbol has no bar, how many get one, and rows added at most.
_FILLED, _AT_MOST = 0.3, 20_000
_SAMPLE = 400
_DAY = 86_400_000_000


def with_added_bars(
    table: TimedTable, changed: pd.DataFrame, keep: BoolArray, limits: IntArray, random: np.random.Generator
) -> pd.DataFrame:
    """Fill some sessions after the cut on which a symbol had no bar with a bar like its last one; no session is added."""
    index, symbols = table.frame.index, table.symbol
    if not isinstance(index, pd.MultiIndex) or set(index.names) != {"date", "symbol"} or symbols is None:
        return changed
    session, symbol = _empty_cells(table, symbols, limits, random)
    if not len(session):
        return changed
    template = np.zeros(len(symbols.labels), dtype=np.int64)
    template[symbols.codes] = np.arange(len(table.frame))
    here = (table.position * len(symbols.labels) + symbols.codes)[keep]
    # Rows that are sorted by date and symbol stay so; others get the new ones at their end.
    sorted_rows = bool(np.all(np.diff(here) > 0))
    before = np.searchsorted(here, session * len(symbols.labels) + symbol) if sorted_rows else np.full(len(session), len(here))
    columns = {}
    for name in changed.columns:
        copied = table.frame[name].to_numpy()[template[symbol]]
        is_float = copied.dtype.kind == "f"
        columns[name] = np.insert(changed[name].to_numpy(), before, copied * random.uniform(1.2, 2.5, len(copied)) if is_float else copied)
    codes = {"date": np.insert(table.position[keep], before, session), "symbol": np.insert(symbols.codes[keep], before, symbol)}
    levels: dict[str, pd.Index] = {"date": _dates(table, index), "symbol": symbols.labels}
    names = [str(name) for name in index.names]
    # The codes come from the table itself: checking them again would cost as much as the rest.
    made = pd.MultiIndex([levels[name] for name in names], [codes[name] for name in names], names=names, verify_integrity=False)  # type: ignore[misc]
    return pd.DataFrame(columns, index=made, copy=False)


def added_news(table: TimedTable, changed: pd.DataFrame, limits: IntArray, random: np.random.Generator) -> pd.DataFrame:
    """Rows like those of the table, all their dates moved so that they become known in the forty days after the cut."""
    limit = limits[table.owner]
    able = np.flatnonzero((limit != NEVER) & (table.known != NEVER))
    if not len(able) or "known_at" in table.frame.index.names:
        return changed
    chosen = np.sort(random.choice(able, min(len(able), max(_SAMPLE, len(limits))), replace=False))
    # Whole days, so that a date without a time of day stays one.
    days = -((table.known[chosen] - limit[chosen]) // _DAY) + random.integers(1, 40, len(chosen))
    rows = table.frame.iloc[chosen]
    dates = rows.columns[[pd.api.types.is_datetime64_any_dtype(kind) for kind in rows.dtypes]]
    floats = rows.columns[[pd.api.types.is_float_dtype(kind) for kind in rows.dtypes]]
    moved = {name: rows[name] + days.astype("timedelta64[D]").astype("timedelta64[s]") for name in dates}
    moved |= {name: rows[name] * random.uniform(0.4, 0.9, len(rows)) for name in floats}
    both = pd.concat([changed, rows.assign(**moved)], ignore_index=isinstance(table.frame.index, pd.RangeIndex))
    keys = rows.columns.difference([*dates, *floats]).tolist()
    return both[~_spoils(table.frame, both, [[*keys, name] for name in dates])]


def _spoils(frame: pd.DataFrame, both: pd.DataFrame, keys: list[list[str]]) -> BoolArray:
    """Rows that stand there twice by a key that told the rows of the table apart: who computes from it may rely on that."""
    spoils = np.zeros(len(both), dtype=np.bool_)
    for key in keys:
        if not frame.duplicated(key).any():
            spoils |= both.duplicated(key).to_numpy()
    return spoils


def added_spans(changed: pd.DataFrame, limit: IntArray, random: np.random.Generator) -> pd.DataFrame:
    """Some symbols come back after their last span and after the cut."""
    if changed.empty or "symbol" not in changed.columns:
        return changed
    last = changed.assign(limit=limit).sort_values("end", kind="stable").groupby("symbol", sort=True).tail(1)
    last = last[(last["limit"] < NEVER).to_numpy() & (random.random(len(last)) < _FILLED) & last["end"].notna().to_numpy()]
    if last.empty:
        return changed
    cut = last["limit"].to_numpy().astype("datetime64[us]").astype(last["start"].to_numpy().dtype)
    starts = np.maximum(last["end"].to_numpy(), cut) + random.integers(1, 40, len(last)).astype("timedelta64[D]")
    ends = starts + random.integers(1, 400, len(last)).astype("timedelta64[D]")
    back = last.drop(columns="limit").assign(start=starts, end=ends).astype(changed.dtypes.to_dict())
    return pd.concat([changed, back], ignore_index=True)


def _empty_cells(table: TimedTable, symbols: Place, limits: IntArray, random: np.random.Generator) -> tuple[IntArray, IntArray]:
    """Sessions and symbols without a row, after the symbol's cut, sorted by both."""
    owner = np.full(len(symbols.labels), -1, dtype=np.int64)
    owner[symbols.codes] = table.owner
    is_empty = table.sessions[:, None] > limits[owner][None, :]
    is_empty[table.position, symbols.codes] = False
    is_empty[:, np.bincount(symbols.codes, minlength=len(owner)) == 0] = False
    cells = np.flatnonzero(is_empty)
    cells = cells[random.random(len(cells)) < min(_FILLED, _AT_MOST / max(len(cells), 1))]
    session, symbol = np.divmod(cells, is_empty.shape[1])
    return session.astype(np.int64), symbol.astype(np.int64)


def _dates(table: TimedTable, index: pd.MultiIndex) -> pd.DatetimeIndex:
    unit = cast("pd.DatetimeIndex", index.levels[index.names.index("date")]).unit
    return pd.DatetimeIndex(table.sessions.astype("datetime64[us]")).as_unit(unit)
