from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from touchstone.errors import ConfigError, GateError, LineageError
from touchstone.ledger import add_known
from touchstone.lineage import Scope, Trial
from touchstone.tracking import Ledger, promote, register, resolve
from touchstone.tracking._registration import open_client

SCOPE = Scope("mini", ("A", "B"), "2020-01-01", "2021-12-31")


def trials(number: int) -> list[Trial]:
    return [Trial(f"k{n}", SCOPE, 0.1 * n, n=9, skewness=0.0, kurtosis=3.0) for n in range(number)]


def test_a_run_becomes_a_version_with_its_bundle_evidence_and_trials(registered) -> None:
    run_id = registered.run()
    model = register(registered.root)
    assert (model.version, model.run_id, model.verdict) == (1, run_id, "passed")
    assert sorted(path.name for path in model.bundle.iterdir()) == ["bundle.json", "model.txt"]
    assert (model.bundle / "model.txt").read_bytes() == (registered.root / "data/06_models/model.txt").read_bytes()
    assert sorted(path.name for path in model.evidence.iterdir()) == [
        "identity.json",
        "manifest.json",
        "metrics.json",
        "run_trial.json",
        "scorecard.json",
        "verdict.json",
    ]
    client = open_client(registered.root)
    experiment = client.get_experiment_by_name("touchstone")
    runs = client.search_runs([experiment.experiment_id])
    parent = next(run for run in runs if "mlflow.parentRunId" not in run.data.tags)
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert parent.data.metrics == {"sharpe": 1.5, "n": 3.0}
    assert parent.data.params["seed"] == "7"
    assert {child.data.params["alpha"] for child in children} == {"0.5", "1.5"}
    assert {child.data.metrics["sharpe"] for child in children} == {0.0, 0.02}
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert (model.bundle.parent / "report" / "tear_sheet.html").exists()
    assert str(model.bundle).startswith(str(registered.root / "mlruns" / "artifacts"))


def test_resolve_answers_what_mlflows_own_client_answers(registered) -> None:
    register(registered.root)
    promote(registered.root)
    registered.run(seed=8, passes=False)
    register(registered.root)
    client = open_client(registered.root)
    for alias, version in (("champion", 1), ("candidate", 2)):
        own, theirs = resolve(alias, root=registered.root), client.get_model_version_by_alias("touchstone", alias)
        assert own.version == int(theirs.version) == version
        assert theirs.source == own.bundle.as_uri() == client.get_model_version_download_uri("touchstone", str(version))
        assert (own.run_id, own.verdict) == (theirs.tags["run_id"], theirs.tags["verdict"])


def test_resolving_and_reading_ledgers_loads_no_mlflow(registered) -> None:
    register(registered.root)
    script = (
        "import sys; from pathlib import Path; from touchstone.tracking import Ledger, resolve;"
        f"root = Path({str(registered.root)!r}); Ledger.at(root).live().trials();"
        "print(resolve('candidate', root=root).version, 'mlflow' in sys.modules, 'torch' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=registered.root)
    assert said.stdout.split() == ["1", "False", "False"]


def test_registering_again_adds_no_version_and_moves_the_alias_back(registered) -> None:
    first = register(registered.root)
    assert register(registered.root) == first
    registered.run(seed=8)
    assert register(registered.root).version == 2
    registered.run(seed=7)
    assert register(registered.root) == first
    client = open_client(registered.root)
    assert len(client.search_model_versions("name = 'touchstone'")) == 2
    assert len(client.search_runs([client.get_experiment_by_name("touchstone").experiment_id])) == 6


def test_what_a_killed_registration_left_is_cleared(registered, monkeypatch: pytest.MonkeyPatch) -> None:
    client = open_client(registered.root)
    monkeypatch.setattr(type(client), "create_model_version", lambda *a, **k: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        register(registered.root)
    monkeypatch.undo()
    assert register(registered.root).version == 1
    assert len(client.search_runs([client.get_experiment_by_name("touchstone").experiment_id])) == 3


def test_the_registry_is_rebuilt_from_the_outputs(registered, empty_registry: Path) -> None:
    before = register(registered.root)
    shutil.rmtree(before.bundle)
    with pytest.raises(LineageError, match="delete mlruns/ and run `touchstone register`"):
        resolve("candidate", root=registered.root)
    shutil.rmtree(registered.root / "mlruns")
    (registered.root / "mlruns").mkdir()
    shutil.copy(empty_registry, registered.root / "mlruns" / "mlflow.db")
    # MLflow keeps the deleted database open in this process, so the rebuilding is done in another one, as users do it.
    subprocess.run([sys.executable, "-c", "from touchstone.tracking import register; register()"], check=True, cwd=registered.root)
    after = resolve("candidate", root=registered.root)
    assert (after.version, after.run_id, after.verdict) == (before.version, before.run_id, before.verdict)
    assert (after.bundle / "model.txt").read_text() == (registered.root / "data/06_models/model.txt").read_text()


def test_the_same_run_id_with_other_outputs_is_not_registered(registered) -> None:
    registered.run(drifts=True)
    register(registered.root)
    registered.run()
    with pytest.raises(LineageError, match="registered with other outputs"):
        register(registered.root)


def test_an_edited_verdict_is_not_registered(registered) -> None:
    registered.run(passes=False)
    verdict = registered.root / "data/08_reporting/verdict.json"
    verdict.write_text(verdict.read_text().replace("false", "true"))
    with pytest.raises(LineageError, match=r"verdict\.json' must be what its manifest says"):
        register(registered.root)


def test_a_champion_needs_a_passed_gate_and_is_told_every_rule(registered) -> None:
    registered.run(passes=False)
    assert register(registered.root).verdict == "rejected"
    with pytest.raises(GateError) as refused:
        promote(registered.root)
    said = str(refused.value)
    assert "rejected by 2 rules" in said
    assert "deflated_sharpe failed (observed 0.7, threshold 0.95)" in said
    assert "positive_years not applicable (fewer than 2 full years)" in said
    with pytest.raises(LineageError, match="TOUCHSTONE_ALIAS=candidate"):
        resolve("champion", root=registered.root)


def test_a_verdict_edited_after_registration_does_not_promote(registered) -> None:
    registered.run(passes=False)
    verdict = register(registered.root).evidence / "verdict.json"
    verdict.write_text(verdict.read_text().replace("false", "true"))
    with pytest.raises(LineageError, match="its bytes differ"):
        promote(registered.root)


def test_promotion_goes_by_run_and_leaves_the_candidate(registered) -> None:
    first = register(registered.root)
    registered.run(seed=8)
    second = register(registered.root)
    assert promote(registered.root, first.run_id[:10]) == first
    assert resolve("champion", root=registered.root) == first
    assert resolve("candidate", root=registered.root) == second
    assert promote(registered.root, alias="shadow") == resolve("shadow", root=registered.root) == second
    with pytest.raises(LineageError, match="names 0"):
        promote(registered.root, "zzz")


@pytest.mark.parametrize("where", ["live", "known"])
def test_trials_that_the_verdict_did_not_count_forbid_promotion(registered, where: str) -> None:
    register(registered.root)
    ledger = Ledger.at(registered.root)
    add = ledger.live().add if where == "live" else lambda added: add_known(ledger.known_path, added)
    add(trials(3))
    elsewhere = Scope("mini", ("C",), "2020-01-01", "2021-12-31")
    ledger.live().add([Trial("far", elsewhere, 0.1, n=9, skewness=0.0, kurtosis=3.0)])
    assert promote(registered.root).version == 1
    add(trials(4))
    with pytest.raises(GateError, match="counted 3 and the ledgers know 4"):
        promote(registered.root)


@pytest.mark.parametrize("alias", ["candidate", "latest", "v2", "Champion", "a b"])
def test_aliases_that_cannot_be_given(registered, alias: str) -> None:
    with pytest.raises(ConfigError, match="use champion"):
        promote(registered.root, alias=alias)


def test_registration_tells_the_live_ledger_what_is_known(registered) -> None:
    add_known(registered.root / "ledger/known.jsonl", trials(2))
    registered.run()
    register(registered.root)
    assert Ledger.at(registered.root).live().trials() == tuple(trials(2))


def test_without_a_registry_the_two_ways_on_are_named_and_none_is_made(mini) -> None:
    with pytest.raises(LineageError, match=r"touchstone promote.*TOUCHSTONE_ALIAS=candidate"):
        resolve("champion", root=mini.root)
    assert not (mini.root / "mlruns").exists()
    (mini.root / "mlruns").mkdir()
    (mini.root / "mlruns" / "mlflow.db").write_bytes(b"no database at all, and long enough to be seen as such" * 10)
    with pytest.raises(LineageError, match="must be readable"):
        resolve("champion", root=mini.root)


def test_with_tracking_off_there_is_no_registry(mini, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHSTONE_TRACKING", "off")
    with pytest.raises(ConfigError, match="TOUCHSTONE_TRACKING is 'off'"):
        register(mini.root)


def test_nothing_in_the_registry_is_a_pickle(registered) -> None:
    register(registered.root)
    kept = [path for path in (registered.root / "mlruns" / "artifacts").rglob("*") if path.is_file()]
    assert {path.suffix for path in kept} == {".txt", ".json", ".html"}
    assert all(json.loads(path.read_text()) is not None for path in kept if path.suffix == ".json")
