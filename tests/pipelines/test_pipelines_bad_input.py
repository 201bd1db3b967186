"""Bad input is one sentence that says the rule, what was given and the way out; what earlier runs wrote stays as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from touchstone.cli import cli

Rows = Callable[..., pd.DataFrame]
Spoil = Callable[[pd.DataFrame], pd.DataFrame | str]


@pytest.fixture(scope="module")
def settled(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the outputs of a run; every test here fails to change them."""
    root = tmp_path_factory.mktemp("settled") / "project"
    shutil.copytree(finished_run, root)
    return root


def _snapshot(root: Path) -> dict[str, bytes]:
    kept = (path for folder in ("data", "ledger", "runs") for path in sorted((root / folder).rglob("*")) if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in kept}


def _run(root: Path, *arguments: str) -> Result:
    here = Path.cwd()
    os.chdir(root)
    try:
        return CliRunner().invoke(cli, ["run", "--env", "test", *arguments])
    finally:
        os.chdir(here)


def _is_one_sentence(result: Result, *said: str) -> None:
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    told = [line for line in result.output.splitlines() if line.startswith("Error: ")]
    assert len(told) == 1, result.output
    assert all(part in told[0] for part in said), told[0]
    sentence = told[0].removeprefix("Error: ")
    assert result.output.count(sentence) == 1
    assert sentence.endswith((".", "?"))
    assert "failed with error" not in result.output


PARAMETERS = {
    "unknown parameter": ("data.sorce=files", ("must be known", "'data.sorce'", "did you mean 'source'")),
    "unknown section": ("trainning.n_trials=2", ("must be known", "'trainning'", "did you mean 'training'")),
    "unknown source": ("data.source=sampel", ("must be a known one", "'sampel'", "did you mean 'sample'")),
    "value that does not fit": ("labels.horizon=0", ("labels.horizon", "got 0", "greater than or equal to 1")),
    "unknown calendar": ("data.calendar=XNYSE,data.source=sample", ("'XNYSE'", "did you mean XNYS")),
    "path that is not there": ("data.source=files,data.files.path=nowhere", ("data.files.path", "nowhere", "mend the path")),
}


@pytest.mark.parametrize("case", PARAMETERS)
def test_a_wrong_parameter_changes_nothing(settled: Path, case: str) -> None:
    given, said = PARAMETERS[case]
    before = _snapshot(settled)
    _is_one_sentence(_run(settled, "--params", given), *said)
    assert _snapshot(settled) == before


def test_a_misspelt_section_of_params_yaml_is_named(settled: Path, tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(settled, root)
    path = root / "params.yaml"
    path.write_text(path.read_text().replace("\nvalidation:\n", "\nvalidaton:\n"))
    before = _snapshot(root)
    _is_one_sentence(_run(root), "'validaton'", "did you mean 'validation'")
    assert _snapshot(root) == before


@dataclass(frozen=True)
class BadFile:
    """How a good table is spoilt, and what the sentence must say."""

    spoil: Spoil
    said: tuple[str, ...]
    stages: str = "ingestion"
    more: str = ""


def _swap_two_days(table: pd.DataFrame) -> pd.DataFrame:
    table.loc[[10, 11], "date"] = table.loc[[11, 10], "date"].to_numpy()
    return table


FILES = {
    "missing column": BadFile(
        lambda table: table.rename(columns={"close": "clse"}), ("must have the column 'close'", "did you mean 'clse'")
    ),
    "missing symbol column": BadFile(lambda table: table.drop(columns="Name"), ("must have the column 'Name'", "market.csv")),
    "empty table": BadFile(lambda table: table.iloc[:0], ("must have rows", "market.csv", "is empty")),
    "empty file": BadFile(lambda table: "", ("market.csv", "Empty CSV")),
    "date going backwards": BadFile(_swap_two_days, ("must not go backwards", "row 12 of", "S00", "sort the rows by date")),
    "not a number": BadFile(lambda table: table.assign(close="n/a?"), ("must be readable", "market.csv")),
    "cross-section of one": BadFile(
        lambda table: table[table["Name"] == "S00"], ("S00", "features.transform"), stages="ingestion,features"
    ),
    "fewer sessions than the lookback": BadFile(lambda table: table.groupby("Name").head(100), ("100", "505"), stages="ingestion,features"),
    "next_open without opens": BadFile(
        lambda table: table,
        ("next_open", "next_close", "bars with opens"),
        stages="ingestion,features",
        more=",data.source=sample,labels.fill=next_open,backtest.fill=next_open",
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_a_bad_file_leaves_earlier_outputs_alone(settled: Path, rows: Rows, tmp_path: Path, case: str) -> None:
    bad, path = FILES[case], tmp_path / "market.csv"
    spoilt = bad.spoil(rows())
    path.write_text(spoilt if isinstance(spoilt, str) else spoilt.to_csv(index=False))
    before = _snapshot(settled)
    result = _run(settled, "--pipelines", bad.stages, "--params", f"data.source=files,data.files.path={path}{bad.more}")
    _is_one_sentence(result, *bad.said)
    # Ingestion of the last three succeeds and the features stage fails: what ingestion had replaced is put back.
    assert _snapshot(settled) == before


def test_a_gate_rule_that_does_not_exist_is_named(finished_run: Path, tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(finished_run, root)
    path = root / "params.yaml"
    path.write_text(path.read_text().replace("    deflated_sharpe:", "    deflated_sharp:"))
    before = _snapshot(root)
    _is_one_sentence(_run(root), "'validation.gate.deflated_sharp'", "did you mean 'deflated_sharpe'")
    assert _snapshot(root) == before


def test_a_stage_whose_inputs_are_not_there_says_how_to_make_them(fresh: Callable[[Path], Path], tmp_path: Path) -> None:
    _is_one_sentence(_run(fresh(tmp_path / "project"), "--pipelines", "validation"), "must be there before it is read", "dvc repro")


# Python loads a module of this name first: it writes down whom the process asks for an address.
WATCHER = """
import pathlib, sys
def watch(event, arguments):
    if event == "socket.getaddrinfo":
        with pathlib.Path({log!r}).open("a") as log:
            log.write(str(arguments[0]) + chr(10))
sys.addaudithook(watch)
"""


@pytest.mark.slow
def test_kedro_itself_tells_the_same_sentence_and_nobody_else(settled: Path, shell: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "asked.txt"
    (tmp_path / "sitecustomize.py").write_text(WATCHER.format(log=str(log)))
    before = _snapshot(settled)
    told = {name: value for name, value in shell.items() if name not in {"DO_NOT_TRACK", "KEDRO_DISABLE_TELEMETRY"}}
    command = ["kedro", "run", "--env", "test", "--params", "data.source=sampel"]
    environment = {**told, "PYTHONPATH": str(tmp_path)}
    answer = subprocess.run(command, cwd=settled, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert answer.stderr.strip() == (
        "Error: The source must be a known one, but got 'sampel': did you mean 'sample'? "
        "known: alpaca, binance, files, finnhub, fred, sample, simulated, stooq, yahoo."
    )
    assert "sampel" not in answer.stdout
    assert _snapshot(settled) == before
    assert not log.exists()


def test_a_bug_keeps_its_traceback(settled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from touchstone import sources

    def broken(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(sources, "load", broken)
    result = _run(settled, "--pipelines", "ingestion")
    assert result.exit_code == 1
    assert isinstance(result.exception, ZeroDivisionError)
