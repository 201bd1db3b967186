"""What a feature and a set of features declare about themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from touchstone.types import FloatArray

__all__ = [
    "BENCHMARK_RETURNS",
    "DERIVED",
    "Column",
    "Factor",
    "Feature",
    "FeatureSet",
    "LeftOut",
    "Plan",
    "SessionFeature",
    "Sessions",
]

BENCHMARK_RETURNS = "benchmark_returns"
# No quarter has more days, and no hour more minutes.
_STRETCH = 92
# Panels that the engine derives once and shares, and the fields of the bars that they need.
DERIVED: dict[str, tuple[str, ...]] = {
    "returns": ("close",),
    "previous_close": ("close",),
    "log_volume": ("volume",),
    "log_volume_ratio": ("volume",),
    "high_low_range": ("high", "low"),
    "traded_value": ("close", "volume"),
    "price_impact": ("close", "volume"),
    "age": (),
    BENCHMARK_RETURNS: (),
}


@dataclass(frozen=True)
class Feature:
    """One column of the feature matrix that a compiled kernel fills, a block of symbols at a time.

    Parameters
    ----------
    name
        Column name.
    inputs
        Panels that the kernel takes, in order: fields of the bars (``open high low close volume vwap``, adjusted), or
        ``returns`` (simple, per session), ``previous_close``, ``log_volume`` (log of volume + 1), ``log_volume_ratio`` (log of
        volume over the previous volume, + 1), ``high_low_range`` (high over low, less 1), ``traded_value`` (close x volume, as
        traded), ``price_impact`` (absolute return over traded value), ``age`` (sessions since the symbol's first bar, 1 on it, at
        most what the history given shows; never NaN from there on), ``benchmark_returns`` (one row, not a panel).
    lookback
        Sessions, the present one included, that one value looks at; with less history the value is NaN, unless `partial_windows`.
    kernel
        ``kernel(*inputs, first, out, *windows)``; fills ``out`` of shape (n_symbols, n_sessions - first), float64. Known at the
        close of its session when it looks at no later column. Its values may depend on nothing but the values of the window:
        not on the symbols beside it, nor on where the panel begins.
    windows
        Numbers handed on to the kernel.
    partial_windows
        Whether a value is given from the symbol's first sessions on, before the lookback is full.
    across
        ``across(values, groups, offsets, out)``, compiled: turns the column into one that compares symbols, session by session.
        ``values`` and ``out`` are float64 of shape (n_rows,), rows ``offsets[i]`` to ``offsets[i + 1]`` are the members of one
        session; ``groups`` (int64) number the sectors, -1 is unknown. NaN rows are no part of the cross-section.
    needs_sectors
        Whether `across` looks at ``groups``.
    """

    name: str
    inputs: tuple[str, ...]
    lookback: int
    kernel: Callable[..., None]
    windows: tuple[float, ...] = ()
    partial_windows: bool = False
    across: Callable[..., None] | None = None
    needs_sectors: bool = False

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """Fields of the bars that it needs, sorted."""
        return tuple(sorted({field for name in self.inputs for field in DERIVED.get(name, (name,))}))

    @property
    def history(self) -> int:
        """Sessions that a value needs: the lookback."""
        return self.lookback

    @property
    def needs_benchmark(self) -> bool:
        """Whether it cannot be computed without a benchmark."""
        return BENCHMARK_RETURNS in self.inputs

    @property
    def cross_sectional(self) -> bool:
        """Whether a value depends on other symbols."""
        return self.across is not None


@dataclass(frozen=True)
class Factor:
    """One column of the feature matrix that a researcher's Python function fills, as `touchstone.features.factor` makes it.

    Parameters
    ----------
    name
        Column name.
    fields
        Fields of the bars that the function takes, in order.
    lookback
        Sessions, the present one included, that one value looks at.
    function
        ``function(*frames)``: one adjusted float64 frame per field, sessions by symbols; gives a frame on the same axes.
    cross_sectional
        Whether a value depends on other symbols.
    """

    name: str
    fields: tuple[str, ...]
    lookback: int
    function: Callable[..., pd.DataFrame]
    cross_sectional: bool = False
    partial_windows: bool = False
    needs_benchmark: bool = False
    needs_sectors: bool = False

    @property
    def history(self) -> int:
        """Sessions that a value needs to have the batch's bits: it is evaluated a calendar quarter (an hour) at a time."""
        return self.lookback + _STRETCH

    def __call__(self, *frames: pd.DataFrame) -> pd.DataFrame:
        """The function as it was written, on frames of your own."""
        return self.function(*frames)


@dataclass(frozen=True)
class Sessions:
    """What a market-wide feature is computed from.

    Attributes
    ----------
    dates
        Sessions of the panel (bars with an intraday timeframe), sorted.
    calendar, timeframe
        As given to `compute`; no calendar when sessions are the dates with a bar.
    macro
        The macro table.
    """

    dates: pd.DatetimeIndex
    calendar: str | None
    timeframe: str
    macro: pd.DataFrame


@dataclass(frozen=True)
class SessionFeature:
    """One column of the feature matrix that is the same for every symbol of a session; it is never ranked.

    Parameters
    ----------
    name
        Column name.
    lookback
        Sessions, the present one included, that one value looks at.
    values
        Gives an array of shape (n_sessions,), each value known at the close of its session and the same wherever the sessions begin.
    needs_calendar
        Whether it needs the exchange calendar.
    """

    name: str
    lookback: int
    values: Callable[[Sessions], FloatArray]
    needs_calendar: bool = False
    fields: tuple[str, ...] = ()
    partial_windows: bool = False
    needs_benchmark: bool = False
    needs_sectors: bool = False
    cross_sectional: bool = False

    @property
    def history(self) -> int:
        """Sessions that a value needs: the lookback."""
        return self.lookback


Column = Feature | Factor | SessionFeature


@dataclass(frozen=True, eq=False)
class FeatureSet:
    """Features under one name, in the order of their columns.

    Parameters
    ----------
    name
        Name of the set.
    features
        Its columns.
    of_series
        Gives further columns for each series of the macro table, for sets whose columns depend on it.
    min_sessions
        Sessions that a batch must have at least; ``None``: the lookback. Sets with partial windows make do with fewer.
    """

    name: str
    features: tuple[Column, ...] = ()
    of_series: Callable[[str], tuple[Column, ...]] | None = None
    min_sessions: int | None = None

    @property
    def lookback(self) -> int:
        """Sessions that the most far-sighted feature looks at."""
        return max((feature.lookback for feature in self.features), default=1)


@dataclass(frozen=True)
class LeftOut:
    """A declared feature that the tables cannot carry, and why."""

    feature: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """What a computation will give.

    Attributes
    ----------
    columns
        Columns of the matrix, in order: features as declared, then ``macro_<series>``, then ``signal_<name>``, sorted.
    left_out
        Declared features that the tables cannot carry; a set made from macro series, by its name, where there is none.
    lookback
        Sessions of history, the present one included, that a full row needs.
    lookbacks
        The same for each column, by name; 1 for macro and signals.
    min_sessions
        Sessions that a batch must have at least.
    needs_benchmark
        Whether a column needs the benchmark.
    needs_sectors
        Whether a column needs the sectors.
    ranked
        Columns that the rank transform applies to: all but those that are the same for every symbol.
    per_symbol
        Columns whose values depend on no other symbol, before any rank transform.
    partial
        Columns that give values before their lookback is full.
    """

    columns: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    lookback: int
    lookbacks: Mapping[str, int]
    min_sessions: int
    needs_benchmark: bool
    needs_sectors: bool
    ranked: tuple[str, ...]
    per_symbol: tuple[str, ...]
    partial: tuple[str, ...]
