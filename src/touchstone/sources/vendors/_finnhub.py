"""Finnhub: candles, splits, dividends and profiles; a key is needed, and a paid plan for all but the profiles."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, SourceError
from touchstone.market import Metadata
from touchstone.sources._registry import SourceRequest
from touchstone.sources.network import Fetch, Page, Policy, Unusable, Vendor
from touchstone.sources.vendors._bars import actions_table, as_bars, context_of, is_daily, span_of, stamps_of
from touchstone.sources.vendors._payload import read_json

__all__ = ["Finnhub"]

_PROFILE, _CANDLE = "/api/v1/stock/profile2", "/api/v1/stock/candle"
_SPLIT, _DIVIDEND = "/api/v1/stock/split", "/api/v1/stock/dividend"
_KEY = "FINNHUB_API_KEY"  # the name of a variable, not a secret
_RESOLUTIONS = {"1m": "1", "5m": "5", "15m": "15", "30m": "30", "1h": "60", "1d": "D"}
_FIELDS = {"open": "o", "high": "h", "low": "l", "close": "c", "volume": "v"}
_DAY = pd.Timedelta(days=1)
# Finnhub gives one month of shorter bars at a time.
_PIECE = 28
_DAILY = (
    "Daily prices are adjusted for splits as of the day of asking, dividends to match: levels of price and volume know later splits, "
    "returns do not."
)
_CAVEATS = (
    "Finnhub gives no announcement dates of splits: they count as known from their ex-dates; dividends from their declaration.",
    "Symbols were asked for by today's names: what was renamed or delisted is missing unless asked for.",
)
_NO_ACTIONS = "Splits and dividends were not asked for."


class Finnhub(Vendor):
    """The stock data of finnhub.io."""

    name = "finnhub"
    address = "https://finnhub.io"
    policy = Policy(requests_per_minute=60)
    credentials = (_KEY,)
    restates = True
    options = ("actions",)
    fetch_options = MappingProxyType({"actions": "True"})

    def headers(self, keys: Mapping[str, str]) -> Mapping[str, str]:
        """Give the key as a header, so that it stands in no address."""
        return {"X-Finnhub-Token": keys[_KEY]}

    def plan(self, request: SourceRequest, known: Mapping[str, pd.Timestamp]) -> Sequence[Fetch]:
        """Ask for each symbol's profile, candles and actions.

        Raises
        ------
        ConfigError
            An option that Finnhub does not understand.
        """
        request.expect_options(self.name, *self.options)
        start, end = span_of(request)
        _wants_actions(request)
        return [page for symbol in request.symbols for page in _pages(request, symbol, known.get(symbol, start), end)]

    def read(self, fetch: Fetch, payload: bytes) -> Page:
        """Read a profile, candles, splits or dividends.

        Raises
        ------
        Unusable
            The answer is not what Finnhub sends when well.
        SourceError
            Finnhub does not know the symbol, has no bars of it, or asks for another plan.
        """
        answer = read_json(payload, "finnhub")
        if isinstance(answer, dict) and answer.get("error"):
            raise _refusal(fetch, str(answer["error"]))
        readers = {_PROFILE: _read_profile, _CANDLE: _read_candles, _SPLIT: _read_splits, _DIVIDEND: _read_dividends}
        return Page({fetch.kind: readers[fetch.path](fetch, answer)})

    def refused(self, fetch: Fetch, status: int, payload: bytes) -> Fetch:
        """Repeat Finnhub's own words.

        Raises
        ------
        SourceError
            Always.
        """
        with contextlib.suppress(Unusable):
            self.read(fetch, payload)
        return super().refused(fetch, status, payload)

    def forbidden(self, fetch: Fetch, status: int, payload: bytes) -> str:  # noqa: ARG002 - the protocol's signature
        """Say what a status of 401 or 403 means."""
        return "A free key has no access to candles, splits and dividends: they need a paid plan." if status == 403 else ""

    def metadata(self, request: SourceRequest, tables: Mapping[str, pd.DataFrame]) -> Metadata:
        """Say that daily prices are split-adjusted and shorter ones as traded."""
        daily = request.timeframe == "1d"
        currencies = set(tables["assets"]["currency"]) if "assets" in tables else set()
        missing = () if _wants_actions(request) else (_NO_ACTIONS,)
        return Metadata(
            source=self.name,
            adjustment="split" if daily else "none",
            fields=tuple(tables["bars"].columns),
            calendar=request.calendar,
            timeframe=request.timeframe,
            currency=currencies.pop() if len(currencies) == 1 else "",
            caveats=(*((_DAILY,) if daily else ()), *missing, *_CAVEATS),
        )


def _wants_actions(request: SourceRequest) -> bool:
    wanted = request.options.get("actions", True)
    if not isinstance(wanted, bool):
        raise ConfigError(f"The option 'actions' of finnhub must be true or false, but got '{wanted}'.")
    return wanted


def _pages(request: SourceRequest, symbol: str, first: pd.Timestamp, end: pd.Timestamp) -> list[Fetch]:
    context, start = context_of(request), request.start if request.start is not None else first
    daily = request.timeframe == "1d"
    pages = [Fetch("assets", symbol, _PROFILE, {"symbol": symbol}, first, end, context=context)]
    cuts = [] if daily else [*pd.date_range(first.normalize(), end, freq=f"{_PIECE}D")[1:]]
    for since, until in zip([first, *cuts], [*cuts, end], strict=True):
        span = {"from": _seconds(since.normalize()), "to": _seconds(until.normalize() + _DAY)}
        query = {"symbol": symbol, "resolution": _RESOLUTIONS[request.timeframe], **span}
        pages.append(Fetch("bars", symbol, _CANDLE, query, since, until, context=context))
    if _wants_actions(request):
        # Always the whole span: payments of the past are adjusted by later splits.
        query = {"symbol": symbol, "from": f"{start:%Y-%m-%d}", "to": f"{end:%Y-%m-%d}"}
        paths = (_DIVIDEND,) if daily else (_DIVIDEND, _SPLIT)
        pages += [Fetch("actions", symbol, path, query, start, end, context=context) for path in paths]
    return pages


def _seconds(moment: pd.Timestamp) -> str:
    return str(int(moment.timestamp()))


def _refusal(fetch: Fetch, said: str) -> Exception:
    if "limit" in said.lower():
        return Unusable(f"Finnhub says: {said}")
    hint = f"'{fetch.path}' needs a paid plan"
    if fetch.kind == "actions":
        hint += ", or leave it out with data.finnhub.actions: false"
    return SourceError(f"Finnhub must give {fetch.kind} of '{fetch.symbol}', but says: {said} {hint}.")


def _read_profile(fetch: Fetch, answer: Any) -> pd.DataFrame:
    if answer == {}:
        raise SourceError(f"Finnhub must know the symbol '{fetch.symbol}', but has no profile of it: check the name.")
    if not isinstance(answer, dict) or not {"ticker", "name", "exchange", "currency"} <= set(answer):
        raise Unusable("A profile of finnhub must hold ticker, name, exchange and currency, but does not.")
    row = {
        "symbol": fetch.symbol,
        "name": answer["name"],
        "exchange": answer["exchange"],
        "calendar": fetch.context["calendar"],
        "currency": answer["currency"],
        "asset_class": "equity",
    }
    return pd.DataFrame([row]).astype("str")


def _read_candles(fetch: Fetch, answer: Any) -> pd.DataFrame:
    status = answer.get("s") if isinstance(answer, dict) else None
    if status == "no_data" and is_daily(fetch):
        raise SourceError(
            f"Finnhub must have bars of '{fetch.symbol}' from {fetch.start:%Y-%m-%d} to {fetch.end:%Y-%m-%d}, but has none: check the span."
        )
    if status not in ("ok", "no_data"):
        raise Unusable("Candles of finnhub must have the status ok or no_data, but have not.")
    columns = [answer.get(name) if status == "ok" else [] for name in ("t", *_FIELDS.values())]
    if any(not isinstance(column, list) or len(column) != len(columns[0]) for column in columns) or (status == "ok" and not columns[0]):
        raise Unusable("Candles of finnhub must have as many prices and volumes as times, and one at least, but have not.")
    times, *values = (_numbers(column) for column in columns)
    opens = pd.DatetimeIndex(pd.to_datetime(times, unit="s"))
    # A daily candle is stamped at midnight in UTC or in New York, which is the same day in UTC.
    stamps = opens.normalize() if is_daily(fetch) else stamps_of(opens, fetch)
    return as_bars(fetch, stamps, dict(zip(_FIELDS, values, strict=True)))


def _numbers(column: list[Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    try:
        return np.array([np.nan if value is None else value for value in column], dtype=np.float64)
    except (TypeError, ValueError):
        raise Unusable("Candles of finnhub must hold numbers, but do not.") from None


def _read_splits(fetch: Fetch, answer: Any) -> pd.DataFrame:
    rows = _rows(answer, ("date", "fromFactor", "toFactor"))
    days = [_day(row["date"]) for row in rows]
    ratios = [float(row["toFactor"]) / float(row["fromFactor"]) for row in rows]
    return actions_table(fetch.symbol, [("split", day, ratio, day) for day, ratio in zip(days, ratios, strict=True)])


def _read_dividends(fetch: Fetch, answer: Any) -> pd.DataFrame:
    """Payments on the footing of the prices: split-adjusted with daily bars, as paid with shorter ones."""
    amount = "adjustedAmount" if is_daily(fetch) else "amount"
    table = []
    for row in _rows(answer, ("date", amount)):
        ex_date = _day(row["date"])
        declared = pd.to_datetime(str(row.get("declarationDate")), errors="coerce", format="%Y-%m-%d")
        known_at = ex_date if pd.isna(declared) else min(pd.Timestamp(declared), ex_date)
        table.append(("dividend", ex_date, float(row[amount]), known_at))
    return actions_table(fetch.symbol, table)


def _rows(answer: Any, needed: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = answer if isinstance(answer, list) else None
    if rows is None or any(not isinstance(row, dict) or any(row.get(name) in (None, "", 0) for name in needed) for row in rows):
        raise Unusable(f"Actions of finnhub must be a list with {', '.join(needed)}, but are not.")
    return rows


def _day(text: str) -> pd.Timestamp:
    try:
        return pd.Timestamp(text).normalize()
    except ValueError:
        raise Unusable(f"A date of finnhub must look like 2003-01-31, but is {text!r}.") from None
