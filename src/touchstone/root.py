"""Where the project lies."""

from __future__ import annotations

import os
from pathlib import Path

from touchstone.errors import ConfigError

__all__ = ["enclosing_project", "project_root"]

_MARK = "params.yaml"


def project_root(start: Path | None = None) -> Path:
    """The real project's folder: what ``DVC_ROOT`` names (also inside `dvc exp run --temp`), or the nearest one upward with a params.yaml.

    Parameters
    ----------
    start : where to look upward from (None: the working folder).

    Raises
    ------
    ConfigError
        There is none.
    """
    named = os.environ.get("DVC_ROOT")
    if named:
        return Path(named).resolve()
    here = start or Path.cwd()
    found = enclosing_project(here)
    if found is None:
        raise ConfigError(f"A project is a folder with a {_MARK}, but there is none at or above {here}: change into your project.")
    return found


def enclosing_project(start: Path) -> Path | None:
    """The nearest folder at or above a place that holds a params.yaml."""
    here = start.resolve()
    return next((folder for folder in (here, *here.parents) if (folder / _MARK).is_file()), None)
