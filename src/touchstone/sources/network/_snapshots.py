"""The store of one source: every payload as it came, by its hash, and an index of what was asked, which only grows."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from touchstone.atomic import write_whole
from touchstone.errors import SourceError
from touchstone.lineage import canonical_json
from touchstone.sources.network._vendor import Fetch

__all__ = ["Entry", "Kept", "SnapshotStore"]

_INDEX, _REJECTED, _REVISIONS = "index.jsonl", "rejected.jsonl", "revisions.jsonl"
# No time, no name, an unknown system: the same payload is the same file everywhere.
_HEADER = b"\x1f\x8b\x08" + bytes(6) + b"\xff"


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
    """

    symbol: str
    lane: Mapping[str, str]
    start: pd.Timestamp
    end: pd.Timestamp
    retrieved_at: pd.Timestamp
    pages: tuple[Kept, ...] = field(default=())


class SnapshotStore:
    """Payloads and index of one source below the folder of snapshots."""

    def __init__(self, snapshots: Path, source: str) -> None:
        self.source = source
        self.folder = snapshots / source

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
        self._append(_INDEX, {**_written(asdict(entry)), "pages": [_page(kept) for kept in entry.pages]})

    def reject(self, fetch: Fetch, digest: str, why: str) -> None:
        """Note a payload that could not be used; nothing reads it but people."""
        self._append(_REJECTED, {"fetch": _written(asdict(fetch)), "sha256": digest, "why": why})

    def entries(self, lane: Mapping[str, str]) -> list[Entry]:
        """The entries of a lane, oldest first.

        Raises
        ------
        SourceError
            A line of the index was changed.
        """
        path = self.folder / _INDEX
        if not path.exists():
            return []
        lines = path.read_bytes().split(b"\n")[:-1]  # what stands behind the last line break was never finished
        found = [_entry(_checked(line, path, number)) for number, line in enumerate(lines, start=1)]
        return [entry for entry in found if entry.lane == dict(lane)]

    def write_revisions(self, revisions: pd.DataFrame) -> None:
        """Write out what the vendor changed, for people: it follows from the payloads."""
        rows = (canonical_json(_written({str(k): v for k, v in row.items()})) for row in revisions.to_dict("records"))
        write_whole(self.folder / _REVISIONS, "".join(f"{row}\n" for row in rows).encode())

    def _path(self, digest: str) -> Path:
        return self.folder / "payloads" / digest[:2] / f"{digest}.gz"

    def _append(self, name: str, record: dict[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        line = canonical_json({**record, "check": _check(record)}).encode() + b"\n"
        with (self.folder / name).open("ab+") as index:
            _drop_unfinished(index.fileno())
            index.write(line)
            index.flush()
            os.fsync(index.fileno())


def _drop_unfinished(handle: int) -> None:
    """Cut off a last line that a crash left without its end."""
    size = os.fstat(handle).st_size
    written = os.pread(handle, size, 0)
    if written and not written.endswith(b"\n"):
        os.ftruncate(handle, written.rfind(b"\n") + 1)


def _check(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_json(record).encode()).hexdigest()[:16]


def _written(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, pd.Timestamp) else value for name, value in values.items()}


def _page(kept: Kept) -> dict[str, Any]:
    return {"fetch": _written(asdict(kept.fetch)), "sha256": kept.sha256, "size": kept.size}


def _checked(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(line)
        said = record.pop("check")
    except (ValueError, KeyError, AttributeError):
        said = None
    if said is None or _check(record) != said:
        raise SourceError(f"The index must stay as it was written, but line {number} of {path} has changed: restore it.")
    return record


def _entry(record: Mapping[str, Any]) -> Entry:
    pages = tuple(Kept(_fetch(page["fetch"]), page["sha256"], page["size"]) for page in record["pages"])
    return Entry(pages=pages, **_moments({name: value for name, value in record.items() if name != "pages"}))


def _fetch(record: Mapping[str, Any]) -> Fetch:
    return Fetch(**_moments(record))


def _moments(record: Mapping[str, Any]) -> dict[str, Any]:
    moments = ("start", "end", "retrieved_at")
    return {name: pd.Timestamp(value).as_unit("us") if name in moments else value for name, value in record.items()}
