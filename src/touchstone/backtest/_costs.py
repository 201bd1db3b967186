"""What trading costs, and what money earns."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from touchstone.errors import ConfigError, nearest

__all__ = ["SLIPPAGE_MODELS", "Costs", "Slippage"]

SLIPPAGE_MODELS = ("none", "spread_pct", "participation_rate", "square_root", "volume_share")
# What the name of a trial has always held; the others are in it where they say something.
_ALWAYS_STATED = ("commission_bps", "half_spread_bps", "borrow_bps_per_year")


@dataclass(frozen=True)
class Slippage:
    """What a fill moves the price against itself, charged beside the reference price.

    With the fill's shares ``n``, the volume ``V`` of its bar in shares, ``share = n / V`` and the half-spread ``h`` as a fraction,
    the fill pays this fraction of its notional:

    - `none`: 0
    - `spread_pct`: ``coefficient * 2 * h``, a part of the quoted spread beyond the half-spread
    - `participation_rate`: ``coefficient * share``, linear impact (Kyle 1985)
    - `square_root`: ``coefficient * sigma * share**exponent``, the square-root law (Torre and Ferrari 1997; Tóth et al. 2011)
    - `volume_share`: ``coefficient * share**2``, Zipline's VolumeShareSlippage, whose own coefficient is 0.1

    Attributes
    ----------
    model : str
    coefficient : float, ≥ 0
        Without unit. Almgren, Thum, Hauptmann and Li (2005) find 0.142 for `square_root` with an exponent of 0.6, on US shares.
    exponent : float, above 0
        Of `square_root` only.
    volatility_column : str, optional
        Column of the bars with sigma a bar as a fraction, known at the bar's close. Without it: the exponentially weighted
        volatility of close-to-close returns over splits, decay 0.94 (RiskMetrics 1996), known from the 20th return on. A fill uses
        the value of the session before.
    """

    model: str = "none"
    coefficient: float = 0.0
    exponent: float = 0.5
    volatility_column: str | None = None

    def __post_init__(self) -> None:
        if self.model not in SLIPPAGE_MODELS:
            raise ConfigError(f"The slippage model must be known, but got '{self.model}': {nearest(self.model, SLIPPAGE_MODELS)}.")
        if not (math.isfinite(self.coefficient) and self.coefficient >= 0.0 and math.isfinite(self.exponent) and self.exponent > 0.0):
            raise ConfigError(
                "Slippage needs a finite coefficient ≥ 0 and an exponent above 0, "
                f"but got {self.coefficient} and {self.exponent}: use the model 'none' to switch it off."
            )

    @property
    def needs_volume(self) -> bool:
        """Whether a fill cannot be priced without the volume of its bar."""
        return self.model in ("participation_rate", "square_root", "volume_share")


@dataclass(frozen=True)
class Costs:
    """What is traded, borrowed and owed costs money; cash may earn some. Each is a column of its own in the result.

    Attributes
    ----------
    commission_bps : float
        Of the notional of every fill, in basis points.
    half_spread_bps : float
        Half the bid-ask spread, paid on the notional of every fill, in basis points. Fills are booked at the
        reference price and the spread is charged beside it, so that both stay visible.
    borrow_bps_per_year : float
        Of the market value of the shorts at the last close, a year, in basis points; charged every session.
    commission_per_share : float
        Money for every share of a fill, added to the part in proportion.
    commission_minimum : float
        Money: the least commission of a fill.
    slippage : Slippage
    margin_bps_per_year : float
        Of the cash that is owed (negative cash) after the last close, a year; charged every session.
    cash_bps_per_year : float
        Earned on positive cash after the last close, a year. The proceeds of shorts are cash: with this on, the borrow rate is the
        fee without the rebate.
    half_spread_column, borrow_column : str, optional
        Columns of the bars that take the place of `half_spread_bps` and `borrow_bps_per_year`, in the same units: by symbol and
        session. A fill pays the half-spread of its own bar; a short pays the borrow rate of its last bar.
    column_multiplier : float
        Times what the two columns say.
    """

    commission_bps: float = 1.0
    half_spread_bps: float = 5.0
    borrow_bps_per_year: float = 50.0
    commission_per_share: float = 0.0
    commission_minimum: float = 0.0
    slippage: Slippage = field(default_factory=Slippage)
    margin_bps_per_year: float = 0.0
    cash_bps_per_year: float = 0.0
    half_spread_column: str | None = None
    borrow_column: str | None = None
    column_multiplier: float = 1.0

    def __post_init__(self) -> None:
        for name, value in self._numbers().items():
            if not (math.isfinite(value) and value >= 0.0):
                unit = "basis points" if "_bps" in name else "a multiple" if name == "column_multiplier" else "money"
                raise ConfigError(f"{name} must be a finite number ≥ 0 ({unit}), but got {value}: 0 switches it off.")

    def _numbers(self) -> dict[str, float]:
        return {part.name: getattr(self, part.name) for part in fields(self) if part.type == "float"}

    def scaled(self, multiplier: float) -> Costs:
        """All costs times a factor: 0 trades for free, 2 at double costs. What cash earns is no cost and stays."""
        kept = {"cash_bps_per_year"} | (set() if self.half_spread_column or self.borrow_column else {"column_multiplier"})
        numbers = {name: value * multiplier for name, value in self._numbers().items() if name not in kept}
        slippage = replace(self.slippage, coefficient=self.slippage.coefficient * multiplier)
        options: dict[str, Any] = {**numbers, "slippage": slippage}
        return replace(self, **options)

    def stated(self) -> dict[str, Any]:
        """The costs as plain values for the name of a trial: what is not used is left out, so that a new option renames no old trial."""
        plain, default = asdict(self), asdict(Costs())
        return {name: value for name, value in plain.items() if name in _ALWAYS_STATED or value != default[name]}
