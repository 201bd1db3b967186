"""Notebooks found, executed and made canonical: the same notebook over the same run is the same bytes."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from touchstone import arithmetic, errors
from touchstone.errors import ConfigError, TouchstoneError, nearest

if TYPE_CHECKING:
    import nbformat

__all__ = ["declared_parameters", "execute", "find_report", "needs_ingestion_only"]

_KERNEL = "python3"
_QUIET = ("papermill", "traitlets", "nbclient")
# Left by papermill, the kernel or an editor; each differs from run to run or from machine to machine.
_TRANSIENT = ("papermill", "execution", "jupyter", "collapsed", "scrolled", "trusted", "widgets")


def find_report(name: str, folder: Path) -> Path:
    """Path of the report of this name.

    Raises
    ------
    ConfigError
        The folder holds no such notebook (the nearest is named).
    """
    known = {path.stem: path for path in sorted(folder.glob("*.ipynb"))}
    if name not in known:
        raise ConfigError(f"A report is a notebook of notebooks/reports, but there is none named '{name}': {nearest(name, known)}.")
    return known[name]


def declared_parameters(notebook_path: Path) -> dict[str, str]:
    """Type by name of what the cell tagged `parameters` declares; without an annotation, the type of the default."""
    import papermill

    with _quiet():
        found = papermill.inspect_notebook(_read(notebook_path))
    return {name: _kind(parameter["inferred_type_name"], parameter["default"]) for name, parameter in found.items()}


def needs_ingestion_only(notebook_path: Path) -> bool:
    """Whether the report is about data alone and needs no finished run: its metadata say ``"touchstone": {"needs": "ingestion"}``."""
    said = _read(notebook_path).metadata.get("touchstone", {})
    return bool(said.get("needs") == "ingestion")


def execute(notebook_path: Path, parameters: Mapping[str, Any], *, cwd: Path) -> nbformat.NotebookNode:
    """Run a notebook with parameters in a fresh kernel of this Python; nothing is written.

    Parameters
    ----------
    notebook_path : the notebook; a cell tagged `parameters` declares what it takes.
    parameters : values by name: str, int, float, bool, and lists of them.
    cwd : working folder of the kernel.

    Returns
    -------
    NotebookNode
        The executed notebook in canonical form: cells numbered, no clock times, no ids or names of this machine.

    Raises
    ------
    ConfigError
        A parameter that the notebook does not declare (the nearest is named).
    TouchstoneError
        A cell failed. An error that the house raised inside the notebook comes out as what it was.
    """
    import papermill
    from papermill.exceptions import PapermillExecutionError

    declared = declared_parameters(notebook_path)
    for name in parameters:
        if name not in declared:
            raise ConfigError(f"Report '{notebook_path.stem}' has no parameter '{name}': {nearest(name, declared)}.")
    arithmetic.pin()
    try:
        with _quiet(), TemporaryDirectory() as profile:
            # A profile of its own: the reader's IPython start-up files and history take no part in a report.
            options = [f"--ipython-dir={profile}", "--IPKernelApp.log_level=CRITICAL"]
            executed = papermill.execute_notebook(
                _read(notebook_path), None, dict(parameters), kernel_name=_KERNEL, progress_bar=False, cwd=str(cwd), extra_arguments=options
            )
    except PapermillExecutionError as failure:
        raise _as_ours(failure.ename, failure.evalue, notebook_path.stem, failure.cell_index) from None
    return _canonical(executed)


def _read(path: Path) -> nbformat.NotebookNode:
    import nbformat  # a notebook that shows our blocks does not need it, and it takes longest of all to import

    # papermill formats paths it is given as templates; a notebook already read keeps braces in a path harmless.
    notebook = nbformat.read(path, as_version=4)
    # Whatever kernel its author had, or none at all: it runs in this Python.
    notebook.metadata["kernelspec"] = {"name": _KERNEL, "display_name": "Python 3", "language": "python"}
    return notebook


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what carries clock times and paths of this machine, and give the loggers back as they were."""
    loggers = [logging.getLogger(name) for name in _QUIET]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        # The level, as loggers below inherit it.
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def _kind(annotation: str, default: str) -> str:
    if annotation not in {"None", "NoneType"}:
        return annotation.replace(" ", "").replace("dt.date", "date").replace("List[", "list[")
    try:
        return type(ast.literal_eval(default)).__name__
    except (ValueError, SyntaxError):
        return "str"


def _as_ours(name: str, message: str, report: str, cell: int) -> TouchstoneError:
    kind = getattr(errors, name, None) if name in errors.__all__ else None
    if isinstance(kind, type) and issubclass(kind, TouchstoneError):
        return kind(message)
    return TouchstoneError(
        f"Every cell of a report must run, but cell {cell} of '{report}' raised {name}: {message}. Open it in JupyterLab and run it there."
    )


def _canonical(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A new notebook with numbered cells and without what differs from run to run."""
    import nbformat

    written = nbformat.v4.new_notebook(metadata=_lasting(notebook.metadata))
    written.metadata.pop("language_info", None)
    for place, cell in enumerate(notebook.cells):
        kept = {**cell, "id": f"cell-{place:03d}", "metadata": _lasting(cell.metadata)}
        if cell.cell_type == "code":
            kept["outputs"] = [_output(output) for output in cell.outputs]
        written.cells.append(nbformat.from_dict(kept))
    return written


def _lasting(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if key not in _TRANSIENT}


def _output(output: Mapping[str, Any]) -> dict[str, Any]:
    return {**output, "metadata": _lasting(output["metadata"])} if "metadata" in output else dict(output)
