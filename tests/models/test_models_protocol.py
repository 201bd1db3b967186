"""What every forecaster must do; a new one inherits these tests by its name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from touchstone.errors import ConfigError, DataError, LineageError
from touchstone.models import list_models, make, restore

SMALL = {"ridge": {"alpha": 0.1}, "lightgbm": {"n_trees": 10, "min_data_in_leaf": 20, "seed": 3}}

pytestmark = pytest.mark.parametrize("name", list_models())


@pytest.fixture
def model(name, panel):
    return make(name, **SMALL[name]).fit(panel.features, panel.target)


def test_fit_returns_a_new_model_and_writes_into_nothing(name, panel):
    features, target = panel.features.copy(), panel.target.copy()
    blank = make(name, **SMALL[name])
    fitted = blank.fit(features, target)
    assert fitted is not blank
    assert blank.feature_names == ()
    assert fitted.feature_names == tuple(features.columns)
    assert fitted.name == blank.name == name
    pd.testing.assert_frame_equal(features, panel.features)
    pd.testing.assert_series_equal(target, panel.target)


def test_it_learns_what_is_there(name, model, panel):
    scores = model.predict(panel.features)
    assert scores.dtype == np.float64
    assert scores.shape == (len(panel.features),)
    assert np.isfinite(scores).all()
    assert np.corrcoef(scores, panel.target)[0, 1] > 0.7


def test_the_same_fit_gives_the_same_bytes(name, model, panel):
    again = make(name, **SMALL[name]).fit(panel.features.copy(), panel.target.copy())
    assert again.dump() == model.dump()
    other = make(name, **SMALL[name]).fit(panel.features, -panel.target)
    assert other.dump() != model.dump()


def test_a_restored_model_scores_to_the_bit(name, model, panel):
    back = restore(name, model.dump(), threads=2)
    assert back.feature_names == model.feature_names
    np.testing.assert_array_equal(back.predict(panel.features), model.predict(panel.features))
    assert back.dump() == model.dump()


def test_a_rows_score_depends_on_that_row_alone(name, model, panel):
    scores = model.predict(panel.features)
    rows = np.array([700, 3, 44, 3])
    np.testing.assert_array_equal(model.predict(panel.features.iloc[rows]), scores[rows])
    one_by_one = [model.predict(panel.features.iloc[[row]])[0] for row in range(0, 100, 7)]
    np.testing.assert_array_equal(one_by_one, scores[0:100:7])


def test_no_rows_have_no_scores(name, model, panel):
    assert model.predict(panel.features.iloc[:0]).shape == (0,)


def test_threads_are_no_part_of_the_bytes(name, panel):
    one, two = (make(name, threads=threads, **SMALL[name]).fit(panel.features, panel.target) for threads in (1, 2))
    assert one.dump() == two.dump()
    np.testing.assert_array_equal(one.predict(panel.features), two.predict(panel.features))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame[frame.columns[::-1]], "the order differs"),
        (lambda frame: frame.drop(columns="feature_2"), "feature_2 is missing"),
        (lambda frame: frame.assign(extra=1.0), "extra is unknown to it"),
        (lambda frame: frame.rename(columns={"feature_0": "other"}), "feature_0 is missing and other is unknown"),
    ],
)
def test_other_columns_are_refused(name, model, panel, change, words):
    with pytest.raises(DataError, match=words):
        model.predict(change(panel.features))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda features, target: (features.iloc[:0], target.iloc[:0]), r"got shape \(0, 4\)"),
        (lambda features, target: (features.iloc[:, :0], target), r"got shape \(720, 0\)"),
        (lambda features, target: (features.set_axis(list("aabc"), axis=1), target), "unique, but a stands twice"),
        (lambda features, target: (features.iloc[1:], target.iloc[:-1]), "share their index"),
        (lambda features, target: (features, target.where(target < 0.3)), "must be finite, but"),
        (lambda features, target: (features.replace({"feature_1": {features.iloc[0, 1]: np.inf}}), target), "feature_1 holds infinities"),
    ],
)
def test_what_cannot_be_fitted_is_refused(name, panel, change, words):
    with pytest.raises(DataError, match=words):
        make(name).fit(*change(panel.features, panel.target))


def test_a_model_that_was_not_fitted_neither_scores_nor_writes(name, panel):
    with pytest.raises(LineageError, match="must be fitted"):
        make(name).predict(panel.features)
    with pytest.raises(LineageError, match="must be fitted"):
        make(name).dump()


@pytest.mark.parametrize("payload", [b"", b"{}", b"\xff\xfe", b"tree\n", b"[1]", b"tree\nnonsense\nend of trees\n"])
def test_bytes_that_are_no_model_are_refused(name, payload):
    with pytest.raises(LineageError, match=name):
        restore(name, payload)


def test_a_cut_model_is_refused(name, model):
    payload = model.dump()
    for length in (len(payload) - 1, len(payload) // 2, 30):
        with pytest.raises(LineageError):
            restore(name, payload[:length])


def test_a_feature_missing_everywhere_or_constant_adds_nothing(name, panel):
    features = panel.features.assign(empty=np.float32(np.nan), constant=np.float32(0.1))
    model = make(name, **SMALL[name]).fit(features, panel.target)
    moved = features.assign(empty=np.float32(7.0), constant=np.float32(-3.0))
    np.testing.assert_array_equal(model.predict(moved), model.predict(features))


def test_every_tuned_parameter_is_taken_at_both_ends(name):
    space = make(name).space
    assert space
    for axis in space:
        for value in (axis.low, axis.high):
            made = make(name, **{axis.name: int(value) if axis.integer else value})
            assert getattr(made, axis.name) == value


def test_an_unknown_parameter_names_the_nearest(name):
    axis = make(name).space[0].name
    with pytest.raises(ConfigError, match=f"did you mean '{axis}'"):
        make(name, **{axis + "s": 1})
    with pytest.raises(ConfigError, match="got 'feature_names'"):
        make(name, feature_names=("a",))
