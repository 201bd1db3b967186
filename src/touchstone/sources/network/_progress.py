"""Pages of a history that is not whole yet: a fetch that broke off goes on from them, and nothing else ever reads them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from touchstone.lineage import canonical_json
from touchstone.sources.network._journal import Journal
from touchstone.sources.network._snapshots import Kept, SnapshotStore, page_read, page_written
from touchstone.sources.network._span import Piece
from touchstone.sources.network._vendor import Fetch

__all__ = ["Progress"]

_FILE = "progress.jsonl"


class Progress:
    """What landed of pieces that are not in the index yet, by symbol and lane; only the one writer uses it."""

    def __init__(self, store: SnapshotStore, lane: Mapping[str, str]) -> None:
        path = store.folder / _FILE
        self._journal = Journal(path, "remove it, it holds only what may be fetched again")
        self._lane = dict(lane)
        self._records = self._journal.records()

    def pending(self, symbol: str) -> Piece | None:
        """The piece of a symbol that broke off last."""
        pieces = [record["piece"] for record in self._records if self._is_of(record, symbol)]
        return _piece(pieces[-1]) if pieces else None

    def landed(self, symbol: str, piece: Piece) -> dict[str, Kept]:
        """The pages of a piece that came, by what was asked."""
        mine = [record for record in self._records if self._is_of(record, symbol) and record["piece"] == _record(piece)]
        return {record["asked"]: page_read(record["page"]) for record in mine}

    def note(self, symbol: str, piece: Piece, asked: Fetch, kept: Kept) -> None:
        """Note a page that came; what was asked and what was answered differ where the vendor wanted to be asked otherwise."""
        record = {
            "symbol": symbol,
            "lane": self._lane,
            "piece": _record(piece),
            "asked": self.key(asked),
            "page": page_written(kept),
        }
        self._journal.append(record)
        self._records.append(record)

    def forget(self, symbols: Collection[str]) -> None:
        """Strike out what is in the index by now, or leads nowhere."""
        left = [record for record in self._records if not any(self._is_of(record, symbol) for symbol in symbols)]
        if len(left) < len(self._records):
            self._records = left
            self._journal.rewrite(left)

    def named(self) -> set[str]:
        """The payloads that are still needed, of whatever lane."""
        return {record["page"]["sha256"] for record in self._records}

    @staticmethod
    def key(fetch: Fetch) -> str:
        """What makes two requests the same."""
        return canonical_json({"path": fetch.path, "query": dict(fetch.query)})

    def _is_of(self, record: Mapping[str, Any], symbol: str) -> bool:
        return bool(record["symbol"] == symbol and record["lane"] == self._lane)


def _record(piece: Piece) -> dict[str, str | None]:
    known = None if piece.known is None else piece.known.isoformat()
    return {"start": piece.start.isoformat(), "end": piece.end.isoformat(), "known": known}


def _piece(record: Mapping[str, Any]) -> Piece:
    start, end = (pd.Timestamp(record[name]).as_unit("us") for name in ("start", "end"))
    known = None if record["known"] is None else pd.Timestamp(record["known"]).as_unit("us")
    return Piece(start, end, known)
