"""Weights in proportion to the scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from touchstone.errors import OrderError, moment, name_few
from touchstone.portfolio._options import at_least
from touchstone.portfolio._scores import n_scored, score_panel, weights_frame

__all__ = ["ScoreWeights", "score_weights"]


@dataclass(frozen=True, kw_only=True)
class ScoreWeights:
    """`score_weights` with its options."""

    name: ClassVar[str] = "score_weights"
    needs_bars: ClassVar[bool] = False
    long_only: bool = False
    rebalance_every: int = 1

    def __post_init__(self) -> None:
        at_least("rebalance_every", self.rebalance_every, 1)

    def weights(self, scores: pd.Series, bars: pd.DataFrame | None = None) -> pd.DataFrame:  # noqa: ARG002 - the rules share a shape
        """Weights at each decision, as `score_weights` gives them."""
        panel = score_panel(scores, self.rebalance_every)
        values = panel.to_numpy()
        # Powers of two scale without rounding, so that scores however large or small can be summed.
        largest = np.nanmax(np.abs(values), axis=1, keepdims=True)
        scaled = np.nan_to_num(np.ldexp(values, -np.frexp(largest)[1]))
        sizes = np.maximum(scaled, 0.0) if self.long_only else self._centred(scaled, values, panel.index)
        gross = np.abs(sizes).sum(axis=1, keepdims=True)
        return weights_frame(np.divide(sizes, gross, out=np.zeros_like(sizes), where=gross > 0.0), panel)

    def _centred(self, scaled: np.ndarray, values: np.ndarray, dates: pd.Index) -> np.ndarray:
        alike = np.nanmax(values, axis=1) == np.nanmin(values, axis=1)
        if alike.any():
            raise OrderError(
                "Weights in proportion to the distance from the mean need two different scores, but all are alike on "
                f"{name_few(moment(date) for date in dates[alike])}: leave these dates out or mend the model."
            )
        return np.where(np.isnan(values), 0.0, scaled - scaled.sum(axis=1, keepdims=True) / n_scored(values))


def score_weights(scores: pd.Series, *, long_only: bool = False, rebalance_every: int = 1) -> pd.DataFrame:
    """Hold every scored name in proportion to its score.

    ``w = (s - mean(s)) / sum(|s - mean(s)|)``: gross exposure 1, net 0. With `long_only` ``w = max(s, 0) / sum(max(s, 0))``:
    gross and net 1, or nothing held where no score is above zero. Scores times a positive number give the same weights.

    Parameters
    ----------
    scores : Series, index (date, symbol), float
        Higher is better, known at the close of `date`; NaN takes no part.
    long_only : bool
        Hold positive scores only; the level of the scores then matters.
    rebalance_every : int, at least 1
        Decide on every k-th scored session, counted from the first.

    Returns
    -------
    DataFrame, shape (n_decisions, n_symbols), float64
        Known at the close of the index date.

    Raises
    ------
    ConfigError
        A number out of its range.
    DataError
        Scores that are not unique by (date, symbol), infinite, or all NaN.
    OrderError
        A date on which all scores are alike, unless `long_only`.
    """
    return ScoreWeights(long_only=long_only, rebalance_every=rebalance_every).weights(scores)
