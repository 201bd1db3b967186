"""Some of the bars, read without the others."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from touchstone.partitions._filter import Day
from touchstone.partitions._table import PartitionedTable
from touchstone.remote import Place, place

__all__ = ["read_bars"]


def read_bars(
    where: Place | str, *, symbols: Sequence[str] = (), start: Day | None = None, end: Day | None = None, columns: Sequence[str] = ()
) -> pd.DataFrame:
    """Read some of the bars that `ingest_partitioned` wrote; what is not asked for is not read.

    Parameters
    ----------
    where : the folder that was its target, or its address in a store.
    symbols : those wanted; empty: all.
    start, end : first and last day wanted, both included.
    columns : fields wanted; empty: all.

    Returns
    -------
    DataFrame, index (date, symbol)
        As `touchstone.market.validate` describes bars.

    Raises
    ------
    LineageError
        There are no such bars, or no such field.
    ConfigError
        A date that is none, or a span that ends before it starts.
    """
    folder = place(where) if isinstance(where, str) else where
    found = PartitionedTable(folder / "bars").read(symbols=symbols, start=start, end=end, columns=columns)
    return found.set_index(["date", "symbol"])
