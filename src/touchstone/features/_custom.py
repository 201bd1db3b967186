"""Factors of a researcher's own by name: those of this session, and those saved in the package `custom`."""

from __future__ import annotations

import pkgutil
from functools import lru_cache
from importlib import import_module

from touchstone.errors import ConfigError
from touchstone.features import custom
from touchstone.features._feature import Factor, FeatureSet

__all__ = ["as_set", "is_saved_module", "list_custom", "named", "register"]

_SESSION: dict[str, Factor] = {}


def register(factor: Factor) -> None:
    """Let a factor be used by its name until this Python ends; a new version from the same module takes the place of the former.

    Raises
    ------
    ConfigError
        Another module has a factor of that name.
    """
    former = _SESSION.get(factor.name)
    if former is not None and former.function.__module__ != factor.function.__module__:
        raise ConfigError(
            f"A factor must have a name of its own, but '{factor.name}' of {factor.function.__module__} is also one of "
            f"{former.function.__module__}: rename it, or give name=."
        )
    _SESSION[factor.name] = factor


def list_custom() -> tuple[str, ...]:
    """Names of the factors of this session and of those saved, sorted. No saved module is imported for it."""
    saved = (module.name for module in pkgutil.iter_modules(custom.__path__) if not module.name.startswith("_"))
    return tuple(sorted({*_SESSION, *saved}))


def named(name: str) -> FeatureSet | None:
    """The factor of that name as a set of one column; that of this session goes before the saved one. None where there is neither.

    Raises
    ------
    ConfigError
        The saved module does not hold the factor that its name promises.
    """
    if name in _SESSION:
        return as_set(_SESSION[name])
    if name not in list_custom():
        return None
    factor = getattr(import_module(f"{custom.__name__}.{name}"), name, None)
    if not isinstance(factor, Factor) or factor.name != name:
        raise ConfigError(
            f"A module of {custom.__name__} must hold the factor of its own name, but '{name}' does not: save the factor again "
            "(touchstone factor save), or remove the file."
        )
    return as_set(factor)


# A plan is kept for a set, so one factor must always be the same set.
@lru_cache(maxsize=256)
def as_set(factor: Factor) -> FeatureSet:
    """A factor as a set of one column."""
    return FeatureSet(factor.name, (factor,), min_sessions=factor.history)


def is_saved_module(module: str) -> bool:
    """Whether a module is one of the package of saved factors."""
    return module.startswith(f"{custom.__name__}.")
