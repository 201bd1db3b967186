"""When each row of a table was known, and of whom it speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, nearest
from touchstone.types import BoolArray, IntArray

__all__ = ["NEVER", "Knowledge", "Place", "Tables", "TimedTable", "coded", "stamps"]

Knowledge: TypeAlias = Mapping[str, str | None]
# A row without a date was never known.
NEVER = int(np.iinfo(np.int64).max)
_MISSING = int(np.iinfo(np.int64).min)
_Rule = Literal["history", "news", "spans", "always"]


@dataclass(frozen=True)
class Place:
    """Positions of the rows of a table on sorted labels, -1 for a missing one."""

    labels: pd.Index
    codes: IntArray


@dataclass(frozen=True)
class TimedTable:
    """A table, and for each of its rows when it was known and of whom it speaks.

    Attributes
    ----------
    rule
        ``history``: known at its own date, as bars are; ``news``: at another column; ``spans``: at its start, its end once that has
        passed; ``always``.
    known
        Microseconds since 1970.
    owner
        Position on the audit's symbols; -1 where a row speaks of no single one of them.
    """

    name: str
    frame: pd.DataFrame
    rule: _Rule
    known: IntArray
    owner: IntArray
    symbol: Place | None

    @property
    def has_symbols(self) -> bool:
        """Whether rows speak of single symbols."""
        return bool((self.owner >= 0).any())

    def rows(self, kept: BoolArray) -> TimedTable:
        """Some of the rows."""
        at = np.flatnonzero(kept)
        symbol = None if self.symbol is None else Place(self.symbol.labels, self.symbol.codes[at])
        return TimedTable(self.name, self.frame.take(at), self.rule, self.known[at], self.owner[at], symbol)

    @cached_property
    def sessions(self) -> IntArray:
        """Sorted distinct dates of a history."""
        return self._by_session[0]

    @cached_property
    def position(self) -> IntArray:
        """Position of each row on `sessions`."""
        return self._by_session[1]

    @cached_property
    def _by_session(self) -> tuple[IntArray, IntArray]:
        place = coded(self.frame, "date") if self.rule == "history" else None
        if place is None or (place.codes < 0).any():
            sessions, position = np.unique(self.known, return_inverse=True)
            return sessions, position.astype(np.int64)
        return stamps(place.labels), place.codes


@dataclass(frozen=True)
class Tables:
    """The tables of an audit, read once."""

    each: tuple[TimedTable, ...]
    symbols: pd.Index

    @classmethod
    def read(cls, inputs: Mapping[str, pd.DataFrame], symbols: pd.Index, knowledge: Knowledge) -> Tables:
        return cls(tuple(_read(name, table, symbols, knowledge) for name, table in inputs.items()), symbols)

    @cached_property
    def sessions(self) -> IntArray:
        """Every date of the histories that speak of symbols, or of all histories where none does; sorted."""
        histories = [table for table in self.each if table.rule == "history"]
        told = [table.sessions for table in histories if table.has_symbols] or [table.sessions for table in histories]
        return np.unique(np.concatenate(told)) if told else np.empty(0, dtype=np.int64)

    def frames(self) -> dict[str, pd.DataFrame]:
        return {table.name: table.frame for table in self.each}

    def of_symbols(self, chosen: BoolArray) -> Tables:
        """The rows of some symbols, and those that speak of no single one."""
        return Tables(tuple(table.rows(np.append(chosen, True)[table.owner]) for table in self.each), self.symbols)

    def without_actions(self) -> Tables:
        """The same with no corporate action: prices adjusted from another first session would differ in the last bits."""
        kept = tuple(table.rows(np.zeros(len(table.known), dtype=np.bool_)) if table.name == "actions" else table for table in self.each)
        return Tables(kept, self.symbols)


def stamps(values: pd.Index | pd.Series) -> IntArray:
    """Microseconds since 1970; a missing date is `NEVER`."""
    given = pd.DatetimeIndex(values).as_unit("us").asi8
    return np.where(given == _MISSING, NEVER, given) if (given == _MISSING).any() else given


def coded(table: pd.DataFrame, name: str) -> Place | None:
    """Where the rows stand on the sorted values of a column or an index level; None where the table has neither."""
    if name in table.columns:
        codes, values = pd.factorize(table[name], sort=True)
        return Place(pd.Index(values), codes.astype(np.int64))
    if name not in table.index.names:
        return None
    if not isinstance(table.index, pd.MultiIndex):
        codes, values = pd.factorize(table.index, sort=True)
        return Place(pd.Index(values), codes.astype(np.int64))
    level = table.index.names.index(name)
    return _in_use(table.index.levels[level], np.asarray(table.index.codes[level], dtype=np.int64))


def _in_use(values: pd.Index, codes: IntArray) -> Place:
    """A level that was filtered keeps values that no row has, and a code of -1 is the last place."""
    count = np.bincount(codes + 1, minlength=len(values) + 1)[1:]
    used = np.flatnonzero(count)
    used = used[values[used].argsort()]
    position = np.full(len(values) + 1, -1, dtype=np.int64)
    position[used] = np.arange(len(used))
    return Place(values[used], position[codes])


def _read(name: str, table: pd.DataFrame, symbols: pd.Index, knowledge: Knowledge) -> TimedTable:
    column, rule = _rule(name, table, knowledge)
    symbol = coded(table, "symbol")
    owner = np.full(len(table), -1, dtype=np.int64)
    if symbol is not None and len(symbol.labels):
        owner = np.append(symbols.get_indexer(symbol.labels), -1)[symbol.codes].astype(np.int64)
    return TimedTable(name, table, rule, _known(table, column), owner, symbol)


def _known(table: pd.DataFrame, column: str | None) -> IntArray:
    if column is None:
        return np.full(len(table), _MISSING + 1, dtype=np.int64)
    if column in table.columns:
        return stamps(table[column])
    if isinstance(table.index, pd.MultiIndex):
        level = table.index.names.index(column)
        return np.append(stamps(table.index.levels[level]), NEVER)[table.index.codes[level]]
    return stamps(table.index)


def _rule(name: str, table: pd.DataFrame, knowledge: Knowledge) -> tuple[str | None, _Rule]:
    if name in knowledge:
        column = knowledge[name]
        options = [*map(str, table.columns), *map(str, table.index.names)]
        if column is not None and column not in options:
            raise ConfigError(
                f"The audit must find when '{name}' was known, got no column or level '{column}': {nearest(column, options)}."
            )
        return column, "always" if column is None else "history" if column == "date" else "news"
    has = {*map(str, table.columns), *map(str, table.index.names)}
    if name == "universe" or ({"start", "end"} <= has and not {"known_at", "date"} & has):
        return "start", "spans"
    if "known_at" in has:
        return "known_at", "news"
    if "date" in has:
        return "date", "history"
    raise ConfigError(
        f"The audit must know when each row of '{name}' was known, but it has no known_at and no date: "
        f"pass knowledge={{'{name}': column}}, or None for what was known all along."
    )
