"""A few features in detail, side by side: decay, quantiles, and how their rank IC adds up."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from touchstone.errors import DataError
from touchstone.plots._style import (
    GREY,
    LOSS,
    NAVY,
    NUMBER,
    PALETTE,
    PERCENT,
    date_axis,
    dated,
    end_labels,
    house_style,
    new_figure,
    value_axis,
)

__all__ = ["cumulative_ic", "factor_decay", "factor_quantiles"]

_ACROSS = 3
_MOST_LINES = 6


def factor_decay(means: pd.DataFrame, lower: pd.DataFrame, upper: pd.DataFrame) -> Figure:
    """Mean rank IC over longer and longer horizons, a panel a feature, all on one scale.

    An interval far wider than the means are high is cut at the frame.

    Parameters
    ----------
    means, lower, upper : DataFrame, index feature, columns horizon in sessions
        Of one shape, in drawing order.

    Raises
    ------
    DataError
        No feature, or no finite mean.
    """
    _require(means, "Decay")
    places, horizons = np.arange(len(means.columns)), [str(horizon) for horizon in means.columns]
    reach = _reach(means, lower, upper)
    with house_style():
        figure, panels = _panels(len(means))
        for axes, name in zip(panels, means.index, strict=True):
            axes.axhline(0.0, color=GREY, linewidth=0.8)
            axes.vlines(places, lower.loc[name], upper.loc[name], color="#9fb0c2", linewidth=1.4)
            axes.plot(places, means.loc[name].to_numpy(), color=NAVY, linewidth=1.2, marker="o", markersize=3.4)
            axes.set(xlim=(-0.4, len(places) - 0.6), ylim=(-reach, reach), title=str(name))
            axes.set_xticks(places, horizons)
            value_axis(axes, NUMBER)
        return figure


def factor_quantiles(quantiles: pd.DataFrame) -> Figure:
    """Mean return by quantile of the feature less the mean over its quantiles, a panel a feature, all on one scale.

    Parameters
    ----------
    quantiles : DataFrame, index feature, columns quantile 1 (lowest values) …
        Mean returns, in drawing order.

    Raises
    ------
    DataError
        No feature, or no finite mean.
    """
    _require(quantiles, "Quantiles")
    excess = quantiles.sub(quantiles.mean(axis=1), axis=0)
    reach = max(1.15 * float(np.nanmax(np.abs(excess.to_numpy()))), 1e-6)
    places = np.arange(len(excess.columns))
    with house_style():
        figure, panels = _panels(len(excess))
        for axes, name in zip(panels, excess.index, strict=True):
            means = excess.loc[name].to_numpy()
            axes.bar(places, means, width=0.66, color=[LOSS if mean < 0 else NAVY for mean in means])
            axes.axhline(0.0, color=GREY, linewidth=0.8)
            axes.set(ylim=(-reach, reach), title=str(name))
            axes.set_xticks(places, [str(column) for column in excess.columns])
            axes.tick_params(axis="x", length=0.0)
            value_axis(axes, PERCENT)
        return figure


def cumulative_ic(rank_ic: pd.DataFrame) -> Figure:
    """Running sum of the daily rank IC: a straight line is a feature that works all the time.

    Parameters
    ----------
    rank_ic : DataFrame, index date, columns feature
        Six features at most, in drawing order; NaN adds nothing.

    Raises
    ------
    DataError
        No dates, nothing finite, or too many features to tell apart.
    """
    if rank_ic.shape[1] > _MOST_LINES:
        raise DataError(f"At most {_MOST_LINES} lines can be told apart, but got {rank_ic.shape[1]} features: choose some.")
    drawn = dated(rank_ic, "A cumulative rank IC")
    sums = drawn.fillna(0.0).cumsum().where(drawn.notna().cummax())
    with house_style():
        figure = new_figure(9.6, 3.1, right=1.6)
        axes = figure.axes[0]
        ends = []
        for name, colour in zip(sums.columns, PALETTE, strict=False):
            axes.plot(sums.index.to_numpy(), sums[name].to_numpy(), color=colour, linewidth=1.2)
            ends.append((float(sums[name].iloc[-1]), str(name), colour))
        axes.axhline(0.0, color=GREY, linewidth=0.8, zorder=1)
        date_axis(axes)
        value_axis(axes, NUMBER)
        axes.set_title("Sum of the daily rank IC")
        end_labels(axes, ends, height=2.48)
        return figure


def _reach(means: pd.DataFrame, lower: pd.DataFrame, upper: pd.DataFrame) -> float:
    widest = float(np.nanmax(np.abs([means.to_numpy(), lower.to_numpy(), upper.to_numpy()])))
    return 1.1 * min(widest, max(2.5 * float(np.nanmax(np.abs(means.to_numpy()))), 1e-6))


def _panels(n: int) -> tuple[Figure, list[Axes]]:
    """A row of three panels, or as many rows as it takes."""
    n_rows = -(-n // _ACROSS)
    height = 0.1 + 1.72 * n_rows
    figure = Figure(figsize=(9.6, height))
    width, tall = 2.62, 1.12
    corners = [(0.5 + (place % _ACROSS) * (width + 0.55), height - 0.34 - tall - (place // _ACROSS) * 1.72) for place in range(n)]
    return figure, [figure.add_axes((x / 9.6, y / height, width / 9.6, tall / height)) for x, y in corners]


def _require(table: pd.DataFrame, what: str) -> None:
    if not len(table) or not np.isfinite(table.to_numpy(dtype="float64")).any():
        raise DataError(f"{what} need a feature with a finite mean, but got {len(table)} rows with none: give a span with labels.")
