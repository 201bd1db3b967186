"""How much of an order is filled on a session."""

from __future__ import annotations

import math
from dataclasses import dataclass

from touchstone.errors import ConfigError, nearest

__all__ = ["Execution"]

_UNFILLED = ("carry", "cancel")


@dataclass(frozen=True)
class Execution:
    """What a session can fill of an order, and what becomes of the rest.

    Attributes
    ----------
    participation_cap : float, optional
        The most that a fill takes of the volume of its bar, a fraction in (0, 1]; needs the column `volume`, in shares as traded.
        A bar without volume fills nothing. None: no cap.
    unfilled : {"carry", "cancel"}
        The rest of an order, or the whole of one whose symbol has no bar, waits for the next sessions until its weight is reached
        or a new decision replaces it, or is given up at the end of its session.
    lot_size : float
        Holdings are multiples of this many shares, rounded towards zero: 1 for whole shares, 100 for round lots, 0 for fractions.
        A split may leave an odd lot, which the next fill of the symbol clears.
    """

    participation_cap: float | None = None
    unfilled: str = "carry"
    lot_size: float = 0.0

    def __post_init__(self) -> None:
        if self.participation_cap is not None and not 0.0 < self.participation_cap <= 1.0:
            raise ConfigError(f"participation_cap must be a fraction in (0, 1] or None, but got {self.participation_cap}: 0.1 is a tenth.")
        if self.unfilled not in _UNFILLED:
            raise ConfigError(f"unfilled must be known, but got '{self.unfilled}': {nearest(self.unfilled, _UNFILLED)}.")
        if not (math.isfinite(self.lot_size) and self.lot_size >= 0.0):
            raise ConfigError(f"lot_size must be a finite number of shares ≥ 0, but got {self.lot_size}: 0 allows fractions of a share.")
