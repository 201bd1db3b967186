"""A project in miniature: its pipeline is one function, its outputs are laid out as the real ones."""

from __future__ import annotations

import json
import runpy
import shutil
from pathlib import Path

import pytest
import yaml

from touchstone.tracking import ArchivedRun, RunStore, envelope

WORK = '''
"""Everything after the snapshot, as a function of the project's folder."""

import json
import os
from pathlib import Path

import pandas as pd
import yaml

from touchstone.lineage import (
    Identity, Scope, Trial, canonical_json, code_hash, data_hash, digest, ledger_hash, manifest_body, trial_key,
)
from touchstone.ledger import read_known

CODE = ("src/mini/__init__.py", "src/mini/work.py")


def work(project):
    parameters = yaml.safe_load((project / "params.yaml").read_text())
    raw = (project / "data/01_raw/bars.csv").read_bytes()
    known = read_known(os.environ.get("TOUCHSTONE_LEDGER", project / "ledger/known.jsonl"))
    identity = Identity(
        parameters={key: value for key, value in parameters.items() if key != "runtime"},
        data={"bars": digest(raw)},
        code=code_hash({path: (project / path).read_bytes() for path in CODE}),
        lock=digest((project / "requirements.lock").read_bytes()),
        seed=parameters["seed"],
        ledger=ledger_hash(known),
    )
    scope = Scope("mini", ("A", "B"), "2020-01-01", "2021-12-31")
    trials = [{"number": n, "model": "ridge", "parameters": json.dumps({"alpha": n + 0.5}), "value": 0.01 * n, "sharpe": 0.02 * n,
               "n_observations": 100, "skewness": 0.0, "kurtosis": 3.0, "key": trial_key(scope, {"trial": n})} for n in range(2)]
    own = Trial(trial_key(scope, parameters), scope, 0.05, n=3, skewness=0.1, kurtosis=3.2)
    equity = pd.DataFrame({"equity": [1.0, 1.1, 1.1, 1.21]}, index=pd.date_range("2021-01-01", periods=4, name="date", unit="us"))
    clock = os.urandom(8).hex() if parameters["drifts"] else "still"
    passed = parameters["passes"]
    rule = {"name": "deflated_sharpe", "outcome": "passed" if passed else "failed", "observed": 0.7, "threshold": 0.95,
            "required": True, "reason": ""}
    spare = {"name": "positive_years", "outcome": "not_applicable", "observed": None, "threshold": 0.6, "required": not passed,
             "reason": "fewer than 2 full years"}
    texts = {
        "03_primary/bars.csv": raw.decode().upper(),
        "06_models/model.txt": f"tree {parameters['seed']} {clock}",
        "06_models/bundle.json": canonical_json({"model": "ridge"}),
        "06_models/tuned.json": canonical_json({"model": "ridge", "scope": scope.to_dict()}),
        "07_model_output/run_trial.json": canonical_json(own.to_dict()),
        "08_reporting/scorecard.json": canonical_json({"luck": {"n_trials": 3}}),
        "08_reporting/verdict.json": canonical_json({"passed": passed, "rules": [rule, spare]}),
        "08_reporting/identity.json": canonical_json(identity.to_dict()),
        "08_reporting/metrics.json": canonical_json({"sharpe": parameters["sharpe"]}),
        "08_reporting/tear_sheet.html": "<title>tear sheet</title>",
    }
    tables = {"06_models/trials.parquet": pd.DataFrame(trials), "07_model_output/equity.parquet": equity}
    for name, text in texts.items():
        (project / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (project / "data" / name).write_text(text)
    for name, table in tables.items():
        table.to_parquet(project / "data" / name)
    paths = [f"data/{name}" for name in ("01_raw/bars.csv", *texts, *tables)]
    held = {path: (project / path).read_bytes() for path in paths}
    outputs = {path: {"size": len(payload), "sha256": digest(payload)} for path, payload in held.items()}
    body = manifest_body(identity, outputs=outputs, metrics={"sharpe": parameters["sharpe"], "n": 3, "undefined": None})
    (project / "data/08_reporting/manifest.json").write_text(canonical_json(body) + "\\n")


if __name__ == "__main__":
    work(Path.cwd())
'''
CODE = ("src/mini/__init__.py", "src/mini/work.py")


class MiniProject:
    """A folder that looks like a project, and whose pipeline runs in this process."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.parameters = {"seed": 7, "sharpe": 1.5, "passes": True, "drifts": False, "runtime": {"threads": 2}}
        for path, text in {
            "src/mini/__init__.py": "",
            "src/mini/work.py": WORK,
            "requirements.lock": "numpy==2.4.6\n",
            "pyproject.toml": "",
            "data/01_raw/bars.csv": "date,symbol,close\n2020-01-01,A,1.0\n",
        }.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)

    def run(self, **parameters: object) -> str:
        """Run the pipeline and give the run id."""
        self.parameters |= parameters
        (self.root / "params.yaml").write_text(yaml.safe_dump(self.parameters))
        runpy.run_path(str(self.root / "src/mini/work.py"))["work"](self.root)
        return str(json.loads((self.root / "data/08_reporting/identity.json").read_text())["run_id"])

    def archive(self) -> ArchivedRun:
        """Archive what was run last."""
        return RunStore(self.root).archive(
            self.root, parameters=self.parameters, code=CODE, wiring=(), envelope=envelope(self.root, durations={"work": 0.1})
        )


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither ledger nor database of whoever runs the tests."""
    for name in ("DVC_ROOT", "TOUCHSTONE_LEDGER", "TOUCHSTONE_LEDGER_URL", "TOUCHSTONE_TRACKING"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def mini(tmp_path: Path) -> MiniProject:
    """A project that was run once."""
    project = MiniProject(tmp_path / "project")
    project.run()
    return project


@pytest.fixture(scope="session")
def empty_registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated MLflow database, made once: its hundred migrations take seconds."""
    from touchstone.tracking._registration import open_client

    home = tmp_path_factory.mktemp("registry")
    open_client(home).search_registered_models()
    return home / "mlruns" / "mlflow.db"


@pytest.fixture
def registered(mini: MiniProject, empty_registry: Path) -> MiniProject:
    """The project with an empty registry."""
    (mini.root / "mlruns").mkdir()
    shutil.copy(empty_registry, mini.root / "mlruns" / "mlflow.db")
    return mini
