"""Transforms that are fitted: what they learn, that they learn it from the rows they are given, and that it can be written down."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone import audit, features
from touchstone.errors import ConfigError, DataError, LineageError
from touchstone.lineage import canonical_json

NAMES = ("fill_median", "standardise", "winsorise")
each = pytest.mark.parametrize("name", NAMES)


def frame(n_rows: int = 200, seed: int = 0) -> pd.DataFrame:
    """Three columns with gaps, one that never moves and one that is empty."""
    random = np.random.default_rng(seed)
    values = random.standard_t(3, (n_rows, 3)) * [1.0, 1e-4, 1e4] + [0.0, 5.0, -2e4]
    values[random.random(values.shape) < 0.1] = np.nan
    made = pd.DataFrame(values, columns=["a", "b", "c"]).assign(still=0.1, empty=np.nan)
    made.index = pd.MultiIndex.from_product([pd.bdate_range("2020-01-01", periods=n_rows // 4), list("WXYZ")], names=["date", "symbol"])
    return made.astype(np.float32)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return frame()


def test_the_names_are_listed() -> None:
    assert features.list_fitted() == NAMES


@each
def test_a_transform_gives_a_new_frame_of_the_same_shape(name: str, rows: pd.DataFrame) -> None:
    before = rows.copy()
    learned = features.fitted(name).fit(rows)
    out = learned.apply(rows)
    pd.testing.assert_frame_equal(rows, before)
    assert out.index.equals(rows.index)
    assert tuple(out.columns) == learned.feature_names == tuple(rows.columns)
    assert (out.dtypes == np.float32).all()
    assert out["empty"].isna().all()


def test_standardised_training_rows_have_mean_zero_and_deviation_one(rows: pd.DataFrame) -> None:
    out = features.fitted("standardise").fit(rows).apply(rows).astype("float64")
    np.testing.assert_allclose(out[["a", "b", "c"]].mean(), 0.0, atol=1e-6)
    np.testing.assert_allclose(out[["a", "b", "c"]].std(), 1.0, rtol=1e-6)
    pd.testing.assert_frame_equal(out.isna(), rows.isna())
    assert (out["still"] == 0.0).all()


def test_a_column_that_did_not_move_in_training_says_nothing_later(rows: pd.DataFrame) -> None:
    out = features.fitted("standardise").fit(rows).apply(rows.assign(still=np.float32(99.0), empty=np.float32(1.0)))
    assert (out["still"] == 0.0).all()
    assert (out["empty"] == 0.0).all()


def test_winsorised_rows_lie_between_the_training_quantiles(rows: pd.DataFrame) -> None:
    learned = features.fitted("winsorise").fit(rows)
    low, high = (rows.astype("float64").quantile(q) for q in (0.01, 0.99))
    np.testing.assert_allclose(learned.parameters["low"][:4], low[:4], rtol=1e-12)
    out = learned.apply(rows * np.float32(3.0))
    expected = (rows * np.float32(3.0)).astype("float64").clip(low, high, axis=1).astype("float32")
    pd.testing.assert_frame_equal(out[["a", "b", "c", "still"]], expected[["a", "b", "c", "still"]])
    wider = features.fitted("winsorise", low=0.0, high=1.0).fit(rows)
    pd.testing.assert_frame_equal(wider.apply(rows), rows)


def test_a_missing_value_becomes_the_training_median(rows: pd.DataFrame) -> None:
    later = frame(seed=1)
    out = features.fitted("fill_median").fit(rows).apply(later)
    for column in ("a", "b", "c"):
        median = np.float32(rows[column].astype("float64").median())
        pd.testing.assert_series_equal(out[column], later[column].fillna(median))


@each
def test_a_row_is_transformed_by_itself_to_the_bit(name: str, rows: pd.DataFrame) -> None:
    learned = features.fitted(name).fit(rows)
    whole = learned.apply(rows)
    some = rows.iloc[[150, 3, 77]]
    pd.testing.assert_frame_equal(learned.apply(some), whole.iloc[[150, 3, 77]], check_exact=True)
    assert learned.apply(rows.iloc[:0]).shape == (0, 5)


@each
def test_what_is_learned_does_not_depend_on_how_rows_lie_in_memory(name: str, rows: pd.DataFrame) -> None:
    by_row = pd.DataFrame(np.ascontiguousarray(rows.to_numpy()), index=rows.index, columns=rows.columns)
    by_column = pd.DataFrame(np.asfortranarray(rows.to_numpy()), index=rows.index, columns=rows.columns)
    texts = {canonical_json(features.fitted(name).fit(laid).to_dict()) for laid in (by_row, by_column, rows.astype("float64"))}
    assert len(texts) == 1


@each
@settings(max_examples=20, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), cut=st.integers(20, 180))
def test_no_row_after_the_training_moves_what_was_learned(name: str, seed: int, cut: int) -> None:
    rows = frame()
    other = rows.copy()
    other.iloc[cut:] = np.random.default_rng(seed).normal(0.0, 1e3, (len(rows) - cut, 5)).astype(np.float32)
    one, two = (features.fitted(name).fit(given_.iloc[:cut]) for given_ in (rows, other))
    assert canonical_json(one.to_dict()) == canonical_json(two.to_dict())
    pd.testing.assert_frame_equal(one.apply(rows.iloc[:cut]), two.apply(other.iloc[:cut]), check_exact=True)
    # Fitted on everything, it knows: the property can fail.
    told, moved = (features.fitted(name).fit(given_) for given_ in (rows, other))
    assert canonical_json(told.to_dict()) != canonical_json(moved.to_dict())


@each
def test_the_audit_accuses_the_fit_on_everything_and_not_the_transform(name: str, rows: pd.DataFrame) -> None:
    train, test = np.arange(120), np.arange(130, 200)
    assert audit.fitted(lambda matrix, train: features.fitted(name).fit(matrix.iloc[train]), rows, train, test).passed
    report = audit.fitted(lambda matrix, train: features.fitted(name).fit(matrix), rows, train, test)
    assert set(report.findings["check"]) >= {"parameters"}


@each
def test_what_was_learned_survives_canonical_json(name: str, rows: pd.DataFrame) -> None:
    learned = features.fitted(name).fit(rows)
    text = canonical_json(learned.to_dict())
    back = features.restore_fitted(json.loads(text))
    assert canonical_json(back.to_dict()) == text
    pd.testing.assert_frame_equal(back.apply(rows), learned.apply(rows), check_exact=True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda given_: given_[given_.columns[::-1]], "another order"),
        (lambda given_: given_.drop(columns="b"), "b besides"),
        (lambda given_: given_.assign(d=1.0), "d besides"),
    ],
)
def test_other_columns_are_refused(rows: pd.DataFrame, change: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        features.fitted("standardise").fit(rows).apply(change(rows))


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        (frame().iloc[:0], r"got shape \(0, 5\)"),
        (frame().iloc[:, :0], r"got shape \(200, 0\)"),
        (frame().set_axis(list("aabcd"), axis=1), "a stands twice"),
        (frame().assign(b=np.inf), "b holds infinities"),
    ],
)
def test_what_cannot_be_fitted_is_refused(given_: pd.DataFrame, words: str) -> None:
    with pytest.raises(DataError, match=words):
        features.fitted("winsorise").fit(given_)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("standardize", {}, "did you mean 'standardise'"),
        ("winsorise", {"lo": 0.1}, "did you mean 'low'"),
        ("standardise", {"low": 0.1}, "got 'low'"),
        ("winsorise", {"low": 0.9, "high": 0.1}, r"low=0\.9, high=0\.1"),
        ("winsorise", {"high": 1.5}, r"high=1\.5"),
    ],
)
def test_unknown_names_and_odd_options_are_refused(name: str, options: dict[str, float], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        features.fitted(name, **options)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda state: {},
        lambda state: {**state, "parameters": None},
        lambda state: {**state, "parameters": {"mean": [1.0]}},
        lambda state: {**state, "feature_names": ["a"]},
        lambda state: {**state, "parameters": {**state["parameters"], "mean": ["x"] * 5}},
    ],
)
def test_a_broken_state_is_refused(rows: pd.DataFrame, spoil: Any) -> None:
    with pytest.raises(LineageError, match="restore the file"):
        features.restore_fitted(spoil(features.fitted("standardise").fit(rows).to_dict()))
