"""Lines of a technical indicator over a symbol's own bars, which know from where on they depend on recent bars only."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from touchstone.features import _technical_kernels as kernels
from touchstone.types import FloatArray

__all__ = [
    "Line",
    "chained",
    "change",
    "combine",
    "earlier",
    "exponential",
    "highest",
    "lag_of_mean",
    "lowest",
    "mean_deviation",
    "memory_of",
    "moving_mean",
    "moving_sum",
    "ratio",
    "since",
    "standard_deviation",
    "wilder",
    "wilder_sum",
]

# What an exponential mean may forget: a hundredth of what float32 can tell apart.
_FORGOTTEN = 1e-9
_PIECE = 64


@dataclass(frozen=True, eq=False)
class Line:
    """One value for each bar of each symbol, the first bar in column 0.

    Attributes
    ----------
    values
        Shape (n_symbols, n_bars).
    begins
        First column with a value, as in TA-Lib.
    settled
        From this column on a value depends on the bars of its last ``settled + 1`` columns only, to the bit.
    """

    values: FloatArray
    begins: int = 0
    settled: int = 0


def combine(formula: Callable[..., FloatArray], *lines: Line) -> Line:
    """A line whose value depends on the values of others at the same bar."""
    values = formula(*(line.values for line in lines))
    return Line(values, max(line.begins for line in lines), max(line.settled for line in lines))


def ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """One over the other; NaN where there is nothing to divide by."""
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below != 0.0)


def earlier(line: Line, lag: int) -> Line:
    """The value ``lag`` bars ago."""
    values = np.full_like(line.values, np.nan)
    values[:, lag:] = line.values[:, :-lag]
    return Line(values, line.begins + lag, line.settled + lag)


def change(line: Line, lag: int = 1) -> Line:
    """The value less the one ``lag`` bars ago."""
    return combine(np.subtract, line, earlier(line, lag))


def moving_sum(line: Line, length: int) -> Line:
    """Sum over the last ``length`` bars."""
    values = line.values.copy()
    values[:, : line.begins] = 0.0
    return Line(kernels.decayed_sum(values, 1.0, length), line.begins + length - 1, line.settled + length - 1)


def moving_mean(line: Line, length: int) -> Line:
    """Mean over the last ``length`` bars."""
    total = moving_sum(line, length)
    return Line(total.values / length, total.begins, total.settled)


def mean_deviation(line: Line, length: int) -> Line:
    """Mean absolute deviation from the window's mean."""
    return _deviation(line, length, squared=False)


def standard_deviation(line: Line, length: int) -> Line:
    """Standard deviation over the last ``length`` bars, ddof 0 as in TA-Lib."""
    return combine(np.sqrt, _deviation(line, length, squared=True))


def _deviation(line: Line, length: int, *, squared: bool) -> Line:
    mean = moving_mean(line, length)
    return Line(kernels.deviation(line.values, mean.values, length, squared), mean.begins, mean.settled)


def since(extreme: Line, line: Line, length: int) -> Line:
    """Bars since the line last stood at the extreme of its last ``length`` bars."""
    return Line(kernels.bars_since(line.values, extreme.values, length), extreme.begins, extreme.settled)


def highest(line: Line, length: int) -> Line:
    """Highest value of the last ``length`` bars."""
    return _extreme(np.maximum, line, length)


def lowest(line: Line, length: int) -> Line:
    """Lowest value of the last ``length`` bars."""
    return _extreme(np.minimum, line, length)


def _extreme(of: np.ufunc, line: Line, length: int) -> Line:
    values, reach = line.values.copy(), 1
    while reach < length:
        step = min(reach, length - reach)
        # The right side is a copy: a window grows by its neighbour as it was.
        values[:, step:] = of(values[:, step:], values[:, :-step])
        reach += step
    return Line(values, line.begins + length - 1, line.settled + length - 1)


def memory_of(decay: float) -> int:
    """Bars after which an exponential mean has forgotten all but 1e-9 of its weight."""
    return math.ceil(math.log(_FORGOTTEN) / math.log(decay))


def exponential(line: Line, period: int, *, share: float | None = None, memory: int | None = None) -> Line:
    """Exponential mean over the last ``memory`` bars, the newest with weight ``share`` (2 / (period + 1) unless given).

    As in TA-Lib the mean of the first ``period`` values stands at its beginning. Once that lies further back than the memory, the
    weights that are left are brought to a sum of 1.
    """
    share = share or 2.0 / (period + 1.0)
    memory = memory or memory_of(1.0 - share)
    seeded = line.begins + period - 1
    forgotten = seeded + memory
    means = share * kernels.decayed_sum(_seeded(line, seeded, _first_sum(line, period) / period / share), 1.0 - share, memory)
    means[:, forgotten:] /= 1.0 - (1.0 - share) ** memory
    return Line(means, seeded, max(forgotten, line.settled + memory - 1))


def wilder(line: Line, period: int) -> Line:
    """Wilder's mean: the newest value has weight 1 / period."""
    return exponential(line, period, share=1.0 / period)


def wilder_sum(line: Line, period: int, memory: int) -> Line:
    """Wilder's sum, which starts from the first ``period - 1`` values, over the last ``memory`` bars."""
    seeded = line.begins + period - 2
    sums = kernels.decayed_sum(_seeded(line, seeded, _first_sum(line, period - 1)), 1.0 - 1.0 / period, memory)
    return Line(sums, seeded + 1, max(seeded + memory, line.settled + memory - 1))


def lag_of_mean(changes: Line, period: int) -> Line:
    """How far an exponential mean lags behind a line with these changes; both start from the first bar, as in TA-Lib."""
    decay = 1.0 - 2.0 / (period + 1.0)
    memory = memory_of(decay)
    values = _seeded(changes, changes.begins, np.zeros(len(changes.values)))
    lags = decay * kernels.decayed_sum(values, decay, memory)
    return Line(lags, changes.begins + period - 1, max(changes.begins, changes.settled) + memory)


def chained(inner: Callable[[int], Line], period: int, *, share: float, memory: int) -> Line:
    """Exponential mean of a line that is itself an exponential mean with the same share, given as a function of its memory.

    What was long ago weighs little, so it may remember little: the line is taken in pieces of 64 bars, with a memory that is shorter
    by as much as the piece is old. The whole looks back little further than one mean, not twice as far, and forgets no more.
    """
    pieces = math.ceil(memory / _PIECE)
    fade = (1.0 - share) ** _PIECE
    lines = [inner(memory - piece * _PIECE) for piece in range(pieces)]
    seeded = lines[0].begins + period - 1
    forgotten = seeded + pieces * _PIECE
    means = np.zeros_like(lines[0].values)
    for line in reversed(lines):
        means[:, _PIECE:] = fade * means[:, :-_PIECE]
        means[:, :_PIECE] = 0.0
        means += kernels.decayed_sum(_seeded(line, seeded, _first_sum(line, period) / period / share), 1.0 - share, _PIECE)
    means *= share
    means[:, forgotten:] /= 1.0 - fade**pieces
    settled = max(line.settled + (piece + 1) * _PIECE - 1 for piece, line in enumerate(lines))
    return Line(means, seeded, max(forgotten, settled))


def _seeded(line: Line, at: int, seed: FloatArray) -> FloatArray:
    """The values of a line from a column on, where a seed stands for all until then."""
    values = line.values.copy()
    values[:, :at] = 0.0
    values[:, at] = seed
    return values


def _first_sum(line: Line, length: int) -> FloatArray:
    start = np.ascontiguousarray(line.values[:, line.begins : line.begins + length])
    total: FloatArray = kernels.decayed_sum(start, 1.0, length)[:, -1]
    return total
