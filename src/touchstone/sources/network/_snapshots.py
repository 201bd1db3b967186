"""The store of one source: every payload as it came, by its hash, and an index of what was asked, which only grows."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from touchstone.atomic import write_whole
from touchstone.errors import SourceError
from touchstone.lineage import canonical_json
from touchstone.sources.network._journal import Journal
from touchstone.sources.network._vendor import Fetch

__all__ = ["Entry", "Kept", "SnapshotStore", "current", "page_read", "page_written"]

_INDEX, _REJECTED, _REVISIONS = "index.jsonl", "rejected.jsonl", "revisions.jsonl"
# No time, no name, an unknown system: the same payload is the same file everywhere.
_HEADER = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
# A payload, or one that a crash left half written beside its place.
_PAYLOAD = re.compile(r"([0-9a-f]{64})\.gz|\.[0-9a-f]{64}\.gz\.\d+")


@dataclass(frozen=True)
class Kept:
    """One page: what was asked, and where the answer lies."""

    fetch: Fetch
    sha256: str
    size: int


@dataclass(frozen=True)
class Entry:
    """All that was fetched for one symbol in one go; it is in the index whole or not at all.

    Parameters
    ----------
    symbol : str
    lane : mapping
        Timeframe and options: answers of different lanes are never mixed.
    start, end : Timestamp
        The span that was asked for.
    retrieved_at : Timestamp
        UTC.
    pages : tuple of Kept
        In the order in which they came.
    anew : bool
        Whether it stands in the place of all that came before, as prices restated as a whole do.
    """

    symbol: str
    lane: Mapping[str, str]
    start: pd.Timestamp
    end: pd.Timestamp
    retrieved_at: pd.Timestamp
    pages: tuple[Kept, ...] = field(default=())
    anew: bool = False


class SnapshotStore:
    """Payloads and index of one source below the folder of snapshots."""

    def __init__(self, snapshots: Path, source: str) -> None:
        self.source = source
        self.folder = snapshots / source
        self._index = Journal(self.folder / _INDEX)
        self._rejected = Journal(self.folder / _REJECTED)

    def keep(self, payload: bytes) -> str:
        """Put a payload into the store, once, and give its SHA-256."""
        digest = hashlib.sha256(payload).hexdigest()
        path = self._path(digest)
        if not path.exists():
            write_whole(path, _HEADER + gzip.compress(payload, mtime=0)[len(_HEADER) :])
        return digest

    def read(self, digest: str) -> bytes:
        """Give a payload back.

        Raises
        ------
        SourceError
            The file is gone, or not what was fetched.
        """
        path = self._path(digest)
        if not path.exists():
            raise SourceError(
                f"Every payload in the index must be there, but {path} is not: restore it, or remove {self.folder} and refresh."
            )
        packed = path.read_bytes()
        try:
            payload = gzip.decompress(packed) if packed.startswith(_HEADER) else b""
        except (OSError, EOFError, zlib.error):
            payload = b""
        if hashlib.sha256(payload).hexdigest() != digest:
            raise SourceError(
                f"A payload must stay as it was fetched, but {path} has changed (its SHA-256 is another): restore it, "
                f"or remove {self.folder} and refresh."
            )
        return payload

    def append(self, entry: Entry) -> None:
        """Add one entry to the index; a crash on the way leaves the index as it was."""
        self._index.append({**_written(asdict(entry)), "pages": [page_written(kept) for kept in entry.pages]})

    def reject(self, fetch: Fetch, digest: str, why: str) -> None:
        """Note a payload that could not be used; nothing reads it but people."""
        self._rejected.append({"fetch": _written(asdict(fetch)), "sha256": digest, "why": why})

    def entries(self, lane: Mapping[str, str]) -> list[Entry]:
        """The entries of a lane, oldest first.

        Raises
        ------
        SourceError
            A line of the index was changed.
        """
        return [_entry(record) for record in self._index.records() if record["lane"] == dict(lane)]

    def prune(self, others: Collection[str]) -> int:
        """Remove the payloads that nothing names: neither the index, of whatever lane, nor what was rejected, nor `others`.

        Only the one writer may call it. Files that the store did not write stay.

        Returns
        -------
        int
            Files removed.

        Raises
        ------
        SourceError
            A line of the index was changed: then nothing is removed.
        """
        named = {page["sha256"] for record in self._index.records() for page in record["pages"]}
        named |= {record["sha256"] for record in self._rejected.records()} | set(others)
        found = [(path, _PAYLOAD.fullmatch(path.name)) for path in (self.folder / "payloads").glob("[0-9a-f][0-9a-f]/*")]
        unnamed = [path for path, match in found if match is not None and match[1] not in named]
        for path in unnamed:
            path.unlink()
        return len(unnamed)

    def write_revisions(self, lane: Mapping[str, str], symbols: Collection[str], revisions: pd.DataFrame) -> None:
        """Write out what the vendor changed, for people: it follows from the payloads. Those of other symbols and lanes stay."""
        path = self.folder / _REVISIONS
        try:
            before = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        except ValueError:
            raise SourceError(f"Revisions must be lines of JSON, but {path} holds others: remove it.") from None
        stay = [row for row in before if row.get("lane") != dict(lane) or row["symbol"] not in symbols]
        fresh = [_written({str(k): v for k, v in row.items()}) | {"lane": dict(lane)} for row in revisions.to_dict("records")]
        rows = sorted([*stay, *fresh], key=lambda row: (canonical_json(row.get("lane")), row["symbol"]))
        write_whole(path, "".join(f"{canonical_json(row)}\n" for row in rows).encode())

    def _path(self, digest: str) -> Path:
        return self.folder / "payloads" / digest[:2] / f"{digest}.gz"


def current(entries: Collection[Entry]) -> list[Entry]:
    """The entries whose rows count: by symbol, from the last one on that stands in the place of those before it."""
    listed = list(entries)
    since = {entry.symbol: number for number, entry in enumerate(listed) if entry.anew}
    return [entry for number, entry in enumerate(listed) if number >= since.get(entry.symbol, 0)]


def page_written(kept: Kept) -> dict[str, Any]:
    """A page as a record of a journal."""
    return {"fetch": _written(asdict(kept.fetch)), "sha256": kept.sha256, "size": kept.size}


def page_read(record: Mapping[str, Any]) -> Kept:
    """The page of such a record."""
    return Kept(Fetch(**_moments(record["fetch"])), record["sha256"], record["size"])


def _written(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, pd.Timestamp) else value for name, value in values.items()}


def _entry(record: Mapping[str, Any]) -> Entry:
    pages = tuple(page_read(page) for page in record["pages"])
    return Entry(pages=pages, **_moments({name: value for name, value in record.items() if name != "pages"}))


def _moments(record: Mapping[str, Any]) -> dict[str, Any]:
    moments = ("start", "end", "retrieved_at")
    return {name: pd.Timestamp(value).as_unit("us") if name in moments else value for name, value in record.items()}
