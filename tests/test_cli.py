"""The commands of `touchstone`, in a project with a finished run that the gate rejected."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner, Result

from touchstone.cli import cli

COMMANDS = {"data", "doctor", "dvc-sync", "factor", "lab", "promote", "refresh", "register", "report", "run", "serve", "show", "verify"}


@pytest.fixture(scope="module")
def project(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the finished run's project, with a short report beside the tear sheet."""
    root = tmp_path_factory.mktemp("commands") / "project"
    shutil.copytree(finished_run, root)
    cells = [
        nbformat.v4.new_code_cell('run_id = ""\nn: int = 3\nwith_costs = True', metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell('print(f"n={n + 1} with_costs={with_costs is False} of {run_id[:12]}")'),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, root / "notebooks" / "reports" / "short.ipynb")
    return root


class Caller:
    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli, arguments)

    def well(self, *arguments: str) -> str:
        result = self(*arguments)
        assert result.exit_code == 0, result.output
        return result.output

    def refused(self, *arguments: str) -> str:
        """The one sentence of a command that refuses."""
        result = self(*arguments)
        assert result.exit_code == 1, result.output
        assert "Traceback" not in result.output
        (told,) = (line for line in result.output.splitlines() if line.startswith("Error: "))
        return told


@pytest.fixture
def call(project: Path, monkeypatch: pytest.MonkeyPatch) -> Caller:
    monkeypatch.chdir(project)
    return Caller()


def _run_id(project: Path) -> str:
    return str(json.loads((project / "data" / "08_reporting" / "identity.json").read_text())["run_id"])


def test_every_command_says_what_it_does(call: Caller) -> None:
    assert set(cli.commands) == COMMANDS
    for name in COMMANDS:
        assert "Usage:" in call.well(name, "--help")
        assert cli.commands[name].help


def test_show_prints_the_last_run(call: Caller, project: Path) -> None:
    said = call.well("show")
    assert _run_id(project) in said
    assert "REJECTED" in said


def test_show_works_from_a_folder_below(call: Caller, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project / "notebooks" / "reports")
    assert _run_id(project) in call.well("show")


def test_outside_a_project_the_way_in_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "change into your project" in Caller().refused("show")


def test_a_rejected_run_is_registered_but_not_promoted(call: Caller, project: Path) -> None:
    run_id = _run_id(project)
    assert "`touchstone register` makes it" in call.refused("promote")
    said = call.well("register")
    assert said == f"registered: touchstone version 1, alias candidate, run {run_id}\n"
    assert call.well("register") == said
    failed = [
        rule["name"]
        for rule in json.loads((project / "data" / "08_reporting" / "verdict.json").read_text())["rules"]
        if rule["required"] and rule["outcome"] != "passed"
    ]
    assert failed
    for told in (call.refused("promote"), call.refused("promote", "--run", run_id[:12])):
        assert f"was rejected by {len(failed)} rules" in told
        assert all(name in told for name in failed[:5])


def test_a_run_that_is_not_registered_is_not_promoted(call: Caller) -> None:
    assert "'0123456789ab'" in call.refused("promote", "--run", "0123456789ab")


@pytest.mark.slow
def test_a_report_takes_typed_parameters(call: Caller, project: Path) -> None:
    run_id = _run_id(project)
    said = call.well("report", "short", "--run", run_id[:12], "-p", "n=41", "-p", "with_costs=no")
    page = project / "reports" / f"short-{run_id[:12]}.html"
    assert said == f"written: {page}\n"
    assert f"n=42 with_costs=True of {run_id[:12]}" in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("report", "tear_shet"), "did you mean 'tear_sheet'"),
        (("report", "short", "-p", "m=1"), "no parameter 'm'"),
        (("report", "short", "-p", "n=many"), "'n' must be int, but got 'many': give a whole number"),
        (("report", "short", "-p", "n"), "key=value"),
        (("report", "short", "--run", "0123456789ab"), "'0123456789ab' is no known run"),
        (("verify", "0123456789ab"), "'0123456789ab' names 0"),
    ],
)
def test_a_wrong_name_or_value_is_one_sentence(call: Caller, project: Path, arguments: tuple[str, ...], said: str) -> None:
    before = sorted((project / "reports").glob("*"))
    assert said in call.refused(*arguments)
    assert sorted((project / "reports").glob("*")) == before


def test_dvc_sync_writes_checks_and_refuses(call: Caller, project: Path) -> None:
    path = project / "dvc.yaml"
    assert "run `touchstone dvc-sync`" in call.refused("dvc-sync", "--check")
    call.well("dvc-sync")
    written = path.read_text()
    assert "in step" in call.well("dvc-sync", "--check")
    path.write_text(written.replace("conf/base", "conf/bass"))
    assert "it differs" in call.refused("dvc-sync", "--check")
    assert "conf/bass" in path.read_text()


def test_the_doctor_says_ok_or_what_to_mend(call: Caller, project: Path) -> None:
    said = call.well("doctor")
    assert all(line.startswith("ok ") for line in said.splitlines())
    lock = project / "requirements.lock"
    text = lock.read_text()
    lock.write_text(text + "no-such-package==1.0\n")
    result = call("doctor")
    lock.write_text(text)
    assert result.exit_code == 1
    assert "FAIL 1 packages differ from the lock: no-such-package missing" in result.output
    assert "Error: Every check above must be ok" in result.output


def test_serving_without_a_champion_names_the_ways_on(call: Caller) -> None:
    told = call.refused("serve", "--port", "0")
    assert "promote" in told
    assert "TOUCHSTONE_ALIAS=candidate" in told


def test_the_lab_starts_with_the_project_loaded(call: Caller, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[list[str], dict[str, str]]] = []

    def start(command: list[str], *, cwd: Path, env: dict[str, str]) -> int:
        asked.append((command, env))
        assert cwd == project
        return 0

    monkeypatch.setattr("touchstone.cli.subprocess.call", start)
    call.well("lab", "--no-browser")
    ((command, environment),) = asked
    assert command[1:4] == ["-m", "jupyter", "lab"]
    assert command[-1] == "--no-browser"
    folder = Path(environment["JUPYTER_PATH"].split(":")[0])
    kernel = json.loads((folder / "kernels" / "python3" / "kernel.json").read_text())
    assert kernel["argv"][-4:] == ["--ext", "kedro.ipython", "--ext", "touchstone.notebook"]
