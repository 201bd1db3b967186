"""One answer of a vendor, page after page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from touchstone.errors import SourceError
from touchstone.sources.network._client import Client
from touchstone.sources.network._credentials import Keys
from touchstone.sources.network._progress import Progress
from touchstone.sources.network._reading import Reading
from touchstone.sources.network._snapshots import Kept, SnapshotStore
from touchstone.sources.network._vendor import Fetch, Page, Unusable

__all__ = ["Answer"]


@dataclass
class Answer:
    """The pages of one answer, as far as they came.

    Parameters
    ----------
    source : str
    store, keys, reading
    max_pages : int
    landed : mapping
        Pages that came before the fetch broke off, by what was asked: they are not asked for again.
    note : callable
        Told of each page that comes now.
    """

    source: str
    store: SnapshotStore
    keys: Keys
    reading: Reading
    max_pages: int
    landed: Mapping[str, Kept]
    note: Callable[[Fetch, Kept], None]
    pages: list[Kept] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    stamps: set[int] = field(default_factory=set)

    async def collect(self, client: Client, first: Fetch) -> list[Kept]:
        """Follow the pages to the last one.

        Raises
        ------
        SourceError
            The vendor does not give a page, or its pages never end.
        """
        following: Fetch | None = first
        while following is not None:
            if Progress.key(following) in self.answered or len(self.pages) >= self.max_pages:
                raise SourceError(
                    f"The pages of '{self.source}' for '{first.symbol}' must come to an end, but page {len(self.pages)} leads back to "
                    f"an earlier one or is one too many (at most {self.max_pages}): nothing of it is kept; report it to the vendor."
                )
            following = await self._next(client, following)
        return self.pages

    async def _next(self, client: Client, asked: Fetch) -> Fetch | None:
        kept = self.landed.get(Progress.key(asked))
        if kept is None:
            return await client.get(asked, partial(self._accept, asked))
        page = self.reading.page(kept)
        self._add(kept, _stamps(page))
        return page.following

    def _accept(self, asked: Fetch, fetch: Fetch, payload: bytes) -> Fetch | None:
        """Keep a payload before anything else; then read it."""
        if self.keys.occur_in(payload):
            raise SourceError(f"An answer must not repeat the key, but that of '{self.source}' for '{fetch.symbol}' does: it is not kept.")
        kept = Kept(fetch, self.store.keep(payload), len(payload))
        try:
            page = self.reading.parse(kept, payload)
            stamps = self._fresh(page)
        except Unusable as problem:
            self.store.reject(fetch, kept.sha256, str(problem))
            raise
        self.note(asked, kept)
        self._add(kept, stamps)
        return page.following

    def _fresh(self, page: Page) -> list[int]:
        """The stamps of a page; one of which none is new is one that came before."""
        stamps = _stamps(page)
        if self.pages and len(stamps) > 1 and self.stamps.issuperset(stamps):
            raise Unusable(f"page {len(self.pages)} repeats rows of the pages before it")
        return stamps

    def _add(self, kept: Kept, stamps: list[int]) -> None:
        self.pages.append(kept)
        self.answered.add(Progress.key(kept.fetch))
        self.stamps.update(stamps)


def _stamps(page: Page) -> list[int]:
    """When the bars of a page are; an answer is about one symbol, and numbers are small."""
    bars = page.tables.get("bars")
    return [] if bars is None else list(bars.index.get_level_values("date").to_numpy().astype("int64").tolist())
