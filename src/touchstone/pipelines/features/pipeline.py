"""Features in one pass, labels with their spans, and the audit that stops the run on a leak."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from touchstone.pipelines.features import nodes

__all__ = ["create_pipeline"]

TABLES = {
    "bars": "bars",
    "actions": "actions",
    "macro": "macro",
    "signals": "signals",
    "universe": "universe",
    "benchmark": "benchmark",
    "sectors": "sectors",
}
SETTINGS = {"parameters": "params:features", "runtime": "params:runtime", "metadata": "metadata"}


def create_pipeline() -> Pipeline:
    """The features pipeline."""
    return Pipeline(
        [
            Node(nodes.engineer, {**SETTINGS, **TABLES}, ["features", "plan"], name="engineer"),
            Node(nodes.make_labels, ["params:labels", "bars", "actions", "universe"], "labels", name="make_labels"),
            Node(nodes.audit_look_ahead, {**SETTINGS, "seed": "params:seed", **TABLES}, "audit", name="audit_look_ahead"),
            Node(
                nodes.record_features,
                {"parameters": "params:features", "matrix": "features", "targets": "labels", "plan": "plan", "audited": "audit"},
                "features_record",
                name="record_features",
            ),
        ],
        tags="after_snapshot",
    )
