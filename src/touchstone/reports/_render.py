"""A report by its name, bound to a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from touchstone.reports._notebooks import declared_parameters, execute, find_report
from touchstone.reports._pages import to_html

__all__ = ["render"]


def render(name: str, *, run_id: str = "", parameters: Mapping[str, Any] | None = None, folder: Path, cwd: Path) -> bytes:
    """Execute a report over a run and return the page.

    Parameters
    ----------
    name : stem of a notebook in the folder.
    run_id : the run to bind it to, for notebooks with a parameter `run_id`; empty: the run whose outputs lie in `data/`.
    parameters : further values by name (see `typed_parameters`).
    folder : folder of the reports.
    cwd : folder of the project; the notebook runs there.

    Returns
    -------
    bytes
        A self-contained HTML page, the same bytes for the same run.

    Raises
    ------
    ConfigError
        No such report, an unknown parameter, or a page that would need the network.
    TouchstoneError
        A cell failed.
    """
    path = find_report(name, folder)
    bound = {"run_id": run_id} if run_id and "run_id" in declared_parameters(path) else {}
    executed = execute(path, {**bound, **(parameters or {})}, cwd=cwd)
    return to_html(executed, subtitle=f"run {run_id[:12]}" if run_id else "Touchstone")
