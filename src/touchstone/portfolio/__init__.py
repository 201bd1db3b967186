"""From scores to target weights."""

from __future__ import annotations

from touchstone.portfolio._top_bottom import top_bottom

__all__ = ["top_bottom"]
