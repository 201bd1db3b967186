"""The size of positions: a fixed fraction each, or the same risk each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from touchstone.portfolio._held import checked, of_held
from touchstone.portfolio._known import Known
from touchstone.portfolio._options import at_least, within
from touchstone.portfolio._returns import trailing_volatility
from touchstone.types import FloatArray

__all__ = ["EqualRisk", "FixedFraction", "equal_risk", "fixed_fraction", "shrunk_to"]


@dataclass(frozen=True, kw_only=True)
class FixedFraction:
    """`fixed_fraction` with its options."""

    name: ClassVar[str] = "fixed_fraction"
    fraction: float
    max_gross: float = 1.0

    def __post_init__(self) -> None:
        within("fraction", self.fraction, 0.0, np.inf)
        within("max_gross", self.max_gross, 0.0, np.inf)

    def size(self, weights: pd.DataFrame, known: Known | None = None) -> pd.DataFrame:  # noqa: ARG002 - the sizings share a shape
        """Weights as `fixed_fraction` gives them."""
        return fixed_fraction(weights, fraction=self.fraction, max_gross=self.max_gross)


@dataclass(frozen=True, kw_only=True)
class EqualRisk:
    """`equal_risk` with the volatility of the last `lookback` sessions."""

    name: ClassVar[str] = "equal_risk"
    lookback: int = 60

    def __post_init__(self) -> None:
        at_least("lookback", self.lookback, 2)

    def size(self, weights: pd.DataFrame, known: Known) -> pd.DataFrame:
        """Weights as `equal_risk` gives them."""
        return equal_risk(weights, trailing_volatility(known.need_bars(self.name), pd.DatetimeIndex(weights.index), lookback=self.lookback))


def fixed_fraction(weights: pd.DataFrame, *, fraction: float, max_gross: float = 1.0) -> pd.DataFrame:
    """Give every held name the same fraction of the equity, long or short as it was.

    ``w = sign(w) * fraction``; where that exceeds `max_gross` in sum, all positions of the date shrink alike.

    Parameters
    ----------
    weights : DataFrame, (decision date) x symbols
        What is held and on which side.
    fraction : float, above 0
        Fraction of equity for each name.
    max_gross : float, above 0
        Sum of the sizes at most.

    Returns
    -------
    DataFrame like `weights`
        Known when `weights` are.

    Raises
    ------
    ConfigError
        A number out of its range.
    DataError
        Weights that are not finite.
    """
    within("fraction", fraction, 0.0, np.inf)
    within("max_gross", max_gross, 0.0, np.inf)
    sizes = shrunk_to(np.sign(checked(weights)) * fraction, max_gross)
    return pd.DataFrame(sizes, index=weights.index, columns=weights.columns)


def equal_risk(weights: pd.DataFrame, volatilities: pd.DataFrame) -> pd.DataFrame:
    """Divide each side's exposure among its names in inverse proportion to their volatility.

    ``w_i = side * (1 / s_i) / sum(1 / s_j)`` over the names of the side, which keeps its sum: "naive risk parity", which is
    equal risk contribution where all correlations are equal (Maillard, Roncalli and Teïletche 2010, "The properties of equally
    weighted risk contribution portfolios"). With correlations as they are: `optimise` with ``risk_budgeting``.

    Parameters
    ----------
    weights : DataFrame, (decision date) x symbols
        What is held; only the sign and each side's sum matter.
    volatilities : DataFrame, on the same dates and symbols
        Known at the decision, in any unit; `trailing_volatility` gives them.

    Returns
    -------
    DataFrame like `weights`
        Known when both are.

    Raises
    ------
    DataError
        Weights that are not finite; a held name whose volatility is not known or zero, with its date.
    """
    values = checked(weights)
    inverse = 1.0 / of_held(volatilities, weights, "volatility", above=0.0)
    sized = _divided(np.maximum(values, 0.0), inverse) - _divided(np.maximum(-values, 0.0), inverse)
    return pd.DataFrame(sized, index=weights.index, columns=weights.columns)


def shrunk_to(values: FloatArray, max_gross: float) -> FloatArray:
    """Rows as they are, or shrunk to the gross exposure allowed."""
    gross = np.abs(values).sum(axis=1, keepdims=True)
    return np.where(gross > max_gross, values * (max_gross / np.where(gross > 0.0, gross, 1.0)), values)


def _divided(side: FloatArray, inverse: FloatArray) -> FloatArray:
    """The side's sum, shared out among its names."""
    parts = np.where(side > 0.0, inverse, 0.0)
    total = parts.sum(axis=1, keepdims=True)
    return np.asarray(side.sum(axis=1, keepdims=True) * parts / np.where(total > 0.0, total, 1.0), dtype=np.float64)
