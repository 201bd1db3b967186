"""How well the scores ordered what came after them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from touchstone.errors import DataError
from touchstone.plots._style import (
    GREY,
    LOSS,
    NAVY,
    NUMBER,
    PERCENT,
    date_axis,
    dated,
    house_style,
    new_figure,
    number,
    percent,
    value_axis,
)

__all__ = ["ic_over_time", "quantile_returns"]


def ic_over_time(ic: pd.Series, *, window: int = 50) -> Figure:
    """Rolling mean of the information coefficient with its 95% interval, over the coefficients themselves.

    One coefficient is far noisier than their mean, so the frame fits the mean's interval and leaves out the dots beyond. The
    interval is the mean ± 1.96 standard errors of its window (ddof 1), which holds for labels that do not overlap.

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
    error = 1.96 * values.rolling(width).std() / np.sqrt(width)
    reach = 1.15 * float(np.nanmax([*(rolling.abs() + error.fillna(0.0)), abs(mean), 1e-6]))
    dates = values.index.to_numpy()
    with house_style():
        figure = new_figure(9.6, 2.7, right=1.15)
        axes = figure.axes[0]
        _dots(axes, values)
        axes.fill_between(dates, (rolling - error).to_numpy(), (rolling + error).to_numpy(), color=NAVY, alpha=0.16, linewidth=0.0)
        axes.plot(dates, rolling.to_numpy(), color=NAVY, linewidth=1.6)
        axes.axhline(0.0, color=GREY, linewidth=0.8)
        axes.axhline(mean, color=LOSS if mean < 0 else "#c28a3e", linewidth=1.0, linestyle=(0, (4, 3)))
        date_axis(axes)
        axes.set_ylim(-reach, reach)
        value_axis(axes, NUMBER)
        axes.set_title(f"Mean of {width} information coefficients and its 95% interval; dots: single ones within the frame")
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
        Index quantile in drawing order, column `mean_return` (simple return over the label's horizon).

    Raises
    ------
    DataError
        No finite mean.
    """
    means = table["mean_return"].to_numpy(dtype="float64")
    if not np.isfinite(means).any():
        raise DataError(
            f"Quantile returns need at least one finite mean, but got {len(table)} quantiles with none: give a span with labels."
        )
    places = np.arange(len(means))
    with house_style():
        figure = new_figure(4.7, 2.9)
        axes = figure.axes[0]
        axes.bar(places, means, width=0.62, color=[LOSS if mean < 0 else NAVY for mean in means])
        axes.axhline(0.0, color=GREY, linewidth=0.8)
        for place in np.flatnonzero(np.isfinite(means)):
            mean = float(means[place])
            axes.annotate(
                percent(mean, 2),
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
        value_axis(axes, PERCENT)
        axes.set_title("Mean return to the label's end, by quantile of the score")
        return figure


def _dots(axes: Axes, values: pd.Series) -> None:
    """Each value as a round dot, all in one path of strokes of no length: a tenth of the bytes of as many markers."""
    ends = np.repeat(np.column_stack([date2num(values.index.to_numpy()), values.to_numpy()]), 2, axis=0)
    path = Path(ends, np.tile([Path.MOVETO, Path.LINETO], len(values)))
    path.should_simplify = False  # simplified, strokes of no length are dropped
    axes.add_patch(PathPatch(path, fill=False, edgecolor="#b3bfcc", linewidth=2.2, capstyle="round"))


def _names(index: pd.Index) -> list[str]:
    names = [str(name) for name in index]
    if len(names) > 1:
        names[0], names[-1] = f"{names[0]} (lowest)", f"{names[-1]} (highest)"
    return names
