"""What trading took away."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from touchstone.errors import DataError
from touchstone.plots._style import (
    GREY,
    INK,
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
    number,
    percent,
    value_axis,
)

__all__ = ["cost_curve", "trade_costs"]

_DATES = 300


def trade_costs(costs: pd.DataFrame) -> Figure:
    """Costs added up over time, one band a kind, each labelled with its sum.

    Parameters
    ----------
    costs : DataFrame
        Costs per period as fractions of equity (positive = paid), index date, one column a kind, such as `commission`,
        `spread`, `borrow`. NaN counts as none.

    Raises
    ------
    DataError
        No dates or nothing finite.
    """
    paid = dated(costs, "Trade costs").fillna(0.0).cumsum()
    kinds = [str(kind) for kind in paid.columns]
    with house_style():
        figure = new_figure(4.7, 2.9, right=1.2)
        axes = figure.axes[0]
        colours = [PALETTE[(0, 1, 2, 4, 5, 3)[place % len(PALETTE)]] for place in range(len(kinds))]
        # Bands are not simplified when written: a few hundred dates look the same as thousands.
        shown = paid.iloc[(len(paid) - 1) % (1 + len(paid) // _DATES) :: 1 + len(paid) // _DATES]
        axes.stackplot(shown.index.to_numpy(), shown.to_numpy().T, colors=colours, linewidth=0.0, alpha=0.9)
        date_axis(axes)
        axes.set_ylim(0.0, max(float(paid.sum(axis=1).max()) * 1.06, 1e-6))
        value_axis(axes, PERCENT)
        axes.set_title("Costs so far, sum of fractions of equity")
        tops = paid.iloc[-1].cumsum().to_numpy()
        sums = paid.iloc[-1].to_numpy()
        middles = tops - sums / 2
        ends = [
            (float(middle), f"{kind.replace('_', ' ').capitalize()}  {percent(float(total), 1)}", colour)
            for kind, middle, total, colour in zip(kinds, middles, sums, colours, strict=True)
        ]
        end_labels(axes, ends, height=2.28)
        return figure


def cost_curve(sharpe: pd.Series) -> Figure:
    """Annual Sharpe ratio after costs against how large the costs are.

    Parameters
    ----------
    sharpe : Series
        Annual Sharpe ratio of net returns, index multiple of the assumed costs (0 = none, 1 = as assumed); NaN is left out.

    Raises
    ------
    DataError
        Nothing finite.
    """
    drawn = sharpe.astype("float64").dropna().sort_index()
    if drawn.empty:
        raise DataError(f"A cost curve needs at least one finite Sharpe ratio, but got {len(sharpe)} multiples with none.")
    multiples = drawn.index.to_numpy(dtype="float64")
    with house_style():
        figure = new_figure(4.7, 2.9)
        axes = figure.axes[0]
        axes.axhline(0.0, color=GREY, linewidth=0.8)
        axes.plot(multiples, drawn.to_numpy(), color=NAVY, linewidth=1.5, marker="o", markersize=4.0)
        for multiple, value in drawn.items():
            axes.annotate(
                number(float(value), 2),
                (multiple, value),
                xytext=(0, 7),
                textcoords="offset points",
                ha="center",
                fontsize=7.4,
                color=LOSS if value < 0 else INK,
                fontweight="bold" if multiple == 1.0 else "normal",
            )
        axes.margins(x=0.08, y=0.2)
        axes.set_xticks(multiples, [f"{multiple:g}\N{MULTIPLICATION SIGN}" for multiple in multiples])
        value_axis(axes, NUMBER)
        axes.set_title("Annual net Sharpe ratio, costs at a multiple of those assumed")
        return figure
