"""The built-in feature sets by name."""

from __future__ import annotations

from collections.abc import Sequence

from touchstone.errors import ConfigError, nearest
from touchstone.features._feature import FeatureSet
from touchstone.features._momentum import MOMENTUM

__all__ = ["SETS", "Sets", "resolve"]

Sets = str | FeatureSet | Sequence[str | FeatureSet]

SETS = {known.name: known for known in (MOMENTUM,)}


def resolve(sets: Sets) -> tuple[FeatureSet, ...]:
    """The sets that are named or given, in order.

    Raises
    ------
    ConfigError
        An unknown name, with the nearest known one.
    """
    return tuple(_resolve(given) for given in ((sets,) if isinstance(sets, str | FeatureSet) else sets))


def _resolve(given: str | FeatureSet) -> FeatureSet:
    if isinstance(given, FeatureSet):
        return given
    if given not in SETS:
        raise ConfigError(f"features.sets must name known feature sets, got '{given}': {nearest(given, SETS)}.")
    return SETS[given]
