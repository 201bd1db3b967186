"""What one row betrays on its own."""

from __future__ import annotations

import numpy as np
import pandas as pd

from touchstone.market._schemas import PRICE_FIELDS
from touchstone.market.quality._findings import Found, fields_of, shown
from touchstone.types import BoolArray, FloatArray

__all__ = ["judge_rows"]

# Vendors adjust and round each field on its own, so a high may lie below a close by float dust; a tick is a hundred times more.
_DUST = 1e-6


def judge_rows(raw: pd.DataFrame, is_session: BoolArray, sessions: str) -> list[Found]:
    """Run every check that needs nothing but the row and the calendar; `sessions` names what `is_session` tells."""
    fields = fields_of(raw, list(raw.columns))
    return [
        _not_a_session(raw, is_session, sessions),
        *_missing_values(fields),
        *_non_positive(fields),
        *_high_low(fields),
        *_close_outside_range(fields),
    ]


def _not_a_session(raw: pd.DataFrame, is_session: BoolArray, sessions: str) -> Found:
    rows = np.flatnonzero(~is_session)
    dates = raw.index[rows].get_level_values("date")
    observed = [f"a bar on {date:%A}" + (f" {date:%H:%M}" if date != date.normalize() else "") for date in dates]
    return Found("not_a_session", rows, observed, [sessions] * len(rows))


def _missing_values(fields: dict[str, FloatArray]) -> list[Found]:
    return [_one_field("missing_value", name, values, ~np.isfinite(values), f"{name}: a finite number") for name, values in fields.items()]


def _non_positive(fields: dict[str, FloatArray]) -> list[Found]:
    prices = [
        _one_field("non_positive", name, values, values <= 0.0, f"{name} > 0") for name, values in fields.items() if name in PRICE_FIELDS
    ]
    volume = fields.get("volume")
    return prices if volume is None else [*prices, _one_field("non_positive", "volume", volume, volume < 0.0, "volume >= 0")]


def _one_field(check: str, name: str, values: FloatArray, is_bad: BoolArray, expected: str) -> Found:
    rows = np.flatnonzero(is_bad)
    return Found(check, rows, shown(name, values[rows]), [expected] * len(rows))


def _high_low(fields: dict[str, FloatArray]) -> list[Found]:
    """Compare high and low with the open and each other; a missing value is judged elsewhere and breaches nothing."""
    found = []
    if "high" in fields and ("open" in fields or "low" in fields):
        bound = np.fmax.reduce([fields[name] for name in ("open", "low") if name in fields])
        found.append(_breaches("high", fields["high"], bound, ">="))
    if "low" in fields and "open" in fields:
        found.append(_breaches("low", fields["low"], fields["open"], "<="))
    return found


def _breaches(name: str, values: FloatArray, bound: FloatArray, relation: str) -> Found:
    excess = bound - values if relation == ">=" else values - bound
    rows = np.flatnonzero(excess > _DUST * np.abs(bound))
    return Found("high_low", rows, shown(name, values[rows]), [f"{name} {relation} {value:.10g}" for value in bound[rows]])


def _close_outside_range(fields: dict[str, FloatArray]) -> list[Found]:
    found, close = [], fields["close"]
    for name, sign, relation in (("high", 1.0, "<="), ("low", -1.0, ">=")):
        if name in fields:
            bound = fields[name]
            rows = np.flatnonzero(sign * (close - bound) > _DUST * np.abs(close))
            expected = [f"close {relation} {name} = {value:.10g}" for value in bound[rows]]
            found.append(Found("close_outside_range", rows, shown("close", close[rows]), expected))
    return found
