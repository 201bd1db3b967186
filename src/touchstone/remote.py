"""Files of an object store, spoken to as to paths: as much of it as outputs need, and each written whole or not at all."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from touchstone.errors import ConfigError

__all__ = ["Place", "Remote", "place"]


@dataclass(frozen=True)
class Remote:
    """A file or folder of whatever fsspec speaks to: ``s3://bucket/folder``, ``gs://bucket/folder``.

    The store's library is imported at the first request, and finds its credentials and endpoint as it always does
    (``AWS_ACCESS_KEY_ID``, ``AWS_ENDPOINT_URL``, ``GOOGLE_APPLICATION_CREDENTIALS``, …): none pass through here.

    Parameters
    ----------
    url : protocol, bucket and path, without a slash at the end.

    Raises
    ------
    ConfigError
        From every method: the protocol is unknown, or the store refuses or does not answer.
    """

    url: str

    def __truediv__(self, name: str | PurePosixPath) -> Remote:
        return Remote(f"{self.url}/{name}")

    def __str__(self) -> str:
        return self.url

    @property
    def name(self) -> str:
        """The last part."""
        return self.url.rpartition("/")[2]

    @property
    def parent(self) -> Remote:
        """The folder that holds it."""
        return Remote(self.url.rpartition("/")[0])

    def with_name(self, name: str) -> Remote:
        """Its neighbour of that name."""
        return self.parent / name

    def relative_to(self, folder: Remote) -> PurePosixPath:
        """The path below a folder; a ValueError when it does not lie there."""
        return PurePosixPath(self.url).relative_to(folder.url)

    def exists(self) -> bool:
        """Whether a file or anything below lies there."""
        with self._asked() as (system, path):
            return bool(system.exists(path))

    def is_file(self) -> bool:
        """Whether it is a file."""
        with self._asked() as (system, path):
            return bool(system.isfile(path))

    def read_bytes(self) -> bytes:
        """What the file holds; FileNotFoundError when there is none."""
        with self._asked() as (system, path):
            payload: bytes = system.cat_file(path)
            return payload

    def write_whole(self, payload: bytes) -> None:
        """One PUT, or a multipart upload that counts when it is complete: whoever reads sees the old file or the new one."""
        with self._asked(writing=True) as (system, path):
            system.pipe_file(path, payload)

    def replace(self, target: Remote) -> None:
        """Take another file's place: the store copies the whole of it, then this one goes."""
        self.copy_to(target)
        self.unlink()

    def copy_to(self, target: Remote) -> None:
        """Copy within the store; nothing passes through this machine."""
        with self._asked() as (system, path):
            system.cp_file(path, _opened(target.url)[1])

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove the file."""
        if missing_ok and not self.exists():
            return
        with self._asked() as (system, path):
            system.rm_file(path)

    def opened(self) -> tuple[Any, str]:
        """The fsspec file system and the path in it, for libraries that read pieces of files themselves."""
        with self._asked() as found:
            return found

    @contextmanager
    def _asked(self, *, writing: bool = False) -> Iterator[tuple[Any, str]]:
        try:
            yield _opened(self.url)
        except _refusals() as error:
            if isinstance(error, FileNotFoundError) and not writing:  # the caller knows what is missing; a write misses the bucket
                raise
            raise ConfigError(
                f"The store must answer, but {self.url} cannot be used ({type(error).__name__}: {str(error).splitlines()[0]}): "
                "mend the address, the credentials in the environment or the endpoint (AWS_ENDPOINT_URL)."
            ) from None


# Where an output lies: below the project, or in a store.
Place: TypeAlias = Path | Remote


def place(address: str, base: Path | None = None) -> Place:
    """What an address means: one with a protocol is remote, a path is local and relative to the base.

    Raises
    ------
    ConfigError
        ``file://``: a plain path says the same, and is written by renaming.
    """
    if address.startswith("file:"):
        raise ConfigError(f"A place on this machine must be a plain path, but got '{address}': leave 'file://' out.")
    if "://" in address:
        return Remote(address.rstrip("/"))
    return Path(address) if base is None else base / address


def _opened(url: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    # Others write there too: what a listing said a minute ago is no answer.
    system, path = url_to_fs(url, use_listings_cache=False)
    return system, path


def _refusals() -> tuple[type[Exception], ...]:
    """What fsspec raises, and what stores' libraries raise beside OSError, of those that are loaded: missing credentials above all."""
    found: list[type[Exception]] = [OSError, ValueError, ImportError]
    for module, name in (("botocore.exceptions", "BotoCoreError"), ("google.auth.exceptions", "GoogleAuthError")):
        if module in sys.modules:
            found.append(getattr(sys.modules[module], name))
    return tuple(found)
