"""Starting: what is refused in one sentence before any server runs, and how the server is started."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from touchstone import arithmetic, tracking
from touchstone.errors import ConfigError, LineageError
from touchstone.serving import start


@pytest.fixture
def champion(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tracking.ServedModel:
    served = tracking.ServedModel(version=1, run_id="one", bundle=tmp_path, verdict="passed")
    monkeypatch.setattr(tracking, "resolve", lambda alias, root: served)
    return served


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


@pytest.mark.parametrize("alias", [None, "champion", "elsewhere"])
def test_no_model_is_one_sentence_with_the_two_ways_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alias: str | None) -> None:
    for name in ("TOUCHSTONE_ALIAS", "TOUCHSTONE_TRACKING"):
        monkeypatch.delenv(name, raising=False)
    if alias:
        monkeypatch.setenv("TOUCHSTONE_ALIAS", alias)
    with pytest.raises(LineageError) as refused:
        start(tmp_path, port=free_port())
    sentence = str(refused.value)
    assert f"'{alias or 'champion'}'" in sentence
    assert "touchstone promote" in sentence
    assert "TOUCHSTONE_ALIAS=candidate" in sentence
    assert "\n" not in sentence
    assert sentence.count(". ") == 0


def test_a_port_that_is_taken(tmp_path: Path, champion: tracking.ServedModel) -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        port = door.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"127.0.0.1:{port} is not \(.*in use\)"):
            start(tmp_path, port=port)


@pytest.mark.parametrize(
    ("address", "said"),
    [({"port": 0}, "1 to 65535"), ({"port": 70000}, "got 70000"), ({"port": 3000, "host": "nowhere.invalid"}, "must be an IP address")],
)
def test_an_address_that_is_none(tmp_path: Path, champion: tracking.ServedModel, address: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        start(tmp_path, **address)


def test_the_server_runs_pinned_silent_and_away_from_home(
    tmp_path: Path, champion: tracking.ServedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(os, "execve", lambda *given: seen.extend(given))
    monkeypatch.setenv("BENTOML_DO_NOT_TRACK", "1")
    port = free_port()
    start(tmp_path, port=port)
    program, command, environment = seen
    assert program == command[0] == sys.executable
    assert command[1:4] == ["-m", "bentoml", "serve"]
    assert command[-6:] == ["--working-dir", str(tmp_path.resolve()), "--host", "127.0.0.1", "--port", str(port)]
    wanted = {**arithmetic.PINS, "BENTOML_DO_NOT_TRACK": "True", "DO_NOT_TRACK": "1", "TOUCHSTONE_ROOT": str(tmp_path.resolve())}
    assert wanted.items() <= environment.items()
    assert Path(environment["BENTOML_HOME"]) == tmp_path.resolve() / ".touchstone" / "bentoml"
