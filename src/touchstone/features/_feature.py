"""What a feature and a set of features declare about themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["BENCHMARK_RETURNS", "DERIVED", "Feature", "FeatureSet", "LeftOut", "Plan"]

BENCHMARK_RETURNS = "benchmark_returns"
# Panels that the engine derives once and shares, and the fields of the bars that they need.
DERIVED: dict[str, tuple[str, ...]] = {
    "returns": ("close",),
    "high_low_range": ("high", "low"),
    "price_impact": ("close", "volume"),
    BENCHMARK_RETURNS: (),
}


@dataclass(frozen=True)
class Feature:
    """One column of the feature matrix.

    Parameters
    ----------
    name
        Column name.
    inputs
        Panels that the kernel takes, in order: fields of the bars (``open high low close volume vwap``, adjusted), or
        ``returns`` (simple, per session), ``high_low_range`` (high over low, less 1), ``price_impact`` (absolute return over
        traded value), ``benchmark_returns`` (one row, not a panel).
    lookback
        Sessions, the present one included, that one value looks at; with less history the value is NaN.
    kernel
        ``kernel(*inputs, first, out, *windows)``; fills ``out`` of shape (n_symbols, n_sessions - first). Known at the close of
        its session when it looks at no later column.
    windows
        Whole numbers handed on to the kernel.
    """

    name: str
    inputs: tuple[str, ...]
    lookback: int
    kernel: Callable[..., None]
    windows: tuple[int, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields of the bars that it needs, sorted."""
        return tuple(sorted({field for name in self.inputs for field in DERIVED.get(name, (name,))}))

    @property
    def needs_benchmark(self) -> bool:
        """Whether it cannot be computed without a benchmark."""
        return BENCHMARK_RETURNS in self.inputs


@dataclass(frozen=True)
class FeatureSet:
    """Features under one name, in the order of their columns."""

    name: str
    features: tuple[Feature, ...]

    @property
    def lookback(self) -> int:
        """Sessions that the most far-sighted feature looks at."""
        return max(feature.lookback for feature in self.features)


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
        Declared features that the tables cannot carry.
    lookback
        Sessions of history, the present one included, that a full row needs.
    needs_benchmark
        Whether a column needs the benchmark.
    ranked
        Columns that the rank transform applies to: all but macro and market-wide signals, which are the same for every symbol.
    """

    columns: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    lookback: int
    needs_benchmark: bool
    ranked: tuple[str, ...]
