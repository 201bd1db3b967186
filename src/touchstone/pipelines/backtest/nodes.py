"""Nodes of `backtest`."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd

from touchstone import backtest as engine
from touchstone import evaluation, market, models
from touchstone import labels as targets_of
from touchstone.lineage import Trial, data_hash, record, trial_key
from touchstone.parameters import (
    BacktestParameters,
    DataParameters,
    FeaturesParameters,
    LabelsParameters,
    RuntimeParameters,
    TrainingParameters,
    identity,
)
from touchstone.pipelines.records import bar_width, scope_of, stage_record, training_choices
from touchstone.pipelines.terms import costs_of, say_when_fills_differ, trading_terms
from touchstone.pipelines.windows import audited, windows


def walk_forward(
    *,
    training: TrainingParameters,
    runtime: RuntimeParameters,
    seed: int,
    matrix: pd.DataFrame,
    targets: pd.DataFrame,
    tuned: dict[str, Any],
) -> tuple[pd.DataFrame, pd.DataFrame, bytes]:
    """Refit in every window and score the sessions after it."""
    make = partial(models.make_transformed, tuned["model"], training.transforms, **tuned["parameters"], seed=seed, threads=1)
    splits = audited(windows(training), targets)
    target = targets_of.cross_sectional(targets["label"], method=training.target)
    scored = models.fit_and_score(make, matrix, target, splits, workers=runtime.threads)
    return scored.scores.to_frame("score"), scored.windows, scored.last_model.dump()


def trade(
    *,
    data: DataParameters,
    labels: LabelsParameters,
    backtest: BacktestParameters,
    scores: pd.DataFrame,
    bars: pd.DataFrame,
    actions: pd.DataFrame,
) -> tuple[pd.DataFrame, ...]:
    """Trade the scores, once with costs and once without."""
    say_when_fills_differ(backtest, labels)
    run = partial(engine.trade_scores, scores["score"], bars, **trading_terms(data, backtest, labels), actions=actions)
    net, gross = run(costs=costs_of(backtest)), run(costs=costs_of(backtest).scaled(0.0))
    return net.equity, gross.equity, net.fills, net.positions, net.costs


def reference(
    equity: pd.DataFrame, bars: pd.DataFrame, universe: pd.DataFrame, actions: pd.DataFrame, benchmark: pd.DataFrame
) -> pd.DataFrame:
    """Simple returns by bar of the benchmark (NaN where there is none) and of the equal-weighted universe over the backtest."""
    sessions = equity.index[1:]
    even = market.equal_weighted(bars, universe=universe, actions=actions)
    held = benchmark["close"].reindex(equity.index).pct_change(fill_method=None)
    return pd.DataFrame({"benchmark": held.reindex(sessions), "equal_weighted": even.reindex(sessions)}, index=sessions)


def describe_trial(
    *,
    data: DataParameters,
    features: FeaturesParameters,
    labels: LabelsParameters,
    training: TrainingParameters,
    backtest: BacktestParameters,
    seed: int,
    tuned: dict[str, Any],
    bars: pd.DataFrame,
    equity: pd.DataFrame,
) -> dict[str, Any]:
    """This backtest as a trial: what was tried, on what, and the moments of its net returns."""
    sections = {"features": features, "labels": labels, "backtest": backtest}
    configuration = {name: identity(section) for name, section in sections.items()} | bar_width(data)
    configuration["training"] = training_choices(training)
    scope = scope_of(data.source, bars.index)
    seen = evaluation.moments(equity["equity"].pct_change(fill_method=None).iloc[1:])
    key = trial_key(scope, {**configuration, "seed": seed, "model": tuned["model"], "parameters": tuned["parameters"]})
    return Trial(key=key, scope=scope, sharpe=seen.sharpe, n=seen.n_observations, skewness=seen.skewness, kurtosis=seen.kurtosis).to_dict()


def remember(run_trial: dict[str, Any]) -> tuple[Trial, ...]:
    """Tell the laboratory's memory; a simulated market teaches nothing about real ones and is not remembered."""
    trial = Trial.from_dict(run_trial)
    record(trial)
    return () if trial.scope.source == "simulated" else (trial,)


def record_backtest(*, backtest: BacktestParameters, **tables: pd.DataFrame) -> dict[str, Any]:
    """What the stage wrote, by content."""
    return stage_record(
        parameters={"backtest": identity(backtest)},
        outputs={name: data_hash(table) for name, table in tables.items()},
        facts={"n_sessions": len(tables["equity"]) - 1, "n_trades": len(tables["trades"])},
    )
