"""The errors Touchstone raises: each says the rule, what was given and how to mend it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "ConfigError",
    "DataError",
    "GateError",
    "LineageError",
    "LookAheadError",
    "OrderError",
    "SourceError",
    "TouchstoneError",
    "moment",
    "name_few",
    "nearest",
]

_SHOWN = 5


class TouchstoneError(Exception):
    """Root of every error that a user can mend; command lines print it without a traceback."""


class DataError(TouchstoneError):
    """A table breaks the data contract."""


class LookAheadError(TouchstoneError):
    """A value depends on something that was not known when it claims to have been."""


class ConfigError(TouchstoneError):
    """A parameter, name or setting that does not exist or does not fit."""


class GateError(TouchstoneError):
    """The verdict forbids what was asked for."""


class LineageError(TouchstoneError):
    """A run, record or archive is missing, broken or not what it claims to be."""


class OrderError(TouchstoneError):
    """A portfolio or order that cannot be traded as asked."""


class SourceError(TouchstoneError):
    """A source of data that is absent, unreadable or not what it should be."""


def name_few(offenders: Iterable[object]) -> str:
    """List at most five offenders, and say how many more there are."""
    names = [str(offender) for offender in offenders]
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def moment(date: dt.datetime) -> str:
    """A session as a day, a bar that has a time of day with that time."""
    return f"{date:%Y-%m-%d}" if date.time() == dt.time() else f"{date:%Y-%m-%d %H:%M}"


def nearest(name: str, options: Iterable[str]) -> str:
    """End a sentence about an unknown name: the nearest known one, then all of them."""
    known = sorted(options)
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean '{close[0]}'? " if close else ""
    return f"{hint}known: {', '.join(known)}"
