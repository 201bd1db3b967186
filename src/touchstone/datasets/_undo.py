"""What a run replaces is kept until the run is through."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from touchstone.remote import Place, Remote

__all__ = ["Undo"]


class Undo:
    """The files that a run has replaced, so that one that fails can put them back.

    An old file here is linked, not copied: datasets write beside their target and rename, so the old bytes stay what they were. In a
    store, which knows no links, it copies the file beside itself.
    """

    def __init__(self) -> None:
        self._kept: dict[Place, Place | None] = {}

    def keep(self, path: Place) -> None:
        """Keep what lies at the path before it is replaced for the first time."""
        if path not in self._kept:
            self._kept[path] = _aside(path) if path.exists() else None

    def put_back(self) -> None:
        """The run has failed: every file is what it was, and what was not there is gone."""
        for path, old in self._kept.items():
            if old is None:
                path.unlink(missing_ok=True)
            else:
                old.replace(path)  # type: ignore[arg-type] # both lie in the same place
        self._kept.clear()

    def forget(self) -> None:
        """The run is through: the old files go."""
        for old in self._kept.values():
            if old is not None:
                old.unlink(missing_ok=True)
        self._kept.clear()


def _aside(path: Place) -> Place:
    return _copied(path) if isinstance(path, Remote) else _linked(path)


def _copied(path: Remote) -> Remote:
    old = path.with_name(_name(path))
    path.copy_to(old)
    return old


def _linked(path: Path) -> Path:
    old = path.with_name(_name(path))
    old.unlink(missing_ok=True)
    try:
        os.link(path, old)
    except OSError:  # a file system without hard links
        shutil.copy2(path, old)
    return old


def _name(path: Place) -> str:
    return f".{path.name}.before"
