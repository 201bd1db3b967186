"""Scores out of sample: each row once, by a model that has not seen it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from touchstone.errors import DataError
from touchstone.models import fit_and_score, make
from touchstone.splits import PurgedKFold, PurgedWalkForward


def labels_of(target: pd.Series, horizon: int = 2) -> pd.DataFrame:
    dates = target.index.get_level_values("date").unique()
    day = np.repeat(np.arange(len(dates)), len(target) // len(dates))
    known = day + 1 + horizon < len(dates)
    at = lambda number: pd.Series(dates.to_numpy()[np.minimum(number, len(dates) - 1)], index=target.index).where(known)  # noqa: E731
    return pd.DataFrame({"label": target.where(known), "start": at(day + 1), "end": at(day + 1 + horizon)})


@pytest.fixture(scope="module")
def labels(panel):
    return labels_of(panel.target)


@pytest.fixture
def splits(labels):
    return list(PurgedWalkForward(30, 12).split(labels))


def ridge():
    return make("ridge", alpha=0.1)


def test_every_test_row_gets_the_score_of_its_windows_model(panel, labels, splits):
    scored = fit_and_score(ridge, panel.features, labels["label"], splits)
    dates = panel.features.index.get_level_values("date")
    assert scored.scores.name == "score"
    assert scored.scores.dtype == np.float64
    assert scored.scores.index.equals(panel.features.index[dates >= dates.unique()[30]])  # the last sessions have no label
    for split in splits:
        model = ridge().fit(panel.features.iloc[split.train], labels["label"].iloc[split.train])
        expected = model.predict(panel.features.iloc[split.test])
        np.testing.assert_array_equal(scored.scores.loc[panel.features.index[split.test]], expected)
    assert scored.last_model == model


def test_the_table_of_windows(panel, labels, splits):
    windows = fit_and_score(ridge, panel.features, labels["label"], splits).windows
    sessions = panel.features.index.get_level_values("date").unique()
    assert windows["start"].tolist() == [sessions[30], sessions[42], sessions[54]]
    assert windows["end"].tolist() == [sessions[41], sessions[53], sessions[59]]
    # Horizon 2: of 30 training sessions the last two touch the test. The labels of the last window's test rows 57 to 59 are not known.
    assert windows["n_train_rows"].tolist() == [28 * 12, 28 * 12, 28 * 12]
    assert windows.dtypes.astype(str).to_dict() == {"start": "datetime64[us]", "end": "datetime64[us]", "n_train_rows": "int64"}


def test_workers_change_no_bit(panel, labels, splits):
    one, two = (fit_and_score(ridge, panel.features, labels["label"], splits, workers=workers) for workers in (1, 2))
    pd.testing.assert_series_equal(one.scores, two.scores, check_exact=True)
    assert one.last_model.dump() == two.last_model.dump()
    pd.testing.assert_frame_equal(one.windows, two.windows)


def test_the_future_of_a_window_changes_no_score_in_it(panel, labels, splits):
    changed = labels["label"].copy()
    changed.iloc[splits[0].test[0] :] = 0.0
    before, after = (fit_and_score(ridge, panel.features, target, splits[:1]).scores for target in (labels["label"], changed))
    pd.testing.assert_series_equal(before, after, check_exact=True)


def test_rows_outside_the_features_or_empty_are_not_scored(panel, labels, splits):
    features = panel.features.copy()
    features.iloc[splits[0].test[0]] = np.nan  # a row without a value
    outside = splits[0].test[1]
    features = features.drop(index=features.index[[outside, 0]])  # rows outside the universe, tested and trained
    scored = fit_and_score(ridge, features, labels["label"], splits)
    assert len(scored.scores) == sum(len(split.test) for split in splits) - 2
    assert panel.features.index[splits[0].test[0]] not in scored.scores.index
    assert panel.features.index[outside] not in scored.scores.index
    assert scored.windows["n_train_rows"][0] == 28 * 12 - 1
    # An untouched row still gets the score of its own features, so positions were not mixed up.
    kept = features.index[features.index.get_level_values("date") == scored.windows["end"].iloc[-1]]
    np.testing.assert_array_equal(scored.scores.loc[kept], scored.last_model.predict(features.loc[kept]))


def test_folds_come_back_in_the_order_of_rows(panel, labels):
    scored = fit_and_score(ridge, panel.features, labels["label"], reversed(list(PurgedKFold(3).split(labels))))
    assert scored.scores.index.equals(panel.features.index)


def test_a_row_tested_twice_is_refused(panel, labels, splits):
    with pytest.raises(DataError, match="test rows of different splits overlap"):
        fit_and_score(ridge, panel.features, labels["label"], [splits[0], splits[0]])


def test_a_window_without_training_rows_is_refused(panel, labels, splits):
    features = panel.features.copy()
    features.iloc[splits[0].train] = np.nan
    with pytest.raises(DataError, match=r"tested from 2020-02-12 has none of 336: raise n_train"):
        fit_and_score(ridge, features, labels["label"], splits)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_a_late_split_comes_through(panel, labels, splits, workers):
    def broken():
        yield from splits
        raise DataError("no more windows")

    with pytest.raises(DataError, match="no more windows"):
        fit_and_score(ridge, panel.features, labels["label"], broken(), workers=workers)


def test_no_split_is_refused(panel, labels):
    with pytest.raises(DataError, match="at least one split"):
        fit_and_score(ridge, panel.features, labels["label"], [])


def test_trees_score_windows_as_well(panel, labels, splits):
    trees = lambda: make("lightgbm", n_trees=10, min_data_in_leaf=20)  # noqa: E731
    one, two = (fit_and_score(trees, panel.features, labels["label"], splits, workers=workers) for workers in (1, 2))
    pd.testing.assert_series_equal(one.scores, two.scores, check_exact=True)
    assert np.corrcoef(one.scores, panel.target.loc[one.scores.index])[0, 1] > 0.6


def test_the_label_end_precedes_what_tuning_must_not_see(panel, labels):
    splitter = PurgedWalkForward(30, 12)
    first = splitter.first_test_session(labels)
    usable = labels[labels["end"] < first]
    folds = list(PurgedKFold(3).split(usable))
    assert usable.index.get_level_values("date").max() < first
    scored = fit_and_score(ridge, panel.features, usable["label"], folds)
    assert scored.windows["end"].max() < first
