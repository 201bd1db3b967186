"""Short names of the rules that make weights of scores, and of those that resize weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, ClassVar, Protocol

import pandas as pd

from touchstone.errors import ConfigError, nearest
from touchstone.portfolio._kelly import KellyFraction
from touchstone.portfolio._known import Known
from touchstone.portfolio._neutral import Neutral
from touchstone.portfolio._optimise import OptimisedWeights
from touchstone.portfolio._optimiser import METHODS, optimiser
from touchstone.portfolio._quantile_weights import QuantileWeights
from touchstone.portfolio._score_weights import ScoreWeights
from touchstone.portfolio._sizing import EqualRisk, FixedFraction
from touchstone.portfolio._top_bottom import check_sides, top_bottom
from touchstone.portfolio._top_k_drop_n import TopKDropN
from touchstone.portfolio._top_n import TopN
from touchstone.portfolio._volatility_target import VolatilityTarget

__all__ = ["Portfolio", "Sizing", "list_portfolios", "list_sizings", "make", "make_sizing"]


class Portfolio(Protocol):
    """A rule with its options: frozen, and equal to another with the same."""

    @property
    def name(self) -> str:
        """Its short name."""

    @property
    def needs_bars(self) -> bool:
        """Whether it reads returns."""

    def weights(self, scores: pd.Series, bars: pd.DataFrame | None = None) -> pd.DataFrame:
        """Target weights, (decision date) x symbols, known at the close of the index date."""


class Sizing(Protocol):
    """A resizing of weights with its options: frozen, and equal to another with the same."""

    @property
    def name(self) -> str:
        """Its short name."""

    def size(self, weights: pd.DataFrame, known: Known) -> pd.DataFrame:
        """New weights on the same dates and symbols."""


@dataclass(frozen=True, kw_only=True)
class TopBottom:
    """`top_bottom` with its options."""

    name: ClassVar[str] = "top_bottom"
    needs_bars: ClassVar[bool] = False
    side_fraction: float | None = None
    n_long: int | None = None
    n_short: int | None = None
    rebalance_every: int = 1

    def __post_init__(self) -> None:
        check_sides(self.side_fraction, self.n_long, self.n_short)

    def weights(self, scores: pd.Series, bars: pd.DataFrame | None = None) -> pd.DataFrame:  # noqa: ARG002 - the rules share a shape
        """Weights at each decision, as `top_bottom` gives them."""
        return top_bottom(
            scores, side_fraction=self.side_fraction, n_long=self.n_long, n_short=self.n_short, rebalance_every=self.rebalance_every
        )


_RULES = {rule.name: rule for rule in (QuantileWeights, ScoreWeights, TopBottom, TopKDropN, TopN)}
_SIZINGS = {sizing.name: sizing for sizing in (EqualRisk, FixedFraction, KellyFraction, Neutral, VolatilityTarget)}


def list_portfolios() -> tuple[str, ...]:
    """Names that `make` knows, sorted."""
    return tuple(sorted([*_RULES, *METHODS]))


def list_sizings() -> tuple[str, ...]:
    """Names that `make_sizing` knows, sorted."""
    return tuple(sorted(_SIZINGS))


def make(name: str, **options: Any) -> Portfolio:
    """Make a rule from scores to weights; ``make(name, …).weights(scores, bars)`` applies it.

    Parameters
    ----------
    name : str
        One of `list_portfolios()`: a function of this package, or a method of `optimise`.
    **options
        Its keyword arguments.

    Raises
    ------
    ConfigError
        An unknown rule or option, with the nearest known one, one that is missing, or a number out of its range.
    """
    if name in METHODS:
        return OptimisedWeights(optimiser(name, **options))
    if name not in _RULES:
        raise ConfigError(f"A portfolio must have a known name, but got '{name}': {nearest(name, list_portfolios())}.")
    _check_options(name, fields(_RULES[name]), options)
    return _RULES[name](**options)


def make_sizing(name: str, **options: Any) -> Sizing:
    """Make a resizing of weights; ``make_sizing(name, …).size(weights, Known(bars=…))`` applies it.

    Parameters
    ----------
    name : str
        One of `list_sizings()`; ``neutral`` is `neutralise`, the others are functions of this package. Those that need a volatility
        take it from the last `lookback` sessions of the bars.
    **options
        Its keyword arguments.

    Raises
    ------
    ConfigError
        An unknown sizing or option, with the nearest known one, one that is missing, or a number out of its range.
    """
    if name not in _SIZINGS:
        raise ConfigError(f"A sizing must have a known name, but got '{name}': {nearest(name, _SIZINGS)}.")
    _check_options(name, fields(_SIZINGS[name]), options)
    return _SIZINGS[name](**options)


def _check_options(name: str, own: Iterable[Field[Any]], options: dict[str, Any]) -> None:
    known = {field.name: field for field in own}
    for option in options:
        if option not in known:
            raise ConfigError(f"'{name}' must be given known options, but got '{option}': {nearest(option, known)}.")
    missing = [field.name for field in known.values() if field.default is MISSING and field.name not in options]
    if missing:
        raise ConfigError(f"'{name}' needs {', '.join(missing)}, but got {', '.join(options) or 'no options'}: give {', '.join(missing)}.")
