"""Checks of an installation that take seconds."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from touchstone import arithmetic
from touchstone.configuration import read_parameters
from touchstone.errors import TouchstoneError
from touchstone.parameters import parse

__all__ = ["Finding", "examine"]


@dataclass(frozen=True)
class Finding:
    """One check: whether it is well, and a sentence."""

    well: bool
    what: str


def examine(root: Path) -> tuple[Finding, ...]:
    """Check the interpreter, the pins, the installed versions, the parameters, the source, the disk and the browser."""
    return tuple(check(root) for check in (_python, _arithmetic, _versions, _parameters, _source, _disk, _browser))


def _python(_: Path) -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Finding(sys.version_info[:2] == (3, 11), f"Python {version} (3.11 is what the lock is resolved for)")


def _arithmetic(_: Path) -> Finding:
    return Finding(arithmetic.is_pinned(), "arithmetic is pinned to AVX2, so that every x86-64 processor gives the same bits")


def _versions(root: Path) -> Finding:
    wanted = dict(line.split("==") for line in (root / "requirements.lock").read_text().splitlines() if "==" in line)
    wrong = sorted(name for name, version in wanted.items() if _installed(name) != version)
    few = ", ".join(f"{name} {_installed(name) or 'missing'} (lock: {wanted[name]})" for name in wrong[:5])
    return Finding(not wrong, f"{len(wanted)} packages as locked" if not wrong else f"{len(wrong)} packages differ from the lock: {few}")


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name).split("+")[0]
    except importlib.metadata.PackageNotFoundError:
        return None


def _parameters(root: Path) -> Finding:
    return _attempt("params.yaml is understood", lambda: parse(read_parameters(root / "params.yaml")))


def _source(root: Path) -> Finding:
    from touchstone import sources

    def known() -> None:
        name = parse(read_parameters(root / "params.yaml")).data.source
        if name not in sources.list_sources():
            raise TouchstoneError(f"data.source must be one of {', '.join(sources.list_sources())}, but got '{name}'.")

    return _attempt("the data source is known", known)


def _disk(root: Path) -> Finding:
    free = shutil.disk_usage(root).free / 2**30
    return Finding(free > 1.0, f"{free:.0f} GiB free on the disk (a run keeps its outputs: 1 GiB is the least)")


def _browser(_: Path) -> Finding:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    return Finding(True, "a browser is there for the report tests" if found else "no chromium: the report test in a browser will skip")


def _attempt(what: str, action: Callable[[], object]) -> Finding:
    try:
        action()
    except TouchstoneError as error:
        return Finding(False, str(error))
    return Finding(True, what)
