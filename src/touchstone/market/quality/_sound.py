"""The first half of an examination: what rows and keys betray, and the panel of those that stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pandas as pd

from touchstone.market.quality._findings import Found, marked
from touchstone.market.quality._keys import Keys, judge_keys
from touchstone.market.quality._panel import Panel
from touchstone.market.quality._rows import judge_rows
from touchstone.types import BoolArray

__all__ = ["Sound"]


@dataclass(frozen=True, eq=False)
class Sound:
    """Raw bars, the findings on single rows and keys, and the rows that passed."""

    raw: pd.DataFrame
    keys: Keys
    found: list[Found]
    is_sound: BoolArray
    panel: Panel

    @classmethod
    def of(cls, raw: pd.DataFrame, calendar: str, timeframe: str, actions: pd.DataFrame | None) -> Sound:
        """Judge at least one raw row."""
        keys = Keys.of(cast("pd.MultiIndex", raw.index), calendar, timeframe)
        kind = "a session" if timeframe == "1d" else f"the close of a {timeframe} bar"
        rows = judge_rows(raw, keys.bar >= 0, f"{kind} of {calendar}")
        found = [*rows, *judge_keys(raw, keys, ~marked(rows, len(raw)))]
        is_sound = ~marked(found, len(raw))
        return cls(raw, keys, found, is_sound, Panel.of(raw, keys, is_sound, actions))
