"""The features of single symbols, a block of symbols and sessions at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from touchstone import parallel
from touchstone.errors import ConfigError
from touchstone.features import _layout_kernels as kernels
from touchstone.features._feature import DERIVED, Feature
from touchstone.features._panel import Block, Source
from touchstone.types import Float32Array, IntArray

__all__ = ["DEFAULT_BUDGET", "Target", "fill"]

# Megabytes that the panels of all blocks at work may take.
DEFAULT_BUDGET = 512
# A block of this size keeps a panel and its column in a core's own cache, and writes whole cache lines of a session's rows.
_SYMBOLS, _SESSIONS = 16, 1536
_FLOAT = 8
# Panels beside the inputs: the one that is filled, and what kernels work on.
_WORK = 4


@dataclass(frozen=True)
class Target:
    """Where values go.

    Attributes
    ----------
    row_of
        Row of the answer for each symbol and session from ``first`` on, -1 where none is wanted.
    first
        First session that is wanted.
    """

    row_of: NDArray[np.int32]
    first: int


def fill(
    source: Source, features: Sequence[Feature], target: Target, out: Sequence[Float32Array], *, threads: int, memory_budget: int
) -> None:
    """Fill column ``i`` of ``out`` with feature ``i``; the bits depend on no block's borders.

    Raises
    ------
    ConfigError
        A memory budget that does not hold the panels of one symbol.
    """
    lookback = max(feature.lookback for feature in features)
    # Histories of symbols that nobody asks for are left alone.
    wanted = np.flatnonzero((target.row_of >= 0).any(axis=1))
    n_sessions = target.row_of.shape[1]
    per_symbol = _FLOAT * (_panels(features) + _WORK) * threads
    # With little memory a block is first narrowed to fewer symbols, then cut into shorter spans, each with its lookback before it.
    width = memory_budget * 2**20 // per_symbol
    span = min(max(_SESSIONS, lookback), max(width - lookback, 0))
    if span < 1:
        raise ConfigError(
            f"features.memory_budget must hold the panels of one symbol over the lookback of {lookback} sessions, but {memory_budget} MB "
            f"do not: give at least {math.ceil((lookback + 1) * per_symbol / 2**20)}."
        )
    at_once = max(1, min(_SYMBOLS, width // (span + lookback)))
    tasks = product(pairwise(_borders(len(wanted), at_once)), pairwise(_borders(n_sessions, span)))
    work = [(wanted[slice(*symbols)], slice(*sessions)) for symbols, sessions in tasks]
    parallel.map_tasks(lambda task: _fill_block(source, features, target, out, task), work, workers=min(threads, len(work)))


def _fill_block(
    source: Source, features: Sequence[Feature], target: Target, out: Sequence[Float32Array], at: tuple[IntArray, slice]
) -> None:
    symbols, sessions = at
    start, stop = target.first + sessions.start, target.first + sessions.stop
    begin = max(0, start + 1 - max(feature.lookback for feature in features))
    block = Block(source, symbols, slice(begin, stop))
    row_of = target.row_of[symbols, sessions]
    panel = np.empty(row_of.shape)
    for feature, column in zip(features, out, strict=True):
        feature.kernel(*[block.panel(name) for name in feature.inputs], start - begin, panel, *feature.windows)
        kernels.put(panel, row_of, column)


def _panels(features: Sequence[Feature]) -> int:
    """Panels that a block may hold at once."""
    inputs = {name for feature in features for name in feature.inputs}
    return len(inputs | {field for name in inputs for field in DERIVED.get(name, ())})


def _borders(total: int, at_once: int) -> list[int]:
    """Ends of equal parts, none longer than asked."""
    return [int(end) for end in np.linspace(0, total, math.ceil(total / at_once) + 1).round()]
