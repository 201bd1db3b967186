"""The pipelines by name; `__default__` is all of them in order."""

from __future__ import annotations

from kedro.pipeline import Pipeline

from touchstone.pipelines import backtest, features, ingestion, reporting, training, validation

__all__ = ["register_pipelines"]


def register_pipelines() -> dict[str, Pipeline]:
    """Name → pipeline, in the order in which they run."""
    pipelines = {
        "ingestion": ingestion.create_pipeline(),
        "features": features.create_pipeline(),
        "training": training.create_pipeline(),
        "backtest": backtest.create_pipeline(),
        "validation": validation.create_pipeline(),
        "reporting": reporting.create_pipeline(),
    }
    return {**pipelines, "__default__": sum(pipelines.values(), Pipeline([]))}
