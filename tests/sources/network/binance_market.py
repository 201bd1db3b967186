"""A small Binance: klines of made-up symbols, as the vendor's server would answer for them at a moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from vendor_server import Answer, VendorServer

__all__ = ["DAY_MS", "BinanceMarket", "milliseconds"]

DAY_MS = 86_400_000
_WIDTHS = {"1m": 60_000, "5m": 300_000, "1h": 3_600_000, "1d": DAY_MS}


def milliseconds(moment: str) -> int:
    return int(dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC).timestamp() * 1000)


class BinanceMarket:
    """What the server knows: symbols, since when they trade, and what time it is."""

    def __init__(self, symbols: Iterable[str], *, since: str, now: str) -> None:
        self.since = dict.fromkeys(symbols, milliseconds(since))
        self.now = milliseconds(now)

    def serve(self) -> VendorServer:
        return VendorServer({"/api/v3/klines": self.klines, "/api/v3/exchangeInfo": self.exchange_info})

    def exchange_info(self, query: dict[str, str]) -> Any:
        if query["symbol"] not in self.since:
            return self._unknown()
        base = query["symbol"].removesuffix("USDT")
        return {"timezone": "UTC", "symbols": [{"symbol": query["symbol"], "status": "TRADING", "baseAsset": base, "quoteAsset": "USDT"}]}

    def klines(self, query: dict[str, str]) -> Any:
        symbol, width = query["symbol"], _WIDTHS[query["interval"]]
        if symbol not in self.since:
            return self._unknown()
        first = max(-(-int(query["startTime"]) // width) * width, self.since[symbol])
        last = min(int(query.get("endTime", self.now)), self.now)
        opens = range(first, last + 1, width)[: int(query.get("limit", 500))]
        return [self._kline(symbol, opened, width) for opened in opens]

    def _kline(self, symbol: str, opened: int, width: int) -> list[Any]:
        number = opened // width
        close = 100.0 + (number * 7919 + len(symbol)) % 99991 / 9999.1
        prices = [f"{value:.8f}" for value in (close - 0.1, close + 0.5, close - 0.5, close)]
        return [opened, *prices, f"{number * 31 % 8009 + 1}.50000000", opened + width - 1, "5.0", 12, "1.0", "2.0", "0"]

    def _unknown(self) -> Answer:
        return Answer(b'{"code":-1121,"msg":"Invalid symbol."}', 400)
