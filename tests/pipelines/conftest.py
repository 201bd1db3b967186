"""Projects to run, kill and spoil; and a small market in files, since a simulated one is not remembered."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest

from touchstone.market import sessions

N_SYMBOLS, N_SESSIONS = 8, 660
TRUTH_SEEDS = (1, 2, 3, 4, 5)
# Two folds, one model, one trial: enough for a loop that is about bytes and ledgers.
QUICK = {"models": ["ridge"], "n_trials": 1}


def _is_written(path: Path) -> bool:
    return path.name in {"data", "runs", "mlruns", ".touchstone", "ledger"}


@pytest.fixture(scope="session")
def shell() -> dict[str, str]:
    """The environment of a user's terminal: Kedro leaves the last project's code in this process's PYTHONPATH."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**{name: value for name, value in os.environ.items() if name != "PYTHONPATH"}, "PATH": path}


@pytest.fixture(scope="session")
def fresh(finished_run: Path) -> Callable[[Path], Path]:
    """Copies the files of the finished run's project, but nothing that a run writes."""

    def copy(target: Path) -> Path:
        shutil.copytree(finished_run, target, ignore=lambda folder, names: [name for name in names if _is_written(Path(folder, name))])
        (target / "ledger").mkdir()
        (target / "ledger" / "known.jsonl").touch()
        (target / "data" / "00_external" / "tables").mkdir(parents=True)
        return target

    return copy


@pytest.fixture(scope="session")
def with_short_report() -> Callable[[Path], Path]:
    """Replaces the tear sheet of a project by a page of one line: the real one takes as long as the rest of the loop."""

    def replace(root: Path) -> Path:
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        cells = [
            nbformat.v4.new_code_cell('run_id = ""', id="parameters", metadata={"tags": ["parameters"]}),
            nbformat.v4.new_code_cell("run_id[:12]", id="page"),
        ]
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        nbformat.write(notebook, root / "notebooks" / "reports" / "tear_sheet.ipynb")
        return root

    return replace


def market_rows(*, n_symbols: int = N_SYMBOLS, n_sessions: int = N_SESSIONS, seed: int = 5) -> pd.DataFrame:
    """A long table as a vendor sends it: one row a symbol and session, symbol after symbol."""
    dates = sessions("XNYS", "2012-01-01", "2015-12-31")[:n_sessions]
    generator = np.random.default_rng(seed)
    close = 50 * np.exp(np.cumsum(generator.normal(0, 0.015, (n_symbols, n_sessions)), axis=1))
    opened = close * np.exp(generator.normal(0, 0.004, close.shape))
    values = {
        "date": np.tile(dates, n_symbols),
        "open": opened.ravel().round(4),
        "high": (np.maximum(opened, close) * 1.003).ravel().round(4),
        "low": (np.minimum(opened, close) * 0.997).ravel().round(4),
        "close": close.ravel().round(4),
        "volume": generator.integers(10_000, 90_000, close.size).astype(float),
        "Name": np.repeat([f"S{number:02d}" for number in range(n_symbols)], n_sessions),
    }
    return pd.DataFrame(values)


@pytest.fixture(scope="session")
def rows() -> Callable[..., pd.DataFrame]:
    """`market_rows`, for tests that write or spoil files."""
    return market_rows


@pytest.fixture(scope="session")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of the small market."""
    path = tmp_path_factory.mktemp("prices") / "market.csv"
    market_rows().to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def from_files() -> Callable[[Path], dict[str, Any]]:
    """Runtime parameters of a quick loop on a file."""
    return lambda path: {"data": {"source": "files", "files": {"path": str(path)}}, "training": QUICK}


@pytest.fixture(scope="session")
def identify() -> Callable[..., str]:
    """Runs the loop as far as the run's identity and gives the run id."""

    def run(root: Path, **runtime: Any) -> str:
        from kedro.framework.session import KedroSession
        from kedro.framework.startup import bootstrap_project

        here = Path.cwd()
        os.chdir(root)
        try:
            bootstrap_project(root)
            with KedroSession.create(project_path=root, env="test", runtime_params=runtime) as session:
                session.run(to_nodes=["identify"])
        finally:
            os.chdir(here)
        return str(json.loads((root / "data" / "08_reporting" / "identity.json").read_text())["run_id"])

    return run


@pytest.fixture(scope="session")
def manifest() -> Callable[[Path], dict[str, Any]]:
    """The manifest's body of a project's last run."""
    return lambda root: dict(json.loads((root / "data" / "08_reporting" / "manifest.json").read_text()))


@pytest.fixture
def verdicts(project: Path, runner: Callable[..., None]) -> Callable[[float], Iterator[dict[str, Any]]]:
    """Verdicts at the committed defaults on simulated markets, one a seed, with a signal of the rank IC asked for."""
    stages = ("ingestion", "features", "training", "backtest", "validation")

    def judged(rank_ic: float) -> Iterator[dict[str, Any]]:
        for seed in TRUTH_SEEDS:
            runner(project, stages=stages, env="base", seed=seed, data={"source": "simulated", "simulated": {"rank_ic": rank_ic}})
            yield json.loads((project / "data" / "08_reporting" / "verdict.json").read_text())

    return judged
