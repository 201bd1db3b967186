"""Which symbols have bars, and when."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path

from touchstone.plots._style import GREY, LOSS, dated, house_style, new_figure, number
from touchstone.types import BoolArray, FloatArray, IntArray

__all__ = ["coverage_map"]

_NAMED = 45
_ROWS = 1000
# A gap must stand out from a field of nothing missing.
_LEVELS = (("none", "#5d1712"), ("less than half", LOSS), ("half and more", "#c28a3e"), ("95% and more", "#6d93bb"), ("all", "#c3d3e4"))
_EDGES = (np.nextafter(0.0, 1.0), 0.5, 0.95, 1.0)
_LABELS = 7


def coverage_map(shares: pd.DataFrame) -> Figure:
    """Symbols down, time across, the share of the expected bars that are there as a colour; white where none was expected.

    Up to 45 symbols are named; of more the axis counts. Above a thousand, each row is the mean of neighbouring symbols.

    Parameters
    ----------
    shares : DataFrame
        Share of the bars that are there, 0 to 1, NaN where none is expected; index symbol in drawing order from the top, columns
        dates at which the stretches of time begin (see `touchstone.market.coverage`).

    Raises
    ------
    DataError
        No dates or nothing finite.
    """
    dated(shares.T, "A coverage map")
    values, together = _grouped(shares.to_numpy(dtype="float64"))
    named = len(shares) <= _NAMED
    with house_style():
        height = 1.05 + 0.135 * len(values) if named else 6.3
        figure = new_figure(9.6, height, left=0.75 if named else 0.55, right=0.12, bottom=0.55)
        axes = figure.axes[0]
        level = np.where(np.isfinite(values), np.digitize(values, _EDGES), -1)
        drawn = [_level(axes, level == place, name, colour) for place, (name, colour) in enumerate(_LEVELS)][::-1]
        axes.set(xlim=(0.0, values.shape[1]), ylim=(len(values), 0.0))
        _time_axis(axes, pd.DatetimeIndex(shares.columns))
        _symbol_axis(axes, shares.index, together, named=named)
        axes.grid(visible=False)
        axes.legend(handles=drawn, loc="upper left", bbox_to_anchor=(0.0, -0.2 / (height - 0.87)), ncols=5, frameon=False, fontsize=7.4)
        axes.set_title("Share of the expected bars, by symbol" + (f"; a row stands for {together} symbols" if together > 1 else ""))
        return figure


def _grouped(values: FloatArray) -> tuple[FloatArray, int]:
    """Rows that fit the figure: means of so many neighbours each."""
    together = -(-len(values) // _ROWS)
    if together == 1:
        return values, 1
    edges = np.arange(0, len(values), together)
    n_expected = np.add.reduceat(np.isfinite(values), edges, axis=0, dtype=np.int64)
    totals = np.add.reduceat(np.nan_to_num(values), edges, axis=0)
    return np.divide(totals, n_expected, out=np.full(totals.shape, np.nan), where=n_expected > 0), together


def _level(axes: Axes, inside: BoolArray, name: str, colour: str) -> Patch:
    """All cells of one level as one path, each run along a row as one rectangle; the entry for the legend."""
    row, start, end = _runs(inside)
    if len(row):
        corners = np.stack([start, row, end, row, end, row + 1, start, row + 1, start, row], axis=1).reshape(-1, 2)
        codes = np.tile([Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY], len(row))
        axes.add_patch(PathPatch(Path(corners.astype("float64"), codes), facecolor=colour, linewidth=0.0, antialiased=False))
    return Patch(facecolor=colour, label=name)


def _runs(inside: BoolArray) -> tuple[IntArray, IntArray, IntArray]:
    """Row, first and one past the last column of each unbroken run."""
    edges = np.diff(np.pad(inside.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    row, start = np.nonzero(edges == 1)
    return row, start, np.nonzero(edges == -1)[1]


def _time_axis(axes: Axes, starts: pd.DatetimeIndex) -> None:
    """A label at the first stretch of each year, or of a few months or days where there are few years."""
    years = pd.Index(starts.year)
    if years.nunique() >= 3:
        places, form = np.flatnonzero(~years.duplicated()), "%Y"
    else:
        places, form = np.arange(0, len(starts), max(1, -(-len(starts) // _LABELS))), "%d %b %Y"
    places = places[:: max(1, -(-len(places) // 14))]
    axes.set_xticks(places, list(starts[places].strftime(form)), ha="left")
    axes.tick_params(axis="x", length=3.0)


def _symbol_axis(axes: Axes, symbols: pd.Index, together: int, *, named: bool) -> None:
    axes.tick_params(axis="y", length=0.0)
    if named:
        axes.set_yticks(np.arange(len(symbols)) + 0.5, [str(symbol) for symbol in symbols], fontsize=6.8)
        return
    step = next(step for step in (50, 100, 200, 500, 1000, 2000, 5000, 10000) if len(symbols) / step <= 8 or step == 10000)
    counts = np.arange(step, len(symbols) + 1, step)
    axes.set_yticks(counts / together, [number(float(count), 0) for count in counts], color=GREY)
