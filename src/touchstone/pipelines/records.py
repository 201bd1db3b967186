"""The record a stage leaves: its part of the parameters, the content hashes of its outputs, and facts worth keeping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from touchstone.lineage import Scope, round_metrics
from touchstone.market import days_of
from touchstone.parameters import DataParameters, TrainingParameters, identity

__all__ = ["bar_width", "scope_of", "stage_record", "training_choices"]


def scope_of(source: str, rows: pd.Index) -> Scope:
    """What a trial looked at: the source, the symbols of the rows, their first and last session."""
    dates = days_of(pd.DatetimeIndex(rows.unique("date")))
    symbols = rows.get_level_values("symbol").unique()
    return Scope(source=source, symbols=tuple(symbols), start=str(dates.min().date()), end=str(dates.max().date()))


def bar_width(data: DataParameters) -> dict[str, str]:
    """The part of a trial's configuration that tells bars of another width; daily ones go unsaid, as in every key known so far."""
    return {} if data.timeframe == "1d" else {"timeframe": data.timeframe}


def training_choices(training: TrainingParameters) -> dict[str, Any]:
    """The part of a trial's configuration that tells how models are trained; no transforms go unsaid, as in every key known so far."""
    choices = identity(training)
    return choices if training.transforms else {name: value for name, value in choices.items() if name != "transforms"}


def stage_record(*, parameters: Mapping[str, Any], outputs: Mapping[str, str], facts: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON-ready record; numbers among the facts are rounded to ten significant digits."""
    return {"parameters": dict(parameters), "outputs": dict(outputs), "facts": round_metrics(dict(facts))}
