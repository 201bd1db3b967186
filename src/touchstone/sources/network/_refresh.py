"""Bringing a vendor up to date: only what is missing and the last bars again, all symbols at once, each kept whole or not at all."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from touchstone.atomic import one_writer
from touchstone.errors import ConfigError, SourceError
from touchstone.market import Timeframe
from touchstone.sources._registry import SourceRequest, find
from touchstone.sources.network._assemble import Assembled, assemble
from touchstone.sources.network._client import Client
from touchstone.sources.network._credentials import Keys, find_keys
from touchstone.sources.network._snapshots import Entry, Kept, SnapshotStore
from touchstone.sources.network._source import NetworkSource, lane_of
from touchstone.sources.network._span import check_span, first_bar, last_bar, take_up
from touchstone.sources.network._vendor import Fetch, Page, Policy, Unusable, Vendor

__all__ = ["Refreshed", "refresh", "vendor_of"]


@dataclass(frozen=True, eq=False)
class Refreshed:
    """What an update brought.

    Parameters
    ----------
    source : str
    start, end : Timestamp
        First and last bar wanted.
    n_requests : int
        Requests sent, those tried again included.
    new_rows : mapping
        By symbol (or series), bars or macro values that were not known before.
    revisions : DataFrame
        ``symbol, date, field, before, after, seen_at``: known values that the vendor has changed since.
    failed : mapping
        By symbol, why nothing of it was kept this time.
    """

    source: str
    start: pd.Timestamp
    end: pd.Timestamp
    n_requests: int
    new_rows: Mapping[str, int]
    revisions: pd.DataFrame
    failed: Mapping[str, str]


def refresh(
    name: str,
    *,
    start: pd.Timestamp | str,
    end: pd.Timestamp | str | None = None,
    symbols: tuple[str, ...] = (),
    timeframe: Timeframe = "1d",
    calendar: str = "XNYS",
    options: Mapping[str, Any] | None = None,
    snapshots: Path,
    credentials: Path,
    policy: Policy | None = None,
    now: pd.Timestamp | None = None,
    tell: Callable[[str, int, int], None] | None = None,
) -> Refreshed:
    """Fetch what is missing into the snapshots of a source.

    The last bars known are asked for again; where they differ the later values count and the difference is a revision. Where a vendor
    adjusts prices backward they change as a whole with every action: such a symbol is then fetched again in full.

    Parameters
    ----------
    name : str
        A network source.
    start, end : Timestamp or str
        Session dates; without an end, the last bar that is over.
    symbols : tuple of str
        Empty: those that were fetched before.
    timeframe, calendar, options
        As for `touchstone.sources.load`.
    snapshots, credentials : Path
        The folder of snapshots, and the file that may hold keys.
    policy : Policy, optional
        In place of the vendor's own.
    now : Timestamp, optional
        The moment in UTC at which this happens.
    tell : callable, optional
        Called with a symbol, the number done and the number in all.

    Raises
    ------
    ConfigError
        A source that is not fetched, an option it does not know, no symbols, a missing key, or a span without a bar that is over.
    SourceError
        A payload of an earlier update is gone or was changed.
    """
    moment = pd.Timestamp.now("UTC").tz_localize(None) if now is None else now
    vendor = vendor_of(name)
    request = _request(
        vendor, _span(calendar, timeframe, start, end, moment), symbols, calendar=calendar, timeframe=timeframe, options=options
    )
    keys = find_keys(name, vendor.credentials, credentials)
    store = SnapshotStore(snapshots, name)
    with one_writer(store.folder):
        update = _Update(vendor, request, store, policy or vendor.policy, keys, moment.as_unit("us"))
        return _finished(update.run(tell))


def _finished(update: Coroutine[Any, Any, Refreshed]) -> Refreshed:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(update)
    # A notebook's thread has a loop already.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, update).result()


def vendor_of(name: str) -> Vendor:
    """The vendor of a network source.

    Raises
    ------
    ConfigError
        Unknown, or a source that needs no fetching.
    """
    source = find(name)
    if not isinstance(source, NetworkSource):
        raise ConfigError(f"Only a network source is refreshed, but '{name}' reads no network: run the pipeline.")
    return source.vendor


def _span(
    calendar: str, timeframe: str, start: pd.Timestamp | str, end: pd.Timestamp | str | None, now: pd.Timestamp
) -> tuple[pd.Timestamp, pd.Timestamp]:
    first = first_bar(calendar, timeframe, pd.Timestamp(start).as_unit("us"))
    last = last_bar(calendar, timeframe, None if end is None else pd.Timestamp(end).as_unit("us"), now)
    check_span(first, last)
    return first, last


def _request(
    vendor: Vendor,
    span: tuple[pd.Timestamp, pd.Timestamp],
    symbols: tuple[str, ...],
    *,
    calendar: str,
    timeframe: Timeframe,
    options: Mapping[str, Any] | None,
) -> SourceRequest:
    request = SourceRequest(*span, symbols, calendar, timeframe, options=dict(options or {}))
    request.expect_options(vendor.name, *vendor.options)
    return request


@dataclass(frozen=True)
class _Update:
    """One update of one vendor."""

    vendor: Vendor
    request: SourceRequest
    store: SnapshotStore
    policy: Policy
    keys: Keys
    now: pd.Timestamp
    entries: dict[str, list[Entry]] = field(default_factory=dict)

    async def run(self, tell: Callable[[str, int, int], None] | None) -> Refreshed:
        for entry in self.store.entries(lane_of(self.vendor, self.request)):
            self.entries.setdefault(entry.symbol, []).append(entry)
        symbols = sorted(set(self.vendor.symbols(self.request) or self.entries))
        if not symbols:
            raise ConfigError(f"Source '{self.vendor.name}' must be told what to fetch: set data.symbols in params.yaml or pass --symbol.")
        address = os.environ.get(f"TOUCHSTONE_{self.vendor.name.upper()}_URL", self.vendor.address)
        failed: dict[str, str] = {}
        brought: dict[str, _Brought] = {}
        async with Client(self.vendor, self.keys, address=address, policy=self.policy) as client:

            async def one(symbol: str) -> None:
                try:
                    brought[symbol] = await self._bring(client, symbol)
                except SourceError as problem:
                    failed[symbol] = str(problem)
                if tell is not None:
                    tell(symbol, len(brought) + len(failed), len(symbols))

            await asyncio.gather(*(one(symbol) for symbol in symbols))
        return self._result(client.n_requests, brought, failed)

    def _result(self, n_requests: int, brought: Mapping[str, _Brought], failed: Mapping[str, str]) -> Refreshed:
        everything = assemble(self.vendor, self.store, [entry for entries in self.entries.values() for entry in entries])
        self.store.write_revisions(everything.revisions)
        fresh = [brought[symbol].revisions for symbol in sorted(brought)] or [everything.revisions[:0]]
        return Refreshed(
            source=self.vendor.name,
            start=self.request.start or self.now,
            end=self.request.end or self.now,
            n_requests=n_requests,
            new_rows={symbol: brought[symbol].n_new for symbol in sorted(brought)},
            revisions=pd.concat(fresh, ignore_index=True),
            failed={symbol: failed[symbol] for symbol in sorted(failed)},
        )

    async def _bring(self, client: Client, symbol: str) -> _Brought:
        entries = self.entries.get(symbol, [])
        before = assemble(self.vendor, self.store, entries)
        known = self._known(entries, before)
        entry, after = await self._fetch(client, symbol, known, before)
        if known is not None and len(after.revisions) > len(before.revisions) and self.vendor.restates:
            entry, after = await self._fetch(client, symbol, None, before)
        if entry.pages:
            self.store.append(entry)
            self.entries.setdefault(symbol, []).append(entry)
        n_revised = len(after.revisions) - len(before.revisions)
        return _Brought(_n_rows(after) - _n_rows(before), after.revisions.tail(n_revised))

    def _known(self, entries: list[Entry], before: Assembled) -> pd.Timestamp | None:
        dates = pd.DatetimeIndex(before.tables["bars"].index.get_level_values("date")).unique().sort_values()
        start, end = self.request.start, self.request.end
        if start is None or end is None:
            return None
        return take_up(entries, dates, start=start, end=end, overlap=self.policy.overlap)

    async def _fetch(self, client: Client, symbol: str, known: pd.Timestamp | None, before: Assembled) -> tuple[Entry, Assembled]:
        """All pages of one symbol, and what is known with them."""
        asked = replace(self.request, symbols=(symbol,))
        pages: list[Kept] = []
        for first in self.vendor.plan(asked, {} if known is None else {symbol: known}):
            pages += await _Answer(self.vendor, self.store, self.keys, self.policy.max_pages).collect(client, first)
        start, end = known or self.request.start or self.now, self.request.end or self.now
        entry = Entry(symbol, lane_of(self.vendor, self.request), start, end, self.now, tuple(pages))
        return entry, assemble(self.vendor, self.store, [*self.entries.get(symbol, []), entry]) if pages else before


@dataclass(frozen=True, eq=False)
class _Brought:
    n_new: int
    revisions: pd.DataFrame


def _n_rows(known: Assembled) -> int:
    return len(known.tables["bars"].index.unique()) + len(known.tables["macro"])


@dataclass
class _Answer:
    """The pages of one answer, as far as they came."""

    vendor: Vendor
    store: SnapshotStore
    keys: Keys
    max_pages: int
    pages: list[Kept] = field(default_factory=list)
    rows: set[Any] = field(default_factory=set)

    async def collect(self, client: Client, first: Fetch) -> list[Kept]:
        """Follow the pages to the last one.

        Raises
        ------
        SourceError
            The vendor does not give a page, or its pages never end.
        """
        following: Fetch | None = first
        while following is not None:
            if any(_same(following, kept.fetch) for kept in self.pages) or len(self.pages) >= self.max_pages:
                raise SourceError(
                    f"The pages of '{self.vendor.name}' for '{first.symbol}' must come to an end, but page {len(self.pages)} leads back to "
                    f"an earlier one or is one too many (at most {self.max_pages}): nothing of it is kept; report it to the vendor."
                )
            following = await client.get(following, self._accept)
        return self.pages

    def _accept(self, fetch: Fetch, payload: bytes) -> Fetch | None:
        """Keep a payload before anything else; then read it."""
        if self.keys.occur_in(payload):
            raise SourceError(
                f"An answer must not repeat the key, but that of '{self.vendor.name}' for '{fetch.symbol}' does: it is not kept."
            )
        digest = self.store.keep(payload)
        try:
            page = self.vendor.read(fetch, payload)
            self._take(page)
        except Unusable as problem:
            self.store.reject(fetch, digest, str(problem))
            raise
        self.pages.append(Kept(fetch, digest, len(payload)))
        return page.following

    def _take(self, page: Page) -> None:
        """Note the rows; a page of which none is new is one that came before."""
        bars = page.tables.get("bars")
        rows = [] if bars is None else list(bars.index)
        if self.pages and len(rows) > 1 and self.rows.issuperset(rows):
            raise Unusable(f"page {len(self.pages)} repeats rows of the pages before it")
        self.rows.update(rows)


def _same(one: Fetch, other: Fetch) -> bool:
    return one.path == other.path and dict(one.query) == dict(other.query)
