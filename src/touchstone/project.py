"""Doors into the project's folder that need its Kedro pipelines and catalog."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kedro.framework.project import pipelines
from kedro.framework.startup import bootstrap_project

from touchstone.configuration import TouchstoneConfigLoader
from touchstone.notebook import open_data, open_run
from touchstone.reports import find_report, needs_ingestion_only, render, typed_parameters
from touchstone.root import DEFAULT_DATA_ROOT
from touchstone.stages import dvc_yaml

__all__ = ["generated_dvc_yaml", "write_report"]


def generated_dvc_yaml(root: Path) -> str:
    """The text that `dvc.yaml` must have."""
    bootstrap_project(root)
    loader = TouchstoneConfigLoader(str(root / "conf"), base_env="base", default_run_env="base")
    # DVC's outs are files of the project, wherever this machine keeps its own.
    loader["globals"] = {"data_root": DEFAULT_DATA_ROOT}
    return dvc_yaml(pipelines, loader["catalog"], root)


def write_report(root: Path, name: str, *, run_id: str | None, pairs: Sequence[str], output: Path | None) -> Path:
    """Render a report of a run (the last one when `run_id` is None) and say where it lies; one about data alone needs no finished run."""
    folder = root / "notebooks" / "reports"
    notebook = find_report(name, folder)
    run = open_data(run_id, root=root) if needs_ingestion_only(notebook) else open_run(run_id, root=root)
    page = render(name, run_id=run.run_id, parameters=typed_parameters(pairs, notebook), folder=folder, cwd=root)
    target = output or root / "reports" / f"{name}-{run.run_id[:12] or 'ingested'}.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(page)
    return target
