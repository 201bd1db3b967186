"""Tune on purged folds that end before the first backtest session."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from touchstone.pipelines.training import nodes

__all__ = ["create_pipeline"]

SECTIONS = {
    "data": "params:data",
    "features": "params:features",
    "labels": "params:labels",
    "training": "params:training",
    "seed": "params:seed",
    "runtime": "params:runtime",
}


def create_pipeline() -> Pipeline:
    """The training pipeline."""
    return Pipeline(
        [
            Node(
                nodes.tune_forecaster,
                {**SECTIONS, "matrix": "features", "targets": "labels", "code": "training_code", "storage": "search_storage"},
                ["tuned", "trials"],
                name="tune_forecaster",
            ),
            Node(
                nodes.record_training,
                {"training": "params:training", "tuned": "tuned", "trials": "trials"},
                "training_record",
                name="record_training",
            ),
        ],
        tags="after_snapshot",
    )
