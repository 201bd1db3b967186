"""One pass from tables to a matrix: what the batch and the online form share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import cast

import numpy as np
import pandas as pd

from touchstone import market, parallel
from touchstone.errors import ConfigError, DataError, moment, nearest
from touchstone.features import _blocks, _factor_panel
from touchstone.features._feature import Column, Factor, Feature, Plan, SessionFeature, Sessions
from touchstone.features._joins import macro_by_session, market_wide, signal_by_session
from touchstone.features._panel import Grid, Source, locate
from touchstone.features._plan import Carried, select
from touchstone.features._sets import Sets
from touchstone.features._transform import TRANSFORMS, Cross, Transform
from touchstone.types import BoolArray, Float32Array, IntArray

__all__ = ["Request", "or_empty"]


def or_empty(name: str, table: pd.DataFrame | None) -> pd.DataFrame:
    """The table, or one without rows where there is none."""
    return _empty(name) if table is None else table


# Nobody writes into a table, and making five of them takes longer than the features of a served request.
@lru_cache
def _empty(name: str) -> pd.DataFrame:
    return market.empty_table(name)


@dataclass(frozen=True)
class Request:
    """Everything that decides the values of a matrix."""

    bars: pd.DataFrame
    sets: Sets
    macro: pd.DataFrame
    signals: pd.DataFrame
    universe: pd.DataFrame | None
    benchmark: pd.DataFrame
    actions: pd.DataFrame
    sectors: pd.DataFrame
    calendar: str | None
    timeframe: str
    transform: Transform
    base_factors: pd.DataFrame | None = None

    @property
    def chosen(self) -> tuple[Column, ...]:
        """The declared columns that the tables can carry."""
        return self._selected[0]

    @property
    def plan(self) -> Plan:
        """Columns, lookback and what is left out."""
        return self._selected[1]

    @cached_property
    def _selected(self) -> tuple[tuple[Column, ...], Plan]:
        carried = Carried(
            fields=tuple(self.bars.columns),
            has_benchmark=len(self.benchmark) > 0,
            has_sectors=len(self.sectors) > 0,
            has_calendar=self.calendar is not None,
            macro_series=_names(self.macro, "series"),
            signal_names=_names(self.signals, "name"),
            market_wide_signals=self._market_wide,
        )
        return select(self.sets, carried)

    @cached_property
    def _market_wide(self) -> tuple[str, ...]:
        return tuple(market_wide(self.signals)) if len(self.signals) else ()

    @cached_property
    def grid(self) -> Grid:
        """Layout of the bars, once the request as a whole makes sense."""
        if self.transform not in TRANSFORMS:
            words = " or ".join(TRANSFORMS)
            raise ConfigError(f"features.transform must be {words}, got '{self.transform}': {nearest(self.transform, TRANSFORMS)}.")
        grid = locate(self.bars, self.calendar, self.timeframe)
        needed = self.plan.min_sessions
        if len(grid.sessions) < needed:
            raise DataError(
                f"Features need at least as many sessions as their lookback, {needed}, but the bars have {len(grid.sessions)} sessions "
                f"from {moment(grid.sessions[0])} to {moment(grid.sessions[-1])}: bring more history or another feature set."
            )
        if self.transform != "none" and len(grid.symbols) < 2:
            raise DataError(
                f"A {self.transform} needs a cross-section of at least two symbols, but the bars hold only {grid.symbols[0]}: "
                "bring more symbols or set features.transform to none."
            )
        return grid

    def members(self) -> BoolArray:
        """Which rows of the bars lie inside the universe, once they are known to lie on a grid."""
        n_rows = len(self.grid.session_of)
        if self.universe is None:
            return np.ones(n_rows, dtype=np.bool_)
        return market.Universe(self.universe).mask(cast("pd.MultiIndex", self.bars.index))

    def matrix(self, rows: BoolArray, *, threads: int, memory_budget: int) -> pd.DataFrame:
        """Fill one float32 row for each chosen row of the bars; symbols are compared among the chosen rows of a session."""
        if threads < 1:
            raise ConfigError(f"Features need at least one thread, but got {threads}: give a number of threads from 1 on.")
        if not rows.any():
            raise DataError(
                "Features need at least one bar inside the universe, but there is none: check the universe's symbols and spans."
            )
        index = self.bars.index if rows.all() else self.bars.index[rows]
        filler = _Filler(self, _Answer.on(self.grid, rows))
        # Rows of `out` are columns of the frame: pandas keeps the block as it is, without a copy.
        out = np.empty((len(self.plan.columns), len(index)), dtype=np.float32)
        filler.fill_blocks(out, threads=threads, memory_budget=memory_budget)
        parallel.map_tasks(lambda task: task(), filler.single_columns(out), workers=threads)
        cross = Cross(filler.answer.offsets, self._groups(index))
        declared = [(column.across if isinstance(column, Feature) else None) for column in self.chosen]
        across = dict(zip((column.name for column in self.chosen), declared, strict=True))
        ranked = frozenset(self.plan.ranked)
        tasks = [
            partial(cross.apply, across.get(name), self.transform if name in ranked else "none", column)
            for name, column in zip(self.plan.columns, out, strict=True)
        ]
        parallel.map_tasks(lambda task: task(), tasks, workers=threads)
        return pd.DataFrame(out.T, index=index, columns=pd.Index(self.plan.columns), copy=False)

    def _groups(self, index: pd.Index) -> IntArray:
        if not self.plan.needs_sectors:
            return np.empty(0, dtype=np.int64)
        names = market.Sectors(self.sectors).at(cast("pd.MultiIndex", index))
        codes, _ = pd.factorize(names.where(names != market.UNKNOWN_SECTOR), sort=True)
        return np.asarray(codes, dtype=np.int64)


@dataclass(frozen=True)
class _Answer:
    """The rows of the answer: where each symbol and session goes, and where sessions begin."""

    target: _blocks.Target
    session_of: IntArray
    symbol_of: IntArray
    offsets: IntArray

    @classmethod
    def on(cls, grid: Grid, rows: BoolArray) -> _Answer:
        if rows.all():
            target = _blocks.Target(grid.row_of, 0)
            return cls(target, grid.session_of, grid.symbol_of, _offsets(grid.session_of))
        sessions, symbols = grid.session_of[rows], grid.symbol_of[rows]
        first = int(sessions[0])
        row_of = np.full((len(grid.symbols), len(grid.sessions) - first), -1, dtype=np.int32)
        row_of[symbols, sessions - first] = np.arange(len(sessions))
        return cls(_blocks.Target(row_of, first), sessions, symbols, _offsets(sessions))


@dataclass(frozen=True)
class _Filler:
    """How the columns of an answer are filled, before symbols are compared."""

    request: Request
    answer: _Answer

    def fill_blocks(self, out: Float32Array, *, threads: int, memory_budget: int) -> None:
        """Fill the columns of compiled kernels."""
        at = [i for i, column in enumerate(self.request.chosen) if isinstance(column, Feature)]
        if at:
            features = [cast("Feature", self.request.chosen[i]) for i in at]
            _blocks.fill(self._source, features, self.answer.target, [out[i] for i in at], threads=threads, memory_budget=memory_budget)

    def single_columns(self, out: Float32Array) -> Iterator[Callable[[], None]]:
        """Fill every other column, each on its own."""
        for column, values in zip(self.request.chosen, out, strict=False):
            if isinstance(column, Factor):
                yield partial(self._factor, column, values)
            elif isinstance(column, SessionFeature):
                yield partial(self._session, column, values)
        request, n_declared = self.request, len(self.request.chosen)
        for name, values in zip(request.plan.columns[n_declared:], out[n_declared:], strict=True):
            kind, _, joined = name.partition("_")
            yield partial(self._macro if kind == "macro" else self._signal, joined, values)

    @cached_property
    def _source(self) -> Source:
        request = self.request
        is_adjusted = len(request.actions) > 0 or request.base_factors is not None
        adjusted = market.adjust(request.bars, request.actions, base_factors=request.base_factors) if is_adjusted else request.bars
        return Source(request.grid, request.bars, adjusted, request.benchmark)

    def _factor(self, factor: Factor, values: Float32Array) -> None:
        grid, target = self.request.grid, self.answer.target
        begin = _factor_panel.first_needed(factor, grid.sessions, target.first)
        frames = {
            name: pd.DataFrame(self._source.panel(name)[:, begin:].T, index=grid.sessions[begin:], columns=grid.symbols)
            for name in factor.fields
        }
        present = (target.row_of >= 0).T
        panel = _factor_panel.evaluate(factor, frames, first=target.first - begin, born=grid.born - begin, present=present).to_numpy()
        values[:] = panel[self.answer.session_of - begin, self.answer.symbol_of]

    def _session(self, column: SessionFeature, values: Float32Array) -> None:
        request = self.request
        sessions = Sessions(request.grid.sessions, request.calendar, request.timeframe, request.macro)
        values[:] = column.values(sessions)[self.answer.session_of]

    def _macro(self, series: str, values: Float32Array) -> None:
        values[:] = macro_by_session(self.request.macro, series, self.request.grid.sessions)[self.answer.session_of]

    def _signal(self, name: str, values: Float32Array) -> None:
        grid = self.request.grid
        values[:] = signal_by_session(self.request.signals, name, grid.symbols, grid.sessions)[
            self.answer.symbol_of, self.answer.session_of
        ]


def _offsets(sessions: IntArray) -> IntArray:
    return np.append(np.flatnonzero(np.diff(sessions, prepend=-1)), len(sessions)).astype(np.int64)


def _names(table: pd.DataFrame, column: str) -> tuple[str, ...]:
    return tuple(sorted(table[column].unique())) if len(table) else ()
