"""A stated exposure for each quantile of the scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, OrderError, moment
from touchstone.portfolio._options import at_least
from touchstone.portfolio._scores import n_scored, places, score_panel, weights_frame

__all__ = ["QuantileWeights", "quantile_weights"]


@dataclass(frozen=True, kw_only=True)
class QuantileWeights:
    """`quantile_weights` with its options."""

    name: ClassVar[str] = "quantile_weights"
    needs_bars: ClassVar[bool] = False
    exposures: tuple[float, ...] = (-0.5, 0.0, 0.0, 0.0, 0.5)
    rebalance_every: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "exposures", tuple(float(exposure) for exposure in self.exposures))
        at_least("rebalance_every", self.rebalance_every, 1)
        if len(self.exposures) < 2 or not np.isfinite(self.exposures).all():
            raise ConfigError(
                f"exposures must be at least two numbers, worst quantile first, but got {list(self.exposures)}: "
                "[-0.5, 0, 0, 0, 0.5] is long the best fifth and short the worst."
            )

    def weights(self, scores: pd.Series, bars: pd.DataFrame | None = None) -> pd.DataFrame:  # noqa: ARG002 - the rules share a shape
        """Weights at each decision, as `quantile_weights` gives them."""
        panel = score_panel(scores, self.rebalance_every)
        values, n_quantiles = panel.to_numpy(), len(self.exposures)
        counts = n_scored(values)
        few = np.flatnonzero(counts[:, 0] < n_quantiles)
        if len(few):
            raise OrderError(
                f"Every quantile needs a name, but {int(counts[few[0], 0])} are scored on {moment(panel.index[few[0]])} "
                f"for {n_quantiles} quantiles: score more symbols or ask for fewer quantiles."
            )
        scored = ~np.isnan(values)
        quantile = np.where(scored, (2 * (counts - places(values)) - 1) * n_quantiles // (2 * counts), 0)
        weights = np.zeros_like(values)
        for number, exposure in enumerate(self.exposures):
            members = scored & (quantile == number)
            weights += np.where(members, exposure / members.sum(axis=1, keepdims=True), 0.0)
        return weights_frame(weights, panel)


def quantile_weights(
    scores: pd.Series, *, exposures: Sequence[float] = (-0.5, 0.0, 0.0, 0.0, 0.5), rebalance_every: int = 1
) -> pd.DataFrame:
    """Give each quantile of the scores its exposure, equally divided among its names.

    Of *n* scored names the one in place *r*, the worst being 0, is in quantile ``floor((r + 1/2) * n_quantiles / n)``, as in
    `touchstone.evaluation`; at equal scores the earlier symbol counts as the better one. The number of quantiles is that of the exposures.

    Parameters
    ----------
    scores : Series, index (date, symbol), float
        Higher is better, known at the close of `date`; NaN takes no part.
    exposures : sequence of float, at least two
        Fraction of equity for each quantile, worst first: ``(0, 0, 1)`` holds the best third, long only.
    rebalance_every : int, at least 1
        Decide on every k-th scored session, counted from the first.

    Returns
    -------
    DataFrame, shape (n_decisions, n_symbols), float64
        Net exposure is the sum of `exposures`, gross exposure that of their sizes. Known at the close of the index date.

    Raises
    ------
    ConfigError
        Fewer than two exposures, or one that is no number.
    DataError
        Scores that are not unique by (date, symbol), infinite, or all NaN.
    OrderError
        A date with fewer scores than quantiles.
    """
    return QuantileWeights(exposures=tuple(exposures), rebalance_every=rebalance_every).weights(scores)
