"""Stooq's CSV: daily bars adjusted for splits and dividends; a free key is needed since 2026."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, SourceError
from touchstone.market import Metadata
from touchstone.sources._registry import SourceRequest
from touchstone.sources.network import Fetch, Page, Policy, Unusable, Vendor
from touchstone.sources.vendors._bars import as_bars, context_of, span_of
from touchstone.sources.vendors._payload import read_text

__all__ = ["Stooq"]

_KEY = "STOOQ_API_KEY"  # the name of a variable, not a secret
_MARKETS = ("us", "uk", "de", "jp", "hk", "hu", "pl", "f", "v")
_HEADER = ["Date", "Open", "High", "Low", "Close"]
_CAVEATS = (
    "Stooq adjusts prices for splits and dividends as of the day of asking: levels know later events, returns hold the dividends.",
    "Stooq says neither which events it adjusted for nor when: actions cannot be checked.",
    "Symbols were asked for by today's names: what was renamed or delisted is missing unless asked for.",
)


class Stooq(Vendor):
    """The historical data of stooq.com."""

    name = "stooq"
    address = "https://stooq.com"
    policy = Policy(requests_per_minute=30, connections=1)
    credentials = (_KEY,)
    restates = True

    def secrets(self, keys: Mapping[str, str]) -> Mapping[str, str]:
        """Give the key as the query parameter that Stooq wants."""
        return {"apikey": keys[_KEY]}

    def plan(self, request: SourceRequest, known: Mapping[str, pd.Timestamp]) -> Sequence[Fetch]:
        """Ask for each symbol's daily bars.

        Raises
        ------
        ConfigError
            A timeframe other than 1d, or any option.
        """
        request.expect_options(self.name)
        start, end = span_of(request)
        if request.timeframe != "1d":
            raise ConfigError(f"Stooq must be asked for 1d, but got '{request.timeframe}': it keeps shorter bars for a month only.")
        planned = []
        for symbol in request.symbols:
            first = known.get(symbol, start)
            query = {"s": _their_name(symbol), "i": "d", "d1": f"{first:%Y%m%d}", "d2": f"{end:%Y%m%d}"}
            planned.append(Fetch("bars", symbol, "/q/d/l/", query, first, end, context=context_of(request)))
        return planned

    def read(self, fetch: Fetch, payload: bytes) -> Page:
        """Read one symbol's CSV.

        Raises
        ------
        Unusable
            The answer is a web page, or no whole table.
        SourceError
            Stooq has no bars of the symbol, wants a key, or has answered enough for today.
        """
        text = read_text(payload, "stooq")
        _check_words(fetch, text)
        header, *rows = csv.reader(text.splitlines())
        if header[:5] != _HEADER or header[5:] not in ([], ["Volume"]):
            raise Unusable(f"A table of stooq must start with {','.join(_HEADER)}, but starts with {text.splitlines()[0][:60]!r}.")
        if not rows or any(len(row) != len(header) for row in rows):
            raise Unusable("A table of stooq must have rows, each with a value for every column, but has not.")
        try:
            stamps = pd.DatetimeIndex(pd.to_datetime([row[0] for row in rows], format="%Y-%m-%d"))
            values = np.array([[float(value) if value else np.nan for value in row[1:]] for row in rows])
        except ValueError as problem:
            raise Unusable(f"A table of stooq must hold dates and numbers, but does not: {problem}.") from None
        columns = {name.lower(): values[:, place] for place, name in enumerate(header[1:])}
        return Page({"bars": as_bars(fetch, stamps, columns)})

    def metadata(self, request: SourceRequest, tables: Mapping[str, pd.DataFrame]) -> Metadata:
        """Say that prices are adjusted for splits and dividends."""
        all_american = all(_their_name(symbol).endswith(".us") for symbol in request.symbols)
        return Metadata(
            source=self.name,
            adjustment="total_return",
            fields=tuple(tables["bars"].columns),
            calendar=request.calendar,
            timeframe=request.timeframe,
            currency="USD" if all_american else "",
            caveats=_CAVEATS,
        )


def _their_name(symbol: str) -> str:
    """AAPL is aapl.us, BRK.B brk-b.us; ^SPX and names with a market of Stooq's, such as TSCO.UK, are only put into small letters."""
    lower = symbol.lower()
    if lower.startswith("^") or ("." in lower and lower.rpartition(".")[2] in _MARKETS):
        return lower
    return f"{lower.replace('.', '-')}.us"


def _check_words(fetch: Fetch, text: str) -> None:
    """Stooq says no in plain words, with status 200."""
    words = text[:200].lower()
    if words.startswith("no data"):
        raise SourceError(
            f"Stooq must have bars of '{fetch.symbol}' ('{fetch.query['s']}') from {fetch.start:%Y-%m-%d} to {fetch.end:%Y-%m-%d}, "
            "but says: No data. Check the symbol and its market."
        )
    if "daily hits limit" in words:
        raise SourceError("Stooq answers a limited number of requests a day, and says that they are used up: go on tomorrow.")
    if "apikey" in words:
        raise SourceError(f"Stooq must be given a valid key, but asks for one: set {_KEY} (docs/sources/stooq.md says where to get it).")
