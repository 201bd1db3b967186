from __future__ import annotations

import sys
from pathlib import Path

import pytest

from touchstone.errors import LineageError
from touchstone.ledger import add_known
from touchstone.lineage import Scope, Trial
from touchstone.tracking import RunStore, envelope, verify
from touchstone.tracking._verify import AFTER_SNAPSHOT

SCRIPT = (sys.executable, "src/mini/work.py")


def test_a_run_that_repeats_passes_and_leaves_the_project_alone(mini, tmp_path: Path) -> None:
    scope = Scope("mini", ("A",), "2020-01-01", "2020-12-31")
    add_known(mini.root / "ledger/known.jsonl", [Trial("k", scope, 0.1, n=9, skewness=0.0, kurtosis=3.0)])
    mini.run()
    run = mini.archive()
    add_known(mini.root / "ledger/known.jsonl", [Trial("later", scope, 0.1, n=9, skewness=0.0, kurtosis=3.0)])
    before = {path: path.read_bytes() for path in sorted(mini.root.rglob("*")) if path.is_file()}
    report = verify(run.run_id[:12], root=mini.root, workplace=tmp_path / "clean", command=SCRIPT)
    assert report.passed
    assert report.differing == ()
    assert report.n_compared == len(run.manifest.body["outputs"]) + 1
    assert {path: path.read_bytes() for path in sorted(mini.root.rglob("*")) if path.is_file()} == before
    assert (tmp_path / "clean" / "project" / "data/06_models/model.txt").exists()


def test_every_output_that_differs_is_named_with_both_hashes(mini) -> None:
    mini.run(drifts=True)
    report = verify(mini.archive().run_id, root=mini.root, command=SCRIPT)
    assert not report.passed
    assert report.differing == ("data/06_models/model.txt", "data/08_reporting/manifest.json")
    model = next(check for check in report.outputs if check.path == "data/06_models/model.txt")
    assert model.observed is not None
    assert model.observed != model.expected == mini.archive().manifest.body["outputs"][model.path]["sha256"]


def test_a_repetition_that_writes_nothing_fails_everything_but_the_snapshot(mini) -> None:
    report = verify(mini.archive().run_id, root=mini.root, command=(sys.executable, "-c", ""))
    assert [check.path for check in report.outputs if check.passed] == ["data/01_raw/bars.csv"]
    assert all(check.observed is None for check in report.outputs if not check.passed)


def test_a_repetition_that_fails_says_what_it_said(mini) -> None:
    run = mini.archive()
    with pytest.raises(LineageError, match=r"exit code 3:\nno luck"):
        verify(run.run_id, root=mini.root, command=(sys.executable, "-c", "import sys; print('no luck'); sys.exit(3)"))


def test_nothing_leads_the_repetition_back(mini, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run = mini.archive()
    monkeypatch.setenv("DVC_ROOT", str(mini.root))
    monkeypatch.setenv("TOUCHSTONE_LEDGER_URL", "postgresql://somewhere/else")
    told = "import json, os, pathlib; pathlib.Path('../told.json').write_text(json.dumps(dict(os.environ)))"
    verify(run.run_id, workplace=tmp_path / "clean", command=(sys.executable, "-c", told))
    text = (tmp_path / "clean" / "told.json").read_text()
    assert str(mini.root) not in text
    assert "postgresql" not in text
    assert f'"TOUCHSTONE_LEDGER": "{tmp_path}/clean/scratch/known.jsonl"' in text
    assert '"TOUCHSTONE_TRACKING": "off"' in text


@pytest.mark.parametrize(("path", "said"), [("outputs/01_raw/bars.csv", "its bytes differ"), ("code.tar", "archive is damaged")])
def test_a_damaged_archive_is_found_out_before_it_runs(mini, path: str, said: str) -> None:
    run = mini.archive()
    damaged = run.folder / path
    damaged.write_bytes(damaged.read_bytes().replace(b"A,1.0", b"A,2.0").replace(b"Everything", b"Everythink"))
    with pytest.raises(LineageError, match=said):
        verify(run.run_id, root=mini.root, command=SCRIPT)


KEDRO_PROJECT = {
    "pyproject.toml": '[tool.kedro]\npackage_name = "mini"\nproject_name = "mini"\nkedro_init_version = "1.7.0"\nsource_dir = "src"\n',
    "src/mini/settings.py": "CONFIG_LOADER_ARGS = {'base_env': 'base', 'default_run_env': 'base'}\n",
    "src/mini/pipeline_registry.py": """
from pathlib import Path

from kedro.pipeline import Node, Pipeline

from mini.work import work


def snapshot():
    raise RuntimeError("a repetition starts after the snapshot")


def rest():
    work(Path.cwd())
    return 1


def register_pipelines():
    return {"__default__": Pipeline([Node(snapshot, None, "raw"), Node(rest, None, "done", tags="after_snapshot")])}
""",
    "conf/base/catalog.yml": "{}\n",
}


def test_the_default_command_runs_a_kedro_project_from_its_archive(mini) -> None:
    for path, text in KEDRO_PROJECT.items():
        (mini.root / path).parent.mkdir(parents=True, exist_ok=True)
        (mini.root / path).write_text(text)
    wiring = [path for path in KEDRO_PROJECT if path != "pyproject.toml"]
    code = ("src/mini/__init__.py", "src/mini/work.py")
    run = RunStore(mini.root).archive(mini.root, parameters=mini.parameters, code=code, wiring=wiring, envelope=envelope(mini.root))
    report = verify(run.run_id, root=mini.root)
    assert AFTER_SNAPSHOT[1:] == ("-m", "kedro", "run", "--tags", "after_snapshot")
    assert report.passed, report.differing
