"""Reading kept payloads, each once."""

from __future__ import annotations

from touchstone.errors import SourceError
from touchstone.sources.network._progress import Progress
from touchstone.sources.network._snapshots import Kept, SnapshotStore
from touchstone.sources.network._vendor import Page, Unusable, Vendor

__all__ = ["Reading", "read_kept"]


def read_kept(vendor: Vendor, store: SnapshotStore, kept: Kept) -> Page:
    """Parse a payload of the store.

    Raises
    ------
    SourceError
        It is gone, changed, or cannot be read any more.
    """
    payload = store.read(kept.sha256)
    try:
        return vendor.read(kept.fetch, payload)
    except Unusable as problem:
        raise SourceError(f"A kept payload of '{store.source}' must be readable, but {kept.sha256} is not ({problem}).") from None


class Reading:
    """The pages of one symbol, each parsed once however often it is asked for."""

    def __init__(self, vendor: Vendor, store: SnapshotStore) -> None:
        self._vendor, self._store = vendor, store
        self._pages: dict[tuple[str, str, str], Page] = {}

    def page(self, kept: Kept) -> Page:
        """The page of a payload in the store; it fails as `read_kept` does."""
        key = self._key(kept)
        if key not in self._pages:
            self._pages[key] = read_kept(self._vendor, self._store, kept)
        return self._pages[key]

    def parse(self, kept: Kept, payload: bytes) -> Page:
        """Parse a payload that just came, and remember the page.

        Raises
        ------
        Unusable
            The answer is broken.
        """
        page = self._pages[self._key(kept)] = self._vendor.read(kept.fetch, payload)
        return page

    def _key(self, kept: Kept) -> tuple[str, str, str]:
        span = f"{kept.fetch.start} {kept.fetch.end} {sorted(kept.fetch.context.items())}"
        return kept.sha256, Progress.key(kept.fetch), span
