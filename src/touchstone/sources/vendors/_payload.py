"""A payload as JSON, or word that it is none."""

from __future__ import annotations

import json
from typing import Any

from touchstone.sources.network import Unusable

__all__ = ["read_json", "read_text"]

_SHOWN = 60


def read_text(payload: bytes, vendor: str) -> str:
    """Decode a payload.

    Raises
    ------
    Unusable
        It is empty, HTML, or no UTF-8.
    """
    try:
        text = payload.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise Unusable(f"An answer of {vendor} must be UTF-8 text, but is not.") from None
    if not text:
        raise Unusable(f"An answer of {vendor} must not be empty, but is.")
    if text.startswith("<"):
        raise Unusable(f"An answer of {vendor} must be data, but is a web page: {text[:_SHOWN]!r}.")
    return text


def read_json(payload: bytes, vendor: str) -> Any:
    """Parse a payload as JSON; NaN and Infinity, which JSON does not know, are refused.

    Raises
    ------
    Unusable
        It is empty, HTML, cut off, or no JSON.
    """
    text = read_text(payload, vendor)
    try:
        return json.loads(text, parse_constant=_refuse)
    except ValueError:
        raise Unusable(f"An answer of {vendor} must be whole JSON, but ends in {text[-_SHOWN:]!r}.") from None


def _refuse(name: str) -> None:
    raise ValueError(name)
