"""Nodes of `features`."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import pandas as pd

from touchstone import audit, features, labels, market
from touchstone.lineage import data_hash, task_seed
from touchstone.parameters import FeaturesParameters, LabelsParameters, RuntimeParameters, identity
from touchstone.pipelines.records import stage_record

logger = logging.getLogger(__name__)


def engineer(
    *, parameters: FeaturesParameters, runtime: RuntimeParameters, metadata: dict[str, Any], **tables: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Every feature that the tables can carry, and a plan that says which were left out and why."""
    plan = _plan(parameters, tables)
    for left in plan.left_out:
        logger.warning("Feature %s is left out: %s", left.feature, left.reason)
    layout = {
        "columns": list(plan.columns),
        "left_out": [{"feature": left.feature, "reason": left.reason} for left in plan.left_out],
        "lookback": plan.lookback,
        "needs_benchmark": plan.needs_benchmark,
        "macro_series": sorted(tables["macro"]["series"].unique()),
    }
    return _compute(parameters, runtime, metadata, **tables), layout


def make_labels(parameters: LabelsParameters, bars: pd.DataFrame, actions: pd.DataFrame, universe: pd.DataFrame) -> pd.DataFrame:
    """Fill-to-fill returns and their spans, of members: targets are ranks among labels, and must not count strangers."""
    everyone = labels.forward_return(bars, horizon=parameters.horizon, fill=parameters.fill, actions=actions)
    return everyone[market.Universe(universe).mask(everyone.index)]


def audit_look_ahead(
    *, parameters: FeaturesParameters, runtime: RuntimeParameters, metadata: dict[str, Any], seed: int, **tables: pd.DataFrame
) -> dict[str, Any]:
    """Recompute on cut and on perturbed history; a value that changes stops the run."""
    report = audit.look_ahead(
        partial(_compute, parameters, runtime, metadata), tables, n_cuts=parameters.audit_cuts, seed=task_seed(seed, "features", "audit", 0)
    )
    report.raise_on_leak()
    return {"passed": report.passed, "n_compared": report.n_compared, "n_findings": report.n_findings}


def record_features(
    *, parameters: FeaturesParameters, matrix: pd.DataFrame, targets: pd.DataFrame, plan: dict[str, Any], audited: dict[str, Any]
) -> dict[str, Any]:
    """What the stage wrote, by content."""
    return stage_record(
        parameters={"features": identity(parameters)},
        outputs={"features": data_hash(matrix), "labels": data_hash(targets)},
        facts={"n_features": len(plan["columns"]), "left_out": plan["left_out"], "values_audited": audited["n_compared"]},
    )


def _plan(parameters: FeaturesParameters, tables: dict[str, pd.DataFrame]) -> features.Plan:
    return features.plan(
        parameters.sets,
        fields=tuple(tables["bars"].columns),
        has_benchmark=not tables["benchmark"].empty,
        has_sectors=not tables["sectors"].empty,
        macro_series=tables["macro"]["series"].unique(),
        signal_names=tables["signals"]["name"].unique(),
    )


def _compute(
    parameters: FeaturesParameters, runtime: RuntimeParameters, metadata: dict[str, Any], *, bars: pd.DataFrame, **tables: pd.DataFrame
) -> pd.DataFrame:
    return features.compute(
        bars,
        parameters.sets,
        **tables,
        calendar=metadata["calendar"],
        timeframe=metadata["timeframe"],
        transform=parameters.transform,
        threads=runtime.threads,
        memory_budget=parameters.memory_budget,
    )
