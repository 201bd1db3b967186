"""What a run replaces is kept until the run is through."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

__all__ = ["Undo"]


class Undo:
    """The files that a run has replaced, so that one that fails can put them back.

    The old file is linked, not copied: datasets write beside their target and rename, so the old bytes stay what they were.
    """

    def __init__(self) -> None:
        self._kept: dict[Path, Path | None] = {}

    def keep(self, path: Path) -> None:
        """Keep what lies at the path before it is replaced for the first time."""
        if path not in self._kept:
            self._kept[path] = _linked(path) if path.exists() else None

    def put_back(self) -> None:
        """The run has failed: every file is what it was, and what was not there is gone."""
        for path, old in self._kept.items():
            if old is None:
                path.unlink(missing_ok=True)
            else:
                old.replace(path)
        self._kept.clear()

    def forget(self) -> None:
        """The run is through: the old files go."""
        for old in filter(None, self._kept.values()):
            old.unlink(missing_ok=True)
        self._kept.clear()


def _linked(path: Path) -> Path:
    old = path.with_name(f".{path.name}.before")
    old.unlink(missing_ok=True)
    try:
        os.link(path, old)
    except OSError:  # a file system without hard links
        shutil.copy2(path, old)
    return old
