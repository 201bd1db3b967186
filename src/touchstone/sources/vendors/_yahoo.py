"""Yahoo's chart endpoint: unofficial, without a key; prices come split-adjusted and are turned back into what was traded."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, SourceError
from touchstone.market import Metadata
from touchstone.sources._registry import SourceRequest
from touchstone.sources.network import Fetch, Page, Policy, Unusable, Vendor
from touchstone.sources.vendors._bars import actions_table, as_bars, context_of, expects_rows, is_daily, span_of, stamps_of
from touchstone.sources.vendors._payload import read_json
from touchstone.types import BoolArray, FloatArray

__all__ = ["Yahoo"]

_FIELDS = {"open": "Open", "high": "High", "low": "Low", "close": "Close", "volume": "Volume"}
# Yahoo answers 30m with bars of 60m (yfinance's history.py says so), so that width is not offered.
_INTERVALS = {"1m": "1m", "5m": "5m", "15m": "15m", "1h": "1h", "1d": "1d"}
# Days back from today, and days of one request.
_REACH = {"1m": (30, 7), "5m": (60, 60), "15m": (60, 60), "1h": (730, 730)}
# After any moment there is: a split counts in every price before it, so the answer must hold all splits up to today.
_FOREVER = "9999999999"
_MINOR = {"GBp": "GBP", "GBX": "GBP", "ZAc": "ZAR", "ILA": "ILS"}
_FINAL = ("Not Found", "Bad Request", "Unprocessable Entity")
_DAY = pd.Timedelta(days=1)
_CAVEATS = (
    "Yahoo's endpoint is unofficial and without warranty: answers may change or stop at any time.",
    "Yahoo gives no declaration dates: splits and dividends count as known from their ex-dates.",
    "Yahoo lists few delisted symbols: those asked for by today's names are survivors.",
)
_DAILY = "Prices were split-adjusted by Yahoo as of the day of asking and are turned back into what was traded with the splits it lists."
_INTRADAY = "Intraday prices are adjusted for splits as of the day of asking: after a split, fetch the whole span anew."


class Yahoo(Vendor):
    """The chart endpoint of query2.finance.yahoo.com."""

    name = "yahoo"
    address = "https://query2.finance.yahoo.com"
    policy = Policy(requests_per_minute=60, connections=2)
    restates = True

    def headers(self, keys: Mapping[str, str]) -> Mapping[str, str]:  # noqa: ARG002 - the protocol's signature
        """Give a browser's name: Yahoo turns away clients without one."""
        return {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0 Safari/537.36"}

    def reach(self, timeframe: str) -> pd.Timedelta | None:
        """Yahoo forgets bars below a day."""
        return pd.Timedelta(days=_REACH[timeframe][0]) if timeframe in _REACH else None

    def plan(self, request: SourceRequest, known: Mapping[str, pd.Timestamp]) -> Sequence[Fetch]:
        """Ask for each symbol's chart: daily bars in one piece, shorter ones in the pieces that Yahoo allows.

        Raises
        ------
        ConfigError
            A timeframe that Yahoo does not have, or a span longer than it keeps bars of that width.
        """
        request.expect_options(self.name)
        start, end = span_of(request)
        if request.timeframe not in _INTERVALS:
            raise ConfigError(f"Yahoo must be asked for {', '.join(_INTERVALS)}, but got '{request.timeframe}': choose one of these.")
        planned: list[Fetch] = []
        for symbol in request.symbols:
            first = known.get(symbol, start)
            pieces = [(first, end)] if request.timeframe == "1d" else _pieces(request, symbol, first, end)
            planned += [_chart_of(request, symbol, *piece) for piece in pieces]
        return planned

    def read(self, fetch: Fetch, payload: bytes) -> Page:
        """Read bars, actions and the asset from one chart.

        Raises
        ------
        Unusable
            The answer is no whole chart of this symbol.
        SourceError
            Yahoo says no, or a dividend is paid in another currency than the price.
        """
        chart = _chart(fetch, payload)
        quotes, dividends, splits = _parsed(fetch, chart)
        meta = chart["meta"]
        splits, dividends = _by_session(splits, meta), _by_session(dividends, meta)
        counted = splits if is_daily(fetch) else splits[:0]
        paid = [(day, value * _later(counted, day)) for day, value in _paid(fetch, meta, dividends)]
        rows = [("dividend", day, value) for day, value in paid]
        rows += [("split", pd.Timestamp(day), float(value)) for day, value in zip(counted.index, counted["Stock Splits"], strict=True)]
        asked = [(kind, day, value, day) for kind, day, value in rows if fetch.start.normalize() <= day <= fetch.end.normalize()]
        return Page(
            {
                "bars": _bars(fetch, quotes, meta, counted),
                "actions": actions_table(fetch.symbol, asked),
                "assets": _asset(fetch, meta),
            }
        )

    def refused(self, fetch: Fetch, status: int, payload: bytes) -> Fetch:
        """Repeat Yahoo's own words: it says with a status of 404 that it does not know a symbol.

        Raises
        ------
        SourceError
            Always.
        """
        with contextlib.suppress(Unusable):
            _chart(fetch, payload)
        return super().refused(fetch, status, payload)

    def metadata(self, request: SourceRequest, tables: Mapping[str, pd.DataFrame]) -> Metadata:
        """Say that daily prices are as traded, and intraday ones split-adjusted."""
        daily = request.timeframe == "1d"
        currencies = set(tables["assets"]["currency"]) if "assets" in tables else set()
        return Metadata(
            source=self.name,
            adjustment="none" if daily else "split",
            fields=tuple(tables["bars"].columns),
            calendar=request.calendar,
            timeframe=request.timeframe,
            currency=currencies.pop() if len(currencies) == 1 else "",
            caveats=(_DAILY if daily else _INTRADAY, *_CAVEATS),
        )


def _pieces(request: SourceRequest, symbol: str, first: pd.Timestamp, end: pd.Timestamp) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    reach, piece = _REACH[request.timeframe]
    if end - first > pd.Timedelta(days=reach):
        raise ConfigError(
            f"Yahoo keeps bars of {request.timeframe} for {reach} days, but must not be asked for {symbol} from {first:%Y-%m-%d} to "
            f"{end:%Y-%m-%d}: start later, or take 1d."
        )
    cuts = pd.date_range(first.normalize(), end, freq=f"{piece}D")[1:]
    return list(zip([first, *cuts], [*cuts, end], strict=True))


def _chart_of(request: SourceRequest, symbol: str, start: pd.Timestamp, end: pd.Timestamp) -> Fetch:
    daily = request.timeframe == "1d"
    # A day more before daily bars: sessions east of Greenwich open on the day before in UTC.
    since, until = start.normalize() - (_DAY if daily else 0 * _DAY), end.ceil("D")
    query = {
        "period1": str(int(since.timestamp())),
        "period2": _FOREVER if daily else str(int(until.timestamp())),
        "interval": _INTERVALS[request.timeframe],
        "events": "div,splits,capitalGains",
        "includePrePost": "false",
    }
    return Fetch("bars", symbol, f"/v8/finance/chart/{quote(symbol, safe='')}", query, start, end, context=context_of(request))


def _chart(fetch: Fetch, payload: bytes) -> dict[str, Any]:
    """The one result of an answer, checked for what the parser takes for granted."""
    answer = read_json(payload, "yahoo")
    body = answer.get("chart") or answer.get("finance") if isinstance(answer, dict) else None
    if not isinstance(body, dict):
        raise Unusable("An answer of yahoo must hold a chart, but does not.")
    error = body.get("error")
    if error:
        said = f"{error.get('code')}: {error.get('description')}" if isinstance(error, dict) else str(error)
        if isinstance(error, dict) and error.get("code") in _FINAL:
            raise SourceError(f"Yahoo must have bars of '{fetch.symbol}', but says {said}")
        raise Unusable(f"Yahoo says {said}")
    results = body.get("result")
    if not isinstance(results, list) or len(results) != 1 or not isinstance(results[0], dict):
        raise Unusable("A chart of yahoo must hold one result, but does not.")
    _check_meta(fetch, results[0].get("meta"))
    return dict(results[0])


def _check_meta(fetch: Fetch, meta: object) -> None:
    if not isinstance(meta, dict) or not {"symbol", "exchangeTimezoneName", "dataGranularity"} <= set(meta):
        raise Unusable("A chart of yahoo must say its symbol, time zone and granularity, but does not.")
    if str(meta["symbol"]).upper() != fetch.symbol.upper():
        raise Unusable(f"A chart of yahoo must be about '{fetch.symbol}', but is about '{meta['symbol']}'.")
    if meta["dataGranularity"] != fetch.query["interval"]:
        asked, sent = fetch.query["interval"], meta["dataGranularity"]
        raise SourceError(f"Yahoo must answer with bars of {asked}, but sent {sent}: take another timeframe.")


def _parsed(fetch: Fetch, chart: dict[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Quotes, cash paid and splits, by yfinance's own parsers: quotes by UTC time, the others by the time of their ex-date."""
    # Imported when asked for: it takes a second, and brings its own HTTP client along, which is not used.
    yahoo = import_module("yfinance.utils")

    indicators = chart.get("indicators")
    quotes = indicators.get("quote") if isinstance(indicators, dict) else None
    columns = quotes[0] if isinstance(quotes, list) and quotes and isinstance(quotes[0], dict) else None
    stamps = chart.get("timestamp") or []
    if columns is None or (stamps and any(len(columns.get(name) or ()) != len(stamps) for name in _FIELDS)):
        raise Unusable("A chart of yahoo must hold open, high, low, close and volume for every time, but does not.")
    if not stamps and expects_rows(fetch) and _listed(chart["meta"], fetch):
        raise Unusable(f"A chart of yahoo must not be empty for a span in which '{fetch.symbol}' was listed, but is.")
    bare = {"timestamp": stamps, "indicators": {"quote": [{name: columns.get(name) or [] for name in _FIELDS}]}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # yfinance 1.7 sorts in place, which pandas 3.1 is about to give up
        try:
            dividends, splits, gains = yahoo.parse_actions(chart)
            parsed = yahoo.parse_quotes(bare)
        except (KeyError, ValueError, TypeError, AttributeError, ZeroDivisionError) as problem:
            raise Unusable(f"A chart of yahoo must be readable by yfinance, but is not: {problem!r}.") from None
    paid = pd.concat([table for table in (dividends, gains.rename(columns={"Capital Gains": "Dividends"})) if len(table)] or [dividends])
    return parsed, paid, splits


def _listed(meta: Mapping[str, Any], fetch: Fetch) -> bool:
    first = meta.get("firstTradeDate")
    return first is None or pd.Timestamp(int(first), unit="s") <= fetch.end + _DAY


def _by_session(table: pd.DataFrame, meta: Mapping[str, Any]) -> pd.DataFrame:
    """The rows by the date of their session on the exchange's clock."""
    local = pd.DatetimeIndex(table.index).tz_localize("UTC").tz_convert(str(meta["exchangeTimezoneName"]))
    # Midnight that slipped by an hour or two over a change of the clock (yfinance's fix_Yahoo_dst_issue) is the day after.
    slipped = np.isin(local.hour, (22, 23)) & np.asarray(local.minute == 0)
    days = local.tz_localize(None).normalize()
    return table.set_index(pd.DatetimeIndex(days.where(~slipped, days + _DAY)).as_unit("us"))


def _later(splits: pd.DataFrame, day: pd.Timestamp) -> float:
    """By what prices and payments of a day were divided since: the product of the splits after it."""
    return float(np.multiply.reduce(splits.loc[splits.index > day, "Stock Splits"].to_numpy(dtype=np.float64)))


def _bars(fetch: Fetch, quotes: pd.DataFrame, meta: Mapping[str, Any], splits: pd.DataFrame) -> pd.DataFrame:
    rows = quotes[_finished(pd.DatetimeIndex(quotes.index), meta, fetch)]
    rows = rows[rows[list(_FIELDS.values())].notna().any(axis=1)]
    if is_daily(fetch):
        rows = _by_session(rows, meta)
        # The day that just ended comes twice at times, the second time complete (yfinance's fix_Yahoo_returning_live_separate).
        rows = rows[~((rows.index == rows.index.max()) & rows.index.duplicated(keep="last"))]
        stamps = pd.DatetimeIndex(rows.index)
    else:
        stamps = stamps_of(pd.DatetimeIndex(rows.index), fetch)
    factor = np.array([_later(splits, day) for day in stamps]) if len(splits) else np.ones(len(rows))
    unit = 0.01 if meta.get("currency") in _MINOR else 1.0
    values: dict[str, FloatArray] = {
        ours: _digits(rows[theirs].to_numpy() * factor * unit) for ours, theirs in _FIELDS.items() if ours != "volume"
    }
    return as_bars(fetch, stamps, {**values, "volume": rows["Volume"].to_numpy() / factor})


def _digits(prices: FloatArray) -> FloatArray:
    """Read prices to the seven digits that Yahoo's single precision carries: 124.80750274658203 was 124.8075."""
    return np.array([float(f"{price:.7g}") for price in prices], dtype=np.float64)


def _finished(opens: pd.DatetimeIndex, meta: Mapping[str, Any], fetch: Fetch) -> BoolArray:
    """Leave out what the market still works on: rows of a session under way, and the live row that starts at no full minute."""
    last_trade = meta.get("regularMarketTime")
    session = (meta.get("currentTradingPeriod") or {}).get("regular") or {}
    finished = np.ones(len(opens), dtype=np.bool_) if is_daily(fetch) else np.asarray(opens.second == 0)
    if last_trade is None or not {"start", "end"} <= set(session) or last_trade >= session["end"]:
        return finished
    if is_daily(fetch):
        return finished & np.asarray(opens < pd.Timestamp(session["start"], unit="s"))
    return finished & np.asarray(opens + pd.Timedelta(fetch.context["timeframe"]) <= pd.Timestamp(last_trade, unit="s"))


def _paid(fetch: Fetch, meta: Mapping[str, Any], dividends: pd.DataFrame) -> list[tuple[pd.Timestamp, float]]:
    """Cash a share by ex-date, in the currency of the price."""
    quoted = str(meta.get("currency") or "")
    said = dividends["currency"] if "currency" in dividends else pd.Series(quoted, index=dividends.index)
    said = said.where(said.notna() & (said != ""), quoted)
    odd = said[~said.isin([quoted, _MINOR.get(quoted, quoted)])]
    if len(odd):
        raise SourceError(
            f"A dividend must be paid in the currency of the price, but '{fetch.symbol}' is quoted in {quoted} and was paid {odd.iloc[0]} "
            f"on {pd.Timestamp(odd.index[0]):%Y-%m-%d}: leave the symbol out."
        )
    units = np.where(said.isin(list(_MINOR)), 0.01, 1.0)
    return list(zip(dividends.index, (dividends["Dividends"].to_numpy(dtype=np.float64) * units).tolist(), strict=True))


def _asset(fetch: Fetch, meta: Mapping[str, Any]) -> pd.DataFrame:
    quoted = str(meta.get("currency") or "")
    row = {
        "symbol": fetch.symbol,
        "name": str(meta.get("longName") or meta.get("shortName") or fetch.symbol),
        "exchange": str(meta.get("fullExchangeName") or meta.get("exchangeName") or ""),
        "calendar": fetch.context["calendar"],
        "currency": _MINOR.get(quoted, quoted),
        "asset_class": str(meta.get("instrumentType") or "").lower(),
    }
    return pd.DataFrame([row]).astype("str")
