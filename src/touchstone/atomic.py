"""Files that are there whole or not at all, and one writer at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from touchstone.remote import Place, Remote

__all__ = ["one_writer", "write_whole"]


def write_whole(path: Place, payload: bytes) -> None:
    """Write beside the target and rename, or let the store put it in place: whoever reads sees the old file or the new one."""
    if isinstance(path, Remote):
        path.write_whole(payload)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as sink:
        sink.write(payload)
        sink.flush()
        os.fsync(sink.fileno())
    beside.replace(path)


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Hold a folder's lock; it is taken on the folder itself, so that no lock file shows up in git."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
