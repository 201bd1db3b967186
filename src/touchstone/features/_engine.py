"""One pass from tables to a matrix: what the batch and the online form share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, cast

import numpy as np
import pandas as pd

from touchstone import market, parallel
from touchstone.errors import ConfigError, DataError, moment, nearest
from touchstone.features import _kernels as kernels
from touchstone.features._feature import Feature, Plan
from touchstone.features._joins import macro_by_session, market_wide, signal_by_session
from touchstone.features._panel import Grid, fill_panels, locate
from touchstone.features._plan import plan, select
from touchstone.features._sets import Sets
from touchstone.types import BoolArray, Float32Array, FloatArray, IntArray

__all__ = ["Request", "Sets", "Transform", "or_empty"]

Transform = Literal["rank", "none"]
_TRANSFORMS = ("rank", "none")


def or_empty(name: str, table: pd.DataFrame | None) -> pd.DataFrame:
    """The table, or one without rows where there is none."""
    return market.empty_table(name) if table is None else table


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
    calendar: str | None
    timeframe: str
    transform: Transform
    base_factors: pd.DataFrame | None = None

    def plan(self) -> Plan:
        """Columns, lookback and what is left out."""
        return plan(
            self.sets,
            fields=self.bars.columns,
            has_benchmark=len(self.benchmark) > 0,
            has_sectors=False,
            has_calendar=self.calendar is not None,
            macro_series=_names(self.macro, "series"),
            signal_names=_names(self.signals, "name"),
            market_wide_signals=market_wide(self.signals),
        )

    def grid(self) -> Grid:
        """Layout of the bars, once the request as a whole makes sense."""
        if self.transform not in _TRANSFORMS:
            raise ConfigError(f"features.transform must be rank or none, got '{self.transform}': {nearest(self.transform, _TRANSFORMS)}.")
        grid = locate(self.bars, self.calendar, self.timeframe)
        lookback = self.plan().lookback
        if len(grid.sessions) < lookback:
            raise DataError(
                f"Features need at least as many sessions as their lookback, {lookback}, but the bars have {len(grid.sessions)} sessions "
                f"from {moment(grid.sessions[0])} to {moment(grid.sessions[-1])}: bring more history or another feature set."
            )
        if self.transform == "rank" and len(grid.symbols) < 2:
            raise DataError(
                f"A rank needs a cross-section of at least two symbols, but the bars hold only {grid.symbols[0]}: "
                "bring more symbols or set features.transform to none."
            )
        return grid

    def members(self) -> BoolArray:
        """Which rows of the bars lie inside the universe."""
        if self.universe is None:
            return np.ones(len(self.bars), dtype=np.bool_)
        return market.Universe(self.universe).mask(cast("pd.MultiIndex", self.bars.index))

    def matrix(self, grid: Grid, rows: BoolArray, *, threads: int) -> pd.DataFrame:
        """Fill one float32 row for each chosen row of the bars; ranks are taken among the chosen rows of a session."""
        if not rows.any():
            raise DataError(
                "Features need at least one bar inside the universe, but there is none: check the universe's symbols and spans."
            )
        chosen, _ = select(
            self.sets,
            fields=self.bars.columns,
            has_benchmark=len(self.benchmark) > 0,
            has_sectors=False,
            has_calendar=self.calendar is not None,
            macro_series=_names(self.macro, "series"),
        )
        features = [column for column in chosen if isinstance(column, Feature)]
        writer = _Writer.on(grid, rows, self.transform)
        columns = self.plan().columns
        out = np.empty((len(columns), int(rows.sum())), dtype=np.float32)
        tasks = [*self._feature_tasks(grid, writer, features), *self._joined_tasks(grid, writer)]
        parallel.map_tasks(lambda task: task[1](out[task[0]]), enumerate(tasks), workers=threads)
        # Rows of `out` are columns of the frame: pandas keeps the block as it is, without a copy.
        return pd.DataFrame(out.T, index=self.bars.index[rows], columns=pd.Index(columns), copy=False)

    def _feature_tasks(self, grid: Grid, writer: _Writer, features: Sequence[Feature]) -> list[Callable[[Float32Array], None]]:
        adjusted = market.adjust(self.bars, self.actions, base_factors=self.base_factors)
        names = {name for feature in features for name in feature.inputs}
        panels = fill_panels(grid, self.bars, adjusted, self.benchmark, names)
        return [partial(writer.feature, feature, [panels[name] for name in feature.inputs]) for feature in features]

    def _joined_tasks(self, grid: Grid, writer: _Writer) -> list[Callable[[Float32Array], None]]:
        shared = market_wide(self.signals)
        return [
            *(partial(writer.macro, self.macro, series, grid.sessions) for series in _names(self.macro, "series")),
            *(partial(writer.signal, self.signals, name, grid, name not in shared) for name in _names(self.signals, "name")),
        ]


@dataclass(frozen=True)
class _Writer:
    """The rows of the answer, and how a panel becomes one of its columns."""

    symbol_of: IntArray
    session_of: IntArray
    first: int
    shape: tuple[int, int]
    offsets: IntArray
    transform: Transform

    @classmethod
    def on(cls, grid: Grid, rows: BoolArray, transform: Transform) -> _Writer:
        sessions = grid.session_of[rows]
        first = int(sessions[0])
        offsets = np.append(np.flatnonzero(np.diff(sessions, prepend=-1)), len(sessions)).astype(np.int64)
        shape = (len(grid.symbols), len(grid.sessions) - first)
        return cls(grid.symbol_of[rows], sessions - first, first, shape, offsets, transform)

    def feature(self, feature: Feature, inputs: Sequence[FloatArray], column: Float32Array) -> None:
        panel = np.empty(self.shape)
        feature.kernel(*inputs, self.first, panel, *feature.windows)
        self._put(panel, column)

    def signal(self, signals: pd.DataFrame, name: str, grid: Grid, may_rank: bool, column: Float32Array) -> None:
        self._put(signal_by_session(signals, name, grid.symbols, grid.sessions)[:, self.first :], column, may_rank=may_rank)

    def macro(self, macro: pd.DataFrame, series: str, sessions: pd.DatetimeIndex, column: Float32Array) -> None:
        column[:] = macro_by_session(macro, series, sessions)[self.first :][self.session_of]

    def _put(self, panel: FloatArray, column: Float32Array, *, may_rank: bool = True) -> None:
        values = panel[self.symbol_of, self.session_of]
        if may_rank and self.transform == "rank":
            ranks = np.empty_like(values)
            kernels.rank_sessions(values, self.offsets, ranks)
            values = ranks
        column[:] = values


def _names(table: pd.DataFrame, column: str) -> list[str]:
    return sorted(table[column].unique())
