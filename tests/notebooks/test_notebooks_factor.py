"""A factor in a real kernel, as `touchstone lab` starts it: audited in its cell, used by name, saved by a magic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from touchstone import cli
from touchstone.commands import _factor_save, save_factor

INSIDE = Path("src/touchstone/features/custom")
# Touchstone runs from the repository here, and the project is a folder of the test's own.
SETUP = """
from pathlib import Path
from touchstone.commands import _factor_save
_factor_save.custom_folder = lambda root: root / "src/touchstone/features/custom"
"""
IMPORTS = "import numpy as np\nfrom touchstone import features\nfrom touchstone.features import factor"
FACTOR = """
@factor(fields=("close",), lookback=21)
def calm(close):
    '''Little moved.'''
    return -np.log(close).diff().rolling(20).std()
"""
USE = """
from touchstone.features._factor_market import awkward_market
print(features.compute(awkward_market(21).bars, ["calm"]).columns.tolist())
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "params.yaml").touch()
    (tmp_path / INSIDE).mkdir(parents=True)
    (tmp_path / "notebooks").mkdir()
    return tmp_path


@pytest.fixture
def run(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], dict[str, Any]]]:
    """Run a cell and give the reply, with what it printed under `text`."""
    monkeypatch.delenv("DVC_ROOT", raising=False)
    environment = {**cli.os.environ, **cli._lab_environment(place), "JPY_SESSION_NAME": str(place / "notebooks" / "study.ipynb")}
    folder = place / ".touchstone" / "jupyter" / "kernels"
    manager = KernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(folder)]))
    manager.start_kernel(cwd=str(place / "notebooks"), env=environment)
    client = manager.client()
    client.start_channels()

    def execute(code: str) -> dict[str, Any]:
        shown: list[str] = []
        reply = client.execute_interactive(code, timeout=120, output_hook=lambda message: shown.append(message["content"].get("text", "")))
        return {**reply["content"], "text": "".join(shown)}

    try:
        client.wait_for_ready(timeout=120)
        yield execute
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_a_cells_factor_is_audited_used_and_saved(
    run: Callable[[str], dict[str, Any]], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(SETUP)["status"] == "ok"
    assert run(IMPORTS)["status"] == "ok"

    leaking = run(FACTOR.replace(".diff()", ".diff(-1)"))
    assert leaking["ename"] == "LookAheadError"
    assert "'calm' of " in leaking["evalue"]
    assert run("print('calm' in features.list_sets())")["text"] == "False\n"

    assert run(FACTOR)["status"] == "ok"
    assert run(USE)["text"] == "['calm']\n"

    assert run("%factor_save")["ename"] == "ConfigError"
    saved = run("%factor_save calm")
    assert saved["text"] == "saved: src/touchstone/features/custom/calm.py; name 'calm' in features.sets to use it in a run\n"
    written = place / INSIDE / "calm.py"
    by_magic = written.read_bytes()
    written.unlink()
    monkeypatch.setattr(_factor_save, "custom_folder", lambda root: root / INSIDE)
    save_factor("calm", [IMPORTS, FACTOR], origin="study.ipynb", root=place)
    assert written.read_bytes() == by_magic
