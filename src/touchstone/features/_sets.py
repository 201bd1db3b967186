"""Feature sets by name."""

from __future__ import annotations

from collections.abc import Sequence

from touchstone.errors import ConfigError, nearest
from touchstone.features._alpha158 import ALPHA158
from touchstone.features._alpha360 import ALPHA360
from touchstone.features._calendar import CALENDAR, SESSION_CLOCK
from touchstone.features._cross_section import CROSS_SECTION
from touchstone.features._custom import as_set, list_custom, named
from touchstone.features._feature import Factor, FeatureSet
from touchstone.features._macro import MACRO
from touchstone.features._momentum import MOMENTUM
from touchstone.features._technical import TECHNICAL

__all__ = ["SETS", "Sets", "list_sets", "resolve"]

Sets = str | FeatureSet | Factor | Sequence[str | FeatureSet | Factor]

SETS = {known.name: known for known in (ALPHA158, ALPHA360, CALENDAR, CROSS_SECTION, MACRO, MOMENTUM, SESSION_CLOCK, TECHNICAL)}


def resolve(sets: Sets) -> tuple[FeatureSet, ...]:
    """The sets that are named or given, in order.

    Raises
    ------
    ConfigError
        An unknown name, with the nearest known one.
    """
    return tuple(_resolve(given) for given in ((sets,) if isinstance(sets, str | FeatureSet | Factor) else sets))


def list_sets() -> tuple[str, ...]:
    """Names of the feature sets, sorted: the built-in ones, and the factors of this session and of `touchstone factor save`."""
    return tuple(sorted({*SETS, *list_custom()}))


def _resolve(given: str | FeatureSet | Factor) -> FeatureSet:
    if isinstance(given, FeatureSet):
        return given
    if isinstance(given, Factor):
        return as_set(given)
    found = SETS.get(given) or named(given)
    if found is None:
        raise ConfigError(
            f"features.sets must name known feature sets or factors, got '{given}': {nearest(given, list_sets())}. "
            "A notebook's factor is known to its own session only, until `touchstone factor save`."
        )
    return found
