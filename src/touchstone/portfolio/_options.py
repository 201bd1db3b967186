"""Numbers that a rule is given, checked when it is made."""

from __future__ import annotations

from collections.abc import Iterable

from touchstone.errors import ConfigError, nearest

__all__ = ["at_least", "known", "within"]


def at_least(name: str, value: float, least: float) -> None:
    """Refuse a number below the least that makes sense."""
    if not value >= least:
        raise ConfigError(f"{name} must be at least {least}, but got {value}: give a number of {least} or more.")


def within(name: str, value: float, above: float, most: float) -> None:
    """Refuse a number outside (above, most]."""
    if not above < value <= most:
        raise ConfigError(f"{name} must lie in ({above:g}, {most:g}], but got {value}: give a number in that range.")


def known(name: str, value: str, options: Iterable[str]) -> None:
    """Refuse a name that nobody knows."""
    if value not in (names := tuple(options)):
        raise ConfigError(f"{name} must be known, but got '{value}': {nearest(value, names)}.")
