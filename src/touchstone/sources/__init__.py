"""Where prices come from, by short name: `sample`, `files`, `simulated`, and what third parties install."""

from __future__ import annotations

from touchstone.sources._registry import Source, SourceRequest, list_sources, load
from touchstone.sources._simulated import SimulatedMarket, simulate_market

__all__ = ["SimulatedMarket", "Source", "SourceRequest", "list_sources", "load", "simulate_market"]
