"""Fitted transforms in the loop: tuned behind, refitted per window, served as fitted; unsaid where there are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from touchstone import features as features_of
from touchstone import labels as targets_of
from touchstone import market, models
from touchstone.lineage import canonical_json
from touchstone.models import TuningResult
from touchstone.parameters import (
    BacktestParameters,
    DataParameters,
    FeaturesParameters,
    LabelsParameters,
    RuntimeParameters,
    TrainingParameters,
)
from touchstone.pipelines.backtest import bundle, nodes
from touchstone.pipelines.training import nodes as tuning
from touchstone.pipelines.windows import audited, windows
from touchstone.serving._bundle import load_bundle
from touchstone.serving._predict import predict
from touchstone.sources._simulated import simulate_market
from touchstone.tracking import ServedModel

DATA = DataParameters(start="2010-01-01", source="simulated")
SECTIONS: dict[str, Any] = {"features": FeaturesParameters(transform="none"), "labels": LabelsParameters()}
TRANSFORMS = ("winsorise", "standardise", "fill_median")
QUICK = {"models": ("ridge",), "n_trials": 2, "n_folds": 2, "n_train": 530, "n_test": 30}
PLAIN, BEHIND = TrainingParameters(**QUICK), TrainingParameters(**QUICK, transforms=TRANSFORMS)


@dataclass(frozen=True, eq=False)
class Small:
    """Clean tables of a small market, and what the features stage makes of them."""

    tables: dict[str, pd.DataFrame]
    matrix: pd.DataFrame
    targets: pd.DataFrame


@pytest.fixture(scope="module")
def small() -> Small:
    clean = market.ingest(simulate_market(n_symbols=8, n_sessions=600, seed=2).data)
    tables = {name: getattr(clean, name) for name in ("bars", "actions", "universe", "benchmark")}
    told = {name: table for name, table in tables.items() if name != "bars"}
    matrix = features_of.compute(tables["bars"], "momentum", **told, calendar="XNYS", transform="none")
    return Small(tables, matrix, targets_of.forward_return(tables["bars"], horizon=5, fill="next_close", actions=tables["actions"]))


@dataclass(frozen=True, eq=False)
class Tried:
    """What training and backtest leave."""

    tuned: dict[str, Any]
    trials: pd.DataFrame
    scores: pd.DataFrame
    windows: pd.DataFrame
    model: bytes


@pytest.fixture(scope="module")
def tried(small: Small) -> Callable[[TrainingParameters], Tried]:
    def run(training: TrainingParameters) -> Tried:
        given = {"matrix": small.matrix, "targets": small.targets, "training": training, "seed": 7, "runtime": RuntimeParameters(threads=1)}
        tuned, trials = tuning.tune_forecaster(data=DATA, **SECTIONS, **given, code={}, storage="sqlite://")
        return Tried(tuned, trials, *nodes.walk_forward(**given, tuned=tuned))

    return run


@pytest.fixture(scope="module")
def plain(tried: Callable[[TrainingParameters], Tried]) -> Tried:
    return tried(PLAIN)


@pytest.fixture(scope="module")
def behind(tried: Callable[[TrainingParameters], Tried]) -> Tried:
    return tried(BEHIND)


def own_key(training: TrainingParameters) -> str:
    days = pd.bdate_range("2020-01-01", periods=5, name="date").as_unit("us")
    bars = pd.DataFrame({"close": 1.0}, index=pd.MultiIndex.from_product([days, ["A", "B"]], names=["date", "symbol"]))
    trial = nodes.describe_trial(
        data=DataParameters(start="2020-01-01"),
        features=FeaturesParameters(),
        labels=LabelsParameters(),
        training=training,
        backtest=BacktestParameters(),
        seed=7,
        tuned={"model": "ridge", "parameters": {"alpha": 1.0}},
        bars=bars,
        equity=pd.DataFrame({"equity": [1.0, 1.1, 1.2, 1.1, 1.3]}, index=days),
    )
    return str(trial["key"])


def tuning_key(training: TrainingParameters, patch: pytest.MonkeyPatch, small: Small) -> str:
    row = {"number": [0], "model": ["ridge"], "parameters": ['{"alpha":1.0}'], "value": [0.1]}
    found = TuningResult("ridge", {"alpha": 1.0}, 0.1, pd.DataFrame(row), ())
    patch.setattr(models, "tune", lambda *args, **named: found)
    _, trials = tuning.tune_forecaster(
        data=DATA, features=FeaturesParameters(), labels=LabelsParameters(), training=training, seed=7,
        runtime=RuntimeParameters(threads=1), matrix=small.matrix, targets=small.targets, code={}, storage="sqlite://",
    )  # fmt: skip
    return str(trials["key"][0])


def test_keys_of_before_the_transforms_stay(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both were taken from the code of before `training.transforms`: the ledger's trials would else be counted twice."""
    assert own_key(TrainingParameters()) == "5e4a32b567de96734e9e8d132e78294ce9943ebafe4313a039a1b8fa123ded39"
    assert tuning_key(PLAIN, monkeypatch, small) == "d5e200e0b3c39516fda144b2e7d41cbbb6ad35b108bf318920bfcfb08761dfab"


def test_other_transforms_are_other_trials(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    choices = [TrainingParameters(**QUICK, transforms=chosen) for chosen in ((), TRANSFORMS, TRANSFORMS[::-1])]
    assert len({own_key(training) for training in choices}) == 3
    assert len({tuning_key(training, monkeypatch, small) for training in choices}) == 3


def test_without_transforms_the_model_is_the_models_own_bytes(plain: Tried) -> None:
    assert plain.model == models.restore("ridge", plain.model).dump()
    assert plain.model.startswith(b"{")


def test_folds_and_windows_are_scored_behind_the_transforms(plain: Tried, behind: Tried) -> None:
    # The first trial draws the same parameters either way: what differs is what it was fitted on.
    assert plain.trials["parameters"][0] == behind.trials["parameters"][0]
    assert plain.trials["value"][0] != behind.trials["value"][0]
    assert not plain.scores.equals(behind.scores)


def test_the_last_window_learned_from_its_training_rows_alone(small: Small, behind: Tried) -> None:
    split = audited(windows(BEHIND), small.targets)[-1]
    used = small.targets.index[split.train][small.targets["label"].notna().to_numpy()[split.train]]
    rows = small.matrix.loc[used]
    rows = rows[rows.notna().any(axis=1)]
    model = models.restore("ridge", behind.model)
    assert isinstance(model, models.Transformed)
    for name, step in zip(TRANSFORMS, model.steps, strict=True):
        learned = features_of.fitted(name).fit(rows)
        rows = learned.apply(rows)
        assert canonical_json(step.to_dict()) == canonical_json(learned.to_dict())


def test_served_scores_are_the_pipelines_scores(small: Small, behind: Tried, tmp_path: Path) -> None:
    bound = bind(small, BEHIND, behind)
    assert bound["transforms"] == list(TRANSFORMS)
    assert "transforms" not in bind(small, PLAIN, behind)
    (tmp_path / "model.txt").write_bytes(behind.model)
    (tmp_path / "bundle.json").write_text(canonical_json(bound))
    served = load_bundle(ServedModel(version=1, run_id="ab12" * 16, bundle=tmp_path, verdict="passed"))
    day = behind.scores.index[-1][0]
    answer = predict(served, json.dumps(request(small, day)).encode(), alias="champion")
    expected = behind.scores["score"].xs(day, level="date")
    assert {one.symbol: one.score for one in answer.scores} == expected.to_dict()


def bind(small: Small, training: TrainingParameters, tried: Tried) -> dict[str, Any]:
    plan = features_of.plan("momentum", fields=small.tables["bars"].columns)
    layout = {"columns": plan.columns, "lookback": plan.lookback, "needs_benchmark": plan.needs_benchmark}
    layout |= {"left_out": [], "macro_series": []}
    fields = list(small.tables["bars"].columns)
    metadata = {"adjustment": "none", "fields": fields, "derived": [], "currency": "USD", "calendar": "XNYS", "timeframe": "1d"}
    given = {"training": training, "tuned": tried.tuned, "windows": tried.windows}
    return bundle.bind(data=DATA, **SECTIONS, **given, plan=layout, metadata=metadata)


def request(small: Small, day: pd.Timestamp) -> dict[str, Any]:
    bars, actions = small.tables["bars"], small.tables["actions"]
    tables = {
        "bars": bars[bars.index.get_level_values("date") <= day].reset_index(),
        "actions": actions[actions["known_at"] <= day],
        "universe": small.tables["universe"],
        "benchmark": small.tables["benchmark"].loc[:day].reset_index(),
    }
    return {name: json.loads(table.to_json(orient="records", date_format="iso", double_precision=15)) for name, table in tables.items()}
