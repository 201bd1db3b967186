"""Which rows are wanted, said so that a reader of Parquet can leave the others unread."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TypeAlias

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from touchstone.errors import ConfigError

__all__ = ["Day", "rows_wanted"]

Day: TypeAlias = str | dt.date | pd.Timestamp


def rows_wanted(symbols: Sequence[str], start: Day | None, end: Day | None, *, year: str = "") -> pc.Expression | None:
    """A condition on the columns `symbol` and `date`, and on the year a file is filed under; None where every row is wanted.

    Raises
    ------
    ConfigError
        A date that is none, or a span that ends before it starts.
    """
    conditions = [pc.field("symbol").isin(list(symbols))] if symbols else []
    first, last = None if start is None else _moment(start), None if end is None else _end(end)
    if first is not None and last is not None and first > last:
        raise ConfigError(f"A span must start before it ends, but got {start} to {end}: swap them.")
    if first is not None:
        conditions += [pc.field("date") >= _scalar(first), *([pc.field(year) >= first.year] if year else [])]
    if last is not None:
        conditions += [pc.field("date") <= _scalar(last), *([pc.field(year) <= last.year] if year else [])]
    whole: pc.Expression | None = None
    for condition in conditions:
        whole = condition if whole is None else whole & condition
    return whole


def _end(given: Day) -> pd.Timestamp:
    """A day that is named counts to its end: an intraday bar carries a time."""
    moment = _moment(given)
    return moment + pd.Timedelta(days=1) - pd.Timedelta(microseconds=1) if moment == moment.normalize() else moment


def _moment(given: Day) -> pd.Timestamp:
    try:
        return pd.Timestamp(given).as_unit("us")
    except ValueError:
        raise ConfigError(f"A date must look like 2003-01-31, but got '{given}'.") from None


def _scalar(moment: pd.Timestamp) -> pa.Scalar:
    return pa.scalar(moment.to_pydatetime(), pa.timestamp("us"))
