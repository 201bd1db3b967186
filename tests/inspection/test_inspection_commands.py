"""`touchstone data list` and `preview` over a project and an archived run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from touchstone.cli import cli
from touchstone.notebook import open_data

ARCHIVED = "b" * 64


@pytest.fixture
def archive(ingested: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose data lie in an archived run, and which is itself empty."""
    for part in ("conf", "params.yaml"):
        copy = shutil.copytree if (ingested / part).is_dir() else shutil.copy2
        copy(ingested / part, tmp_path / part)
    shutil.copytree(ingested / "data", tmp_path / "runs" / ARCHIVED / "outputs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["data", *arguments])


def test_a_project_is_listed_from_any_folder_below(ingested: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ingested / "data" / "01_raw")

    listed = call("list")

    assert listed.exit_code == 0, listed.output
    for told in ("raw_bars", "1,280", "01_raw", "quarantine", "ingestion_record"):
        assert told in listed.output
    assert "hash" in listed.output
    assert "hash" not in call("list", "--no-hash").output


def test_an_archived_run_is_listed_and_previewed_by_its_id(archive: Path) -> None:
    assert call("list").exit_code == 1
    listed = call("list", "--run", ARCHIVED[:12])
    assert listed.exit_code == 0, listed.output
    assert "raw_bars" in listed.output

    shown = call("preview", "bars", "--symbol", "S001", "--rows", "2", "--run", ARCHIVED[:12])
    assert shown.exit_code == 0, shown.output
    assert shown.output.count("S001") == 2


def test_a_preview_without_rows_or_of_no_table_is_one_sentence(ingested: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ingested)

    for arguments, sentence in ((("bars", "--symbol", "nobody"), "none passes the filters"), (("brs",), "did you mean 'bars'")):
        refused = call("preview", *arguments)
        assert refused.exit_code == 1
        assert sentence in refused.output


def test_the_data_of_an_archived_run_are_opened_whatever_lies_in_data(archive: Path, ingested: Path) -> None:
    shutil.copytree(ingested / "data", archive / "data")

    assert open_data(ARCHIVED[:8], root=archive).folder == archive / "runs" / ARCHIVED / "outputs"
    assert open_data(root=archive).folder == archive / "data"
