"""Bringing one symbol up to date: piece by piece, each in the index whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd

from touchstone.sources._registry import SourceRequest
from touchstone.sources.network._answer import Answer
from touchstone.sources.network._assemble import Assembled, assemble
from touchstone.sources.network._client import Client, Refusal
from touchstone.sources.network._credentials import Keys
from touchstone.sources.network._lane import lane_of
from touchstone.sources.network._progress import Progress
from touchstone.sources.network._reading import Reading
from touchstone.sources.network._snapshots import Entry, SnapshotStore, current
from touchstone.sources.network._span import Piece, missing
from touchstone.sources.network._vendor import Policy, Vendor

__all__ = ["Brought", "Job", "bring"]


@dataclass(frozen=True)
class Job:
    """What all symbols of an update share.

    Parameters
    ----------
    vendor, store, progress, policy, keys
    request : SourceRequest
    start, end, now : Timestamp
        First and last bar wanted, and the moment.
    """

    vendor: Vendor
    request: SourceRequest
    start: pd.Timestamp
    end: pd.Timestamp
    store: SnapshotStore
    progress: Progress
    policy: Policy
    keys: Keys
    now: pd.Timestamp


@dataclass(frozen=True, eq=False)
class Brought:
    """What came: rows that were not known before, all revisions of the symbol, and how many of them are new (the last ones)."""

    n_new: int
    revisions: pd.DataFrame
    n_revised: int


async def bring(job: Job, client: Client, symbol: str, entries: Sequence[Entry]) -> Brought:
    """Fetch what is missing of one symbol.

    Raises
    ------
    SourceError
        A piece could not be fetched; the pieces before it are in the index, its own pages wait for the next time.
    """
    history = _History(job, symbol, list(entries))
    before = history.assembled()
    resumed = await history.resume(client)
    todo = history.todo()
    # What just came to its end needs no second look at its last bars.
    for piece in todo[:-1] if resumed is not None and resumed.end == job.end else todo:
        await history.fetch(client, piece)
    after = history.assembled()
    return Brought(_n_new(before, after), after.revisions, len(after.revisions) - len(before.revisions))


@dataclass
class _History:
    """What is known of one symbol, and how it grows."""

    job: Job
    symbol: str
    entries: list[Entry]

    def __post_init__(self) -> None:
        self.reading = Reading(self.job.vendor, self.job.store)
        self._known: Assembled | None = None

    def assembled(self) -> Assembled:
        if self._known is None:
            self._known = assemble(self.reading.page, self.entries)
        return self._known

    def todo(self) -> list[Piece]:
        """The pieces to fetch; one alone where past prices change as a whole and a part of them would not fit the rest."""
        dates = pd.DatetimeIndex(self.assembled().tables["bars"].index.get_level_values("date")).unique().sort_values()
        counting, start = current(self.entries), self._start()
        pieces = missing(counting, dates, start=start, end=self.job.end, overlap=self.job.policy.overlap)
        is_partial = len(pieces) > 1 or (pieces[0].known is None and bool(counting))
        return [self._whole()] if self.job.vendor.restates and is_partial else pieces

    async def resume(self, client: Client) -> Piece | None:
        """Go on with what broke off, if it is a part of what is wanted and its pages still fit those to come."""
        piece = self.job.progress.pending(self.symbol)
        if piece is None or self.job.vendor.restates or not (self.job.start <= piece.start and piece.end <= self.job.end):
            return None
        is_indexed = any((entry.start, entry.end) == (piece.since, piece.end) for entry in self.entries)
        # What has no bars is asked for in full each time: its own pages are found again where the piece is the same.
        if is_indexed or all(kept.fetch.kind != "bars" for kept in self.job.progress.landed(self.symbol, piece).values()):
            return None
        try:
            self._keep(await self._collect(client, piece))
        except Refusal:
            # A mark that the vendor gave for its next page may be void by now: begin anew the next time.
            self.job.progress.forget([self.symbol])
            raise
        return piece

    async def fetch(self, client: Client, piece: Piece) -> None:
        """Fetch a piece, and everything when the vendor turns out to have restated the past."""
        entry = await self._collect(client, piece)
        if self.job.vendor.restates and piece.known is not None:
            n_known = len(self.assembled().revisions)
            if len(assemble(self.reading.page, [*self.entries, entry]).revisions) > n_known:
                entry = await self._collect(client, self._whole())
        self._keep(entry)

    def _keep(self, entry: Entry) -> None:
        if entry.pages:
            self.job.store.append(entry)
            self.entries.append(entry)
            self._known = None

    def _start(self) -> pd.Timestamp:
        """First bar wanted, or the first that the vendor still has when there is something older to build upon."""
        reach = self.job.vendor.reach(self.job.request.timeframe)
        return self.job.start if reach is None or not self.entries else max(self.job.start, (self.job.now - reach).ceil("D"))

    def _whole(self) -> Piece:
        """All that was ever asked for and that the vendor still has."""
        counting = current(self.entries)
        start = min([self._start(), *(entry.start for entry in counting)])
        end = max([self.job.end, *(entry.end for entry in counting)])
        reach = self.job.vendor.reach(self.job.request.timeframe)
        return Piece(start if reach is None else max(start, (self.job.now - reach).ceil("D")), end)

    async def _collect(self, client: Client, piece: Piece) -> Entry:
        job, vendor = self.job, self.job.vendor
        asked = replace(job.request, symbols=(self.symbol,), start=piece.start, end=piece.end)
        # Where the past changes as a whole, pages of two days do not fit each other.
        landed = {} if vendor.restates else job.progress.landed(self.symbol, piece)
        pages = []
        for first in vendor.plan(asked, {} if piece.known is None else {self.symbol: piece.known}):
            note = partial(job.progress.note, self.symbol, piece)
            answer = Answer(vendor.name, job.store, job.keys, self.reading, job.policy.max_pages, landed, note)
            pages += await answer.collect(client, first)
        lane, anew = lane_of(vendor, job.request), vendor.restates and piece.known is None
        return Entry(self.symbol, lane, piece.since, piece.end, job.now, tuple(pages), anew)


def _n_new(before: Assembled, after: Assembled) -> int:
    n_bars = len(after.tables["bars"].index.unique().difference(before.tables["bars"].index))
    return n_bars + len(after.tables["macro"]) - len(before.tables["macro"])
