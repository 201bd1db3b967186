"""A registry that is not there is a sentence, and is not made by looking at it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from touchstone.errors import LineageError
from touchstone.tracking import registered_models


def test_no_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOUCHSTONE_TRACKING", raising=False)
    (tmp_path / "mlruns").mkdir()
    with pytest.raises(LineageError, match="there is none"):
        registered_models(tmp_path)
    assert not list((tmp_path / "mlruns").iterdir())


def test_tracking_is_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHSTONE_TRACKING", "off")
    with pytest.raises(LineageError, match="there is none"):
        registered_models(tmp_path)


def test_another_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOUCHSTONE_TRACKING", raising=False)
    (tmp_path / "mlruns").mkdir()
    with sqlite3.connect(tmp_path / "mlruns" / "mlflow.db") as database:
        database.execute("create table other (name text)")
    with pytest.raises(LineageError, match="it is not: rebuild it"):
        registered_models(tmp_path)
