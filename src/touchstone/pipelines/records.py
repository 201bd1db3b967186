"""The record a stage leaves: its part of the parameters, the content hashes of its outputs, and facts worth keeping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from touchstone.lineage import round_metrics

__all__ = ["stage_record"]


def stage_record(*, parameters: Mapping[str, Any], outputs: Mapping[str, str], facts: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON-ready record; numbers among the facts are rounded to ten significant digits."""
    return {"parameters": dict(parameters), "outputs": dict(outputs), "facts": round_metrics(dict(facts))}
