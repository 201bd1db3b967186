"""What happens around a run: the digests of its outputs, its archive, and a line for each step."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def finished(finished_run: Path, tmp_path: Path) -> Path:
    root = tmp_path / "project"
    shutil.copytree(finished_run, root, ignore=shutil.ignore_patterns("runs"))
    return root


def test_a_finished_loop_is_archived_with_its_code_and_outputs(finished_run: Path) -> None:
    manifest = json.loads((finished_run / "data" / "08_reporting" / "manifest.json").read_text())
    folder = finished_run / "runs" / manifest["run_id"]
    assert (folder / "code.tar").is_file()
    for path in manifest["outputs"]:
        assert (folder / "outputs" / path.removeprefix("data/")).read_bytes() == (finished_run / path).read_bytes()
    record = json.loads((folder / "manifest.json").read_text())
    assert record["body"] == manifest
    assert record["envelope"]["place"]["folder"] == str(finished_run)
    assert record["envelope"]["durations"]["last command"] > 0.0


def test_a_stage_before_the_last_archives_nothing(finished: Path, runner: Callable[..., None]) -> None:
    runner(finished, stages=("validation",))
    assert not (finished / "runs").exists()


def test_tracking_that_is_off_archives_nothing(finished: Path, runner: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    from touchstone import reports

    page = (finished / "data" / "08_reporting" / "tear_sheet.html").read_bytes()
    monkeypatch.setattr(reports, "render", lambda *_, **__: page)  # a kernel takes seconds to start
    monkeypatch.setenv("TOUCHSTONE_TRACKING", "off")
    runner(finished, stages=("reporting",))
    assert not (finished / "runs").exists()
    monkeypatch.delenv("TOUCHSTONE_TRACKING")
    runner(finished, stages=("reporting",))
    assert (finished / "runs" / "manifests.jsonl").exists()


def test_each_step_is_told_once(finished: Path, runner: Callable[..., None], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="touchstone"):
        runner(finished, stages=("validation",))
    told = [record.message.split()[0] for record in caplog.records if record.name == "touchstone.hooks"]
    assert told == ["cost_sensitivity", "count_trials", "judge", "headline", "record_validation"]
