"""What a strategy earned, and how far it fell on the way."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from touchstone.errors import DataError
from touchstone.plots._style import GREY, LOSS, PALETTE, PERCENT, date_axis, dated, end_labels, house_style, new_figure, percent, value_axis

__all__ = ["drawdown", "equity_curve", "growth"]

_KNOWN = ("net", "gross", "benchmark", "equal_weighted")
_LABELS = {"net": "Net of costs", "gross": "Before costs", "benchmark": "Benchmark", "equal_weighted": "Equal-weighted universe"}
_STRETCHES = 700
_DOUBLINGS = 2.0 ** np.arange(-6, 12)
_HALVES = np.sort(np.concatenate([_DOUBLINGS, 1.5 * _DOUBLINGS]))


def growth(returns: pd.DataFrame) -> pd.DataFrame:
    """What 1 grew to: the product of 1 + return, a missing return counted as none.

    Parameters
    ----------
    returns : DataFrame
        Simple returns per period, index date, one column a series. A column without any value stays NaN.

    Returns
    -------
    DataFrame
        Same index and columns; the value at a date is known at that date's close.
    """
    return (1.0 + returns.fillna(0.0)).cumprod().where(returns.notna().any(axis=0), axis=1)


def equity_curve(curves: pd.DataFrame, *, labels: Mapping[str, str] | None = None, log_scale: bool = True) -> Figure:
    """Cumulative return of one or more series, each labelled at its end with what it came to.

    Parameters
    ----------
    curves : DataFrame
        What 1 grew to, index date, one column a series (see `growth`). The columns `net`, `gross`, `benchmark` and
        `equal_weighted` have their own colours and names. A column of NaN is left out.
    labels : mapping, optional
        Other names to write, by column.
    log_scale : bool
        Equal distances for equal ratios, so that a market-neutral book stays readable beside a market.

    Raises
    ------
    DataError
        No dates, nothing finite, or values at or below 0 on a log scale.
    """
    drawn = dated(curves, "An equity curve")
    if log_scale and bool((drawn <= 0).any(axis=None)):
        raise DataError(f"A log scale needs values above 0, but the lowest is {np.nanmin(drawn.to_numpy()):.4g}: pass log_scale=False.")
    names = {**_LABELS, **(labels or {})}
    with house_style():
        figure = new_figure(9.6, 3.9, right=1.95)
        axes = figure.axes[0]
        ends = []
        # The strategy is drawn last, over what it is measured against.
        for column in reversed(_ordered(drawn)):
            line = drawn[column].dropna()
            colour = _colour(column, drawn)
            axes.plot(line.index.to_numpy(), line.to_numpy(), color=colour, linewidth=1.7 if column == "net" else 1.1)
            ends.append((float(line.iloc[-1]), f"{names.get(column, column)}  {percent(float(line.iloc[-1]) - 1.0)}", colour))
        _growth_axis(axes, log_scale=log_scale)
        date_axis(axes)
        axes.axhline(1.0, color=GREY, linewidth=0.8, zorder=1)
        axes.set_title("Cumulative return" + (", log scale" if log_scale else ""))
        end_labels(axes, ends, height=3.28)
        return figure


def drawdown(returns: pd.Series) -> Figure:
    """Loss since the highest value so far, starting capital included, with the deepest fall marked.

    Parameters
    ----------
    returns : Series
        Simple returns per period, index date; NaN counts as no return.

    Raises
    ------
    DataError
        No dates or nothing finite.
    """
    value = growth(dated(returns, "A drawdown"))
    fall = _lowest((value / value.cummax().clip(lower=1.0) - 1.0).iloc[:, 0])
    with house_style():
        figure = new_figure(9.6, 2.5, right=0.35)
        axes = figure.axes[0]
        axes.fill_between(fall.index.to_numpy(), fall.to_numpy(), 0.0, color=LOSS, alpha=0.28, linewidth=0.0)
        axes.plot(fall.index.to_numpy(), fall.to_numpy(), color=LOSS, linewidth=0.8)
        date_axis(axes)
        value_axis(axes, PERCENT)
        axes.set_ylim(min(1.22 * float(fall.min()), -0.005), 0.0)
        axes.set_title("Below the highest value so far")
        if float(fall.min()) < 0.0:
            _mark_deepest(axes, fall)
        return figure


def _lowest(fall: pd.Series) -> pd.Series:
    """The lowest session of each short stretch, so that a filled area of decades stays small and every trough stays."""
    stretches = np.arange(len(fall)) // (1 + len(fall) // _STRETCHES)
    lowest = pd.Series(fall.to_numpy()).groupby(stretches).idxmin().to_numpy()
    return fall.iloc[np.union1d(lowest, [0, len(fall) - 1])]


def _ordered(drawn: pd.DataFrame) -> list[str]:
    known = [name for name in _KNOWN if name in drawn.columns]
    return known + [str(name) for name in drawn.columns if name not in _KNOWN]


def _colour(column: str, drawn: pd.DataFrame) -> str:
    """Known series keep their colour whatever stands beside them; others take what is left."""
    place = _KNOWN.index(column) if column in _KNOWN else _ordered(drawn).index(column) + (0 if "net" not in drawn.columns else len(_KNOWN))
    return PALETTE[(0, 1, 3, 2, 4, 5)[place % len(PALETTE)]]


def _growth_axis(axes: Axes, *, log_scale: bool) -> None:
    if log_scale:
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        axes.yaxis.set_major_locator(FixedLocator(_levels(low, high)))
        axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: PERCENT(value - 1.0)))


def _levels(low: float, high: float) -> list[float]:
    """Ticks of a log axis: doublings for a wide range, steps of half between for a middling one, round numbers for a narrow one."""
    narrow = 1.0 + np.asarray(MaxNLocator(6).tick_values(low - 1.0, high - 1.0))
    ladder = _DOUBLINGS if high / low > 12 else _HALVES if high / low > 3 else narrow
    return [float(level) for level in ladder if low <= level <= high]


def _mark_deepest(axes: Axes, fall: pd.Series) -> None:
    place = int(np.argmin(fall.to_numpy()))
    dates = pd.DatetimeIndex(fall.index)
    bottom, late = dates[place].to_numpy(), bool(dates[place] > dates[0] + (dates[-1] - dates[0]) * 0.75)
    axes.plot([bottom], [float(fall.min())], marker="o", markersize=3.5, color=LOSS)
    axes.annotate(
        f"{percent(float(fall.min()), 1)}  {dates[place]:%d %b %Y}",
        (bottom, float(fall.min())),
        xytext=(-7 if late else 7, -4),
        textcoords="offset points",
        ha="right" if late else "left",
        va="center",
        color=LOSS,
        fontweight="bold",
    )
