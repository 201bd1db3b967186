"""Choice of model and parameters: a seeded search that can be killed at any moment and ends in the same bytes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, DataError
from touchstone.lineage import canonical_json, task_seed
from touchstone.models._forecaster import Range
from touchstone.models._registry import model_class
from touchstone.types import FloatArray

__all__ = ["Evaluate", "TrialOutcome", "TuningResult", "tune"]

_SEARCH, _OUTCOME = "search", "outcome"
_MODEL = "model"


@dataclass(frozen=True)
class TrialOutcome:
    """What one configuration came to.

    Parameters
    ----------
    value : float
        The objective, higher is better; NaN where it is undefined: such a trial is kept and never chosen.
    returns : float64 array, shape (n_observations,), optional
        Returns per period behind the figures.
    sharpe, skewness, kurtosis : float
        Of the returns: per period, not annual; third and fourth standardised moments (3 for a normal).
    n_observations : int
    """

    value: float
    returns: FloatArray | None = None
    sharpe: float = math.nan
    n_observations: int = 0
    skewness: float = math.nan
    kurtosis: float = math.nan


@dataclass(frozen=True)
class TuningResult:
    """The best trial and all of them.

    Attributes
    ----------
    model : str
    parameters : dict
        As `make` takes them.
    value : float
        The best objective; the earliest trial wins a tie.
    trials : DataFrame, shape (n_trials, 8)
        `number model parameters value sharpe n_observations skewness kurtosis`; parameters are canonical JSON.
    outcomes : tuple of TrialOutcome
        One per row of `trials`, with its returns.
    """

    model: str
    parameters: dict[str, float | int]
    value: float
    trials: pd.DataFrame
    outcomes: tuple[TrialOutcome, ...] = field(repr=False)


Evaluate = Callable[[str, dict[str, Any], int], TrialOutcome]


def tune(
    evaluate: Evaluate, *, models: Sequence[str], n_trials: int, seed: int, study_name: str, storage_url: str | None = None
) -> TuningResult:
    """Search models and their parameters with Optuna's tree-structured Parzen estimator, one trial after the other.

    Every trial draws from a fresh sampler seeded by its number, and so depends on the finished trials before it and on
    nothing else. A search that was killed keeps its leading finished trials, repeats the rest, and ends the same.

    Parameters
    ----------
    evaluate : callable(model, parameters, number) -> TrialOutcome
        Must depend on its arguments alone.
    models : sequence of str
        Short names to choose from.
    n_trials : int
        At least one.
    seed : int
    study_name : str
        Names the search in the storage: give what `evaluate` depends on, as a hash. A study of that name over other models or
        with another seed is started afresh.
    storage_url : str, optional
        Where trials are kept, as Optuna takes it (``sqlite:///…``, ``postgresql://…``); in memory without.

    Raises
    ------
    ConfigError
        No model, an unknown one, or no trial.
    DataError
        No trial has a value.

    References
    ----------
    J. Bergstra et al., Algorithms for Hyper-Parameter Optimization, NeurIPS 2011.
    """
    if not models or n_trials < 1:
        raise ConfigError(f"Tuning needs a model and a trial, but got {list(models)} and n_trials={n_trials}: give at least one each.")
    spaces = {name: model_class(name).space for name in models}
    with _quiet_optuna():
        study = _open(study_name, storage_url, canonical_json({"seed": seed, "spaces": spaces}))
        for number in range(len(study.trials), n_trials):
            _run_trial(study, number, evaluate, spaces, seed)
        return _result(study.trials[:n_trials])


def _run_trial(study: Any, number: int, evaluate: Evaluate, spaces: dict[str, tuple[Range, ...]], seed: int) -> None:
    import optuna  # a service that scores does not tune

    study.sampler = optuna.samplers.TPESampler(seed=task_seed(seed, "training", "tune", number), multivariate=False, constant_liar=False)
    trial = study.ask()
    model = trial.suggest_categorical(_MODEL, list(spaces))
    outcome = evaluate(model, {axis.name: _suggest(trial, model, axis) for axis in spaces[model]}, number)
    trial.set_user_attr(_OUTCOME, _written(outcome))
    # Optuna takes a NaN for a failure; the worst value keeps the trial and steers the search away from it.
    study.tell(trial, -math.inf if math.isnan(outcome.value) else outcome.value)


def _suggest(trial: Any, model: str, axis: Range) -> float | int:
    name = f"{model}.{axis.name}"
    if axis.integer:
        return int(trial.suggest_int(name, int(axis.low), int(axis.high), log=axis.log))
    return float(trial.suggest_float(name, axis.low, axis.high, log=axis.log))


def _open(study_name: str, storage_url: str | None, search: str) -> Any:
    """The study with the leading finished trials of this very search, and no others."""
    import optuna  # as in _run_trial

    storage = optuna.storages.get_storage(storage_url)
    study = optuna.create_study(study_name=study_name, storage=storage, direction="maximize", load_if_exists=True)
    same = study.user_attrs.get(_SEARCH) == search
    kept = _finished(study.trials) if same else []
    if same and len(kept) == len(study.trials):
        return study
    optuna.delete_study(study_name=study_name, storage=storage)
    study = optuna.create_study(study_name=study_name, storage=storage, direction="maximize")
    study.set_user_attr(_SEARCH, search)
    for trial in kept:
        study.add_trial(trial)
    return study


def _finished(trials: list[Any]) -> list[Any]:
    broken = (number for number, trial in enumerate(trials) if trial.state.name != "COMPLETE" or _OUTCOME not in trial.user_attrs)
    return trials[: next(broken, len(trials))]


def _written(outcome: TrialOutcome) -> dict[str, Any]:
    values = asdict(outcome)
    returns = outcome.returns
    return {**values, "returns": None if returns is None else np.asarray(returns, dtype=np.float64).tolist()}


def _read(written: dict[str, Any]) -> TrialOutcome:
    returns = written["returns"]
    return TrialOutcome(**{**written, "returns": None if returns is None else np.array(returns, dtype=np.float64)})


def _result(trials: list[Any]) -> TuningResult:
    outcomes = tuple(_read(trial.user_attrs[_OUTCOME]) for trial in trials)
    chosen = [(trial.params[_MODEL], _parameters(trial.params)) for trial in trials]
    values = np.array([outcome.value for outcome in outcomes], dtype=np.float64)
    if np.isnan(values).all():
        raise DataError(f"Tuning needs a trial with a value, but none of {len(trials)} has one: bring more symbols or sessions.")
    best = int(np.nanargmax(values))
    table = pd.DataFrame(
        {
            "number": np.arange(len(trials), dtype=np.int64),
            "model": pd.Series([model for model, _ in chosen], dtype="str"),
            "parameters": pd.Series([canonical_json(parameters) for _, parameters in chosen], dtype="str"),
            "value": values,
            **{
                name: np.array([getattr(outcome, name) for outcome in outcomes], dtype=np.float64)
                for name in ("sharpe", "n_observations", "skewness", "kurtosis")
            },
        }
    ).astype({"n_observations": "int64"})
    return TuningResult(chosen[best][0], chosen[best][1], float(values[best]), table, outcomes)


def _parameters(params: dict[str, Any]) -> dict[str, float | int]:
    return {name.partition(".")[2]: params[name] for name in sorted(params) if name != _MODEL}


@contextmanager
def _quiet_optuna() -> Iterator[None]:
    """Optuna announces every study on standard error; here the pipeline says what is worth saying."""
    import optuna  # as in _run_trial

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(level)
