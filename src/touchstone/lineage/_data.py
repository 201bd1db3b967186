"""The hash of a table: over names, types and values, not over the bytes of the file that carries it."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from touchstone.errors import LineageError
from touchstone.lineage._canonical import canonical_json

__all__ = ["data_hash"]

_MISSING_TEXT = -1


def data_hash(table: pd.DataFrame | pd.Series[Any]) -> str:
    """SHA-256 over the index, the column names, their types and their values in the order of the rows.

    How the table is stored does not count: memory layout, byte order, the engine behind text, the kind of a range index. What
    counts: the order of rows and columns, every name, every type, every bit of a float but those inside a NaN.

    Parameters
    ----------
    table : frame or series (n_rows, …); columns and index levels hold numbers, truth values, dates without zone, or text.

    Returns
    -------
    64 hexadecimal characters. All NaN are alike; a missing text is not an empty one.

    Raises
    ------
    LineageError
        A column of another type, with its name.
    """
    hasher = hashlib.sha256()
    for role, name, values in _parts(table):
        kind, payload = _encode(name, values)
        header = canonical_json([role, name, kind, len(values), len(payload)])
        hasher.update(header.encode() + b"\n" + payload)
    return hasher.hexdigest()


def _parts(table: pd.DataFrame | pd.Series[Any]) -> Iterator[tuple[str, object, pd.Index]]:
    for level in range(table.index.nlevels):
        yield "index", _name(table.index.names[level]), table.index.get_level_values(level)
    if isinstance(table, pd.Series):
        yield "series", _name(table.name), pd.Index(table)
        return
    for position, column in enumerate(table.columns):
        yield "column", _name(column), pd.Index(table.iloc[:, position])


def _name(name: Hashable) -> object:
    return list(name) if isinstance(name, tuple) else name


def _encode(name: object, values: pd.Index) -> tuple[str, bytes]:
    if isinstance(values.dtype, pd.StringDtype) or pd.api.types.is_object_dtype(values.dtype):
        return "str", _text_bytes(name, values)
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "biufM":
        array = values.to_numpy(copy=True)
        if array.dtype.kind == "f":
            array[np.isnan(array)] = np.nan  # one NaN: its sign and payload depend on the processor
        return str(array.dtype.newbyteorder("=")), array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    raise _refusal(name, str(values.dtype))


def _text_bytes(name: object, values: pd.Index) -> bytes:
    items = [None if missing else value for value, missing in zip(values.tolist(), values.isna(), strict=True)]
    if any(not isinstance(item, str | None) for item in items):
        raise _refusal(name, "object")
    encoded = [None if item is None else item.encode() for item in items]
    lengths = np.array([_MISSING_TEXT if item is None else len(item) for item in encoded], dtype="<i8")
    return lengths.tobytes() + b"".join(item for item in encoded if item is not None)


def _refusal(name: object, kind: str) -> LineageError:
    return LineageError(
        f"A hashed column must hold numbers, truth values, dates without zone or text, but '{name}' holds {kind}: convert it."
    )
