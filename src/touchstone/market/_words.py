"""What a bar is called where people read."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["BarWords", "bar_words"]


class BarWords(NamedTuple):
    """One bar, several, one in a phrase like "one day in twenty", what happens in each, and a unit behind a number and a hyphen."""

    one: str
    many: str
    day: str
    daily: str
    unit: str


def bar_words(timeframe: str) -> BarWords:
    """Words for bars of a width: sessions for ``1d``, bars of that width otherwise."""
    if timeframe == "1d":
        return BarWords("session", "sessions", "day", "daily", "session")
    return BarWords(f"{timeframe} bar", f"{timeframe} bars", f"{timeframe} bar", timeframe, f"bar ({timeframe})")
