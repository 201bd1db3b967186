"""How well the scores ordered what came after them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from touchstone.errors import DataError
from touchstone.plots._style import GREY, INK, LOSS, NAVY, PERCENT, date_axis, dated, house_style, new_figure, number, percent
from touchstone.types import FloatArray

__all__ = ["ic_over_time", "quantile_returns"]


def ic_over_time(ic: pd.Series, *, window: int = 50) -> Figure:
    """Information coefficients as points, their rolling mean as a line, their mean as a level.

    Parameters
    ----------
    ic : Series
        One information coefficient a date, best from labels that do not overlap; NaN is left out.
    window : int
        Coefficients in the rolling mean; where there are fewer than that in all, half of those there are.

    Raises
    ------
    DataError
        No dates or nothing finite.
    """
    values = dated(ic, "An information coefficient over time").iloc[:, 0].dropna()
    width = max(min(window, len(values) // 2), 1)
    rolling, mean = values.rolling(width).mean(), float(values.mean())
    with house_style():
        figure = new_figure(9.6, 2.7, right=1.15)
        axes = figure.axes[0]
        axes.plot(*_stems(values), color="#b9c4d0", linewidth=0.7)
        axes.plot(rolling.index.to_numpy(), rolling.to_numpy(), color=NAVY, linewidth=1.6)
        axes.axhline(0.0, color=GREY, linewidth=0.8)
        axes.axhline(mean, color=LOSS if mean < 0 else "#c28a3e", linewidth=1.0, linestyle=(0, (4, 3)))
        date_axis(axes)
        reach = float(np.abs(values).max()) * 1.05
        axes.set_ylim(-reach, reach)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, 2)))
        axes.set_title(f"Information coefficient per date, and its mean over {width} dates")
        axes.text(
            1.012,
            0.5 + mean / (2 * reach),
            f"Mean {number(mean, 3)}",
            transform=axes.transAxes,
            va="center",
            color=LOSS if mean < 0 else "#a06f26",
            fontweight="bold",
        )
        return figure


def quantile_returns(table: pd.DataFrame) -> Figure:
    """Mean return of the symbols by quantile of their score, worst at the left.

    Parameters
    ----------
    table : DataFrame
        Index quantile in drawing order, column `mean` (simple return over the label's horizon); with columns `lower` and
        `upper`, their interval is drawn too.

    Raises
    ------
    DataError
        No finite mean.
    """
    means = table["mean"].to_numpy(dtype="float64")
    if not np.isfinite(means).any():
        raise DataError(
            f"Quantile returns need at least one finite mean, but got {len(table)} quantiles with none: give a span with labels."
        )
    places = np.arange(len(means))
    with house_style():
        figure = new_figure(4.7, 2.9)
        axes = figure.axes[0]
        axes.bar(places, means, width=0.62, color=[LOSS if mean < 0 else NAVY for mean in means])
        if {"lower", "upper"} <= set(table.columns):
            axes.vlines(
                places, table["lower"].to_numpy(dtype="float64"), table["upper"].to_numpy(dtype="float64"), color=INK, linewidth=0.9
            )
        axes.axhline(0.0, color=GREY, linewidth=0.8)
        for place, mean in zip(places, means, strict=True):
            axes.annotate(
                percent(float(mean), 2),
                (place, mean),
                xytext=(0, -4 if mean < 0 else 4),
                textcoords="offset points",
                ha="center",
                va="top" if mean < 0 else "bottom",
                fontsize=7.4,
            )
        axes.margins(y=0.16)
        axes.set_xticks(places, _names(table.index))
        axes.tick_params(axis="x", length=0.0)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_formatter(PERCENT)
        axes.set_title("Mean return to the label's end, by quantile of the score")
        return figure


def _stems(values: pd.Series) -> tuple[NDArray[np.datetime64], FloatArray]:
    """One broken line from 0 to each value: a tenth of the bytes of as many separate lines."""
    heights = np.full(3 * len(values), np.nan)
    heights[0::3], heights[1::3] = 0.0, values.to_numpy()
    return np.repeat(values.index.to_numpy(), 3), heights


def _names(index: pd.Index) -> list[str]:
    names = [str(name) for name in index]
    if len(names) > 1:
        names[0], names[-1] = f"{names[0]} (lowest)", f"{names[-1]} (highest)"
    return names
