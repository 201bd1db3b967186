"""Bringing a vendor up to date: only what is missing and the last bars again, many symbols at once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from touchstone.atomic import one_writer
from touchstone.errors import ConfigError, SourceError
from touchstone.market import Timeframe
from touchstone.sources._registry import SourceRequest, find
from touchstone.sources.network._assemble import no_revisions
from touchstone.sources.network._bring import Brought, Job, bring
from touchstone.sources.network._client import Client
from touchstone.sources.network._credentials import find_keys
from touchstone.sources.network._lane import lane_of
from touchstone.sources.network._progress import Progress
from touchstone.sources.network._snapshots import Entry, SnapshotStore
from touchstone.sources.network._source import NetworkSource
from touchstone.sources.network._span import check_span, first_bar, last_bar
from touchstone.sources.network._vendor import Policy, Vendor

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
        By symbol, why it is not up to date. Pages that came wait for the next time; no load sees them.
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
    span = _span(calendar, timeframe, start, end, moment)
    request = _request(vendor, span, symbols, calendar=calendar, timeframe=timeframe, options=options)
    keys = find_keys(name, vendor.credentials, credentials)
    store = SnapshotStore(snapshots, name)
    with one_writer(store.folder):
        progress = Progress(store, lane_of(vendor, request))
        job = Job(vendor, request, *span, store, progress, policy or vendor.policy, keys, moment.as_unit("us"))
        return _finished(_update(job, tell))


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


async def _update(job: Job, tell: Callable[[str, int, int], None] | None) -> Refreshed:
    """Bring all symbols up to date, a few at a time; who fails leaves the others alone."""
    entries: dict[str, list[Entry]] = {}
    for entry in job.store.entries(lane_of(job.vendor, job.request)):
        entries.setdefault(entry.symbol, []).append(entry)
    symbols = sorted(set(job.vendor.symbols(job.request) or entries))
    if not symbols:
        raise ConfigError(f"Source '{job.vendor.name}' must be told what to fetch: set data.symbols in params.yaml or pass --symbol.")
    address = os.environ.get(f"TOUCHSTONE_{job.vendor.name.upper()}_URL", job.vendor.address)
    failed: dict[str, str] = {}
    brought: dict[str, Brought] = {}
    # What is known of a symbol is in memory only while it is being brought. Twice as many as connections: some wait.
    few = asyncio.Semaphore(2 * job.policy.connections)
    async with Client(job.vendor, job.keys, address=address, policy=job.policy) as client:

        async def one(symbol: str) -> None:
            async with few:
                try:
                    brought[symbol] = await bring(job, client, symbol, entries.get(symbol, []))
                except SourceError as problem:
                    failed[symbol] = str(problem)
            if tell is not None:
                tell(symbol, len(brought) + len(failed), len(symbols))

        await asyncio.gather(*(one(symbol) for symbol in symbols))
    _tidy(job, brought, failed)
    return _result(job, client.n_requests, brought, failed)


def _tidy(job: Job, brought: Mapping[str, Brought], failed: Mapping[str, str]) -> None:
    """Write the revisions out, and remove what nothing needs any more once every symbol is whole."""
    all_revisions = [brought[symbol].revisions for symbol in sorted(brought)]
    if all_revisions:
        job.store.write_revisions(lane_of(job.vendor, job.request), set(brought), pd.concat(all_revisions, ignore_index=True))
    job.progress.forget(brought)
    if not failed:
        job.store.prune(job.progress.named())


def _result(job: Job, n_requests: int, brought: Mapping[str, Brought], failed: Mapping[str, str]) -> Refreshed:
    fresh = [brought[symbol].revisions.tail(brought[symbol].n_revised) for symbol in sorted(brought)] or [no_revisions()]
    return Refreshed(
        source=job.vendor.name,
        start=job.start,
        end=job.end,
        n_requests=n_requests,
        new_rows={symbol: brought[symbol].n_new for symbol in sorted(brought)},
        revisions=pd.concat(fresh, ignore_index=True),
        failed={symbol: failed[symbol] for symbol in sorted(failed)},
    )
