"""DVC runs the same loop: what changed and nothing else, experiments, remotes, and the same bytes as plain Kedro.

Each step goes on where the one before it ended, as a day of work does: a stage costs seconds to start.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
STAGES = ["ingestion", "features", "training", "backtest", "validation", "reporting"]
# The loop of one trial and two folds, as plain YAML values: DVC reads params.yaml itself.
SMALL: dict[str, dict[str, Any]] = {
    "features": {"audit_cuts": 2},
    "training": {"models": ["ridge"], "n_trials": 1, "n_folds": 2, "n_train": 540, "n_test": 60},
    "backtest": {"side_fraction": 0.25},
    "validation": {"n_resamples": 200},
}
QUIET = {
    "DVC_NO_ANALYTICS": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
}


class Lab:
    """A researcher's clone: git, DVC, a folder remote and small parameters."""

    def __init__(self, root: Path, shell: dict[str, str]) -> None:
        self.root = root
        # Numba keeps a cache by path: these paths are never seen again.
        self._environment = {**shell, **QUIET, "NUMBA_CACHE_DIR": str(root.parent / "numba")}

    def begin(self) -> None:
        for name in (".dvc", ".dvcignore", ".gitignore", "dvc.yaml"):
            source = REPOSITORY / name
            if source.is_dir():
                (self.root / name).mkdir()
                shutil.copy2(source / "config", self.root / name / "config")
            else:
                shutil.copy2(source, self.root / name)
        (self.root / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
        for note in REPOSITORY.glob("data/*/**/README.md"):  # without its note git, and so an experiment's copy, lacks the folder
            shutil.copy2(note, self.root / note.relative_to(REPOSITORY))
        self.change({**SMALL})
        self("git", "init", "--quiet")
        self("git", "config", "user.name", "a researcher")
        self("git", "config", "user.email", "researcher@example.org")
        self("dvc", "remote", "add", "--default", "store", str(self.root.parent / "store"))
        self("git", "add", "--all")
        self("git", "commit", "--quiet", "--message", "begin")

    def change(self, sections: dict[str, dict[str, Any]]) -> None:
        path = self.root / "params.yaml"
        values = yaml.safe_load(path.read_text())
        for name, section in sections.items():
            values[name] |= section
        path.write_text(yaml.safe_dump(values, sort_keys=False))

    def __call__(self, *command: str) -> str:
        answer = subprocess.run(command, cwd=self.root, env=self._environment, capture_output=True, text=True, check=False)
        said = answer.stdout + answer.stderr
        assert answer.returncode == 0, f"{' '.join(command)}\n{said[-4000:]}"
        return said

    def outputs(self) -> dict[str, bytes]:
        data = self.root / "data"
        files = (path for path in sorted(data.rglob("*")) if path.is_file() and path.name != "README.md")  # git's notes
        return {path.relative_to(data).as_posix(): path.read_bytes() for path in files}

    def known(self) -> list[str]:
        return (self.root / "ledger" / "known.jsonl").read_text().splitlines()

    def run_id(self) -> str:
        return str(json.loads((self.root / "data" / "08_reporting" / "identity.json").read_text())["run_id"])


def _ran(said: str) -> list[str]:
    return [stage for stage in STAGES if f"Running stage '{stage}'" in said]


@pytest.fixture(scope="module")
def lab(
    new_project: Callable[[Path], Path],
    with_short_report: Callable[[Path], Path],
    shell: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Lab:
    made = Lab(with_short_report(new_project(tmp_path_factory.mktemp("lab") / "project")), shell)
    made.begin()
    return made


@pytest.fixture(scope="module")
def files(prices: Path) -> list[str]:
    return ["-S", "data.source=files", "-S", f"data.files.path={prices}"]


def test_an_experiment_on_files_runs_the_loop(lab: Lab, files: list[str]) -> None:
    assert _ran(lab("dvc", "exp", "run", *files)) == STAGES
    assert len(lab.known()) == 1


def test_a_second_repro_has_nothing_to_do(lab: Lab) -> None:
    assert "up to date" in lab("dvc", "repro")
    assert "up to date" in lab("dvc", "status")


def test_plain_kedro_gives_the_same_outputs(
    lab: Lab,
    new_project: Callable[[Path], Path],
    with_short_report: Callable[[Path], Path],
    runner: Callable[..., None],
    shell: dict[str, str],
    tmp_path: Path,
) -> None:
    other = Lab(with_short_report(new_project(tmp_path / "project")), shell)
    runner(other.root, **yaml.safe_load((lab.root / "params.yaml").read_text()))
    assert other.run_id() == lab.run_id()
    assert other.outputs() == lab.outputs()


def test_an_experiment_in_a_temporary_folder_is_remembered_by_the_real_project(lab: Lab, files: list[str]) -> None:
    before = lab.outputs()
    said = lab("dvc", "exp", "run", "--temp", *files, "-S", "backtest.half_spread_bps=9")
    assert set(_ran(said)) >= {"backtest", "validation", "reporting"}
    assert lab.outputs() == before
    assert len(lab.known()) == 2
    records = [json.loads(line)["body"] for line in (lab.root / "runs" / "manifests.jsonl").read_text().splitlines()]
    spreads = [record["identity"]["parameters"]["backtest"]["half_spread_bps"] for record in records]
    assert spreads == [5.0, 9.0]


def test_a_changed_backtest_parameter_runs_nothing_before_the_backtest(lab: Lab) -> None:
    lab.change({"backtest": {"half_spread_bps": 7.0}})
    assert _ran(lab("dvc", "repro")) == ["backtest", "validation", "reporting"]
    assert len(lab.known()) == 3


def test_what_was_pushed_comes_back_and_is_registered(lab: Lab) -> None:
    from touchstone.tracking import register, resolve

    before = lab.outputs()
    lab("dvc", "push")
    shutil.rmtree(lab.root / ".dvc" / "cache")
    kept = [path for path in lab.outputs() if path in {"08_reporting/metrics.json", "08_reporting/equity.svg"}]
    for path in before:
        if path not in kept:
            (lab.root / "data" / path).unlink()
    lab("dvc", "pull")
    assert lab.outputs() == before
    assert "up to date" in lab("dvc", "status")
    shutil.rmtree(lab.root / "mlruns", ignore_errors=True)
    assert register(lab.root).run_id == lab.run_id()
    assert resolve("candidate", root=lab.root).run_id == lab.run_id()
