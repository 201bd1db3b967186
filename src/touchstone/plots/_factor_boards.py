"""Many features at a glance: the best and the worst, all against chance, and who says the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from scipy.special import stdtrit

from touchstone.errors import DataError
from touchstone.plots._style import GREY, LOSS, NAVY, NUMBER, house_style, number, value_axis

__all__ = ["factor_chances", "factor_correlations", "factor_leaderboard"]

_ROW, _TOP, _BOTTOM = 0.165, 0.32, 0.34
_QUIET = "#9fb0c2"


def factor_leaderboard(board: pd.DataFrame, *, n: int = 20, level: float = 0.1) -> Figure:
    """Mean rank IC with its interval, the highest features at the left and the lowest at the right.

    Parameters
    ----------
    board : DataFrame, index feature
        ``rank_ic``, ``lower``, ``upper`` and ``q`` as in `touchstone.evaluation.FactorAssessment.leaderboard`.
    n : int
        Features on either side at most; of fewer than twice as many each half shows its own.
    level : float
        Features with a q-value above it are drawn pale.

    Raises
    ------
    DataError
        No feature has a mean.
    """
    known = board[board["rank_ic"].notna()].sort_values("rank_ic", ascending=False, kind="stable")
    if known.empty:
        raise DataError(f"A leaderboard needs one feature with a mean rank IC, but got {len(board)} without: give a span with labels.")
    cut = min(n, -(-len(known) // 2))
    sides = [known.head(cut), known.tail(min(n, len(known) - cut)).iloc[::-1]]
    low, high = float(known["lower"].min(skipna=True)), float(known["upper"].max(skipna=True))
    reach = 1.05 * max(abs(value) for value in (low, high, float(known["rank_ic"].abs().max())) if np.isfinite(value))
    height = _TOP + _BOTTOM + _ROW * cut
    with house_style():
        figure = Figure(figsize=(9.6, height))
        for place, side in enumerate(sides):
            left = (1.25 + 4.85 * place) / 9.6
            axes = figure.add_axes((left, _BOTTOM / height, 3.4 / 9.6, 1.0 - (_TOP + _BOTTOM) / height))
            _rows(axes, side, level=level, n_rows=cut, reach=max(reach, 1e-6))
            axes.set_title("Highest mean rank IC" if place == 0 else "Lowest mean rank IC")
        return figure


def factor_chances(board: pd.DataFrame, *, expected_largest: float) -> Figure:
    """Every feature's |t|, smallest first, against what as many tests of nothing are expected to show.

    Points on the line are what chance brings; only what rises well above it is news.

    Parameters
    ----------
    board : DataFrame, index feature
        ``t`` and ``degrees`` as in `touchstone.evaluation.FactorAssessment.leaderboard`.
    expected_largest : float
        Expected largest |t| of independent tests of nothing.

    Raises
    ------
    DataError
        No t-statistic.
    """
    tested = board[board["t"].notna()]
    if tested.empty:
        raise DataError(f"Chances are drawn for tested features, but none of the {len(board)} was: give a span with more labels.")
    seen = np.sort(tested["t"].abs().to_numpy())
    shares = (np.arange(len(seen)) + 0.5) / len(seen)
    by_chance = stdtrit(float(tested["degrees"].median()), 0.5 + 0.5 * shares)
    end = 1.06 * max(float(by_chance[-1]), 1.0)
    with house_style():
        figure = _alone(4.7, 3.2)
        axes = figure.axes[0]
        axes.plot([0.0, end], [0.0, end], color=GREY, linewidth=0.9)
        axes.axhline(expected_largest, color="#c28a3e", linewidth=1.0, linestyle=(0, (4, 3)))
        axes.plot(by_chance, seen, linestyle="none", marker="o", markersize=3.2, markerfacecolor=NAVY, markeredgewidth=0.0, alpha=0.75)
        ceiling = 1.12 * max(float(seen[-1]), expected_largest, end)
        axes.set(xlim=(0.0, end), ylim=(0.0, ceiling))
        # The lower right is free: sorted values lie above the line or on it.
        axes.text(
            0.02 * end, expected_largest + 0.015 * ceiling, f"best of {len(seen)} by luck: {number(expected_largest, 2)}", color="#a06f26"
        )
        value_axis(axes, NUMBER)
        axes.set_xlabel("|t| expected of tests of nothing", labelpad=3.0, color=GREY)
        axes.set_title("|t| found, smallest to largest")
        return figure


def factor_correlations(correlation: pd.DataFrame, clusters: pd.Series) -> Figure:
    """Strength of the rank correlations of features, neighbours alike, with the clusters of several as squares.

    The sign is left out: a feature and its mirror say the same.

    Parameters
    ----------
    correlation : DataFrame
        Square, in the order to be drawn (see `touchstone.evaluation.cluster_features`).
    clusters : Series
        Cluster of each feature, in the same order.

    Raises
    ------
    DataError
        Fewer than two features.
    """
    if len(correlation) < 2:
        raise DataError(f"Correlations are drawn between features, but got {len(correlation)}: name two or more.")
    size = len(correlation)
    with house_style():
        figure = _alone(4.7, 4.4, left=1.15 if size <= 40 else 0.45, right=0.55)
        axes = figure.axes[0]
        colours = LinearSegmentedColormap.from_list("strength", ["#f6f4ef", NAVY])
        drawn = axes.imshow(correlation.abs().to_numpy(), cmap=colours, vmin=0.0, vmax=1.0, interpolation="none", aspect="auto")
        _outline(axes, clusters.to_numpy())
        axes.grid(visible=False)
        axes.tick_params(length=0.0)
        axes.set_xticks([])
        if size <= 40:
            axes.set_yticks(range(size), [_shortened(str(name)) for name in correlation.index], fontsize=6.4)
        else:
            step = 20 if size <= 200 else 50
            axes.set_yticks(range(step - 1, size, step), [str(place) for place in range(step, size + 1, step)], color=GREY)
        box = axes.get_position()
        bar = figure.add_axes((box.x1 + 0.015, box.y0, 0.016, box.height))
        scale = figure.colorbar(drawn, cax=bar, ticks=[0.0, 0.25, 0.5, 0.75, 1.0], format=NUMBER)
        scale.outline.set_visible(False)
        bar.tick_params(length=0.0, labelsize=7.0)
        bar.grid(visible=False)
        axes.set_title("Absolute rank correlation, in the order of the tree")
        return figure


def _rows(axes: Axes, side: pd.DataFrame, *, level: float, n_rows: int, reach: float) -> None:
    places = np.arange(len(side))
    certain = (side["q"] <= level).to_numpy()
    for sure, colour in ((False, _QUIET), (True, NAVY)):
        chosen = certain == sure
        rows = side[chosen]
        axes.hlines(places[chosen], rows["lower"], rows["upper"], color=colour, linewidth=1.4)
        axes.plot(rows["rank_ic"], places[chosen], linestyle="none", marker="o", markersize=3.6, color=colour)
    axes.axvline(0.0, color=GREY, linewidth=0.8)
    axes.set(xlim=(-reach, reach), ylim=(n_rows - 0.4, -0.6))
    axes.set_yticks(places, [_shortened(str(name)) for name in side.index], fontsize=7.0)
    axes.tick_params(axis="y", length=0.0)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    axes.xaxis.set_major_formatter(NUMBER)
    axes.locator_params(axis="x", nbins=5)


def _outline(axes: Axes, numbers: np.ndarray) -> None:
    """A square around each cluster of more than one."""
    edges = np.flatnonzero(np.diff(numbers)) + 1
    for first, last in zip([0, *edges], [*edges, len(numbers)], strict=True):
        if last - first > 1:
            square = (
                [first - 0.5, last - 0.5, last - 0.5, first - 0.5, first - 0.5],
                [first - 0.5, first - 0.5, last - 0.5, last - 0.5, first - 0.5],
            )
            axes.plot(*square, color=LOSS, linewidth=0.9 if len(numbers) <= 60 else 0.6, solid_joinstyle="miter")


def _alone(width: float, height: float, *, left: float = 0.4, right: float = 0.15) -> Figure:
    figure = Figure(figsize=(width, height))
    figure.add_axes((left / width, 0.45 / height, 1.0 - (left + right) / width, 1.0 - 0.77 / height))
    return figure


def _shortened(name: str) -> str:
    return name if len(name) <= 20 else f"{name[:19]}\N{HORIZONTAL ELLIPSIS}"
