"""Returns by month and year."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from touchstone.market import days_of
from touchstone.plots._style import GAIN, INK, LOSS, dated, house_style, new_figure, number
from touchstone.types import FloatArray

__all__ = ["monthly_heatmap", "monthly_returns"]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_GAP = 0.35
_STRONG = 0.62


def monthly_returns(returns: pd.Series) -> pd.DataFrame:
    """Compounded return of each month and each year.

    Parameters
    ----------
    returns : Series
        Simple returns per period, index date; NaN counts as no return.

    Returns
    -------
    DataFrame
        Index year, columns 1 … 12 and `year`; NaN for a month without any return. A first or last month or year that is
        not whole counts for the part that is there.
    """
    values = dated(returns, "A table of monthly returns").iloc[:, 0].dropna()
    dates = days_of(pd.DatetimeIndex(values.index))
    by_month = (1.0 + values).groupby([dates.year, dates.month]).prod() - 1.0
    table = by_month.unstack().reindex(columns=range(1, 13))  # noqa: PD010 - one value a cell, nothing to aggregate
    table["year"] = (1.0 + values).groupby(dates.year).prod() - 1.0
    return table.rename_axis(index="year", columns=None)


def monthly_heatmap(returns: pd.Series) -> Figure:
    """Months across, years down, the return in each cell and its colour; the whole year at the right.

    Parameters
    ----------
    returns : Series
        Simple returns per period, index date; NaN counts as no return.

    Raises
    ------
    DataError
        No dates or nothing finite.
    """
    table = monthly_returns(returns)
    with house_style():
        figure = new_figure(9.6, 0.5 + 0.235 * len(table), right=0.1, left=0.55, bottom=0.06)
        axes = figure.axes[0]
        _cells(axes, table[list(range(1, 13))].to_numpy(), first=0.0)
        _cells(axes, table[["year"]].to_numpy(), first=12.0 + _GAP)
        axes.set(xlim=(0.0, 13.0 + _GAP), ylim=(len(table), 0.0))
        axes.set_xticks([*(month + 0.5 for month in range(12)), 12.5 + _GAP], [*_MONTHS, "Year"])
        axes.set_yticks([row + 0.5 for row in range(len(table))], [str(year) for year in table.index])
        axes.xaxis.tick_top()
        axes.tick_params(length=0.0)
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        return figure


def _cells(axes: Axes, values: FloatArray, *, first: float) -> None:
    """Coloured cells; one outlier must not bleach the rest, so the scale ends at the 95th percentile."""
    reach = max(float(np.nanquantile(np.abs(values), 0.95)), 1e-4)
    colours = LinearSegmentedColormap.from_list("returns", [LOSS, "#f6f4ef", GAIN])
    scale = Normalize(-reach, reach, clip=True)
    for row, column in np.argwhere(np.isfinite(values)):
        value = float(values[row, column])
        corner = (first + column + 0.02, row + 0.05)
        axes.add_patch(Rectangle(corner, 0.96, 0.9, facecolor=colours(scale(value)), linewidth=0.0))
        axes.text(
            first + column + 0.5,
            row + 0.53,
            number(100 * value, 1),
            ha="center",
            va="center",
            fontsize=7.2,
            color="white" if abs(value) > _STRONG * reach else INK,
        )
