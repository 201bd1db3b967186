"""Alpaca's market data: bars as traded with their average price, and corporate actions; a key is needed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import Any

import pandas as pd

from touchstone.errors import ConfigError, SourceError, nearest
from touchstone.market import Metadata
from touchstone.sources._registry import SourceRequest
from touchstone.sources.network import Fetch, Page, Policy, Unusable, Vendor
from touchstone.sources.vendors._bars import actions_table, as_bars, context_of, is_daily, span_of, stamps_of
from touchstone.sources.vendors._payload import read_json

__all__ = ["Alpaca"]

_BARS, _ACTIONS = "/v2/stocks/bars", "/v1/corporate-actions"
_KEY, _SECRET = "ALPACA_API_KEY_ID", "ALPACA_API_SECRET_KEY"  # names of variables, not secrets
_FEEDS = ("iex", "sip")
_FRAMES = {"1m": (1, "Min"), "5m": (5, "Min"), "15m": (15, "Min"), "30m": (30, "Min"), "1d": (1, "Day")}
_FIELDS = ("open", "high", "low", "close", "volume", "vwap")
_TYPES = ("forward_split", "reverse_split", "stock_dividend", "cash_dividend", "worthless_removal")
# Alpaca selects by the date of processing, which for cash is the day of payment, weeks after the ex-date.
_PAID_WITHIN = pd.Timedelta(days=120)
_ZONE = "America/New_York"
_CAVEATS = (
    "Alpaca gives no declaration dates: splits and dividends count as known from their ex-dates.",
    "Alpaca's spin-offs, mergers, unit splits and rights say no cash value of a share and are left out: a spin-off looks like a loss.",
    "Symbols were asked for by today's names: what was renamed or delisted is missing unless asked for.",
)
_IEX = "Bars are of the IEX exchange alone, a few percent of all trades: volumes are small, highs and lows may miss the market's."


class Alpaca(Vendor):
    """The historical data of data.alpaca.markets."""

    name = "alpaca"
    address = "https://data.alpaca.markets"
    policy = Policy(requests_per_minute=200)
    credentials = (_KEY, _SECRET)
    options = ("feed",)
    fetch_options = MappingProxyType({"feed": "iex"})

    def headers(self, keys: Mapping[str, str]) -> Mapping[str, str]:
        """Give the key and its secret under the names that Alpaca wants."""
        return {"APCA-API-KEY-ID": keys[_KEY], "APCA-API-SECRET-KEY": keys[_SECRET]}

    def plan(self, request: SourceRequest, known: Mapping[str, pd.Timestamp]) -> Sequence[Fetch]:
        """Ask for each symbol's bars and actions.

        Raises
        ------
        ConfigError
            A timeframe, option or feed that Alpaca does not have.
        """
        request.expect_options(self.name, *self.options)
        start, end = span_of(request)
        if request.timeframe not in _FRAMES:
            raise ConfigError(
                f"Alpaca must be asked for {', '.join(_FRAMES)}, but got '{request.timeframe}': its hours start at the full hour, "
                "those of the exchange at half past."
            )
        feed = str(request.options.get("feed", "iex"))
        if feed not in _FEEDS:
            raise ConfigError(f"The feed of alpaca must be a known one, but got '{feed}': {nearest(feed, _FEEDS)}.")
        planned: list[Fetch] = []
        for symbol in request.symbols:
            first = known.get(symbol, start)
            context = context_of(request)
            planned.append(Fetch("bars", symbol, _BARS, _bars_query(request, symbol, first, end), first, end, context=context))
            planned.append(Fetch("actions", symbol, _ACTIONS, _actions_query(symbol, first, end), first, end, context=context))
        return planned

    def read(self, fetch: Fetch, payload: bytes) -> Page:
        """Read one page of bars or of actions.

        Raises
        ------
        Unusable
            The answer is no whole page about this symbol.
        SourceError
            Alpaca has no bars of the symbol in the span.
        """
        answer = read_json(payload, "alpaca")
        part = "bars" if fetch.kind == "bars" else "corporate_actions"
        if not isinstance(answer, dict) or not isinstance(answer.get(part) or {}, dict) or part not in answer:
            raise Unusable(f"An answer of alpaca must hold {part}, but does not.")
        token = answer.get("next_page_token")
        if token and token == fetch.query.get("page_token"):
            raise Unusable("A page of alpaca must not name itself as the next one, but does.")
        following = None
        if token:
            following = dataclasses.replace(fetch, query={**fetch.query, "page_token": str(token)}, page=fetch.page + 1)
        table = (_read_bars if fetch.kind == "bars" else _read_actions)(fetch, answer[part] or {})
        return Page({fetch.kind: table}, following)

    def refused(self, fetch: Fetch, status: int, payload: bytes) -> Fetch:
        """Repeat Alpaca's own words.

        Raises
        ------
        SourceError
            Always.
        """
        if not _message(payload):
            return super().refused(fetch, status, payload)
        raise SourceError(f"Alpaca must have what is asked for, but says of '{fetch.symbol}': {_message(payload)} (status {status}).")

    def forbidden(self, fetch: Fetch, status: int, payload: bytes) -> str:  # noqa: ARG002 - the protocol's signature
        """Repeat Alpaca's own words, such as that a plan does not include recent data of all exchanges."""
        return f"Alpaca says: {_message(payload)}" if _message(payload) else ""

    def metadata(self, request: SourceRequest, tables: Mapping[str, pd.DataFrame]) -> Metadata:
        """Say that prices are as traded, and of which exchanges."""
        feed = request.options.get("feed", "iex")
        return Metadata(
            source=self.name,
            adjustment="none",
            fields=tuple(tables["bars"].columns),
            calendar=request.calendar,
            timeframe=request.timeframe,
            currency="USD",
            caveats=(*((_IEX,) if feed == "iex" else ()), *_CAVEATS),
        )


def _message(payload: bytes) -> str:
    try:
        return str(json.loads(payload)["message"])
    except (ValueError, KeyError, TypeError):
        return ""


def _bars_query(request: SourceRequest, symbol: str, first: pd.Timestamp, end: pd.Timestamp) -> dict[str, str]:
    """The query as alpaca-py writes it. The library takes a while to import, so only here."""
    models, frames = import_module("alpaca.data.requests"), import_module("alpaca.data.timeframe")
    amount, unit = _FRAMES[request.timeframe]
    asked = models.StockBarsRequest(
        symbol_or_symbols=symbol,
        timeframe=frames.TimeFrame(amount, frames.TimeFrameUnit(unit)),
        start=first.normalize().to_pydatetime(),
        # The bar of the last session starts at 4 or 5 h; free keys may not ask up to the present.
        end=(end.normalize() + pd.Timedelta(hours=6) if request.timeframe == "1d" else end).to_pydatetime(),
        limit=10_000,
        adjustment="raw",
        feed=request.options.get("feed", "iex"),
        sort="asc",
    )
    return _plain(asked.to_request_fields())


def _actions_query(symbol: str, first: pd.Timestamp, end: pd.Timestamp) -> dict[str, str]:
    models = import_module("alpaca.data.requests")
    asked = models.CorporateActionsRequest(
        symbols=[symbol], types=list(_TYPES), start=first.date(), end=(end + _PAID_WITHIN).date(), limit=1_000, sort="asc"
    )
    return _plain(asked.to_request_fields())


def _plain(fields: Mapping[str, Any]) -> dict[str, str]:
    """Enumerations by their values, lists joined: what alpaca-py's client does before it asks."""
    return {name: ",".join(map(_text, value)) if isinstance(value, list) else _text(value) for name, value in fields.items()}


def _text(value: object) -> str:
    return str(getattr(value, "value", value))


def _read_bars(fetch: Fetch, answer: Mapping[str, Any]) -> pd.DataFrame:
    if set(answer) - {fetch.symbol}:
        raise Unusable(f"Bars of alpaca must be about '{fetch.symbol}', but are about '{next(iter(set(answer) - {fetch.symbol}))}'.")
    models = import_module("alpaca.data.models.bars")
    try:
        bars = models.BarSet(answer).data.get(fetch.symbol, [])
    except (ValueError, TypeError, AttributeError) as problem:
        raise Unusable(f"Bars of alpaca must be readable by alpaca-py, but are not: {str(problem)[:120]!r}.") from None
    if not bars and fetch.page == 0:
        raise SourceError(
            f"Alpaca must have bars of '{fetch.symbol}' from {fetch.start:%Y-%m-%d} to {fetch.end:%Y-%m-%d}, but has none: "
            "check the symbol and the span."
        )
    opens = pd.DatetimeIndex(pd.to_datetime([bar.timestamp for bar in bars], utc=True))
    # A daily bar starts at midnight in New York.
    sessions = opens.tz_convert(_ZONE).tz_localize(None).normalize()
    stamps = sessions if is_daily(fetch) else stamps_of(opens.tz_localize(None), fetch)
    return as_bars(fetch, stamps, {name: [float(getattr(bar, name)) for bar in bars] for name in _FIELDS})


def _read_actions(fetch: Fetch, answer: Mapping[str, Any]) -> pd.DataFrame:
    models = import_module("alpaca.data.models.corporate_actions")
    try:
        parsed = models.CorporateActionsSet(answer).data
    except (ValueError, TypeError) as problem:
        raise Unusable(f"Actions of alpaca must be readable by alpaca-py, but are not: {str(problem)[:120]!r}.") from None
    asked = [f"{kind}s" for kind in _TYPES]
    rows = [_action(kind, action) for kind in asked for action in parsed.get(kind, []) if action.symbol == fetch.symbol]
    last = fetch.end.normalize()
    return actions_table(fetch.symbol, [(kind, day, value, day) for kind, day, value in rows if day <= last])


def _action(kind: str, action: Any) -> tuple[str, pd.Timestamp, float]:
    """Kind, ex-date and value of the data contract."""
    if kind == "worthless_removals":
        return "delisting", pd.Timestamp(action.process_date), -1.0
    day = pd.Timestamp(action.ex_date)
    if kind == "cash_dividends":
        return "dividend", day, float(action.rate)
    if kind == "stock_dividends":
        return "split", day, 1.0 + float(action.rate)
    return "split", day, float(action.new_rate) / float(action.old_rate)
