"""A run that is killed at any moment and started again ends in the same bytes."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

RUN = ("touchstone", "run", "--env", "test")
PATIENCE = 180.0


def _tuned_halfway(root: Path) -> bool:
    """One trial of three is complete: Optuna's own table says so."""
    path = root / ".touchstone" / "optuna.db"
    if not path.exists():
        return False
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            return bool(database.execute("select count(*) from trials where state = 'COMPLETE'").fetchone()[0])
    except sqlite3.OperationalError:  # the tables are not there yet, or are being written
        return False


def _written(path: str) -> Callable[[Path], bool]:
    return lambda root: (root / "data" / path).exists()


# In the order of the loop, so that each kill leaves all that was before it, whole and old or whole and new.
MOMENTS: dict[str, Callable[[Path], bool]] = {
    "ingestion": _written("01_raw/signals.parquet"),
    "tuning": _tuned_halfway,
    "backtest": _written("07_model_output/scores.parquet"),
    "archiving": _written("08_reporting/manifest.json"),
}


def _kill_when(root: Path, reached: Callable[[Path], bool], name: str, shell: dict[str, str]) -> None:
    process = subprocess.Popen(RUN, cwd=root, env=shell, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + PATIENCE
    while not reached(root) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    alive = process.poll() is None
    process.kill()
    _, said = process.communicate()
    assert alive, f"the run was over before it could be killed in {name}: {said[-2000:]}"
    assert reached(root), f"{name} was not reached in {PATIENCE} s"


def _outputs(root: Path) -> dict[str, bytes]:
    """Every file that a reader of `data/` meets; one beside its target, with a dot, is none."""
    found = (path for path in sorted((root / "data").rglob("*")) if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


def test_a_killed_run_ends_in_the_same_bytes(
    fresh: Callable[[Path], Path], finished_run: Path, runner: Callable[..., None], shell: dict[str, str], tmp_path: Path
) -> None:
    undisturbed, root = _outputs(finished_run), fresh(tmp_path / "project")
    for name, reached in MOMENTS.items():
        _kill_when(root, reached, name, shell)
        left = _outputs(root)
        assert left
        assert left.items() <= undisturbed.items(), f"a file was left half written in {name}"
    runner(root)
    assert _outputs(root) == undisturbed
    _is_archived_once(root, json.loads(undisturbed["data/08_reporting/manifest.json"])["run_id"])


def _is_archived_once(root: Path, run_id: str) -> None:
    records = [json.loads(line) for line in (root / "runs" / "manifests.jsonl").read_text().splitlines()]
    assert [record["body"]["run_id"] for record in records] == [run_id]
    assert sorted(path.name for path in (root / "runs").iterdir() if path.is_dir() and not path.name.startswith(".")) == [run_id]
