"""A year of 5-minute bars of twenty symbols through all six stages: seconds by stage and peak memory.

The parameters are those of `params.yaml` but for the source and what counts bars: labels of an hour, a quarter to learn from before the
first score, a new fit every month, decisions once an hour. The first run on a machine also compiles the kernels: run it twice.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from touchstone import arithmetic

arithmetic.pin()

ROOT = Path(__file__).parents[1]
PARTS = ("conf", "notebooks", "src", "params.yaml", "pyproject.toml", "requirements.lock")
STAGES = ("ingestion", "features", "training", "backtest", "validation", "reporting")
A_SESSION = 78


def clone(target: Path) -> Path:
    """The project's own files in an empty folder with an empty ledger."""
    target.mkdir()
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy2
        copy(ROOT / part, target / part)
    for folder in ("ledger", "data/00_external/tables", "data/01_raw/snapshots"):
        (target / folder).mkdir(parents=True)
    (target / "ledger" / "known.jsonl").touch()
    return target


def parameters(n_symbols: int, n_sessions: int) -> dict[str, Any]:
    """What differs from `params.yaml`."""
    return {
        "data": {
            "source": "simulated",
            "timeframe": "5m",
            "simulated": {"n_symbols": n_symbols, "n_sessions": n_sessions, "signal_half_life": 40.0},
        },
        "labels": {"horizon": 12},
        "training": {"n_train": n_sessions // 4 * A_SESSION, "n_test": 21 * A_SESSION, "embargo": 12},
    }


def run(place: Path, stage: str, given: dict[str, Any]) -> float:
    """Seconds of one stage."""
    from kedro.framework.session import KedroSession

    began = time.perf_counter()
    with KedroSession.create(project_path=place, runtime_params=given) as session:
        session.run(pipeline_names=[stage])
    return time.perf_counter() - began


def main() -> None:
    """Run the stages one after the other and print what each took."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--symbols", type=int, default=20)
    arguments.add_argument("--sessions", type=int, default=252)
    asked = arguments.parse_args()
    os.environ["TOUCHSTONE_TRACKING"] = "off"
    from kedro.framework.startup import bootstrap_project

    with tempfile.TemporaryDirectory() as folder:
        place = clone(Path(folder) / "project")
        os.chdir(place)
        bootstrap_project(place)
        print(f"{'stage':<12} {'seconds':>8} {'peak so far':>12}")
        total = 0.0
        for stage in STAGES:
            seconds = run(place, stage, parameters(asked.symbols, asked.sessions))
            total += seconds
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            print(f"{stage:<12} {seconds:8.1f} {peak:9.2f} GiB", flush=True)
        reporting = place / "data" / "08_reporting"
        card = json.loads((reporting / "scorecard.json").read_text())
        record = json.loads((reporting / "records" / "ingestion.json").read_text())
        rows, audit = record["facts"]["rows_in"], card["audit_findings"]
        page = (reporting / "tear_sheet.html").stat().st_size / 2**20
        os.chdir(ROOT)
    print(f"{'all':<12} {total:8.1f}   {rows:,} bars, {audit} look-ahead findings, tear sheet of {page:.1f} MiB")


if __name__ == "__main__":
    main()
