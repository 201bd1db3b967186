"""Test the test: the gate on simulated markets where the truth is known, at the committed defaults.

Five seeds with a planted rank IC of 0.05 and five with none, each the whole loop but the report. Prints what the gate said.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

from touchstone import arithmetic

arithmetic.pin()

ROOT = Path(__file__).parents[1]
STAGES = ["ingestion", "features", "training", "backtest", "validation"]
PARTS = ("conf", "notebooks", "src", "params.yaml", "pyproject.toml", "requirements.lock")


def clone(target: Path) -> Path:
    """The project's own files in an empty folder with an empty ledger."""
    target.mkdir()
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy2
        copy(ROOT / part, target / part)
    (target / "ledger").mkdir()
    (target / "data" / "00_external" / "tables").mkdir(parents=True)
    return target


def judge(place: Path, *, seed: int, rank_ic: float) -> dict[str, object]:
    """Run the loop on one market and give back scorecard and verdict."""
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    os.chdir(place)
    bootstrap_project(place)
    parameters = {"seed": seed, "data": {"source": "simulated", "simulated": {"rank_ic": rank_ic}}}
    with KedroSession.create(project_path=place, runtime_params=parameters) as session:
        session.run(pipeline_names=STAGES)
    reporting = place / "data" / "08_reporting"
    return {name: json.loads((reporting / f"{name}.json").read_text()) for name in ("scorecard", "verdict")}


def main() -> None:
    """Run the markets and print a row for each."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    arguments.add_argument("--rank-ic", type=float, nargs="+", default=[0.05, 0.0])
    asked = arguments.parse_args()
    os.environ["TOUCHSTONE_TRACKING"] = "off"
    print(f"{'planted':>8} {'seed':>5} {'rank IC':>8} {'net Sharpe':>11} {'deflated':>9} {'seconds':>8}  verdict")
    for rank_ic in asked.rank_ic:
        for seed in asked.seeds:
            with tempfile.TemporaryDirectory() as folder:
                began = time.perf_counter()
                found = judge(clone(Path(folder) / "project"), seed=seed, rank_ic=rank_ic)
            card, verdict = found["scorecard"], found["verdict"]
            failed = [rule["name"] for rule in verdict["rules"] if rule["required"] and rule["outcome"] != "passed"]
            numbers = f"{card['rank_ic']['mean']:8.4f} {card['sharpe']['net']:11.3f} {card['luck']['deflated_sharpe']:9.4f}"
            said = "passed" if verdict["passed"] else f"rejected: {', '.join(failed)}"
            print(f"{rank_ic:8.3f} {seed:5d} {numbers} {time.perf_counter() - began:8.1f}  {said}", flush=True)


if __name__ == "__main__":
    main()
