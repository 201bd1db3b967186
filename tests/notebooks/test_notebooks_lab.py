"""What `touchstone lab` opens: a real kernel, started as JupyterLab starts it, has the project loaded."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from touchstone import arithmetic, cli


@pytest.fixture
def started(project: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], dict[str, str], Path]:
    """The command that `touchstone lab` would start, with its environment and folder."""
    calls: list[tuple[list[str], dict[str, str], Path]] = []
    monkeypatch.chdir(project / "notebooks")
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.setattr(cli.subprocess, "call", lambda command, *, cwd, env: calls.append((command, env, cwd)) or 0)
    assert CliRunner().invoke(cli.cli, ["lab", "--no-browser", "--port=9999"]).exit_code == 0
    return calls[0]


@pytest.fixture
def kernel(started: tuple[list[str], dict[str, str], Path]) -> Iterator[Any]:
    """A client of the kernel that this lab starts for a notebook of the kind `python3`."""
    _, environment, root = started
    folders = [str(Path(folder) / "kernels") for folder in environment["JUPYTER_PATH"].split(os.pathsep)]
    manager = KernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=folders))
    manager.start_kernel(cwd=str(root / "notebooks"), env=environment)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=120)
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_it_starts_this_python_in_the_projects_folder_and_passes_options_on(started: tuple[list[str], dict[str, str], Path]) -> None:
    command, environment, root = started
    assert command[:4] == [sys.executable, "-m", "jupyter", "lab"]
    assert command[-2:] == ["--no-browser", "--port=9999"]
    assert (root / "params.yaml").is_file()
    assert environment["JUPYTER_PATH"].startswith(str(root))


def test_a_kernel_has_the_project_loaded(kernel: Any, project: Path) -> None:
    shown: list[str] = []
    reply = kernel.execute_interactive(
        "print(catalog.load('params:seed'), list(pipelines)[0], context.project_path, type(session).__name__)\n"
        "from touchstone import arithmetic; print(arithmetic.is_pinned())",
        timeout=120,
        output_hook=lambda message: shown.append(message["content"].get("text", "")),
    )
    assert reply["content"]["status"] == "ok", reply["content"]
    assert "".join(shown).split() == ["7", "ingestion", str(project), "KedroSession", str(arithmetic.is_pinned())]
