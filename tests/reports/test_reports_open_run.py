"""A run is opened by its id, wherever its outputs lie."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from finished_run import RUN_ID

from touchstone.errors import LineageError
from touchstone.notebook import open_run


def test_without_an_id_the_run_in_data_is_opened_from_any_folder_below(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project / "data" / "08_reporting")

    run = open_run()

    assert run.run_id == RUN_ID
    assert run.folder == project / "data"
    assert open_run("").table("equity").equals(run.table("equity"))
    assert str(project) not in repr(run)


def test_an_archived_run_is_opened_by_its_id_or_its_beginning(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archived = "b" * 64
    shutil.copytree(project, tmp_path / "p")
    shutil.copytree(project / "data", tmp_path / "p" / "runs" / archived / "outputs")

    assert open_run(archived, root=tmp_path / "p").folder == tmp_path / "p" / "runs" / archived / "outputs"
    assert open_run(archived[:6], root=tmp_path / "p").run_id == archived
    assert open_run(RUN_ID, root=tmp_path / "p").folder == tmp_path / "p" / "data"
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "p"))
    assert open_run(archived, root=project).run_id == archived


def test_an_unknown_id_names_the_nearest(project: Path) -> None:
    with pytest.raises(LineageError, match=f"did you mean '{RUN_ID}'"):
        open_run(RUN_ID[:-1] + "x", root=project)
    with pytest.raises(LineageError, match="is no known run"):
        open_run(RUN_ID[:4], root=project)


def test_a_beginning_that_names_two_runs_is_refused(project: Path, tmp_path: Path) -> None:
    for last in "ab":
        (tmp_path / "runs" / ("c" * 63 + last) / "outputs").mkdir(parents=True)

    with pytest.raises(LineageError, match="names 2 runs"):
        open_run("c" * 10, root=tmp_path)


def test_nothing_there_yet_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DVC_ROOT", raising=False)
    with pytest.raises(LineageError, match="dvc repro"):
        open_run(root=tmp_path)
    with pytest.raises(LineageError, match="none is archived yet"):
        open_run("abcdef", root=tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LineageError, match=r"params\.yaml"):
        open_run()


def test_a_wrong_or_missing_output_is_named(project: Path) -> None:
    run = open_run(root=project)

    with pytest.raises(LineageError, match="did you mean 'equity'"):
        run.table("equty")
    with pytest.raises(LineageError, match="no record 'scorcard': did you mean 'scorecard'"):
        run.record("scorcard")
    with pytest.raises(LineageError, match=r"keeps no table 'macro' \(03_primary/macro.parquet\)"):
        run.table("macro")
