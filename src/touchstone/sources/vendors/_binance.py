"""Binance's public klines: spot prices of crypto assets, traded around the clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, SourceError
from touchstone.market import Metadata
from touchstone.sources._registry import SourceRequest
from touchstone.sources.network import Fetch, Page, Policy, Unusable, Vendor
from touchstone.sources.vendors._payload import read_json

__all__ = ["Binance"]

_FIELDS = ("open", "high", "low", "close", "volume")
_CALENDAR = "24/7"
_LIMIT = 1000
_DAY = "1d"
_CAVEATS = (
    "Binance: crypto assets have no splits or dividends, so prices are total returns; staking rewards, forks and airdrops are left out.",
    "Binance: volume counts the base asset on this exchange alone.",
)


class Binance(Vendor):
    """Bars of 1m to 1d; a day is the UTC day, a shorter bar is stamped with its close in UTC.

    The bar that is not over yet is left out. Volumes are in units of the base asset. Symbols are Binance's, such as ``BTCUSDT``; the
    currency of an asset is its quote asset.
    """

    name = "binance"
    address = "https://data-api.binance.vision"
    # 6000 units of weight a minute, of which a page of klines takes 2 and an exchangeInfo 20: new symbols of one page each take 22 for two.
    policy = Policy(requests_per_minute=500, connections=8)

    def plan(self, request: SourceRequest, known: Mapping[str, pd.Timestamp]) -> Sequence[Fetch]:
        """One chain of klines a symbol, and what the symbol is when it is new.

        Raises
        ------
        ConfigError
            Another calendar than ``24/7``.
        """
        if request.calendar != _CALENDAR:
            raise ConfigError(f"Binance never closes, but the calendar is {request.calendar}: set data.calendar to '{_CALENDAR}'.")
        if request.start is None or request.end is None:
            raise ConfigError("Binance must be told a first and a last bar: set data.start.")
        fetches = []
        for symbol in request.symbols:
            start = known.get(symbol, request.start)
            if symbol not in known:
                fetches.append(Fetch("assets", symbol, "/api/v3/exchangeInfo", {"symbol": symbol}, start, request.end))
            query = {
                "symbol": symbol,
                "interval": request.timeframe,
                "startTime": str(_opened(start, request.timeframe)),
                "endTime": str(_opened(request.end, request.timeframe)),
                "limit": str(_LIMIT),
            }
            fetches.append(Fetch("bars", symbol, "/api/v3/klines", query, start, request.end))
        return fetches

    def read(self, fetch: Fetch, payload: bytes) -> Page:
        """Read klines or the symbol's description."""
        content = read_json(payload, self.name)
        if fetch.kind == "assets":
            return Page({"assets": _asset(fetch.symbol, content)})
        opened, values = _rows(content)
        if opened[0] < int(fetch.query["startTime"]):
            raise Unusable("it holds bars from before those asked for")
        width = pd.Timedelta(fetch.query["interval"])
        stamps = pd.DatetimeIndex(opened.astype("datetime64[ms]").astype("datetime64[us]"))
        if fetch.query["interval"] != _DAY:
            stamps += width
        index = pd.MultiIndex.from_arrays([stamps, pd.Index([fetch.symbol] * len(stamps), dtype="str")], names=["date", "symbol"])
        bars = pd.DataFrame(values, index=index, columns=list(_FIELDS))[stamps <= fetch.end]
        following = None
        if len(opened) == _LIMIT and opened[-1] < int(fetch.query["endTime"]):
            # From the last bar on, once more: a page that is well is then never empty.
            following = replace(fetch, query={**fetch.query, "startTime": str(opened[-1])}, page=fetch.page + 1)
        return Page({"bars": bars}, following)

    def refused(self, fetch: Fetch, status: int, payload: bytes) -> Fetch:
        """Say that there is no such symbol.

        Raises
        ------
        SourceError
            Always.
        """
        if b"-1121" in payload:
            raise SourceError(f"Binance must trade the symbol, but has no '{fetch.symbol}': write it like BTCUSDT.")
        return super().refused(fetch, status, payload)

    def metadata(self, request: SourceRequest, tables: Mapping[str, pd.DataFrame]) -> Metadata:
        """Prices need no adjustment; they are in the quote asset, which `currency` names when there is one alone."""
        quotes = tables["assets"]["currency"].unique()
        return Metadata(
            source=self.name,
            adjustment="total_return",
            fields=tuple(tables["bars"].columns),
            calendar=request.calendar,
            timeframe=request.timeframe,
            currency=str(quotes[0]) if len(quotes) == 1 else "",
            caveats=_CAVEATS,
        )


def _opened(stamp: pd.Timestamp, timeframe: str) -> int:
    """When the bar of that stamp opens, in milliseconds."""
    moment = stamp if timeframe == _DAY else stamp - pd.Timedelta(timeframe)
    return int(moment.as_unit("ms").value // 1_000_000)


def _rows(content: Any) -> tuple[np.ndarray[Any, np.dtype[np.int64]], np.ndarray[Any, np.dtype[np.float64]]]:
    """Opening times in milliseconds, and the five fields."""
    if not isinstance(content, list) or not content:
        raise Unusable("it holds no bars")
    try:
        opened = np.array([row[0] for row in content], dtype=np.int64)
        values = np.array([[float(value) for value in row[1:6]] for row in content], dtype=np.float64)
    except (TypeError, ValueError, IndexError, KeyError):
        raise Unusable("its rows are no klines") from None
    if values.shape[1:] != (len(_FIELDS),):
        raise Unusable("its rows are no klines")
    return opened, values


def _asset(symbol: str, content: Any) -> pd.DataFrame:
    try:
        listed = next(row for row in content["symbols"] if row["symbol"] == symbol)
        pair, quote = f"{listed['baseAsset']}/{listed['quoteAsset']}", str(listed["quoteAsset"])
    except (TypeError, KeyError, StopIteration):
        raise Unusable("it does not describe the symbol") from None
    row = {"symbol": symbol, "name": pair, "exchange": "Binance", "calendar": _CALENDAR, "currency": quote, "asset_class": "crypto"}
    return pd.DataFrame([row]).astype("str")
