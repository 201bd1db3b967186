"""What network sources are told, and the macro series of those that carry nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
from pydantic import BaseModel

from touchstone import market, sources
from touchstone.parameters import DataParameters
from touchstone.root import project_root

__all__ = ["join_macro", "options", "section"]


def section(data: DataParameters, name: str) -> dict[str, Any]:
    """The source's own section of `data`, where it has one."""
    own = getattr(data, name, None)
    return own.model_dump() if isinstance(own, BaseModel) else {}


def options(data: DataParameters, name: str) -> dict[str, Any]:
    """What a network source is told when it is loaded."""
    return {**section(data, name), "snapshots": str(project_root() / data.snapshots)}


def join_macro(loaded: market.MarketData, data: DataParameters) -> market.MarketData:
    """Add the series of `data.macro_sources` to those of the source itself, and what must be said of them."""
    others = [
        sources.load(name, start=data.start, end=data.end, calendar=data.calendar, **options(data, name)) for name in data.macro_sources
    ]
    if not others:
        return loaded
    macro = pd.concat([loaded.macro, *(other.macro for other in others)], ignore_index=True)
    caveats = (*loaded.metadata.caveats, *(caveat for other in others for caveat in other.metadata.caveats))
    return replace(loaded, macro=macro, metadata=loaded.metadata.model_copy(update={"caveats": caveats}))
