"""What trading costs."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

from touchstone.errors import ConfigError

__all__ = ["Costs"]


@dataclass(frozen=True)
class Costs:
    """Costs in proportion to what is traded and borrowed.

    Attributes
    ----------
    commission_bps : float
        Of the notional of every fill, in basis points.
    half_spread_bps : float
        Half the bid-ask spread, paid on the notional of every fill, in basis points. Fills are booked at the
        reference price and the spread is charged beside it, so that both stay visible.
    borrow_bps_per_year : float
        Of the market value of the shorts at the last close, a year, in basis points; charged every session.
    """

    commission_bps: float = 1.0
    half_spread_bps: float = 5.0
    borrow_bps_per_year: float = 50.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (math.isfinite(value) and value >= 0.0):
                raise ConfigError(f"{field.name} must be a finite number of basis points ≥ 0, but got {value}: 0 switches it off.")

    def scaled(self, multiplier: float) -> Costs:
        """All costs times a factor: 0 trades for free, 2 at double costs."""
        return replace(self, **{field.name: getattr(self, field.name) * multiplier for field in fields(self)})
