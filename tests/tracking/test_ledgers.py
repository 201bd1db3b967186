from __future__ import annotations

import math
import multiprocessing
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest

from touchstone.errors import LineageError
from touchstone.ledger import add_known, read_known
from touchstone.lineage import Scope, Trial, recording, trial_key
from touchstone.lineage import record as announce
from touchstone.tracking import Ledger, LiveLedger

SCOPE = Scope("sample", ("AAPL", "MSFT"), "2003-01-02", "2022-12-28")
SERVER = "postgresql://postgres@127.0.0.1:5432/test"


def trial(name: str, sharpe: float = 0.1) -> Trial:
    return Trial(trial_key(SCOPE, {"name": name}), SCOPE, sharpe, n=250, skewness=-0.2, kurtosis=4.0)


def test_a_ledger_that_is_not_there_knows_nothing(tmp_path: Path) -> None:
    assert read_known(tmp_path / "known.jsonl") == ()


def test_trials_read_back_sorted_and_the_bytes_do_not_depend_on_the_order_of_adding(tmp_path: Path) -> None:
    one, other = tmp_path / "a" / "known.jsonl", tmp_path / "b" / "known.jsonl"
    added = [trial("x"), trial("y", math.nan), trial("z")]
    assert add_known(one, added) == 3
    assert [add_known(other, [item]) for item in reversed(added)] == [1, 1, 1]
    assert one.read_bytes() == other.read_bytes()
    assert read_known(one) == tuple(sorted(added, key=lambda item: item.key))
    assert [path.name for path in one.parent.iterdir()] == ["known.jsonl"]


def test_adding_again_adds_nothing_and_never_changes_what_is_known(tmp_path: Path) -> None:
    path = tmp_path / "known.jsonl"
    add_known(path, [trial("x", 0.1)])
    before, stamp = path.read_bytes(), path.stat().st_mtime_ns
    assert add_known(path, [trial("x", 0.9), trial("x", 0.1)]) == 0
    assert path.read_bytes() == before
    assert path.stat().st_mtime_ns == stamp


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "known.jsonl"
    add_known(path, [trial("x")])
    path.write_text(path.read_text() + '{"key": 1}\n')
    with pytest.raises(LineageError, match=r"known\.jsonl, line 2"):
        read_known(path)
    with pytest.raises(LineageError, match="line 2"):
        add_known(path, [trial("y")])


def test_an_experiment_in_a_copy_tells_the_real_project_and_learns_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, copy = tmp_path / "real", tmp_path / "copy"
    for project in (real, copy):
        project.mkdir()
        (project / "params.yaml").touch()
    add_known(copy / "ledger" / "known.jsonl", [trial("old")])
    add_known(real / "ledger" / "known.jsonl", [trial("old"), trial("meanwhile")])
    monkeypatch.setenv("DVC_ROOT", str(real))
    assert add_known(copy / "ledger" / "known.jsonl", [trial("new")]) == 1
    assert {item.key for item in read_known(real / "ledger" / "known.jsonl")} == {trial(name).key for name in ("old", "meanwhile", "new")}
    assert (real / "ledger" / "known.jsonl").read_bytes() == (copy / "ledger" / "known.jsonl").read_bytes()


def test_a_scratch_ledger_outside_any_project_tells_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (real / "params.yaml").touch()
    monkeypatch.setenv("DVC_ROOT", str(real))
    add_known(tmp_path / "scratch" / "known.jsonl", [trial("x")])
    assert not (real / "ledger").exists()


def _add_many(path: Path, who: int) -> None:
    for number in range(8):
        add_known(path, [trial(f"{who}/{number}")])


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "known.jsonl"
    workers = [multiprocessing.get_context("fork").Process(target=_add_many, args=(path, who)) for who in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(read_known(path)) == 16


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'deep' / 'ledger.db'}"
        return
    try:
        server = psycopg.connect(SERVER, connect_timeout=2, autocommit=True)
    except psycopg.OperationalError as error:
        pytest.skip(f"no PostgreSQL on 127.0.0.1:5432 ({error})")
    schema = f"ledger_{uuid.uuid4().hex[:8]}"
    with server:
        server.execute(f"CREATE SCHEMA {schema}")
    yield f"{SERVER}?options=-csearch_path%3D{schema}"
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f"DROP SCHEMA {schema} CASCADE")


def test_the_live_ledger_keeps_trials_and_returns_and_is_filled_idempotently(url: str) -> None:
    returns = np.array([0.01, -0.0, np.nan, 1 / 3])
    both = (trial("x", 1 / 3), trial("y", math.nan))
    assert LiveLedger(url).add(both, returns={both[0].key: returns}) == 2
    ledger = LiveLedger(url)
    assert ledger.add((*both, *both), returns={both[0].key: returns + 1}) == 0
    assert ledger.trials() == tuple(sorted(both, key=lambda item: item.key))
    assert ledger.returns(both[0].key).tobytes() == returns.tobytes()
    with pytest.raises(LineageError, match="holds none"):
        ledger.returns(both[1].key)


def test_returns_that_come_later_are_added_and_other_code_stands_beside(url: str) -> None:
    ledger = LiveLedger(url)
    ledger.add((trial("x"),))
    ledger.record(trial("x"), np.array([0.5]))
    assert ledger.returns(trial("x").key).tolist() == [0.5]
    assert ledger.add((trial("x", 0.7),), code="c" * 64) == 1
    assert [item.sharpe for item in ledger.trials()] == [0.1, 0.7]
    assert ledger.add(()) == 0


def test_a_database_that_does_not_answer_is_one_sentence_without_its_password() -> None:
    with pytest.raises(LineageError, match="must be reachable") as caught:
        LiveLedger("postgresql://someone:secret@127.0.0.1:1/none")
    assert "secret" not in str(caught.value)


def test_the_ledgers_of_a_project_and_the_scratch_that_replaces_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Ledger.at(tmp_path)
    assert home.known_path == tmp_path / "ledger" / "known.jsonl"
    assert home.live_url == f"sqlite:///{tmp_path}/.touchstone/ledger.db"
    monkeypatch.setenv("TOUCHSTONE_LEDGER_URL", SERVER)
    assert Ledger.at(tmp_path).live_url == SERVER
    monkeypatch.setenv("TOUCHSTONE_LEDGER", str(tmp_path / "scratch" / "known.jsonl"))
    assert Ledger.at(tmp_path).live_url == f"sqlite:///{tmp_path}/scratch/known.db"
    assert os.fspath(Ledger.at(tmp_path).known_path) == str(tmp_path / "scratch" / "known.jsonl")


def test_a_notebook_that_records_is_remembered_by_both(tmp_path: Path) -> None:
    ledger = Ledger.at(tmp_path)
    with recording(ledger.record):
        announce(trial("notebook"), np.array([0.1, 0.2]))
    assert ledger.known() == ledger.live().trials() == (trial("notebook"),)
    assert ledger.live().returns(trial("notebook").key).tolist() == [0.1, 0.2]
