"""A file of JSON lines that only grows; each line carries a check of its own."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from touchstone.atomic import write_whole
from touchstone.errors import SourceError
from touchstone.lineage import canonical_json

__all__ = ["Journal"]


class Journal:
    """Records, one a line; a line that a crash cut off counts as not written.

    Parameters
    ----------
    path : Path
        It need not exist.
    mend : str
        What to do about a line that was changed; ends the error.
    """

    def __init__(self, path: Path, mend: str = "restore it") -> None:
        self.path, self._mend = path, mend

    def append(self, record: Mapping[str, Any]) -> None:
        """Add one record; a crash on the way leaves the file as it was."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+") as file:
            _drop_unfinished(file.fileno())
            file.write(_line(record))
            file.flush()
            os.fsync(file.fileno())

    def records(self) -> list[dict[str, Any]]:
        """All records, oldest first.

        Raises
        ------
        SourceError
            A line was changed.
        """
        if not self.path.exists():
            return []
        lines = self.path.read_bytes().split(b"\n")[:-1]  # what stands behind the last line break was never finished
        return [self._checked(line, number) for number, line in enumerate(lines, start=1)]

    def rewrite(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Replace all records at once; without any the file goes."""
        if records:
            write_whole(self.path, b"".join(map(_line, records)))
        else:
            self.path.unlink(missing_ok=True)

    def _checked(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            record: dict[str, Any] = json.loads(line)
            said = record.pop("check")
        except (ValueError, KeyError, AttributeError):
            said = None
        if said is None or _check(record) != said:
            raise SourceError(f"The index must stay as it was written, but line {number} of {self.path} has changed: {self._mend}.")
        return record


def _line(record: Mapping[str, Any]) -> bytes:
    return canonical_json({**record, "check": _check(record)}).encode() + b"\n"


def _check(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_json(record).encode()).hexdigest()[:16]


def _drop_unfinished(handle: int) -> None:
    """Cut off a last line that a crash left without its end."""
    size = os.fstat(handle).st_size
    # Looked at by its last byte alone: a long index is appended to often.
    if size and os.pread(handle, 1, size - 1) != b"\n":
        os.ftruncate(handle, os.pread(handle, size, 0).rfind(b"\n") + 1)
