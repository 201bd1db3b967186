"""A tar whose bytes depend on names and contents alone."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping

from touchstone.errors import LineageError

__all__ = ["pack", "unpack"]


def pack(files: Mapping[str, bytes]) -> bytes:
    """Pack files: sorted by path, no times, no owners, one mode."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(files):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode, entry.mtime = len(files[path]), 0o644, 0
            archive.addfile(entry, io.BytesIO(files[path]))
    return sink.getvalue()


def unpack(payload: bytes) -> dict[str, bytes]:
    """The files of an archive by path.

    Raises
    ------
    LineageError
        The bytes are no archive.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(payload), mode="r:") as archive:
            held = {entry.name: archive.extractfile(entry) for entry in archive.getmembers() if entry.isfile()}
            return {path: stream.read() for path, stream in held.items() if stream is not None}
    except tarfile.TarError as error:
        raise LineageError(f"An archive of code must be a tar, but this one cannot be read ({error}): the archive is damaged.") from None
