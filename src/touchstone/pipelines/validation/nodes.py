"""Nodes of `validation`."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pandas as pd

from touchstone import backtest as engine
from touchstone import evaluation, market
from touchstone.lineage import Scope, Trial, canonical_json, count_trials, digest, round_metrics, searched_trials, task_seed
from touchstone.parameters import BacktestParameters, DataParameters, LabelsParameters, ValidationParameters, identity
from touchstone.pipelines.records import stage_record
from touchstone.pipelines.terms import costs_of, trading_terms


def cost_sensitivity(
    *,
    data: DataParameters,
    labels: LabelsParameters,
    backtest: BacktestParameters,
    validation: ValidationParameters,
    scores: pd.DataFrame,
    bars: pd.DataFrame,
    actions: pd.DataFrame,
) -> dict[float, float]:
    """Annual net Sharpe ratio at multiples of the stated costs."""
    terms = trading_terms(data, backtest, labels)
    run = partial(engine.trade_scores, scores["score"], bars, **terms, actions=actions)
    annual = partial(evaluation.sharpe_ratio, periods_per_year=terms["periods_per_year"])
    return {multiplier: annual(run(costs=costs_of(backtest).scaled(multiplier)).returns) for multiplier in validation.cost_multipliers}


def count(run_trial: dict[str, Any], tuned: dict[str, Any], trials: pd.DataFrame, known: tuple[Trial, ...]) -> dict[str, Any]:
    """How many trials stand behind this run: those the laboratory knows, those of its tuning, and itself."""
    itself = Trial.from_dict(run_trial)
    searched = searched_trials(trials, Scope.from_dict(tuned["scope"]))
    return count_trials(known, (*searched, itself), itself.scope).to_dict()


def judge(
    *,
    data: DataParameters,
    labels: LabelsParameters,
    validation: ValidationParameters,
    seed: int,
    scores: pd.DataFrame,
    targets: pd.DataFrame,
    equity: pd.DataFrame,
    equity_gross: pd.DataFrame,
    reference: pd.DataFrame,
    audited: dict[str, Any],
    counted: dict[str, Any],
    cost_curve: dict[float, float],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Measure the backtest's scores and account, and hold them against the gate."""
    card = evaluation.scorecard(
        scores=scores["score"],
        labels=targets,
        returns_net=_returns(equity),
        returns_gross=_returns(equity_gross),
        benchmark_returns=None if reference["benchmark"].isna().all() else reference["benchmark"],
        equal_weighted_returns=reference["equal_weighted"],
        n_trials=counted["n"],
        ledger_variance=math.nan if counted["variance"] is None else counted["variance"],
        audit_findings=audited["n_findings"],
        horizon=labels.horizon,
        cost_curve=cost_curve,
        confidence=validation.confidence,
        n_resamples=validation.n_resamples,
        seed=task_seed(seed, "validation", "bootstrap", 0),
        periods_per_year=market.periods_per_year(data.calendar, data.timeframe),
    )
    verdict = evaluation.gate(card, validation.gate.rules())
    return round_metrics(card.to_dict()), round_metrics(verdict.to_dict())


def headline(card: dict[str, Any], verdict: dict[str, Any]) -> dict[str, Any]:
    """The few numbers that git and DVC keep in sight."""
    chosen = {
        "rank_ic": ("mean", "lower", "upper", "n"),
        "sharpe": ("net", "net_lower", "net_upper", "gross", "benchmark", "equal_weighted"),
        "performance": ("annual_return", "annual_volatility", "max_drawdown"),
        "luck": ("deflated_sharpe", "probabilistic_sharpe", "n_trials"),
    }
    numbers = {group: {name: card[group][name] for name in names} for group, names in chosen.items()}
    return {"span": card["span"], **numbers, "verdict_passed": verdict["passed"]}


def record_validation(
    validation: ValidationParameters, card: dict[str, Any], verdict: dict[str, Any], counted: dict[str, Any]
) -> dict[str, Any]:
    """What the stage wrote, by content."""
    outputs = {"scorecard": card, "verdict": verdict, "trial_count": counted}
    return stage_record(
        parameters={"validation": identity(validation)},
        outputs={name: digest(canonical_json(value).encode()) for name, value in outputs.items()},
        facts={"passed": verdict["passed"], "n_trials": counted["n"]},
    )


def _returns(equity: pd.DataFrame) -> pd.Series:
    return equity["equity"].pct_change(fill_method=None).iloc[1:].rename("return")
