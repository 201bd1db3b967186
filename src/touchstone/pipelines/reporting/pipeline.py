"""Who the run is, the report that is bound to it, the model card and the manifest."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from touchstone.pipelines.reporting import nodes

__all__ = ["create_pipeline"]

RECORDS = {
    "ingestion": "ingestion_record",
    "features": "features_record",
    "training": "training_record",
    "backtest": "backtest_record",
    "validation": "validation_record",
}
WRITTEN = {"tear_sheet": "tear_sheet", "equity_chart": "equity_chart", "model_card": "model_card"}


def create_pipeline() -> Pipeline:
    """The reporting pipeline."""
    return Pipeline(
        [
            Node(nodes.identify, {"code": "code", "lock": "lock", "known": "known_trials", **RECORDS}, "identity", name="identify"),
            Node(nodes.draw_equity, ["equity", "equity_gross", "reference", "metadata"], "equity_chart", name="draw_equity"),
            Node(nodes.write_tear_sheet, "identity", "tear_sheet", name="write_tear_sheet"),
            Node(
                nodes.write_model_card,
                {"identity": "identity", "scorecard": "scorecard", "verdict": "verdict", "bundle": "bundle", "metadata": "metadata"},
                "model_card",
                name="write_model_card",
            ),
            Node(
                nodes.gather_manifest,
                {"identity": "identity", "metrics": "metrics", "digests": "output_digests", **RECORDS, **WRITTEN},
                "manifest",
                name="gather_manifest",
            ),
        ],
        tags="after_snapshot",
    )
