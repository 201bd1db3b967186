"""`@factor`: a researcher's own function as a feature, audited where it is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import Parameter, signature
from keyword import iskeyword

import pandas as pd

from touchstone.errors import ConfigError, name_few, nearest
from touchstone.features._custom import is_saved_module, register
from touchstone.features._factor_audit import audit_factor
from touchstone.features._feature import Factor
from touchstone.features._sets import SETS

__all__ = ["factor"]

_FIELDS = ("open", "high", "low", "close", "volume", "vwap")
# Columns that come from tables bear these, whatever their names.
_JOINED = ("macro_", "signal_")


def factor(
    *,
    fields: Sequence[str],
    lookback: int,
    name: str | None = None,
    cross_sectional: bool = False,
    partial_windows: bool = False,
    audit_on: pd.DataFrame | None = None,
) -> Callable[[Callable[..., pd.DataFrame]], Factor]:
    """Make a function a factor: audited at once, known by its name for the session, and callable as before.

    The function takes one frame for each field, sessions by symbols: float64, prices adjusted forward, NaN where a symbol has no
    bar. It gives a frame on the same axes, each value known at the close of its session. It leaves its inputs as they are.

    Parameters
    ----------
    fields
        What it takes, in order: of ``open high low close volume vwap``. One alone may stand without a tuple.
    lookback
        Sessions, the present one included, that one value looks at: 21 for ``close.pct_change(20)``. Before a symbol has as many,
        its value is NaN.
    name
        Name of the column; ``None``: that of the function.
    cross_sectional
        Whether a value depends on other symbols. Only members with a bar are then seen, each session for itself.
    partial_windows
        Whether values count from a symbol's first session on.
    audit_on
        Bars to audit on beside the built-in market.

    Returns
    -------
    A decorator that gives the `Factor`. `compute` and `latest` take it, or its name.

    Raises
    ------
    LookAheadError
        A value has seen the future; named are factor, symbol, date and both values.
    ConfigError
        A name that is taken, a field that is none, a lookback that is too short, and whatever else `audit_factor` finds.
    DataError
        It gives no frame of numbers on the axes of its inputs.

    Notes
    -----
    The audit takes part of a second. It proves the absence of what it looks for on that market only: the features stage audits
    every factor again on the bars of each run, and so does ``audit.look_ahead`` on yours.
    """

    def declare(function: Callable[..., pd.DataFrame]) -> Factor:
        made = Factor(
            name=name or function.__name__,
            fields=(fields,) if isinstance(fields, str) else tuple(fields),
            lookback=lookback,
            function=function,
            cross_sectional=cross_sectional,
            partial_windows=partial_windows,
        )
        _require_declaration(made)
        # A saved factor passed when it was saved, and passes again in the features stage: loading it computes nothing.
        if is_saved_module(function.__module__):
            return made
        audit_factor(made)
        if audit_on is not None:
            audit_factor(made, audit_on)
        register(made)
        return made

    return declare


def _require_declaration(made: Factor) -> None:
    _require_name(made.name)
    if not made.fields:
        raise ConfigError(f"A factor must take at least one field, but '{made.name}' declares none: give some of {', '.join(_FIELDS)}.")
    unknown = [field for field in made.fields if field not in _FIELDS]
    if unknown:
        raise ConfigError(
            f"A factor takes fields of the bars, but '{made.name}' declares {name_few(unknown)}: {nearest(unknown[0], _FIELDS)}."
        )
    if isinstance(made.lookback, bool) or not isinstance(made.lookback, int) or made.lookback < 1:
        raise ConfigError(f"A lookback must be a whole number of sessions from 1 on, but '{made.name}' declares {made.lookback!r}.")
    _require_takes(made)


def _require_takes(made: Factor) -> None:
    """Frames come by position, so a parameter named as another field would be given the wrong prices in silence."""
    taken = list(signature(made.function).parameters.values())
    places = [one for one in taken if one.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)]
    fits = sum(one.default is Parameter.empty for one in places) <= len(made.fields) <= len(places)
    swapped = any(one.name in _FIELDS and one.name != field for one, field in zip(places, made.fields, strict=False))
    if swapped or not (fits or any(one.kind is Parameter.VAR_POSITIONAL for one in taken)):
        raise ConfigError(
            f"A factor takes one frame for each field, in their order, but '{made.name}' takes ({', '.join(one.name for one in places)}) "
            f"and declares {', '.join(made.fields)}: let both name the same."
        )


def _require_name(name: str) -> None:
    if not name.isidentifier() or not name.isascii() or iskeyword(name) or name.startswith(("_", *_JOINED)):
        raise ConfigError(
            f"A factor must have a name that Python can import, not beginning with _ or {' or '.join(_JOINED)}, but got '{name}': "
            "give name=."
        )
    columns = {feature.name: known.name for known in SETS.values() for feature in known.features}
    if name in SETS or name in columns:
        of = "a built-in set" if name in SETS else f"a feature of '{columns[name]}'"
        raise ConfigError(f"A factor must have a name of its own, but '{name}' is {of}: rename it, or give name=.")
