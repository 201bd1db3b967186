"""The look of the house, and the settings that make the same figure the same bytes anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from touchstone.errors import DataError

__all__ = [
    "GAIN",
    "GREY",
    "INK",
    "LOSS",
    "NAVY",
    "NUMBER",
    "PALETTE",
    "PERCENT",
    "date_axis",
    "dated",
    "end_labels",
    "house_style",
    "new_figure",
    "number",
    "percent",
    "to_svg",
    "value_axis",
]

INK, GREY, RULE = "#26323f", "#7d8894", "#dfe3e8"
NAVY, GAIN, LOSS = "#1d3f66", "#2f7560", "#b0473d"
PALETTE = (NAVY, "#7fa3c7", "#c28a3e", "#8d949c", "#7a5c8a", "#5b8c85")

# Text is drawn as outlines of the font that ships with matplotlib: no reader's fonts can move or hide it.
_STYLE = {
    "svg.fonttype": "path",
    "svg.hashsalt": "touchstone",
    "font.family": "DejaVu Sans",
    "font.size": 8.0,
    "text.color": INK,
    "axes.edgecolor": "#aab2bb",
    "axes.linewidth": 0.7,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 8.0,
    "axes.titlecolor": GREY,
    "axes.titlepad": 8.0,
    "axes.unicode_minus": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": "#aab2bb",
    "ytick.color": "#aab2bb",
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.7,
    "ytick.major.size": 0.0,
    "lines.solid_capstyle": "round",
    # Half a point is below what a screen shows; long daily lines shrink to a third.
    "path.simplify_threshold": 0.5,
}
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw with the settings of this module alone: a reader's own matplotlibrc changes nothing."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def to_svg(figure: Figure) -> bytes:
    """Write a figure as SVG: the same figure gives the same bytes, with no date, no random id and no reader's font.

    Parameters
    ----------
    figure : matplotlib Figure
        Any figure; those of this package are drawn for it.

    Returns
    -------
    bytes
        A complete SVG document in UTF-8.
    """
    written = BytesIO()
    with house_style():
        figure.savefig(written, format="svg", metadata=_NO_METADATA)
    return written.getvalue()


def new_figure(width: float, height: float, *, right: float = 0.15, left: float = 0.55, bottom: float = 0.3) -> Figure:
    """A figure with one pair of axes; sizes and margins in inches, so that text keeps its room at every figure size."""
    figure = Figure(figsize=(width, height))
    top = 0.32
    figure.add_axes((left / width, bottom / height, 1 - (left + right) / width, 1 - (bottom + top) / height))
    return figure


def dated(values: pd.Series | pd.DataFrame, what: str) -> pd.DataFrame:
    """A float frame of what has at least one finite value, or a DataError that names what was to be drawn."""
    frame = values.to_frame() if isinstance(values, pd.Series) else values
    if not isinstance(frame.index, pd.DatetimeIndex):
        raise DataError(f"{what} is drawn over dates, but its index holds {frame.index.dtype}: index it by date.")
    drawn = frame.astype("float64").replace([np.inf, -np.inf], np.nan).dropna(axis=1, how="all")
    if drawn.empty:
        raise DataError(f"{what} needs at least one finite value to draw, but got {len(frame)} rows with none: give a span with data.")
    return drawn


def date_axis(axes: Axes) -> None:
    """Few, short date labels, each year once."""
    locator = AutoDateLocator(minticks=3, maxticks=10)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
    axes.margins(x=0.0)


def number(value: float, digits: int) -> str:
    """A number as the figures write it: fixed digits, a true minus sign, thousands separated, no negative zero."""
    text = f"{value:,.{digits}f}"
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text.replace("-", "\N{MINUS SIGN}")


def percent(fraction: float, digits: int = 0) -> str:
    """A fraction as people read it: 0.123 → `12%`."""
    return number(100 * fraction, digits) + "%"


PERCENT = FuncFormatter(lambda value, _: percent(value, _digits(100 * value)))
NUMBER = FuncFormatter(lambda value, _: number(value, _digits(value)))


def value_axis(axes: Axes, written: FuncFormatter) -> None:
    """Few round ticks, written as percentages or plain numbers."""
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(written)


def _digits(value: float) -> int:
    """Decimals that a tick needs: as few as tell it from its neighbours."""
    return next((digits for digits in range(3) if abs(round(value, digits) - value) < 1e-6), 3)


def end_labels(axes: Axes, labels: Sequence[tuple[float, str, str]], *, height: float) -> None:
    """Write (value, text, colour) right of the axes beside their values, pushed apart so that no two touch.

    `height` is the height of the axes in inches.
    """
    figure_to_axes = axes.transAxes.inverted()
    wanted = [figure_to_axes.transform(axes.transData.transform((axes.get_xlim()[1], value)))[1] for value, _, _ in labels]
    lines = max((text.count("\n") + 1 for _, text, _ in labels), default=1)
    for place, (_, text, colour) in zip(_spread(wanted, gap=lines * 0.16 / height), labels, strict=True):
        axes.text(1.012, place, text, transform=axes.transAxes, color=colour, va="center", fontsize=8.0, linespacing=1.15)


def _spread(wanted: Sequence[float], *, gap: float) -> list[float]:
    """Positions at least a gap apart, in the wanted order, kept within 0 and 1 where there is room."""
    order = np.argsort(np.asarray(wanted), kind="stable")
    placed = np.asarray(wanted, dtype="float64")[order]
    for i in range(1, len(placed)):
        placed[i] = max(placed[i], placed[i - 1] + gap)
    ceiling = 1.0
    for i in range(len(placed) - 1, -1, -1):
        placed[i] = min(placed[i], ceiling)
        ceiling = placed[i] - gap
    spread = np.empty_like(placed)
    spread[order] = placed
    return [float(place) for place in spread]
