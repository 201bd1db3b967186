"""The verdict on raw bars: data errors, actions that nobody recorded, and what really happened, told apart."""

from __future__ import annotations

from touchstone.market.quality._examine import Examination, check, examine
from touchstone.market.quality._market import MarketContext

__all__ = ["Examination", "MarketContext", "check", "examine"]
