from __future__ import annotations

import json

import numpy as np
import pytest
import yaml

from touchstone.ledger import add_known
from touchstone.lineage import Trial, digest, trial_key
from touchstone.tracking import ArchivedRun, Ledger, RunStore, keep_run
from touchstone.tracking._envelope import envelope

CODE = ("src/mini/__init__.py", "src/mini/work.py")
PACKAGE = {
    "src/touchstone/__init__.py": "",
    "src/touchstone/settings.py": "from touchstone.hooks import HOOKS\n",
    "src/touchstone/hooks.py": "HOOKS = ()\n",
    "src/touchstone/pipeline_registry.py": "import kedro\n",
    "src/touchstone/cli.py": "",
}


@pytest.fixture
def kept(mini):
    for path, text in PACKAGE.items():
        (mini.root / path).parent.mkdir(parents=True, exist_ok=True)
        (mini.root / path).write_text(text)
    return mini


def keep(project) -> ArchivedRun:
    return keep_run(project.root, parameters=project.parameters, code=CODE, seconds=1.23456)


def test_a_finished_run_is_archived_with_its_wiring_and_its_resolved_parameters(kept) -> None:
    (kept.root / "params.yaml").write_text("seed: 99\n")  # what `kedro run --params` overrode
    run = keep(kept)
    assert RunStore(kept.root).get(run.run_id) == run
    names = {path.relative_to(run.folder / "project").as_posix() for path in (run.folder / "project").rglob("*.py")}
    assert names == set(PACKAGE) - {"src/touchstone/cli.py"}
    assert yaml.safe_load((run.folder / "project/params.yaml").read_text()) == kept.parameters
    assert run.manifest.envelope["durations"] == {"last command": 1.235}


def test_the_live_ledger_learns_every_trial_once(kept) -> None:
    own = Trial.from_dict(json.loads((kept.root / "data/07_model_output/run_trial.json").read_text()))
    add_known(kept.root / "ledger/known.jsonl", [own])
    kept.run()
    run = keep(kept)
    keep(kept)
    live = Ledger.at(kept.root).live()
    tuning = {trial_key(own.scope, {"trial": number}) for number in range(2)}
    assert {trial.key for trial in live.trials()} == {own.key, *tuning}
    assert len(live.trials()) == 3
    np.testing.assert_allclose(live.returns(own.key, code=run.manifest.body["identity"]["code"]), [0.1, 0.0, 0.1])


def test_a_simulated_market_teaches_the_ledger_nothing(kept) -> None:
    work = kept.root / "src/mini/work.py"
    work.write_text(work.read_text().replace('Scope("mini"', 'Scope("simulated"'))
    kept.run()
    keep(kept)
    assert not (kept.root / ".touchstone").exists()


def test_a_run_in_a_copy_is_kept_by_the_real_project(kept, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = tmp_path / "real"
    real.mkdir()
    monkeypatch.setenv("DVC_ROOT", str(real))
    run = keep(kept)
    assert RunStore(real).get(run.run_id) == run
    assert not (kept.root / "runs").exists()
    assert (real / ".touchstone" / "ledger.db").exists()


def test_the_envelope_says_when_where_and_on_what(tmp_path) -> None:
    said = envelope(tmp_path, durations={"fit": 1.5}, trackers={"mlflow": "x"})
    assert said["commit"] is None
    assert said["clean"] is False
    assert said["time"].endswith("+00:00")
    assert said["place"]["folder"] == str(tmp_path)
    assert (said["durations"], said["trackers"]) == ({"fit": 1.5}, {"mlflow": "x"})


def test_the_envelope_survives_without_git(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert envelope(tmp_path)["commit"] is None


def test_digests_of_the_mini_project_are_those_of_its_files(kept) -> None:
    body = json.loads((kept.root / "data/08_reporting/manifest.json").read_text())
    held = (kept.root / "data/06_models/model.txt").read_bytes()
    assert body["outputs"]["data/06_models/model.txt"] == {"size": len(held), "sha256": digest(held)}
