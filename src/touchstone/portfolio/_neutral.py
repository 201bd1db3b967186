"""Take out of a portfolio what it holds of its sectors, of the market, or of dollars."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, OrderError, moment
from touchstone.market import Sectors
from touchstone.portfolio._held import checked, of_held
from touchstone.portfolio._known import Known
from touchstone.portfolio._options import known as known_option
from touchstone.types import FloatArray, IntArray

__all__ = ["Neutral", "neutralise"]

_AGAINST = ("beta", "dollar", "sector")
# What is left of an exposure, relative to what was there, when only rounding is left.
_DUST = 1e-12


@dataclass(frozen=True, kw_only=True)
class Neutral:
    """`neutralise` against ``sector``, ``beta`` or ``dollar``, or several."""

    name: ClassVar[str] = "neutral"
    against: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "against", (self.against,) if isinstance(self.against, str) else tuple(self.against))
        for one in self.against:
            known_option("against", one, _AGAINST)
        _check_some(self.against)

    def size(self, weights: pd.DataFrame, known: Known) -> pd.DataFrame:
        """Weights as `neutralise` gives them."""
        sectors = known.need_sectors(self.name) if "sector" in self.against else None
        betas = known.need_betas(self.name) if "beta" in self.against else None
        return neutralise(weights, sectors=sectors, betas=betas, dollar="dollar" in self.against)


def neutralise(
    weights: pd.DataFrame, *, sectors: Sectors | None = None, betas: pd.DataFrame | None = None, dollar: bool = False
) -> pd.DataFrame:
    """Take the nearest portfolio of the same names that has no net weight in any sector, no beta, or no net weight at all.

    The weights of a date, as a vector over the names held, less their projection on the exposures (a column of ones for each
    sector, one of betas, one of ones), scaled back to the gross exposure they had. Names that are not held stay out. A small
    position may change its side; the only name of its sector is sold, as nothing could stand against it.

    Parameters
    ----------
    weights : DataFrame, (decision date) x symbols
        What is held.
    sectors : Sectors, optional
        Dated; each name counts where it belonged on the decision's date, ``unknown`` being a sector like any other.
    betas : DataFrame, on the same dates and symbols, optional
        Known at the decision, as the feature ``beta_60`` is.
    dollar : bool
        Net exposure 0; sectors without net weight have that in them.

    Returns
    -------
    DataFrame like `weights`
        Known when everything given is.

    Raises
    ------
    ConfigError
        Nothing to be neutral against.
    DataError
        Weights that are not finite; a held name without a beta, with its date.
    OrderError
        A date on which nothing is left, since no two names held could stand against each other.
    """
    _check_some([name for name, given in (("sector", sectors is not None), ("beta", betas is not None), ("dollar", dollar)) if given])
    values = checked(weights)
    betas_held = None if betas is None else of_held(betas, weights, "beta")
    numbers = None if sectors is None else _sector_numbers(weights, values, sectors)
    for row in range(len(values)):
        held = np.flatnonzero(values[row])
        groups = np.zeros(len(held), dtype=np.int64) if dollar else None
        groups = groups if numbers is None else numbers[row, held]
        beta = None if betas_held is None else betas_held[row, held]
        values[row, held] = _without(values[row, held], groups, beta, date=weights.index[row])
    return pd.DataFrame(values, index=weights.index, columns=weights.columns)


def _without(held: FloatArray, groups: IntArray | None, beta: FloatArray | None, *, date: pd.Timestamp) -> FloatArray:
    """Frisch, Waugh and Lovell: centre within the groups, then take out what is left of the betas."""
    rest = _centred(held, groups)
    if beta is not None:
        left = _centred(beta, groups)
        size = float((left * left).sum())
        if size > _DUST * float((beta * beta).sum()):
            rest = rest - left * (float((left * rest).sum()) / size)
    gross, remaining = float(np.abs(held).sum()), float(np.abs(rest).sum())
    if gross > 0.0 and remaining <= _DUST * gross:
        raise OrderError(
            f"A neutral portfolio needs names that stand against each other, but the {len(held)} held on {moment(date)} leave nothing: "
            "hold more names, or long and short ones."
        )
    return rest * (gross / remaining) if gross > 0.0 else rest


def _centred(values: FloatArray, groups: IntArray | None) -> FloatArray:
    if groups is None or not len(values):
        return values
    mean = np.bincount(groups, weights=values) / np.maximum(np.bincount(groups), 1)
    return np.asarray(values - mean[groups], dtype=np.float64)


def _sector_numbers(weights: pd.DataFrame, values: FloatArray, sectors: Sectors) -> IntArray:
    """Number of each held name's sector on the decision's date."""
    rows, columns = np.nonzero(values)
    index = pd.MultiIndex.from_arrays([weights.index[rows], weights.columns[columns]], names=["date", "symbol"])
    numbers = np.full(values.shape, -1, dtype=np.int64)
    numbers[rows, columns] = pd.factorize(sectors.at(index), sort=True)[0]
    return numbers


def _check_some(against: Collection[str]) -> None:
    if not against:
        raise ConfigError("A portfolio must be neutral against something, but got nothing: give sectors, betas or dollar.")
