"""Hold the best names, equally weighted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from touchstone.errors import OrderError, moment
from touchstone.portfolio._options import at_least
from touchstone.portfolio._scores import n_scored, places, score_panel, weights_frame

__all__ = ["TopN", "top_n"]


@dataclass(frozen=True, kw_only=True)
class TopN:
    """`top_n` with its options."""

    name: ClassVar[str] = "top_n"
    needs_bars: ClassVar[bool] = False
    n: int
    rebalance_every: int = 1

    def __post_init__(self) -> None:
        at_least("n", self.n, 1)
        at_least("rebalance_every", self.rebalance_every, 1)

    def weights(self, scores: pd.Series, bars: pd.DataFrame | None = None) -> pd.DataFrame:  # noqa: ARG002 - the rules share a shape
        """Weights at each decision, as `top_n` gives them."""
        panel = score_panel(scores, self.rebalance_every)
        values = panel.to_numpy()
        short = np.flatnonzero(n_scored(values)[:, 0] < self.n)
        if len(short):
            date, there = moment(panel.index[short[0]]), int(n_scored(values)[short[0], 0])
            raise OrderError(f"top_n must find {self.n} scored names, but {there} are scored on {date}: score more symbols or hold fewer.")
        return weights_frame(np.where(places(values) < self.n, 1.0 / self.n, 0.0), panel)


def top_n(scores: pd.Series, *, n: int, rebalance_every: int = 1) -> pd.DataFrame:
    """Hold the `n` best-scored names, 1/n of the equity each, and nothing short.

    At equal scores the earlier symbol counts as the better one. `top_bottom` is the form with a short side.

    Parameters
    ----------
    scores : Series, index (date, symbol), float
        Higher is better, known at the close of `date`; NaN takes no part.
    n : int, at least 1
        Names held.
    rebalance_every : int, at least 1
        Decide on every k-th scored session, counted from the first.

    Returns
    -------
    DataFrame, shape (n_decisions, n_symbols), float64
        Gross and net exposure 1. Known at the close of the index date.

    Raises
    ------
    ConfigError
        A number out of its range.
    DataError
        Scores that are not unique by (date, symbol), infinite, or all NaN.
    OrderError
        A date with fewer than `n` scores.
    """
    return TopN(n=n, rebalance_every=rebalance_every).weights(scores)
