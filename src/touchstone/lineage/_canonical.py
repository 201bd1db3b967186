"""One way to write a value down, so that equal values have equal bytes."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel

from touchstone.errors import LineageError

__all__ = ["canonical_json", "digest", "round_metrics"]


def canonical_json(value: Any) -> str:
    """Write a value as JSON whose text depends on the value alone.

    Keys sorted, no spaces, UTF-8, floats by ``repr``, negative zero as zero, NaN and missing values as ``null``, dates as ISO text.
    Pydantic models and dataclasses are taken by their fields, arrays as lists.

    Parameters
    ----------
    value : JSON-like value; mappings need text keys, and sets are refused as they have no order.

    Returns
    -------
    One line without a newline at its end.

    Raises
    ------
    LineageError
        A value that JSON cannot hold (an infinity, a set, a path, a key that is no text), with the place where it stands.
    """
    return json.dumps(_plain(value, "$"), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(payload: bytes) -> str:
    """SHA-256 of the bytes, as 64 hexadecimal characters."""
    return hashlib.sha256(payload).hexdigest()


def round_metrics(value: Any, digits: int = 10) -> Any:
    """Round every float inside a value to so many significant digits; NaN, infinities and all else stay as they are.

    Parameters
    ----------
    value : number, or mappings, lists and tuples of them (tuples come back as lists).
    digits : significant digits kept.
    """
    if isinstance(value, Mapping):
        return {key: round_metrics(item, digits) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [round_metrics(item, digits) for item in value]
    if isinstance(value, float | np.floating):
        return float(f"{float(value):.{digits}g}")
    return value


def _plain(value: Any, where: str) -> Any:
    if value is None or isinstance(value, bool | np.bool_ | str | int | float | np.number):
        return _scalar(value, where)
    if isinstance(value, BaseModel):
        return _plain(value.model_dump(mode="json"), where)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name), f"{where}.{field.name}") for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {_key(key, where): _plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(item, f"{where}[{number}]") for number, item in enumerate(value)]
    if value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, dt.date):
        return value.isoformat()
    raise _refusal(value, where)


def _scalar(value: Any, where: str) -> Any:
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return _number(float(value), where)
    if value is None or isinstance(value, str):
        return value if value is None else str(value)
    raise _refusal(value, where)


def _number(value: float, where: str) -> float | None:
    if math.isinf(value):
        raise LineageError(f"Canonical JSON holds finite numbers and NaN, but got {value} at {where}: write None for what is undefined.")
    return None if math.isnan(value) else value + 0.0  # adding zero takes the sign off negative zero


def _key(key: Any, where: str) -> str:
    if not isinstance(key, str):
        raise LineageError(f"Canonical JSON needs text as keys, but got {key!r} at {where}: write it as text.")
    return key


def _refusal(value: Any, where: str) -> LineageError:
    return LineageError(
        f"Canonical JSON holds numbers, text, dates, lists and mappings, but got {type(value).__name__} at {where}: convert it."
    )
