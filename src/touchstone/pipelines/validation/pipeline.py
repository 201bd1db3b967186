"""Luck, leakage, stability and cost, and the gate that rules on them."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from touchstone.pipelines.validation import nodes

__all__ = ["create_pipeline"]

EVIDENCE = {
    "scores": "scores",
    "targets": "labels",
    "equity": "equity",
    "equity_gross": "equity_gross",
    "reference": "reference",
    "audited": "audit",
    "counted": "trial_count",
    "cost_curve": "cost_curve",
}
SETTINGS = {"data": "params:data", "labels": "params:labels", "validation": "params:validation", "seed": "params:seed"}


def create_pipeline() -> Pipeline:
    """The validation pipeline."""
    return Pipeline(
        [
            Node(
                nodes.cost_sensitivity,
                {
                    "data": "params:data",
                    "labels": "params:labels",
                    "backtest": "params:backtest",
                    "validation": "params:validation",
                    "scores": "scores",
                    "bars": "bars",
                    "actions": "actions",
                },
                "cost_curve",
                name="cost_sensitivity",
            ),
            Node(nodes.count, ["run_trial", "tuned", "trials", "known_trials"], "trial_count", name="count_trials"),
            Node(nodes.judge, {**SETTINGS, **EVIDENCE}, ["scorecard", "verdict"], name="judge"),
            Node(nodes.headline, ["scorecard", "verdict"], "metrics", name="headline"),
            Node(
                nodes.record_validation,
                ["params:validation", "scorecard", "verdict", "trial_count"],
                "validation_record",
                name="record_validation",
            ),
        ],
        tags="after_snapshot",
    )
