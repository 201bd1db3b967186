"""Where the project lies, and where its data."""

from __future__ import annotations

import os
from pathlib import Path

from touchstone.errors import ConfigError
from touchstone.remote import Place, place

__all__ = ["DEFAULT_DATA_ROOT", "data_address", "data_root", "enclosing_project", "project_root"]

DEFAULT_DATA_ROOT = "data"
_MARK = "params.yaml"
_SETTING = "TOUCHSTONE_DATA_ROOT"
# This machine's own file, which git does not keep, goes before the committed one.
_SETTINGS = ("conf/local/globals.yml", "conf/base/globals.yml")


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


def data_root(project: Path) -> Place:
    """The folder below which a project's outputs lie, local or in a store.

    A manifest names outputs `data/…` wherever that is.

    Parameters
    ----------
    project : the project's folder; a relative root is one in it.

    Raises
    ------
    ConfigError
        As `data_address`.
    """
    return place(data_address(project), project)


def data_address(project: Path) -> str:
    """What ``TOUCHSTONE_DATA_ROOT`` says, or else `data_root` in conf/local/globals.yml, or else in conf/base/globals.yml.

    Raises
    ------
    ConfigError
        DVC runs the stage and the root is not `data`: DVC's outs are files of the project. Or a setting that is no text.
    """
    said = os.environ.get(_SETTING) or next(filter(None, (_written(project / name) for name in _SETTINGS)), DEFAULT_DATA_ROOT)
    if os.environ.get("DVC_STAGE") and said != DEFAULT_DATA_ROOT:
        raise ConfigError(
            f"DVC keeps outputs below {DEFAULT_DATA_ROOT}/, but the data root is '{said}': "
            f"unset {_SETTING} (or mend globals.yml) for `dvc repro`, or run `kedro run`."
        )
    return said.rstrip("/") if "://" in said else said


def _written(path: Path) -> str | None:
    if not path.is_file():
        return None
    import yaml

    said = (yaml.safe_load(path.read_text()) or {}).get("data_root")
    if said is not None and not isinstance(said, str):
        raise ConfigError(f"data_root must be a path or an address, but {path.parent.name}/{path.name} says {said!r}: write text.")
    return said
