"""Payloads as the vendors write them, small and by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from touchstone.sources import SourceRequest
from touchstone.sources.network import Fetch

__all__ = [
    "alpaca_actions",
    "alpaca_bars",
    "as_bytes",
    "finnhub_candles",
    "only",
    "request",
    "seconds",
    "stooq_csv",
    "yahoo_chart",
]

Row = tuple[Any, ...]  # time, open, high, low, close, volume


def as_bytes(value: Any) -> bytes:
    return json.dumps(value).encode()


def seconds(moment: str) -> int:
    """UTC text to the seconds that vendors count in."""
    return int(pd.Timestamp(moment).timestamp())


def request(symbol: str, start: str, end: str, **given: Any) -> SourceRequest:
    return SourceRequest(pd.Timestamp(start).as_unit("us"), pd.Timestamp(end).as_unit("us"), (symbol,), **given)


def yahoo_chart(
    symbol: str, rows: Sequence[Row], *, events: Mapping[str, Any] | None = None, meta: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """One chart, in the shape of the recorded answers in yahoo-finance2 (tests/fixtures/http/chart-AAPL-2020-08-31-to-2020-11-07.json)."""
    times, *columns = ([row[place] for row in rows] for place in range(6))
    told = {
        "currency": "USD",
        "symbol": symbol,
        "exchangeName": "NMS",
        "fullExchangeName": "NasdaqGS",
        "instrumentType": "EQUITY",
        "firstTradeDate": 345479400,
        "regularMarketTime": seconds("2026-10-02 20:00:01"),
        "exchangeTimezoneName": "America/New_York",
        "longName": "Apple Inc.",
        "currentTradingPeriod": {
            "regular": {"start": seconds("2026-10-02 13:30"), "end": seconds("2026-10-02 20:00"), "gmtoffset": -14400}
        },
        "dataGranularity": "1d",
    }
    result: dict[str, Any] = {"meta": {**told, **(meta or {})}}
    quote: dict[str, Any] = {}
    if rows:
        result["timestamp"] = [seconds(time) for time in times]
        quote = dict(zip(("open", "high", "low", "close", "volume"), columns, strict=True))
    if events:
        result["events"] = events
    return {"chart": {"result": [{**result, "indicators": {"quote": [quote]}}], "error": None}}


def alpaca_bars(symbol: str, rows: Sequence[Row], token: str | None = None) -> dict[str, Any]:
    """One page, in the shape of alpaca-py's own tests; a row's last value is the average price."""
    bars = [{"t": t, "o": o, "h": h, "l": low, "c": c, "v": v, "n": 10, "vw": vw} for t, o, h, low, c, v, vw in rows]
    return {"bars": {symbol: bars} if bars else {}, "next_page_token": token}


def alpaca_actions(token: str | None = None, **kinds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Actions by kind, in the shape of alpaca-py's own tests, with the identities that its models want."""
    identity = {"id": "4b6f8d3e-7d3c-4c3f-9d5e-0f6a6e1f2a11", "cusip": "037833100", "process_date": "2020-09-10"}
    return {
        "corporate_actions": {kind: [{**identity, **row} for row in rows] for kind, rows in kinds.items()},
        "next_page_token": token,
    }


def finnhub_candles(rows: Sequence[Row]) -> dict[str, Any]:
    """Candles, in the shape of the sample at finnhub.io/docs/api/stock-candles."""
    if not rows:
        return {"s": "no_data"}
    columns = {name: [row[place] for row in rows] for place, name in enumerate(("t", "o", "h", "l", "c", "v"))}
    return {**columns, "t": [seconds(time) for time in columns["t"]], "s": "ok"}


def stooq_csv(rows: Sequence[Row]) -> str:
    return "\r\n".join(["Date,Open,High,Low,Close,Volume", *(",".join(map(str, row)) for row in rows)]) + "\r\n"


def only(fetches: Sequence[Fetch], kind: str) -> Fetch:
    """The one page of a kind in a plan."""
    (found,) = [fetch for fetch in fetches if fetch.kind == kind]
    return found
