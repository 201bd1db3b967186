"""A factor written into the project, so that every later run has it by its name."""

from __future__ import annotations

import ast
import importlib
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from touchstone.atomic import write_whole
from touchstone.commands._factor_source import Definition, find_definition
from touchstone.errors import ConfigError, name_few
from touchstone.lineage import digest

if TYPE_CHECKING:
    from touchstone.features import FactorAudit

__all__ = ["SavedFactor", "custom_folder", "factor_module", "save_factor", "saved_factors"]

_PACKAGE = "touchstone.features.custom"
_INSIDE = Path("src") / Path(*_PACKAGE.split("."))
_ORIGIN = re.compile(r"^from: (?P<origin>.*), cell [0-9a-f]{64}$", flags=re.MULTILINE)
_SOURCE = re.compile(r"^source: (?P<source>[0-9a-f]{64})$", flags=re.MULTILINE)


@dataclass(frozen=True)
class SavedFactor:
    """A factor in the project.

    Attributes
    ----------
    name
        Its name, and that of its module.
    path
        Where it lies below the project.
    origin
        The notebook or module that it came from; empty where the file does not say.
    is_as_saved
        Whether its code is what was audited and saved.
    """

    name: str
    path: Path
    origin: str
    is_as_saved: bool


def save_factor(name: str, cells: Sequence[str], *, origin: str, root: Path, force: bool = False) -> SavedFactor:
    """Audit a factor once more as it will be loaded, and write it to the package of saved factors.

    Parameters
    ----------
    name
        The factor's name.
    cells
        Code that defines it, in the order in which it ran.
    origin
        Name of the notebook or module; no path of this machine, as the file is part of a run's code.
    root
        Folder of the project.
    force
        Whether another version under this name is overwritten.

    Raises
    ------
    ConfigError
        It does not stand alone, another version is there, or the project is not where this Touchstone runs from.
    LookAheadError, DataError
        As `touchstone.features.factor`.
    """
    folder = custom_folder(root)
    found = find_definition(name, cells)
    _require_installed(found)
    path = folder / f"{name}.py"
    if path.exists() and _code(path.read_text()) != found.body and not force:
        raise ConfigError(
            f"A saved factor is not overwritten unasked, but '{name}' is there in another version ({_read(path, root).origin}): "
            "say --force, or rename yours."
        )
    text = _module(found, origin)
    # The same code keeps the words that it was first saved under, and with them the code hash of every run.
    if not path.exists() or _code(path.read_text()) != found.body or not _read(path, root).is_as_saved:
        write_whole(path, text.encode())
        importlib.invalidate_caches()
    return _read(path, root)


def factor_module(name: str, cells: Sequence[str], *, origin: str) -> str:
    """The module that `save_factor` would write, audited as it would be; nothing is written.

    Raises
    ------
    ConfigError, LookAheadError, DataError
        As `save_factor`.
    """
    found = find_definition(name, cells)
    _require_installed(found)
    return _module(found, origin)


def saved_factors(root: Path) -> tuple[SavedFactor, ...]:
    """The factors that the project holds, by name; nothing is imported for it."""
    return tuple(_read(path, root) for path in sorted((root / _INSIDE).glob("[!_]*.py")))


def custom_folder(root: Path) -> Path:
    """The folder of saved factors, once it is known to be the one that this Touchstone loads from.

    Raises
    ------
    ConfigError
        Touchstone is installed elsewhere, or the folder cannot be written to.
    """
    folder = root / _INSIDE
    loaded = Path(str(importlib.import_module(_PACKAGE).__file__)).parent
    if not folder.is_dir() or not folder.samefile(loaded):
        raise ConfigError(
            f"A factor is saved into {_INSIDE} of the project that Touchstone runs from, but this one runs from elsewhere: install the "
            "project itself (`make setup`, or `pip install -e .` in its folder)."
        )
    if not os.access(folder, os.W_OK):
        raise ConfigError(f"A factor is saved into {_INSIDE}, but nobody may write there: make the folder writable.")
    return folder


def _require_installed(found: Definition) -> None:
    known = {*sys.stdlib_module_names, *packages_distributions(), "touchstone"}
    own = [module for module in found.modules if module.partition(".")[0] not in known]
    if own:
        raise ConfigError(
            f"A saved factor may import what is installed, but '{found.name}' imports {name_few(own)}: move that code into the function, "
            "or install it."
        )


def _module(found: Definition, origin: str) -> str:
    return _header(found, origin, _audited(found)) + found.body


def _audited(found: Definition) -> FactorAudit:
    """Run the module as a later import will, in memory, and audit what it holds."""
    from touchstone.features import audit_factor

    module = ModuleType(f"{_PACKAGE}.{found.name}")
    exec(compile(found.body, f"{found.name}.py", "exec"), module.__dict__)
    return audit_factor(getattr(module, found.name))


def _header(found: Definition, origin: str, audited: FactorAudit) -> str:
    market = f"the built-in market of {audited.n_symbols} symbols and {audited.n_sessions} sessions, data {audited.data}"
    return (
        f'"""Factor `{found.name}`, written by `touchstone factor save`: change it where it came from and save it again.\n\n'
        f'from: {origin}, cell {found.cell}\naudited on: {market}\nsource: {digest(found.body.encode())}\n"""\n\n'
    )


def _read(path: Path, root: Path) -> SavedFactor:
    text = path.read_text()
    origin, source = _ORIGIN.search(text), _SOURCE.search(text)
    same = source is not None and source["source"] == digest(_code(text).encode())
    return SavedFactor(path.stem, path.relative_to(root), origin["origin"] if origin else "", same)


def _code(text: str) -> str:
    """What stands below the header."""
    try:
        body = ast.parse(text).body
    except SyntaxError:
        return text
    is_header = bool(body) and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    return "".join(text.splitlines(keepends=True)[(body[0].end_lineno or 0) if is_header else 0 :]).lstrip("\n")
