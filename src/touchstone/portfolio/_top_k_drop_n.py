"""Hold the best names, and replace at most a few of them at each decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError
from touchstone.portfolio._options import at_least
from touchstone.portfolio._scores import n_scored, places, score_panel, weights_frame
from touchstone.types import BoolArray, IntArray

__all__ = ["TopKDropN", "top_k_drop_n"]


@dataclass(frozen=True, kw_only=True)
class TopKDropN:
    """`top_k_drop_n` with its options."""

    name: ClassVar[str] = "top_k_drop_n"
    needs_bars: ClassVar[bool] = False
    k: int
    n_drop: int
    rebalance_every: int = 1

    def __post_init__(self) -> None:
        at_least("k", self.k, 1)
        at_least("n_drop", self.n_drop, 1)
        at_least("rebalance_every", self.rebalance_every, 1)
        if self.n_drop > self.k:
            raise ConfigError(f"n_drop must be at most k, but got n_drop={self.n_drop} and k={self.k}: drop no more than is held.")

    def weights(self, scores: pd.Series, bars: pd.DataFrame | None = None) -> pd.DataFrame:  # noqa: ARG002 - the rules share a shape
        """Weights at each decision, as `top_k_drop_n` gives them."""
        panel = score_panel(scores, self.rebalance_every)
        values = panel.to_numpy()
        place, counts = places(values), n_scored(values)[:, 0]
        held = np.zeros(values.shape[1], dtype=np.bool_)
        weights = np.zeros_like(values)
        for row in range(len(values)):
            held = self._held_next(held, place[row], int(counts[row]))
            weights[row, held] = 1.0 / self.k
        return weights_frame(weights, panel)

    def _held_next(self, held: BoolArray, place: IntArray, n_names: int) -> BoolArray:
        """Holdings after a decision. `place` is below `n_names` for scored names."""
        order = np.empty(len(place), dtype=np.int64)
        order[place] = np.arange(len(place))
        scored = order[:n_names]
        # A name without a score may be gone: it does not wait for its turn among the worst.
        kept = scored[held[scored]]
        fresh = scored[~held[scored]][: self.n_drop + self.k - len(kept)]
        both = np.concatenate([kept, fresh])
        following = np.zeros_like(held)
        following[both[np.argsort(place[both])][: self.k]] = True
        return following


def top_k_drop_n(scores: pd.Series, *, k: int, n_drop: int, rebalance_every: int = 1) -> pd.DataFrame:
    """Hold `k` names equally weighted and exchange at most `n_drop` of them at a decision.

    The rule of Qlib's ``TopkDropoutStrategy`` (Yang et al. 2020, "Qlib: an AI-oriented quantitative investment platform";
    ``method_sell="bottom"``, ``method_buy="top"``): the best names that are not held, as many as are missing to `k` and
    `n_drop` more, are put beside the held ones; the `n_drop` worst of these `k` + `n_drop` are not held, the others are. So no
    name is sold for a worse one. What is held depends on the decisions before.

    Four differences, so that decisions are weights and the same on every run: each name's target is 1/k of the equity at every
    decision, where Qlib lets holdings drift; at equal scores the earlier symbol is the better one; a held name without a score is
    sold at once, beyond `n_drop`; no name is sold where nothing is left to take its place. Qlib's minimum holding time and its
    checks of tradability are the simulator's business.

    Parameters
    ----------
    scores : Series, index (date, symbol), float
        Higher is better, known at the close of `date`; NaN takes no part.
    k : int, at least 1
        Names held. Where fewer are scored all of these are held, at 1/k each, and the rest is cash.
    n_drop : int, in [1, k]
        Names exchanged at most at a decision, as long as all holdings are scored.
    rebalance_every : int, at least 1
        Decide on every k-th scored session, counted from the first.

    Returns
    -------
    DataFrame, shape (n_decisions, n_symbols), float64
        0 or 1/k. Known at the close of the index date.

    Raises
    ------
    ConfigError
        A number out of its range.
    DataError
        Scores that are not unique by (date, symbol), infinite, or all NaN.
    """
    return TopKDropN(k=k, n_drop=n_drop, rebalance_every=rebalance_every).weights(scores)
