"""Ridge against numbers by hand and against scikit-learn."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge as SklearnRidge
from threadpoolctl import threadpool_limits

from touchstone.errors import LineageError
from touchstone.models import Ridge, restore


def frame_of(**columns: list[float]) -> pd.DataFrame:
    n_rows = len(next(iter(columns.values())))
    dates = pd.bdate_range("2020-01-01", periods=n_rows).as_unit("us")
    index = pd.MultiIndex.from_arrays([dates, ["A"] * n_rows], names=["date", "symbol"])
    return pd.DataFrame(columns, index=index, dtype="float32")


def test_one_feature_by_hand():
    # x standardised is (-1, 1), y - 2 is (-1, 1): z'y/n = 1, so the standardised weight is 1 / (1 + alpha) = 1/2; x has deviation 2.
    features = frame_of(x=[0.0, 4.0])
    model = Ridge(alpha=1.0).fit(features, pd.Series([1.0, 3.0], index=features.index))
    assert model.intercept == 2.0
    assert model.means == (2.0,)
    assert model.weights == pytest.approx((0.25,), rel=1e-15)
    np.testing.assert_allclose(model.predict(frame_of(x=[0.0, 2.0, 10.0])), [1.5, 2.0, 4.0], rtol=1e-15)


def test_a_missing_value_scores_as_the_training_mean():
    # The mean of 0 and 4 is 2, the missing row stands there and adds nothing.
    features = frame_of(x=[0.0, 4.0, np.nan])
    model = Ridge(alpha=1.0).fit(features, pd.Series([1.0, 3.0, 2.0], index=features.index))
    assert model.means == (2.0,)
    np.testing.assert_array_equal(model.predict(frame_of(x=[np.nan, 2.0])), [2.0, 2.0])


def test_it_equals_scikit_learn_on_standardised_features(panel):
    values = panel.features.fillna(panel.features.astype("float64").mean()).to_numpy(np.float64)
    standardised = (values - values.mean(axis=0)) / values.std(axis=0)
    # Ours divides the squares by the number of rows, theirs does not.
    theirs = SklearnRidge(alpha=0.3 * len(values)).fit(standardised, panel.target)
    ours = Ridge(alpha=0.3).fit(panel.features, panel.target)
    np.testing.assert_allclose(ours.predict(panel.features), theirs.predict(standardised), rtol=0, atol=1e-6)


def test_a_constant_feature_has_no_weight_whatever_its_float_residue(panel):
    features = panel.features.assign(constant=np.float32(0.1), zero=np.float32(0.0), empty=np.float32(np.nan))
    features["once"] = features["feature_0"].where(np.arange(len(features)) == 5)  # a single value, the rest missing
    model = Ridge(alpha=0.5).fit(features, panel.target)
    assert model.weights[-4:] == (0.0, 0.0, 0.0, 0.0)
    assert model.weights[:4] == Ridge(alpha=0.5).fit(panel.features, panel.target).weights


def test_units_of_a_feature_do_not_matter(panel):
    scaled = panel.features.assign(feature_0=panel.features["feature_0"] * np.float32(1024.0))
    first, second = (Ridge(alpha=0.5).fit(features, panel.target).predict(features) for features in (panel.features, scaled))
    np.testing.assert_allclose(first, second, rtol=0, atol=1e-12)


def test_more_penalty_means_smaller_weights(panel):
    sizes = [np.square(Ridge(alpha=alpha).fit(panel.features, panel.target).weights).sum() for alpha in (1e-3, 1e-1, 1e1)]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("n_features", [4, 120])
def test_the_threads_of_linear_algebra_change_no_bit(n_features):
    rng = np.random.default_rng(1)
    features = frame_of(**{f"f{k}": rng.standard_normal(5000).tolist() for k in range(n_features)})
    target = pd.Series(rng.standard_normal(len(features)), index=features.index)
    payloads = set()
    for threads in (1, 2, 4):
        with threadpool_limits(threads, user_api="blas"):
            payloads.add(Ridge(alpha=0.1).fit(features, target).dump())
    assert len(payloads) == 1


def test_the_bytes_are_canonical_json(panel):
    payload = Ridge(alpha=0.5).fit(panel.features, panel.target).dump()
    values = json.loads(payload)
    assert payload == json.dumps(values, sort_keys=True, separators=(",", ":")).encode()
    assert sorted(values) == ["alpha", "feature_names", "intercept", "means", "weights"]
    assert restore("ridge", payload) == Ridge(alpha=0.5).fit(panel.features, panel.target)


def test_a_weight_too_few_is_refused(panel):
    values = json.loads(Ridge().fit(panel.features, panel.target).dump())
    values["weights"].pop()
    with pytest.raises(LineageError, match="4 features, 4 means and 3 weights"):
        restore("ridge", json.dumps(values).encode())
