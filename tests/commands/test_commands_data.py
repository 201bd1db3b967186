"""`touchstone data …` as a person or a script meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner, Result

from touchstone import inspection, sources
from touchstone.cli import cli


@pytest.fixture
def sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file without a fault, seen from a folder that is no project."""
    monkeypatch.chdir(tmp_path)
    dates = pd.bdate_range("2021-03-01", "2021-03-31")
    closes = [50.0 + (place * 7 % 5) / 10 for place in range(len(dates))]
    pd.DataFrame({"Date": dates, "Close": closes, "Adj Close": closes}).to_csv("XYZ.csv", index=False)
    return Path("XYZ.csv")


def call(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["data", *map(str, arguments)])


def test_a_sound_file_passes_outside_a_project_and_guesses_are_told(sound: Path) -> None:
    result = call("validate", sound)

    assert result.exit_code == 0, result.output
    assert "23 rows in = 23 clean + 0 quarantined (calendar XNYS, timeframe 1d, adjustment none)" in result.output
    assert "date from 'Date' (guessed), close from 'Close' (guessed)" in result.output
    assert "not read: 'Adj Close'" in result.output
    assert "symbols: from the names of the files" in result.output
    assert result.output.endswith("PASSED: no row would be quarantined.\n")


def test_a_faulty_file_fails_and_says_why(sound: Path) -> None:
    rows = pd.read_csv(sound)
    rows.loc[4, "Close"] = -1.0
    rows.to_csv(sound, index=False)

    result = call("validate", sound)

    assert result.exit_code == 1
    for told in ("non_positive", "close = -1", "close > 0", "FAILED: 1 rows would be quarantined; 1 findings are errors."):
        assert told in result.output


def test_what_a_run_must_be_told_is_given_as_yaml(sound: Path) -> None:
    line = next(line for line in call("validate", sound, "--adjustment", "split").output.splitlines() if line.startswith("for a run"))

    told = yaml.safe_load(line.partition("data.files: ")[2])

    assert told == {"columns": {"date": "Date", "close": "Close"}, "adjustment": "split"}
    assert len(sources.load("files", path=sound, **told).bars) == 23


def test_rows_on_another_clock_bring_a_hint(sound: Path) -> None:
    assert "hint" not in call("validate", sound).output
    rows = pd.read_csv(sound, parse_dates=["Date"])
    rows.assign(Date=rows["Date"] + pd.Timedelta(days=4)).to_csv(sound, index=False)  # two weekdays of five are weekends now

    assert "hint" not in call("validate", sound).output
    rows.assign(Date=rows["Date"].dt.normalize() + pd.to_timedelta(range(len(rows)), unit="min")).to_csv(sound, index=False)

    told = call("validate", sound)
    assert told.exit_code == 1
    assert "--timeframe" in told.output.split("hint: ")[1]


def test_json_is_everything_and_nothing_else(sound: Path) -> None:
    rows = pd.read_csv(sound).drop(index=7)
    rows.to_csv(sound, index=False)

    result = call("validate", sound, "--json", "--adjustment", "split", "--column", "close=Adj Close")

    told = json.loads(result.output)
    verdict = inspection.validate_files(sound, adjustment="split", columns={"close": "Adj Close"})
    assert result.exit_code == 0, "a missing session is a warning"
    assert told["passed"] is verdict.passed is True
    assert told["columns"] == dict(verdict.columns)
    assert [(found["check"], found["date"]) for found in told["findings"]] == [("missing_session", "2021-03-10T00:00:00")]
    assert told["checks"][0]["kept"] == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--column", "close"), "--column is given as ours=theirs, but got 'close'"),
        (("--calendar", "XNYZ"), "The calendar must be one of exchange_calendars, but got 'XNYZ'"),
        (("--column", "clos=Close"), "did you mean 'close'"),
    ],
)
def test_a_wrong_option_is_one_sentence(sound: Path, arguments: tuple[str, ...], sentence: str) -> None:
    result = call("validate", sound, *arguments)

    assert result.exit_code == 1
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_outside_a_project_there_is_nothing_to_list(sound: Path) -> None:
    for arguments in (("list",), ("preview", "bars")):
        assert "change into your project" in call(*arguments).output
