"""A search that can be killed anywhere and ends in the same bytes."""

from __future__ import annotations

import json
import math

import numpy as np
import optuna
import pandas as pd
import pytest

from touchstone.errors import ConfigError, DataError
from touchstone.models import TrialOutcome, TuningResult, make, tune

MODELS = ("ridge", "lightgbm")


def evaluate(model: str, parameters: dict, number: int) -> TrialOutcome:
    """Best for ridge at alpha 0.1; lightgbm never reaches it."""
    value = -abs(math.log10(parameters["alpha"]) + 1.0) if model == "ridge" else -1.5 - parameters["learning_rate"]
    returns = np.array([0.01, -0.02, 0.03]) * (number + 1)
    return TrialOutcome(value, returns=returns, sharpe=value / 10.0, n_observations=3, skewness=0.5, kurtosis=3.0)


def search(storage_url: str | None = None, n_trials: int = 13, seed: int = 7, function=evaluate, models=MODELS) -> TuningResult:
    return tune(function, models=models, n_trials=n_trials, seed=seed, study_name="study", storage_url=storage_url)


def assert_same(first: TuningResult, second: TuningResult) -> None:
    assert (first.model, first.parameters, first.value) == (second.model, second.parameters, second.value)
    assert list(first.parameters) == list(second.parameters)
    pd.testing.assert_frame_equal(first.trials, second.trials, check_exact=True)
    for ours, theirs in zip(first.outcomes, second.outcomes, strict=True):
        np.testing.assert_array_equal(ours.returns, theirs.returns)


@pytest.fixture
def storage_url(tmp_path) -> str:
    return f"sqlite:///{tmp_path / 'studies.db'}"


@pytest.fixture(scope="module")
def whole() -> TuningResult:
    return search()


def test_the_best_trial_is_chosen_and_every_trial_kept(whole):
    assert whole.model == "ridge"
    assert whole.value == whole.trials["value"].max()
    best = whole.trials.loc[whole.trials["value"].idxmax()]
    assert json.loads(best["parameters"]) == whole.parameters
    assert evaluate(whole.model, whole.parameters, 0).value == whole.value
    assert whole.value > -1.5  # more than lightgbm can reach
    assert set(whole.trials["model"]) == set(MODELS)


def test_the_table_has_the_contracts_columns(whole):
    assert whole.trials.dtypes.astype(str).to_dict() == {
        "number": "int64",
        "model": "str",
        "parameters": "str",
        "value": "float64",
        "sharpe": "float64",
        "n_observations": "int64",
        "skewness": "float64",
        "kurtosis": "float64",
    }
    assert whole.trials["number"].tolist() == list(range(13))
    assert whole.trials["n_observations"].tolist() == [3] * 13
    np.testing.assert_array_equal(whole.outcomes[4].returns, np.array([0.01, -0.02, 0.03]) * 5)


def test_the_parameters_make_the_model(whole):
    for row in whole.trials.itertuples():
        made = make(row.model, **json.loads(row.parameters))
        assert {axis.name for axis in made.space} == set(json.loads(row.parameters))
        for axis in made.space:
            value = getattr(made, axis.name)
            assert axis.low <= value <= axis.high
            assert isinstance(value, int if axis.integer else float)


def test_no_trial_repeats_another(whole):
    assert whole.trials["parameters"].is_unique


def test_another_seed_searches_elsewhere(whole):
    assert not search(seed=8).trials["parameters"].equals(whole.trials["parameters"])


def test_later_trials_learn_from_earlier_ones(whole):
    blind = search(function=lambda model, parameters, number: TrialOutcome(0.0))
    assert blind.trials["parameters"][:10].equals(whole.trials["parameters"][:10])
    assert not blind.trials["parameters"].equals(whole.trials["parameters"])


def test_storage_changes_nothing(whole, storage_url):
    assert_same(search(storage_url), whole)


@pytest.mark.parametrize("killed_at", [0, 11])
def test_a_killed_search_ends_the_same(whole, storage_url, killed_at):
    calls = []

    def killed(model, parameters, number):
        if number == killed_at:
            raise KeyboardInterrupt
        return evaluate(model, parameters, number)

    def counted(model, parameters, number):
        calls.append(number)
        return evaluate(model, parameters, number)

    with pytest.raises(KeyboardInterrupt):
        search(storage_url, function=killed)
    assert_same(search(storage_url, function=counted), whole)
    assert calls == list(range(killed_at, 13))
    assert_same(search(storage_url, function=killed), whole)  # nothing is left to evaluate


def test_what_follows_a_broken_trial_is_repeated(whole, storage_url):
    search(storage_url, n_trials=5)
    study = optuna.load_study(study_name="study", storage=storage_url)
    study.ask()  # left running, as by a second process
    study.add_trial(optuna.create_trial(value=1e9, params={}, distributions={}))  # finished, but none of this search
    assert_same(search(storage_url), whole)


def test_more_trials_continue_and_fewer_are_the_first(whole, storage_url):
    search(storage_url, n_trials=4)
    assert_same(search(storage_url), whole)
    first = search(storage_url, n_trials=4)
    pd.testing.assert_frame_equal(first.trials, whole.trials[:4], check_exact=True)
    assert first.value == whole.trials["value"][:4].max()


def test_another_search_of_that_name_starts_afresh(storage_url):
    search(storage_url, n_trials=3, seed=1)
    assert_same(search(storage_url, n_trials=3, seed=2), search(n_trials=3, seed=2))
    assert_same(search(storage_url, n_trials=3, models=("ridge",)), search(n_trials=3, models=("ridge",)))


def test_a_trial_without_a_value_is_kept_and_never_chosen(storage_url):
    def sometimes(model, parameters, number):
        return TrialOutcome(math.nan if number % 2 == 0 else -float(number))

    result = search(storage_url, n_trials=12, function=sometimes)
    assert result.value == -1.0
    assert result.trials["value"].isna().tolist() == [True, False] * 6
    assert result.trials["sharpe"].isna().all()
    assert result.outcomes[1].returns is None
    again = search(storage_url, n_trials=12, function=sometimes)
    pd.testing.assert_frame_equal(again.trials, result.trials, check_exact=True)


def test_the_earliest_trial_wins_a_tie():
    result = search(n_trials=4, function=lambda model, parameters, number: TrialOutcome([0.0, 1.0, 1.0, 0.5][number]))
    assert json.loads(result.trials["parameters"][1]) == result.parameters


def test_no_value_at_all_is_refused():
    with pytest.raises(DataError, match="none of 2 has one"):
        search(n_trials=2, function=lambda model, parameters, number: TrialOutcome(math.nan))


@pytest.mark.parametrize(("models", "n_trials"), [((), 3), (MODELS, 0)])
def test_nothing_to_search_is_refused(models, n_trials):
    with pytest.raises(ConfigError, match="needs a model and a trial"):
        search(models=models, n_trials=n_trials)


def test_an_unknown_model_is_refused():
    with pytest.raises(ConfigError, match="did you mean 'ridge'"):
        search(models=("ridgee",))


def test_optunas_own_level_of_logging_is_left_as_it_was():
    optuna.logging.set_verbosity(optuna.logging.INFO)
    search(n_trials=1)
    assert optuna.logging.get_verbosity() == optuna.logging.INFO
