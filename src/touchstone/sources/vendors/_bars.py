"""Rows of a payload as bars of the data contract: stamped by their close, within the span that was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, SourceError
from touchstone.market import bar_times, session_of, sessions
from touchstone.sources._registry import SourceRequest
from touchstone.sources.network import Fetch
from touchstone.types import FloatArray

__all__ = ["actions_table", "as_bars", "context_of", "expects_rows", "is_daily", "span_of", "stamps_of"]

_FIELDS = ("open", "high", "low", "close", "volume", "vwap")
_MINUTE = pd.Timedelta(minutes=1)


def context_of(request: SourceRequest) -> dict[str, str]:
    """Note what reading a page needs and its payload does not say: the hours of the exchange and the width of a bar."""
    return {"calendar": request.calendar, "timeframe": request.timeframe}


def is_daily(fetch: Fetch) -> bool:
    """Tell whether the bars of a page are dated by their session."""
    return fetch.context["timeframe"] == "1d"


def span_of(request: SourceRequest) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Give the first and last bar asked for.

    Raises
    ------
    ConfigError
        A start, an end or the symbols are missing.
    """
    if request.start is None or request.end is None or not request.symbols:
        raise ConfigError("A vendor must be told a start, an end and at least one symbol: set data.start, data.end and data.symbols.")
    return request.start, request.end


def stamps_of(opens: pd.DatetimeIndex, fetch: Fetch) -> pd.DatetimeIndex:
    """Turn the opens of intraday bars into the stamps of the data contract: the close of each bar.

    Parameters
    ----------
    opens : DatetimeIndex, naive, UTC
    fetch : Fetch
        Its calendar and timeframe say which bars an exchange has; the last bar of a session may be a short one.

    Returns
    -------
    DatetimeIndex, datetime64[us], naive, UTC
        NaT for a bar before the open or after the close of the exchange.

    Raises
    ------
    SourceError
        A bar within the hours that starts where no bar of the exchange does, such as a full hour on an exchange that opens at half past.
    """
    if opens.empty:
        return opens.as_unit("us")
    day = pd.Timedelta(days=1)
    calendar, timeframe = fetch.context["calendar"], fetch.context["timeframe"]
    grid = bar_times(calendar, opens.min() - day, opens.max() + day, timeframe)
    place = np.minimum(np.searchsorted(grid, opens.as_unit("us"), side="right"), len(grid) - 1)
    closes = pd.DatetimeIndex(grid.to_numpy()[place])
    width = pd.Timedelta(timeframe)
    length = closes - opens
    on_grid = (length == width) | ((length < width) & (length > pd.Timedelta(0)) & opens.isin(grid))
    inside = np.asarray(session_of(opens + _MINUTE, calendar, timeframe).notna())
    astray = opens[inside & ~on_grid]
    if len(astray):
        raise SourceError(
            f"Bars of {timeframe} must start where those of {calendar} do, but {fetch.symbol} has one that starts at "
            f"{astray[0]:%Y-%m-%d %H:%M} UTC: ask for another timeframe."
        )
    return pd.DatetimeIndex(closes.where(on_grid & inside)).as_unit("us")


def as_bars(fetch: Fetch, stamps: pd.DatetimeIndex, values: Mapping[str, Sequence[float] | FloatArray]) -> pd.DataFrame:
    """Build the raw bars of one symbol, and leave out what was not asked for: rows without a stamp, and before or after the span.

    Parameters
    ----------
    stamps : DatetimeIndex, naive
        In the vendor's order; NaT for a row that belongs to no bar.
    values : mapping of sequences
        Field to values, a missing one as NaN.

    Returns
    -------
    DataFrame, index (date, symbol), float64
    """
    symbols = pd.Index([fetch.symbol] * len(stamps), dtype="str")
    index = pd.MultiIndex.from_arrays([stamps.as_unit("us"), symbols], names=["date", "symbol"])
    columns = {name: np.asarray(values[name], dtype=np.float64) for name in _FIELDS if name in values}
    asked = (stamps >= fetch.start) & (stamps <= fetch.end)
    return pd.DataFrame(columns, index=index)[asked]


def expects_rows(fetch: Fetch) -> bool:
    """Tell whether the exchange had a session in the span, so that an answer without rows needs a reason."""
    return bool(len(sessions(fetch.context["calendar"], fetch.start, fetch.end)))


def actions_table(symbol: str, rows: Sequence[tuple[str, pd.Timestamp, float, pd.Timestamp]]) -> pd.DataFrame:
    """Build a table of actions from (kind, ex-date, value, known at)."""
    table = pd.DataFrame(rows, columns=["kind", "ex_date", "value", "known_at"])
    types = {"symbol": "str", "ex_date": "datetime64[us]", "kind": "str", "value": "float64", "known_at": "datetime64[us]"}
    return table.assign(symbol=symbol)[list(types)].astype(types)
