"""The fraction of equity that makes it grow fastest, and less of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError
from touchstone.portfolio._held import checked, of_held
from touchstone.portfolio._known import Known
from touchstone.portfolio._options import at_least, within
from touchstone.portfolio._returns import trailing_volatility
from touchstone.portfolio._sizing import shrunk_to

__all__ = ["KellyFraction", "kelly_bet", "kelly_fraction"]


@dataclass(frozen=True, kw_only=True)
class KellyFraction:
    """`kelly_fraction` with the volatility of the last `lookback` sessions."""

    name: ClassVar[str] = "kelly_fraction"
    fraction: float = 0.5
    years: float | None = None
    max_weight: float = 1.0
    max_gross: float = 1.0
    lookback: int = 252

    def __post_init__(self) -> None:
        within("fraction", self.fraction, 0.0, 1.0)
        within("years", np.inf if self.years is None else self.years, 0.0, np.inf)
        within("max_weight", self.max_weight, 0.0, np.inf)
        within("max_gross", self.max_gross, 0.0, np.inf)
        at_least("lookback", self.lookback, 2)

    def size(self, weights: pd.DataFrame, known: Known) -> pd.DataFrame:
        """Weights as `kelly_fraction` gives them."""
        volatilities = trailing_volatility(known.need_bars(self.name), pd.DatetimeIndex(weights.index), lookback=self.lookback)
        return self.bet(weights, known.need_expected_returns(self.name), volatilities)

    def bet(self, weights: pd.DataFrame, expected_returns: pd.DataFrame, volatilities: pd.DataFrame) -> pd.DataFrame:
        """Weights from expected returns and volatilities of a year."""
        side = np.sign(checked(weights))
        edge = of_held(expected_returns, weights, "expected return")
        variance = of_held(volatilities, weights, "volatility", above=0.0) ** 2
        error = 0.0 if self.years is None else variance / self.years
        # An edge of nothing has no variance to divide by; its fraction is nothing either way.
        trust = np.divide(edge**2, edge**2 + error, out=np.zeros_like(edge), where=edge != 0.0)
        sizes = side * np.clip(side * self.fraction * trust * edge / variance, 0.0, self.max_weight)
        return pd.DataFrame(shrunk_to(sizes, self.max_gross), index=weights.index, columns=weights.columns)


def kelly_fraction(
    weights: pd.DataFrame,
    expected_returns: pd.DataFrame,
    volatilities: pd.DataFrame,
    *,
    fraction: float = 0.5,
    years: float | None = None,
    max_weight: float = 1.0,
    max_gross: float = 1.0,
) -> pd.DataFrame:
    """Size every held name by its edge over its variance.

    ``f = fraction * k * m / s**2`` with the expected return *m* and the volatility *s* of a year: Kelly (1956, "A new
    interpretation of information rate") for a price in continuous time, as in MacLean, Thorp and Ziemba (2010, "Long-term capital
    growth: the good and bad properties of the Kelly and fractional Kelly capital growth criteria"). Each name is sized as if it
    were alone; the joint form ``S^-1 m`` is `optimise` with ``mean_variance`` and a `risk_aversion` of 1.

    An expected return that was estimated over *years* years has a standard error of ``s / sqrt(years)``; betting on the estimate
    as if it were true grows slower than betting ``k = m**2 / (m**2 + s**2 / years)`` of it, which maximises expected growth over
    estimates normally spread around *m* (the argument of Baker and McHale 2013, "Optimal betting under parameter uncertainty").

    Parameters
    ----------
    weights : DataFrame, (decision date) x symbols
        What is held and on which side; sizes do not matter.
    expected_returns, volatilities : DataFrame, on the same dates and symbols
        Of a year, known at the decision.
    fraction : float, in (0, 1]
        Of the full Kelly fraction; one half has three quarters of its growth and half of its volatility.
    years : float, above 0, optional
        History behind the expected returns; None takes them for true.
    max_weight, max_gross : float, above 0
        Size of a position, and sum of the sizes, at most; beyond `max_gross` all positions of the date shrink alike.

    Returns
    -------
    DataFrame like `weights`
        A name whose expected return speaks against its side is not held. Known when all three are.

    Raises
    ------
    ConfigError
        A number out of its range.
    DataError
        Weights that are not finite; a held name whose expected return or volatility is not known, with its date.
    """
    sizing = KellyFraction(fraction=fraction, years=years, max_weight=max_weight, max_gross=max_gross)
    return sizing.bet(weights, expected_returns, volatilities)


def kelly_bet(probability: float, *, odds: float = 1.0) -> float:
    """Fraction of the capital to stake on a bet that pays `odds` for one: ``p - (1 - p) / odds``, nothing without an edge (Kelly 1956).

    Raises
    ------
    ConfigError
        A probability outside [0, 1], or odds that are not above 0.
    """
    if not 0.0 <= probability <= 1.0:
        raise ConfigError(f"probability must lie in [0, 1], but got {probability}: give the chance of winning.")
    within("odds", odds, 0.0, np.inf)
    return max(0.0, probability - (1.0 - probability) / odds)
