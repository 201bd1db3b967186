"""Nodes of `training`."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pandas as pd
from rich.console import Console
from rich.progress import Progress

from touchstone import audit, models
from touchstone.lineage import Scope, canonical_json, data_hash, digest, task_seed, trial_key
from touchstone.parameters import DataParameters, FeaturesParameters, LabelsParameters, RuntimeParameters, TrainingParameters, identity
from touchstone.pipelines.records import bar_width, scope_of, stage_record, training_choices
from touchstone.pipelines.windows import audited, windows
from touchstone.splits import PurgedKFold


def tune_forecaster(
    *,
    data: DataParameters,
    features: FeaturesParameters,
    labels: LabelsParameters,
    training: TrainingParameters,
    seed: int,
    runtime: RuntimeParameters,
    matrix: pd.DataFrame,
    targets: pd.DataFrame,
    code: dict[str, str],
    storage: str,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Search models and parameters on folds whose labels all end before the first backtest session."""
    first = windows(training).first_test_session(targets)
    early = targets[targets["end"] < first]
    audit.label_spans(early, before=first)
    splits = audited(PurgedKFold(training.n_folds, embargo=training.embargo), early)

    def evaluate(name: str, parameters: dict[str, Any], number: int) -> models.TrialOutcome:
        drawn = task_seed(seed, "training", "fit", number)
        make = partial(models.make_transformed, name, training.transforms, **parameters, seed=drawn, threads=1)
        return models.fold_outcome(make, matrix, early, splits, target=training.target, horizon=labels.horizon, workers=runtime.threads)

    search = {"code": code, "data": [data_hash(matrix), data_hash(targets)], "training": identity(training), "labels": identity(labels)}
    with Progress(console=Console(stderr=True), transient=True) as shown:
        result = models.tune(
            _counted(evaluate, shown, training.n_trials),
            models=training.models,
            n_trials=training.n_trials,
            seed=seed,
            study_name=digest(canonical_json(search).encode()),
            storage_url=storage,
        )
    scope = scope_of(data.source, early.index)
    sections = {"features": identity(features), "labels": identity(labels), "folds": training_choices(training)}
    shared = {**sections, "seed": seed, **bar_width(data)}
    tuned = {"model": result.model, "parameters": result.parameters, "value": result.value, "scope": scope.to_dict()}
    return tuned, result.trials.assign(key=_keys(result.trials, scope, shared))


def _counted(evaluate: models.Evaluate, shown: Progress, total: int) -> models.Evaluate:
    """The same evaluation, with a bar that moves."""
    bar = shown.add_task("tuning", total=total)

    def counted(name: str, parameters: dict[str, Any], number: int) -> models.TrialOutcome:
        outcome = evaluate(name, parameters, number)
        shown.update(bar, completed=number + 1)
        return outcome

    return counted


def record_training(*, training: TrainingParameters, tuned: dict[str, Any], trials: pd.DataFrame) -> dict[str, Any]:
    """What the stage wrote, by content."""
    return stage_record(
        parameters={"training": identity(training)},
        outputs={"trials": data_hash(trials)},
        facts={"model": tuned["model"], "value": tuned["value"], "n_trials": len(trials)},
    )


def _keys(trials: pd.DataFrame, scope: Scope, shared: dict[str, Any]) -> list[str]:
    """One key for each trial: what it tried, on what, and that it was judged by the spread of its folds."""
    # How many trials and which models a search was offered do not change what one trial is.
    folds = {name: value for name, value in shared["folds"].items() if name not in {"n_trials", "models"}}
    configurations = (
        {**shared, "folds": folds, "model": trial["model"], "parameters": json.loads(trial["parameters"]), "portfolio": "fold_spread"}
        for trial in trials.to_dict("records")
    )
    return [trial_key(scope, configuration) for configuration in configurations]
