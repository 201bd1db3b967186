"""A forecaster behind fitted transforms: they learn from its training rows alone, and travel in its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest

from touchstone import features as transforms_of
from touchstone.errors import ConfigError, DataError, LineageError
from touchstone.features import FittedTransform
from touchstone.lineage import canonical_json
from touchstone.models import Forecaster, Transformed, fit_and_score, fold_outcome, make, make_transformed, restore
from touchstone.splits import PurgedWalkForward

TRANSFORMS = ("winsorise", "standardise", "fill_median")
SMALL: dict[str, dict[str, Any]] = {"ridge": {"alpha": 0.1}, "lightgbm": {"n_trees": 10, "min_data_in_leaf": 20, "seed": 3}}
each = pytest.mark.parametrize("name", sorted(SMALL))


@pytest.fixture(scope="module")
def wild(panel: Any) -> pd.DataFrame:
    """The panel's features on scales of their own, with tails."""
    scaled = panel.features * np.array([1.0, 100.0, 1e-3, 5.0], dtype=np.float32)
    scaled.iloc[::50, 1] *= np.float32(1e3)
    return scaled


@pytest.fixture(scope="module")
def labels(panel: Any) -> pd.DataFrame:
    dates = panel.target.index.get_level_values("date")
    later = dict(zip(dates.unique()[:-1], dates.unique()[1:], strict=True))
    span = pd.Series(dates, index=panel.target.index).map(later)
    return pd.DataFrame({"label": panel.target.where(span.notna()), "start": span, "end": span})


@pytest.fixture(scope="module")
def splits(labels: pd.DataFrame) -> list[Any]:
    return list(PurgedWalkForward(30, 10).split(labels))


def steps_of(model: Forecaster) -> tuple[str, ...]:
    assert isinstance(model, Transformed)
    return tuple(canonical_json(step.to_dict()) for step in model.steps)


@each
def test_without_transforms_the_bytes_are_those_of_the_model(name: str, panel: Any) -> None:
    models = (make(name, **SMALL[name]), make_transformed(name, (), **SMALL[name]))
    plain, none = (model.fit(panel.features, panel.target) for model in models)
    assert type(none) is type(plain)
    assert none.dump() == plain.dump()


@each
def test_the_model_is_fitted_on_what_the_transforms_make(name: str, panel: Any, wild: pd.DataFrame) -> None:
    model = make_transformed(name, TRANSFORMS, **SMALL[name]).fit(wild, panel.target)
    made = wild
    for transform in TRANSFORMS:
        made = transforms_of.fitted(transform).fit(made).apply(made)
    inner = make(name, **SMALL[name]).fit(made, panel.target)
    np.testing.assert_array_equal(model.predict(wild), inner.predict(made))
    assert model.feature_names == tuple(wild.columns)
    assert not made.isna().any(axis=None)


@each
def test_a_restored_model_scores_to_the_bit(name: str, panel: Any, wild: pd.DataFrame) -> None:
    model = make_transformed(name, TRANSFORMS, **SMALL[name]).fit(wild, panel.target)
    back = restore(name, model.dump(), threads=2)
    assert steps_of(back) == steps_of(model)
    assert back.dump() == model.dump()
    assert back.predict(wild).tobytes() == model.predict(wild).tobytes()
    np.testing.assert_array_equal(back.predict(wild.iloc[[700, 3]]), model.predict(wild)[[700, 3]])


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_each_window_learns_from_its_own_training_rows(transform: str, wild: pd.DataFrame, labels: pd.DataFrame, splits: list[Any]) -> None:
    make_model = partial(make_transformed, "ridge", (transform,), alpha=0.1)
    for split in splits:
        model = fit_and_score(make_model, wild, labels["label"], [split]).last_model
        expected = transforms_of.fitted(transform).fit(wild.iloc[split.train])
        assert steps_of(model) == (canonical_json(expected.to_dict()),)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_no_tested_row_moves_what_was_learned(transform: str, wild: pd.DataFrame, labels: pd.DataFrame, splits: list[Any]) -> None:
    make_model = partial(make_transformed, "ridge", (transform,), alpha=0.1)
    for split in splits:
        other = wild.copy()
        other.iloc[split.test] = np.random.default_rng(1).normal(0.0, 1e4, (len(split.test), 4)).astype(np.float32)
        before, after = (fit_and_score(make_model, given, labels["label"], [split]) for given in (wild, other))
        assert after.last_model.dump() == before.last_model.dump()
        assert not np.array_equal(after.scores, before.scores)


@dataclass(frozen=True)
class _Knowing:
    """The leak: a transform that was fitted on every row there is."""

    learned: FittedTransform

    def fit(self, features: pd.DataFrame) -> FittedTransform:
        return self.learned


def test_fitting_on_everything_changes_scores_before_the_end(wild: pd.DataFrame, labels: pd.DataFrame, splits: list[Any]) -> None:
    """The last window's rows are changed: honest scores before them stay, those of a scaler that has seen everything move."""
    other = wild.copy()
    other.iloc[splits[-1].test] *= np.float32(50.0)

    def leaking(given: pd.DataFrame) -> Transformed:
        knowing = _Knowing(transforms_of.fitted("standardise").fit(given))
        return Transformed(make("ridge", alpha=0.1), (knowing,))  # type: ignore[arg-type]

    def honest_one(given: pd.DataFrame) -> Forecaster:
        return make_transformed("ridge", ("standardise",), alpha=0.1)

    honest, knowing = (
        [fit_and_score(partial(maker, given), given, labels["label"], splits).scores for given in (wild, other)]
        for maker in (honest_one, leaking)
    )
    early = honest[0].index.get_level_values("date") < wild.index[splits[-1].test[0]][0]
    pd.testing.assert_series_equal(honest[0][early], honest[1][early], check_exact=True)
    assert (knowing[0][early] != knowing[1][early]).any()
    assert (knowing[0][early] != honest[0][early]).any()


def test_folds_are_transformed_as_well(panel: Any, wild: pd.DataFrame, labels: pd.DataFrame, splits: list[Any]) -> None:
    plain, changed = (
        fold_outcome(partial(make_transformed, "ridge", transforms, alpha=1.0), wild, labels, splits) for transforms in ((), ("winsorise",))
    )
    # Tails of a thousand times the rest hide a feature from a linear model.
    assert changed.value > plain.value


def test_an_unknown_transform_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"training\.transforms must name .*'winsorize'.*did you mean 'winsorise'"):
        make_transformed("ridge", ("winsorize",))


def test_what_was_not_fitted_neither_scores_nor_writes(wild: pd.DataFrame) -> None:
    blank = make_transformed("ridge", TRANSFORMS)
    with pytest.raises(LineageError, match="must be fitted"):
        blank.predict(wild)
    with pytest.raises(LineageError, match="must be fitted"):
        blank.dump()


def test_other_columns_and_bad_rows_are_refused(panel: Any, wild: pd.DataFrame) -> None:
    model = make_transformed("ridge", TRANSFORMS).fit(wild, panel.target)
    with pytest.raises(DataError, match="feature_2 is missing"):
        model.predict(wild.drop(columns="feature_2"))
    with pytest.raises(DataError, match="feature_1 holds infinities"):
        make_transformed("ridge", TRANSFORMS).fit(wild.assign(feature_1=np.float32(np.inf)), panel.target)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda payload: payload[: payload.index(b"\n")], "ridge model"),
        (lambda payload: b"transforms {}\n{}", "begin with the line"),
        (lambda payload: b"transforms nonsense", "begin with the line"),
        (lambda payload: payload.replace(b'"transforms":[{', b'"transforms":[{},{'), "restore the file"),
        (lambda payload: payload.replace(b"feature_0", b"feature_9", 1), "must share their columns"),
        (lambda payload: payload.replace(b'"model":"ridge"', b'"model":"lightgbm"'), "lightgbm"),
    ],
)
def test_bytes_that_are_no_such_model_are_refused(panel: Any, wild: pd.DataFrame, spoil: Any, words: str) -> None:
    payload = make_transformed("ridge", ("standardise",)).fit(wild, panel.target).dump()
    with pytest.raises(LineageError, match=words):
        restore("ridge", spoil(payload))


def test_the_bytes_of_another_model_are_refused(panel: Any, wild: pd.DataFrame) -> None:
    payload = make_transformed("ridge", ("standardise",)).fit(wild, panel.target).dump()
    with pytest.raises(LineageError, match="must hold the model 'lightgbm', but hold 'ridge'"):
        restore("lightgbm", payload)
