"""Nodes of `features`."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import pandas as pd

from touchstone import audit, features, labels, market
from touchstone.errors import name_few
from touchstone.lineage import data_hash, task_seed
from touchstone.parameters import FeaturesParameters, LabelsParameters, RuntimeParameters, identity
from touchstone.pipelines.features import proof
from touchstone.pipelines.records import stage_record

logger = logging.getLogger(__name__)


def engineer(
    *, parameters: FeaturesParameters, runtime: RuntimeParameters, metadata: dict[str, Any], **tables: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Every feature that the tables can carry, and a plan that says which were left out and why."""
    plan = _plan(parameters, tables)
    for reason, left in proof.by_reason(plan).items():
        logger.warning("Left out of the features, %s: %s", reason, name_few(left))
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
    """Recompute with another future and with less of a past; a value that changes stops the run.

    The values are audited over all of history, each symbol cut at other sessions where it stands for itself. The transform is the same
    step at every session: that it compares no more than was there is audited on the latest stretch.
    """
    plan = _plan(parameters, tables)
    told = proof.needed(plan, tables)
    untransformed = partial(_compute, parameters.model_copy(update={"transform": "none"}), runtime, metadata)
    values = audit.look_ahead(
        untransformed,
        told,
        n_cuts=parameters.audit_cuts,
        seed=task_seed(seed, "features", "audit", 0),
        per_symbol=plan.per_symbol,
        lookback=plan.lookbacks,
        partial=plan.partial,
    )
    values.raise_on_leak()
    if parameters.transform == "none":
        return proof.summary({"values": values})
    compared = audit.look_ahead(
        partial(_compute, parameters, runtime, metadata),
        proof.recent(told, lookback=plan.lookback),
        n_cuts=min(parameters.audit_cuts, proof.CUTS),
        seed=task_seed(seed, "features", "audit", 1),
    )
    compared.raise_on_leak()
    return proof.summary({"values": values, parameters.transform: compared})


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
