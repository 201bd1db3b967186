"""What a service must know beside the model's bytes to score as the pipeline does."""

from __future__ import annotations

from typing import Any

import pandas as pd

from touchstone.parameters import DataParameters, FeaturesParameters, LabelsParameters, TrainingParameters, identity

__all__ = ["bind"]


def bind(
    *,
    data: DataParameters,
    features: FeaturesParameters,
    labels: LabelsParameters,
    training: TrainingParameters,
    tuned: dict[str, Any],
    plan: dict[str, Any],
    windows: pd.DataFrame,
    metadata: dict[str, Any],
) -> dict[str, Any]:
    """The card that travels with the model: feature sets, columns, lookback, label, what its prices are and how old they may be."""
    last = windows.iloc[-1]
    return {
        "model": tuned["model"],
        "features": {"sets": list(features.sets), "transform": features.transform},
        "columns": plan["columns"],
        "left_out": plan["left_out"],
        "lookback": plan["lookback"],
        "needs_benchmark": plan["needs_benchmark"],
        "macro_series": plan["macro_series"],
        "labels": identity(labels),
        "scored": {"start": str(last["start"].date()), "end": str(last["end"].date())},
        "adjustment": metadata["adjustment"],
        "fields": metadata["fields"],
        "derived": metadata["derived"],
        "currency": metadata["currency"],
        "calendar": metadata["calendar"],
        "timeframe": metadata["timeframe"],
        "max_age_sessions": data.max_age_sessions,
        "max_age_minutes": data.max_age_minutes,
        # For people: what was fitted stands in the model's own bytes.
        **({"transforms": list(training.transforms)} if training.transforms else {}),
    }
