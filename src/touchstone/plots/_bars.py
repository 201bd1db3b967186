"""A few bars of one symbol, drawn so that the doubtful ones show."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from touchstone.errors import DataError
from touchstone.plots._style import GREY, LOSS, NAVY, NUMBER, house_style, new_figure, value_axis
from touchstone.types import BoolArray, FloatArray, IntArray

__all__ = ["bars_around"]

_PRICES = ("open", "high", "low", "close")
_RISE, _AMBER, _PALE = "#7fa3c7", "#c28a3e", "#dba9a3"
_REACH = 1.6
_VOLUME = 0.62


def bars_around(rows: pd.DataFrame, times: pd.DatetimeIndex, marked: pd.DatetimeIndex) -> Figure:
    """Candles (or closes, where that is all there is) of one symbol, the marked bars in red on a tinted ground.

    The scale follows the rows that were kept: a value far outside is an arrow at the edge with the value beside it. A marked time
    without a row says so. Rows that were set aside but are not marked are amber.

    Parameters
    ----------
    rows : DataFrame
        Index date; any of ``open high low close volume`` and a boolean ``aside``: set aside by the checks. A date may stand twice.
    times : DatetimeIndex
        Times of all bars that the calendar expects in the stretch shown, sorted; the places on the axis. Rows at other times are drawn
        at the place where they would stand.
    marked : DatetimeIndex
        Times that the chart is about.

    Raises
    ------
    DataError
        No times or no row.
    """
    if not len(times) or rows.empty:
        raise DataError(f"Bars are drawn around a time, but got {len(times)} times and {len(rows)} rows: give a stretch with bars.")
    places = _places(times, pd.DatetimeIndex(rows.index))
    spots = _places(times, marked)
    red = _doubtful(rows, marked)
    with house_style():
        figure = new_figure(5.7, 2.75, left=0.62, right=0.45)
        axes = figure.axes[0]
        _ground(axes, spots)
        low, high = _scale(rows, red)
        axes.set(xlim=(-0.8, len(times) - 0.2), ylim=(low, high))
        _bars(axes, rows, places, red)
        _beyond(axes, rows, places, (low, high))
        _without_row(axes, np.setdiff1d(spots, places))
        _dates(axes, times)
        value_axis(axes, NUMBER)
        if "volume" in rows:
            _volumes(figure, rows, places, red)
        return figure


def _places(times: pd.DatetimeIndex, at: pd.DatetimeIndex) -> IntArray:
    return np.minimum(np.searchsorted(times.to_numpy(), at.to_numpy()), len(times) - 1).astype(np.int64)


def _doubtful(rows: pd.DataFrame, marked: pd.DatetimeIndex) -> BoolArray:
    """The rows that a marked time is about: those set aside, or whatever is there where none was."""
    aside = rows["aside"].to_numpy(dtype=np.bool_)
    return rows.index.isin(marked) & (aside | ~rows.index.isin(rows.index[aside]))


def _prices(rows: pd.DataFrame) -> FloatArray:
    return rows[[field for field in _PRICES if field in rows]].to_numpy(dtype="float64")


def _scale(rows: pd.DataFrame, red: BoolArray) -> tuple[float, float]:
    """Limits that the rows beyond doubt fill, widened for doubtful ones that are not far out."""
    prices = _prices(rows)
    sound = prices[~red & ~rows["aside"].to_numpy(dtype=np.bool_)]
    values = sound[np.isfinite(sound)] if np.isfinite(sound).any() else prices[np.isfinite(prices)]
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    reach = _REACH * max(high - low, 0.02 * abs(high), 1e-9)
    near = prices[np.isfinite(prices) & (prices >= low - reach) & (prices <= high + reach)]
    low, high = min(low, float(near.min())), max(high, float(near.max()))
    room = max(high - low, 0.02 * abs(high), 1e-9)
    # Room at the bottom for the volumes.
    return low - (0.34 if "volume" in rows else 0.08) * room, high + 0.1 * room


def _ground(axes: Axes, spots: IntArray) -> None:
    for spot in np.unique(spots):
        axes.axvspan(float(spot) - 0.5, float(spot) + 0.5, color=LOSS, alpha=0.12, linewidth=0.0)


def _bars(axes: Axes, rows: pd.DataFrame, places: IntArray, red: BoolArray) -> None:
    aside = rows["aside"].to_numpy(dtype=np.bool_)
    sound = ~red & ~aside
    groups = ((sound, NAVY, _RISE), (aside & ~red, _AMBER, _AMBER), (red, LOSS, LOSS))
    if not {"high", "low", "open", "close"} <= set(rows):
        kept = sound | (red & ~aside)
        axes.plot(places[kept], rows["close"].to_numpy()[kept], color=_RISE, linewidth=1.0, zorder=2)
    for chosen, fall, rise in groups:
        _candles(axes, rows[chosen], places[chosen], (fall, rise))


def _candles(axes: Axes, rows: pd.DataFrame, places: IntArray, colours: tuple[str, str]) -> None:
    """Range as a line, open to close as a thick one; what is missing is left out, a lone close is a dot."""
    values = {field: rows[field].to_numpy(dtype="float64") if field in rows else np.full(len(rows), np.nan) for field in _PRICES}
    rises = values["close"] >= values["open"]
    colour = np.where(rises, colours[1], colours[0])
    axes.vlines(places, values["low"], values["high"], colors=colour.tolist(), linewidth=0.9, zorder=3)
    axes.vlines(places, values["open"], values["close"], colors=colour.tolist(), linewidth=4.2, zorder=3, capstyle="butt")
    lone = ~(np.isfinite(values["open"]) & (values["open"] != values["close"]))
    axes.plot(places[lone], values["close"][lone], linestyle="none", marker="o", markersize=2.6, color=colours[0], zorder=4)


def _beyond(axes: Axes, rows: pd.DataFrame, places: IntArray, limits: tuple[float, float]) -> None:
    """An arrow at the edge for each row with values outside the scale, the farthest of them beside it."""
    prices = _prices(rows)
    for edge, outside, farthest in ((1, prices > limits[1], np.fmax), (0, prices < limits[0], np.fmin)):
        for row in np.flatnonzero(outside.any(axis=1)):
            value = float(farthest.reduce(prices[row][np.isfinite(prices[row])]))
            late = places[row] > axes.get_xlim()[1] * 0.7
            axes.annotate(
                f"{value:,.6g}".replace("-", "\N{MINUS SIGN}"),
                (float(places[row]), float(limits[edge])),
                xytext=(-6 if late else 6, -5 if edge else 5),
                textcoords="offset points",
                ha="right" if late else "left",
                va="center",
                color=LOSS,
                fontweight="bold",
                fontsize=7.4,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.8},
            )
            marker = "^" if edge else "v"
            axes.plot([places[row]], [limits[edge] - (limits[edge] - limits[1 - edge]) * 0.03], marker=marker, color=LOSS, markersize=4.5)


def _without_row(axes: Axes, spots: IntArray) -> None:
    if len(spots):
        middle = float(spots[len(spots) // 2])
        text = "no row" if len(spots) == 1 else f"{len(spots)} bars without a row"
        axes.text(
            middle, 0.96, text, transform=axes.get_xaxis_transform(), ha="center", va="top", color=LOSS, fontsize=7.4, fontweight="bold"
        )


def _dates(axes: Axes, times: pd.DatetimeIndex) -> None:
    intraday = bool((times != times.normalize()).any())
    shown = np.unique(np.linspace(0, len(times) - 1, min(4 if intraday else 5, len(times))).round().astype(np.int64))
    form = "%d %b %H:%M" if intraday else "%d %b %Y"
    axes.set_xticks(shown, [times[place].strftime(form) for place in shown])
    axes.tick_params(axis="x", length=3.0)


def _volumes(figure: Figure, rows: pd.DataFrame, places: IntArray, red: BoolArray) -> None:
    """Thin columns at the bottom; the scale follows the rows beyond doubt."""
    axes = figure.axes[0].twinx()
    volumes = rows["volume"].to_numpy(dtype="float64")
    sound = volumes[np.isfinite(volumes) & ~red]
    top = float(sound.max()) if len(sound) and float(sound.max()) > 0.0 else 1.0
    colours = [_PALE if mark else GREY if aside else "#b9c4cf" for mark, aside in zip(red, rows["aside"], strict=True)]
    heights = np.clip(np.nan_to_num(volumes), 0.0, 1.3 * top)
    axes.bar(places, heights, width=_VOLUME, color=colours, linewidth=0.0)
    axes.set_ylim(0.0, 5.2 * top)
    axes.set_axis_off()
    # Prices are drawn over the volumes.
    figure.axes[0].set_zorder(2.0)
    figure.axes[0].patch.set_visible(False)
