"""Tables read in part: the columns and rows that are asked for, and no others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow.dataset
import pyarrow.parquet

from touchstone.remote import Place, Remote

__all__ = ["Filter", "opened_table", "read_table"]

Filter = tuple[str, str, Any]


def opened_table(place: Place) -> pyarrow.dataset.Dataset:
    """A Parquet table, here or in a store, with nothing read but its schema."""
    system, path = place.opened() if isinstance(place, Remote) else (None, str(place))
    return pyarrow.dataset.dataset(path, filesystem=system, format="parquet")


def read_table(
    place: Place, *, columns: Sequence[str] | None = None, filters: Sequence[Filter] = (), n_rows: int | None = None
) -> pd.DataFrame:
    """Read what is asked for; Parquet's statistics let the reader pass over the rest.

    Parameters
    ----------
    place : where the table lies.
    columns : those to read beside the index; None: all.
    filters : (column or index level, operator, value), all of which must hold; operators as in pyarrow: ``==``, ``>=``, ``in``, …
    n_rows : read no more than the first so many that pass.

    Returns
    -------
    DataFrame
        Index and types as they were written; rows in the order of the file.
    """
    dataset = opened_table(place)
    index = [name for name in (dataset.schema.pandas_metadata or {}).get("index_columns", []) if isinstance(name, str)]
    wanted = None if columns is None else [*columns, *(name for name in index if name not in columns)]
    condition = pyarrow.parquet.filters_to_expression(list(filters)) if filters else None
    read = dataset.to_table(wanted, filter=condition) if n_rows is None else dataset.head(n_rows, wanted, filter=condition)
    frame: pd.DataFrame = read.to_pandas()
    return frame
