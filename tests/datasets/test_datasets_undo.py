"""A run that fails puts back what it replaced."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from touchstone.atomic import write_whole
from touchstone.datasets import Undo


@pytest.fixture(params=["links", "no links"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if request.param == "no links":

        def refuse(*_: object) -> None:
            raise OSError("links are not supported here")

        monkeypatch.setattr(os, "link", refuse)
    write_whole(tmp_path / "old", b"before")
    return tmp_path


def _run(folder: Path) -> Undo:
    undo = Undo()
    for payload in (b"first", b"second"):
        for name in ("old", "new"):
            undo.keep(folder / name)
            write_whole(folder / name, payload)
    return undo


def test_a_failed_run_leaves_what_was_there(folder: Path) -> None:
    _run(folder).put_back()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"old": b"before"}


def test_a_finished_run_leaves_what_it_wrote_and_nothing_else(folder: Path) -> None:
    _run(folder).forget()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"old": b"second", "new": b"second"}


def test_what_a_killed_run_kept_is_replaced_by_the_next(folder: Path) -> None:
    _run(folder)
    _run(folder).put_back()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"old": b"second", "new": b"second"}
