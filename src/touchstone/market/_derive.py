"""Fields that are computed and not observed: asked for by name, and declared wherever the prices go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from touchstone.errors import ConfigError, name_few, nearest

__all__ = ["derive", "derived_fields", "describe_derived"]


@dataclass(frozen=True)
class _Recipe:
    """How one field comes from others of the same bar."""

    field: str
    needs: tuple[str, ...]
    formula: str
    compute: Callable[[pd.DataFrame], pd.Series]


_RECIPES = {
    "vwap_hlc3": _Recipe(
        field="vwap",
        needs=("high", "low", "close"),
        formula="vwap = (high + low + close) / 3",
        compute=lambda bars: (bars["high"] + bars["low"] + bars["close"]) / 3.0,
    ),
}


def derive(bars: pd.DataFrame, recipes: Sequence[str]) -> pd.DataFrame:
    """Add computed fields to bars.

    Parameters
    ----------
    bars : DataFrame, index (date, symbol)
    recipes : sequence of str
        ``vwap_hlc3``: ``vwap = (high + low + close) / 3``, the typical price, in the unit of the prices. NaN where one of the
        three is. Known at the bar.

    Returns
    -------
    DataFrame
        The bars with one more column for each recipe, in their order; the bars themselves when none is named.

    Raises
    ------
    ConfigError
        An unknown recipe, bars without a field it needs, or with the field that it gives.
    """
    done = bars
    for name in recipes:
        derived_fields(tuple(done.columns), [name])
        recipe = _RECIPES[name]
        done = done.assign(**{recipe.field: recipe.compute(done)})
    return done


def derived_fields(fields: Sequence[str], recipes: Sequence[str]) -> tuple[str, ...]:
    """Say which fields recipes add to bars with these fields, before anything is computed.

    Raises
    ------
    ConfigError
        As `derive`.
    """
    present = list(fields)
    for name in recipes:
        if name not in _RECIPES:
            raise ConfigError(f"data.derive must name known recipes, but got '{name}': {nearest(name, _RECIPES)}.")
        recipe = _RECIPES[name]
        lacking = [field for field in recipe.needs if field not in present]
        if lacking:
            raise ConfigError(
                f"data.derive '{name}' computes {recipe.formula}, but the bars lack {name_few(lacking)}: "
                "leave it out, or bring bars with these fields."
            )
        if recipe.field in present:
            raise ConfigError(f"data.derive '{name}' gives '{recipe.field}', but the bars have it already: leave the recipe out.")
        present.append(recipe.field)
    return tuple(present[len(fields) :])


def describe_derived(recipe: str) -> str:
    """Give the formula of a recipe, for people.

    Raises
    ------
    ConfigError
        An unknown recipe.
    """
    if recipe not in _RECIPES:
        raise ConfigError(f"data.derive must name known recipes, but got '{recipe}': {nearest(recipe, _RECIPES)}.")
    return _RECIPES[recipe].formula
