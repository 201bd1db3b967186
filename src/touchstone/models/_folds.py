"""What a configuration is worth on folds it was not fitted on."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from touchstone.evaluation import information_coefficient, moments
from touchstone.labels import cross_sectional
from touchstone.models._forecaster import Forecaster
from touchstone.models._tuning import TrialOutcome
from touchstone.models._windows import fit_and_score
from touchstone.splits import Split

__all__ = ["fold_outcome"]

_SIDE = 0.2


def fold_outcome(
    make_model: Callable[[], Forecaster],
    features: pd.DataFrame,
    labels: pd.DataFrame,
    splits: Iterable[Split],
    *,
    target: str = "rank",
    horizon: int = 1,
    workers: int = 1,
) -> TrialOutcome:
    """Fit on every split, score its test rows, and judge the scores.

    The objective is the mean rank IC over sessions. The returns are those of the top minus the bottom fifth, before costs, on every
    `horizon`-th session, so that no two overlap; their Sharpe ratio is given per session (divided by the root of `horizon`).

    Parameters
    ----------
    make_model : callable
        Returns an unfitted forecaster.
    features : DataFrame, shape (n_rows, n_features)
        On (date, symbol).
    labels : DataFrame
        `label, start, end` on (date, symbol): the rows that were split.
    splits : iterable of Split
    target : {'rank', 'demeaned', 'raw'}
        What the models are fitted to, as `labels.cross_sectional` takes it.
    horizon : int
        Sessions a label spans.
    workers : int
        Folds fitted at a time.
    """
    scored = fit_and_score(make_model, features, cross_sectional(labels["label"], method=target), splits, workers=workers)
    value = float(information_coefficient(scored.scores, labels["label"]).mean())
    spread = _spread(scored.scores, labels["label"], horizon)
    seen = moments(spread)
    return TrialOutcome(
        value=value,
        returns=spread.to_numpy(),
        sharpe=seen.sharpe / np.sqrt(horizon),
        n_observations=len(spread) * horizon,
        skewness=seen.skewness,
        kurtosis=seen.kurtosis,
    )


def _spread(scores: pd.Series, label: pd.Series, horizon: int) -> pd.Series:
    """Mean label of the best fifth less that of the worst, on every `horizon`-th session that has both."""
    frame = pd.DataFrame({"score": scores, "label": label.reindex(scores.index)}).dropna()
    dates = frame.index.get_level_values("date")
    frame = frame[dates.isin(dates.unique()[::horizon])]
    place = frame.groupby(level="date")["score"].rank(pct=True, method="first")
    best = frame["label"][place > 1.0 - _SIDE].groupby(level="date").mean()
    worst = frame["label"][place <= _SIDE].groupby(level="date").mean()
    return (best - worst).dropna()
