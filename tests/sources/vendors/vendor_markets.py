"""The four vendors on loopback: each speaks its own payloads about one small market whose bars are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from vendor_payloads import alpaca_actions, alpaca_bars, as_bytes, finnhub_candles, stooq_csv, yahoo_chart
from vendor_server import Answer

from touchstone.market import sessions

__all__ = ["ANSWERS", "FIRST", "KEYS", "LAST", "NOW", "PRICES", "price_rows"]

FIRST, LAST = "2024-01-02", "2024-02-29"
NOW = pd.Timestamp("2024-03-01T12:00")
PRICES = {"AAPL": 180.03, "MSFT": 370.03}
KEYS = {name: f"{name[0]}NEVERSHOWN" for name in ("ALPACA_API_KEY_ID", "ALPACA_API_SECRET_KEY", "FINNHUB_API_KEY", "STOOQ_API_KEY")}
_PAGE = 15  # bars of one page of alpaca
_UNKNOWN = {"chart": {"result": None, "error": {"code": "Not Found", "description": "No data found, symbol may be delisted"}}}

Answers = Mapping[str, Callable[[dict[str, str]], Any]]


def price_rows(symbol: str, since: str = FIRST, until: str = LAST) -> list[tuple[Any, ...]]:
    """Date, open, high, low, close, volume of each session; the same for a session whatever the span."""
    table = []
    for number, day in enumerate(sessions("XNYS", FIRST, "2024-03-28")):
        close = PRICES[symbol] + 0.25 * number + (number % 7) * 0.5
        # Cents tell the fields apart: no close is ever a high.
        prices = (round(close + away, 2) for away in (-0.51, 1.02, -1.27, 0.0))
        table.append((f"{day:%Y-%m-%d}", *prices, 1000 + number))
    return [row for row in table if since <= row[0] <= until]


def _of_day(row: tuple[Any, ...], clock: str) -> tuple[Any, ...]:
    return (f"{row[0]}{clock}", *row[1:])


def _day(seconds: str) -> str:
    return f"{pd.Timestamp(int(seconds), unit='s'):%Y-%m-%d}"


def _yahoo(query: dict[str, str]) -> Any:
    symbol = query["symbol"]
    if symbol not in PRICES:
        return Answer(as_bytes(_UNKNOWN), 404)
    rows = [_of_day(row, " 14:30") for row in price_rows(symbol, _day(query["period1"]))]
    return yahoo_chart(symbol, rows)


def _alpaca_bars(query: dict[str, str]) -> Any:
    symbol, start = query["symbols"], int(query.get("page_token", "0"))
    if symbol not in PRICES:
        return {"bars": {}, "next_page_token": None}
    rows = [(*_of_day(row, "T05:00:00Z"), row[4]) for row in price_rows(symbol, query["start"][:10], query["end"][:10])]
    token = str(start + _PAGE) if start + _PAGE < len(rows) else None
    return alpaca_bars(symbol, rows[start : start + _PAGE], token)


def _alpaca_actions(query: dict[str, str]) -> Any:
    dividend = {"symbol": query["symbols"], "rate": 0.24, "special": False, "foreign": False, "ex_date": "2024-02-09"}
    return alpaca_actions(cash_dividends=[dividend])


def _finnhub_candles(query: dict[str, str]) -> Any:
    rows = price_rows(query["symbol"], _day(query["from"]), _day(query["to"])) if query["symbol"] in PRICES else []
    return finnhub_candles([_of_day(row, "") for row in rows])


def _finnhub_profile(query: dict[str, str]) -> Any:
    known = {"ticker": query["symbol"], "name": "A company", "exchange": "NASDAQ NMS - GLOBAL MARKET", "currency": "USD"}
    return known if query["symbol"] in PRICES else {}


def _finnhub_dividends(query: dict[str, str]) -> Any:
    return [{"symbol": query["symbol"], "date": "2024-02-09", "amount": 0.24, "adjustedAmount": 0.24, "declarationDate": "2024-02-01"}]


def _stooq(query: dict[str, str]) -> Any:
    symbol = query["s"].removesuffix(".us").upper()
    if symbol not in PRICES:
        return "No data"
    since, until = (f"{pd.Timestamp(query[name]):%Y-%m-%d}" for name in ("d1", "d2"))
    return stooq_csv(price_rows(symbol, since, until))


ANSWERS: dict[str, Answers] = {
    "yahoo": {"/v8/finance/chart/{symbol}": _yahoo},
    "alpaca": {"/v2/stocks/bars": _alpaca_bars, "/v1/corporate-actions": _alpaca_actions},
    "finnhub": {
        "/api/v1/stock/profile2": _finnhub_profile,
        "/api/v1/stock/candle": _finnhub_candles,
        "/api/v1/stock/dividend": _finnhub_dividends,
    },
    "stooq": {"/q/d/l/": _stooq},
}
