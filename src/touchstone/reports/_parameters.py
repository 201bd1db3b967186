"""Parameters of a notebook, given as text on a command line, typed as its own parameters cell says."""

from __future__ import annotations

import ast
import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from touchstone.errors import ConfigError, nearest
from touchstone.reports._notebooks import declared_parameters

__all__ = ["typed_parameters"]

_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


def typed_parameters(pairs: Iterable[str], notebook_path: Path) -> dict[str, Any]:
    """Turn `key=value` texts into the values that a notebook's parameters cell declares.

    The type is the cell's annotation (`n: int = 5`) or else that of its default: str, int, float, bool, `date` (checked and
    passed on as ISO text), and `list` of any of these (comma between the items).

    Parameters
    ----------
    pairs : texts `key=value`; the value may hold further equal signs.
    notebook_path : the notebook.

    Raises
    ------
    ConfigError
        No equal sign, a parameter that the notebook does not have (the nearest is named), one given twice, or a value that
        does not fit its type.
    """
    declared = declared_parameters(notebook_path)
    values: dict[str, Any] = {}
    for pair in pairs:
        name, found, text = pair.partition("=")
        if not found:
            raise ConfigError(f"A report's parameter is given as key=value, but got '{pair}': write for example run_id=….")
        if name not in declared:
            raise ConfigError(f"Report '{notebook_path.stem}' has no parameter '{name}': {_known(name, declared)}.")
        if name in values:
            raise ConfigError(f"Each parameter is given once, but '{name}' came twice: keep one of them.")
        values[name] = _typed(name, text, declared[name])
    return values


def _known(name: str, declared: Mapping[str, str]) -> str:
    return nearest(name, declared) if declared else "it has none, tag a cell 'parameters' to give it some"


def _typed(name: str, text: str, kind: str) -> Any:
    outer, _, inner = kind.partition("[")
    parse = _PARSERS.get(inner.rstrip("]") or "str") if outer == "list" else _PARSERS.get(outer)
    if parse is None:
        raise ConfigError(
            f"A parameter on the command line is {', '.join(_PARSERS)} or a list of these, but '{name}' is {kind}: set it in the notebook."
        )
    try:
        return [parse(item.strip()) for item in text.split(",") if item.strip()] if outer == "list" else parse(text)
    except (ValueError, SyntaxError):
        raise ConfigError(
            f"Parameter '{name}' must be {kind}, but got '{text}': give {_EXAMPLES.get(inner.rstrip(']') or outer, 'text')}."
        ) from None


def _boolean(text: str) -> bool:
    if text.lower() not in _TRUE + _FALSE:
        raise ValueError(text)
    return text.lower() in _TRUE


def _integer(text: str) -> int:
    value = ast.literal_eval(text)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(text)
    return value


def _date(text: str) -> str:
    return dt.date.fromisoformat(text).isoformat()


_PARSERS: dict[str, Callable[[str], Any]] = {"str": str, "int": _integer, "float": float, "bool": _boolean, "date": _date}
_EXAMPLES = {"int": "a whole number", "float": "a number", "bool": "true or false", "date": "a date such as 2020-12-31"}
