"""Refit in every window, score what it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from touchstone.errors import DataError
from touchstone.models._forecaster import Forecaster
from touchstone.parallel import map_tasks
from touchstone.splits import Split
from touchstone.types import FloatArray, IntArray

__all__ = ["ScoredWindows", "fit_and_score"]


@dataclass(frozen=True)
class ScoredWindows:
    """Scores out of sample.

    Attributes
    ----------
    scores : Series
        float64 "score" on (date, symbol), date-major; every test row with features, labelled or not.
    last_model : Forecaster
        The one fitted in the last window.
    windows : DataFrame, shape (n_windows, 3)
        `start`, `end` (first and last scored date) and `n_train_rows`.
    """

    scores: pd.Series
    last_model: Forecaster
    windows: pd.DataFrame


@dataclass(frozen=True)
class _Window:
    test: IntArray
    scores: FloatArray
    model: Forecaster
    n_train_rows: int


def fit_and_score(
    make_model: Callable[[], Forecaster], features: pd.DataFrame, target: pd.Series, splits: Iterable[Split], *, workers: int = 1
) -> ScoredWindows:
    """Fit a fresh model on every split's training rows and score its test rows.

    A row has features when it stands in `features` with at least one value that is not missing; rows without are neither
    trained on nor scored.

    Parameters
    ----------
    make_model : callable
        Returns an unfitted forecaster.
    features : DataFrame, shape (n_feature_rows, n_features)
        On (date, symbol); rows may lack for part of the target's index.
    target : Series, shape (n_rows,)
        On the index of the labels that were split; NaN where there is none.
    splits : iterable of Split
        Positions in `target`. Test rows of different splits must not overlap.
    workers : int
        Windows fitted at a time; the scores do not depend on it.

    Raises
    ------
    DataError
        No split, a split without a row to train on, or a row tested twice.
    """
    rows = features.index.get_indexer(target.index)
    rows[rows >= 0] = np.where(features.notna().any(axis=1).to_numpy()[rows[rows >= 0]], rows[rows >= 0], -1)
    trainable = (rows >= 0) & target.notna().to_numpy()

    def score(split: Split) -> _Window:
        train = split.train[trainable[split.train]]
        if not train.size:
            raise DataError(_untrainable(target, split))
        test = split.test[rows[split.test] >= 0]
        model = make_model().fit(features.iloc[rows[train]], target.iloc[train])
        return _Window(test, model.predict(features.iloc[rows[test]]), model, len(train))

    # All of them first: joblib would draw later ones in a thread of its own, where an error has nobody to tell.
    windows = map_tasks(score, list(splits), workers=workers)
    if not windows:
        raise DataError("Scoring needs at least one split, but got none: bring more sessions or smaller windows.")
    return ScoredWindows(_scores(target, windows), windows[-1].model, _summary(target, windows))


def _scores(target: pd.Series, windows: list[_Window]) -> pd.Series:
    tested = np.concatenate([window.test for window in windows])
    order = np.argsort(tested, kind="stable")
    tested = tested[order]
    if any(first == second for first, second in pairwise(tested.tolist())):
        raise DataError("Every row must be scored once, but test rows of different splits overlap: use splits that do not.")
    values = np.concatenate([window.scores for window in windows])[order]
    return pd.Series(values, index=target.index[tested], name="score")


def _summary(target: pd.Series, windows: list[_Window]) -> pd.DataFrame:
    dates = target.index.get_level_values("date")
    scored = [dates[window.test] for window in windows]
    return pd.DataFrame(
        {
            "start": pd.DatetimeIndex([block.min() for block in scored]).as_unit("us"),
            "end": pd.DatetimeIndex([block.max() for block in scored]).as_unit("us"),
            "n_train_rows": np.array([window.n_train_rows for window in windows], dtype=np.int64),
        }
    )


def _untrainable(target: pd.Series, split: Split) -> str:
    first = target.index.get_level_values("date")[split.test[0]]
    return (
        f"A window needs training rows with features and a target, but the one tested from {first:%Y-%m-%d} has none of "
        f"{len(split.train)}: raise n_train, or use features with a shorter lookback."
    )
