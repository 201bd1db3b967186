from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from touchstone.errors import ConfigError, LineageError
from touchstone.ledger import add_known
from touchstone.lineage import Scope, Trial, digest
from touchstone.root import project_root
from touchstone.tracking import RunStore, tracking_url
from touchstone.tracking._tar import pack, unpack


def test_an_archive_holds_what_it_takes_to_run_again(mini) -> None:
    run = mini.archive()
    assert run.folder == mini.root / "runs" / run.run_id
    assert (run.outputs / "03_primary/bars.csv").read_bytes() == (mini.root / "data/03_primary/bars.csv").read_bytes()
    assert (run.outputs / "01_raw/bars.csv").exists()
    assert (run.outputs / "08_reporting/manifest.json").read_bytes() == (mini.root / "data/08_reporting/manifest.json").read_bytes()
    assert sorted(unpack((run.folder / "code.tar").read_bytes())) == ["src/mini/__init__.py", "src/mini/work.py"]
    kept = yaml.safe_load((run.folder / "project/params.yaml").read_text())
    assert list(kept.items()) == list(mini.parameters.items())
    assert (run.folder / "project/requirements.lock").read_text() == "numpy==2.4.6\n"
    assert (run.folder / "project/ledger/known.jsonl").read_text() == ""
    assert json.loads((run.folder / "manifest.json").read_text()) == run.manifest.to_dict()
    assert set(run.manifest.envelope) == {"time", "place", "commit", "clean", "environment", "durations", "trackers", "chain_prev"}


def test_the_same_run_again_changes_nothing(mini) -> None:
    first = mini.archive()
    before = {path: path.read_bytes() for path in sorted((mini.root / "runs").rglob("*")) if path.is_file()}
    mini.run()
    assert mini.archive() == first
    assert {path: path.read_bytes() for path in sorted((mini.root / "runs").rglob("*")) if path.is_file()} == before


def test_runs_are_chained_and_found_by_the_beginning_of_their_id(mini) -> None:
    first = mini.archive()
    mini.run(seed=8)
    second = mini.archive()
    store = RunStore(mini.root)
    assert store.run_ids() == (first.run_id, second.run_id)
    assert second.manifest.envelope["chain_prev"] == first.manifest.record_hash
    assert store.get(second.run_id[:10]) == second
    with pytest.raises(LineageError, match="names 2"):
        store.get("")
    with pytest.raises(LineageError, match="names 0"):
        store.get("zzz")


def test_a_changed_manifest_is_found_out(mini) -> None:
    mini.archive()
    mini.run(seed=8)
    mini.archive()
    chain = mini.root / "runs" / "manifests.jsonl"
    chain.write_text(chain.read_text().replace('"sharpe":1.5', '"sharpe":2.5', 1))
    with pytest.raises(LineageError, match="record 2"):
        RunStore(mini.root).run_ids()


def test_the_same_id_with_other_results_is_said_loudly(mini) -> None:
    mini.run(drifts=True)
    kept = mini.archive()
    mini.run()
    with pytest.raises(LineageError, match=r"known with other outputs 'data/06_models/model.txt'"):
        mini.archive()
    assert RunStore(mini.root).get(kept.run_id) == kept


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("data/06_models/model.txt", "its bytes differ"),
        ("src/mini/work.py", "The code must be"),
        ("requirements.lock", "requirements.lock must be"),
    ],
)
def test_what_changed_since_the_run_is_not_archived_under_its_id(mini, path: str, said: str) -> None:
    (mini.root / path).write_text("changed")
    with pytest.raises(LineageError, match=said):
        mini.archive()
    assert RunStore(mini.root).run_ids() == ()
    assert not list((mini.root / "runs").glob("*/code.tar"))


def test_a_ledger_that_grew_meanwhile_is_not_archived_under_its_id(mini) -> None:
    scope = Scope("mini", ("A",), "2020-01-01", "2020-12-31")
    add_known(mini.root / "ledger/known.jsonl", [Trial("k", scope, 0.1, n=9, skewness=0.0, kurtosis=3.0)])
    with pytest.raises(LineageError, match="ledger of known trials"):
        mini.archive()


def test_an_output_that_is_gone_is_named(mini) -> None:
    (mini.root / "data/03_primary/bars.csv").unlink()
    with pytest.raises(LineageError, match=r"'data/03_primary/bars.csv', but the file is not there"):
        mini.archive()


def test_without_a_finished_run_there_is_nothing_to_archive(mini) -> None:
    manifest = mini.root / "data/08_reporting/manifest.json"
    manifest.write_text('{"run_id": "x"}')
    with pytest.raises(LineageError, match="lacks identity, metrics, outputs"):
        mini.archive()
    manifest.unlink()
    with pytest.raises(LineageError, match="holds none"):
        mini.archive()


def test_a_run_killed_between_archive_and_chain_is_completed(mini) -> None:
    run = mini.archive()
    (mini.root / "runs/manifests.jsonl").unlink()
    (run.folder / "manifest.json").unlink()
    (mini.root / "runs/.staged" / "half").mkdir(parents=True)
    again = mini.archive()
    assert again.run_id == run.run_id
    assert RunStore(mini.root).get(run.run_id) == again
    assert (run.folder / "manifest.json").exists()


def test_a_manifest_outlives_its_archive(mini) -> None:
    run = mini.archive()
    (run.folder / "code.tar").unlink()
    assert RunStore(mini.root).run_ids() == (run.run_id,)
    with pytest.raises(LineageError, match="it is gone"):
        RunStore(mini.root).get(run.run_id)
    assert mini.archive() == run
    assert RunStore(mini.root).get(run.run_id) == run


def test_an_archive_of_code_depends_on_names_and_contents_alone() -> None:
    files = {"b/x.py": b"2", "a.py": b"1" * 2000}
    assert pack(files) == pack(dict(reversed(files.items())))
    assert unpack(pack(files)) == files
    assert digest(pack({"a": b""})) == digest(pack({"a": b""}))


def test_the_project_is_what_dvc_says_or_the_folder_with_parameters(mini, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(mini.root / "src" / "mini")
    assert project_root() == mini.root
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"folder with a params\.yaml"):
        project_root()
    monkeypatch.setenv("DVC_ROOT", str(mini.root))
    assert project_root() == mini.root


def test_the_tracking_database_is_one_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tracking_url(tmp_path) == f"sqlite:///{tmp_path}/mlruns/mlflow.db"
    monkeypatch.setenv("TOUCHSTONE_TRACKING", "postgresql://host/db")
    assert tracking_url(tmp_path) == "postgresql://host/db"
    monkeypatch.setenv("TOUCHSTONE_TRACKING", "off")
    assert tracking_url(tmp_path) is None
    monkeypatch.setenv("TOUCHSTONE_TRACKING", "on")
    with pytest.raises(ConfigError, match="'on'"):
        tracking_url(tmp_path)
