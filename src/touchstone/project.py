"""Doors into the project's folder that need its Kedro pipelines and catalog."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kedro.framework.project import pipelines
from kedro.framework.startup import bootstrap_project

from touchstone.configuration import TouchstoneConfigLoader
from touchstone.notebook import open_run
from touchstone.reports import find_report, render, typed_parameters
from touchstone.stages import dvc_yaml

__all__ = ["generated_dvc_yaml", "write_report"]


def generated_dvc_yaml(root: Path) -> str:
    """The text that `dvc.yaml` must have."""
    bootstrap_project(root)
    catalog = TouchstoneConfigLoader(str(root / "conf"), base_env="base", default_run_env="base")["catalog"]
    return dvc_yaml(pipelines, catalog, root)


def write_report(root: Path, name: str, *, run_id: str | None, pairs: Sequence[str], output: Path | None) -> Path:
    """Render a report of a run (the last one when `run_id` is None) and say where it lies."""
    run = open_run(run_id, root=root)
    folder = root / "notebooks" / "reports"
    page = render(name, run_id=run.run_id, parameters=typed_parameters(pairs, find_report(name, folder)), folder=folder, cwd=root)
    target = output or root / "reports" / f"{name}-{run.run_id[:12]}.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(page)
    return target
