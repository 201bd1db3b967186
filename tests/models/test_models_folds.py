"""What a configuration is worth on folds."""

from __future__ import annotations

import numpy as np
import pytest

from touchstone.evaluation import information_coefficient, moments
from touchstone.labels import cross_sectional
from touchstone.models import fit_and_score, fold_outcome, make
from touchstone.splits import PurgedKFold


@pytest.fixture(scope="module")
def labels(panel):
    dates = panel.target.index.get_level_values("date")
    return panel.target.to_frame("label").assign(start=dates, end=dates)


def ridge():
    return make("ridge", alpha=0.1)


def test_the_value_is_the_mean_rank_ic_of_the_folds(panel, labels):
    splits = list(PurgedKFold(3).split(labels))
    outcome = fold_outcome(ridge, panel.features, labels, splits)
    scores = fit_and_score(ridge, panel.features, cross_sectional(labels["label"]), splits).scores
    assert outcome.value == information_coefficient(scores, labels["label"]).mean()
    assert outcome.value > 0.7


def test_the_returns_are_the_best_fifth_less_the_worst_on_sessions_apart(panel, labels):
    splits = list(PurgedKFold(3).split(labels))
    outcome = fold_outcome(ridge, panel.features, labels, splits, horizon=5)
    scores = fit_and_score(ridge, panel.features, cross_sectional(labels["label"]), splits).scores
    sessions = scores.index.get_level_values("date").unique()[::5]
    by_hand = []
    for session in sessions:
        ranked = labels.loc[session, "label"].iloc[np.argsort(scores.loc[session].to_numpy())]
        by_hand.append(ranked.iloc[-3:].mean() - ranked.iloc[:2].mean())  # of 12 symbols: above 0.8 and up to 0.2
    np.testing.assert_allclose(outcome.returns, by_hand, rtol=1e-12)
    seen = moments(outcome.returns)
    assert outcome.sharpe == pytest.approx(seen.sharpe / np.sqrt(5))
    assert outcome.n_observations == 60
    assert (outcome.skewness, outcome.kurtosis) == (seen.skewness, seen.kurtosis)
