"""Pin the arithmetic before numpy loads (tests compare bits), and make small projects to run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from touchstone import arithmetic

arithmetic.pin()
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(__file__).parents[1] / ".touchstone" / "numba"))

import pytest  # noqa: E402 - after the pins


def pytest_configure(config: pytest.Config) -> None:
    # Not in pyproject.toml: pytest would import pandas, and with it numpy, before the pins are set.
    config.addinivalue_line("filterwarnings", "error::pandas.errors.PerformanceWarning")


REPOSITORY = Path(__file__).parents[1]
_PARTS = ("conf", "notebooks", "src", "params.yaml", "pyproject.toml", "requirements.lock")


def copy_project(target: Path) -> Path:
    """The project's own files in another folder, with an empty ledger and no data."""
    target.mkdir(parents=True, exist_ok=True)
    for part in _PARTS:
        source = REPOSITORY / part
        if source.is_dir():
            shutil.copytree(
                source, target / part, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", ".ipynb_checkpoints", "local")
            )
        else:
            shutil.copy2(source, target / part)
    (target / "ledger").mkdir()
    (target / "ledger" / "known.jsonl").touch()
    for kept in ("00_external/tables", "01_raw/snapshots"):
        (target / "data" / kept).mkdir(parents=True)
    return target


def run_project(root: Path, *, stages: tuple[str, ...] = (), env: str = "test", **runtime: Any) -> None:
    """Run stages (all when none is named) in this process, with the small parameters of `conf/test` unless another `env` is named."""
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    here = Path.cwd()
    os.chdir(root)
    try:
        bootstrap_project(root)
        with KedroSession.create(project_path=root, env=env, runtime_params=runtime) as session:
            session.run(pipeline_names=list(stages) or None)
    finally:
        os.chdir(here)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of its own for a test that writes."""
    return copy_project(tmp_path / "project")


@pytest.fixture(scope="session")
def new_project() -> Callable[[Path], Path]:
    """`copy_project`, for tests that need several or keep one for a module."""
    return copy_project


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which the whole loop has run once; for reading only."""
    root = copy_project(tmp_path_factory.mktemp("finished") / "project")
    run_project(root)
    return root


@pytest.fixture(scope="session")
def runner() -> Callable[..., None]:
    """`run_project`, for tests that run stages themselves."""
    return run_project
