"""Bars that are too old are refused over HTTP; what is known to be absent is not asked for."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
import uvicorn
from fastapi import FastAPI

from touchstone import market
from touchstone.errors import DataError
from touchstone.serving._bundle import load_bundle
from touchstone.serving._predict import predict
from touchstone.serving._rehearsal import load_rehearsed

Serve = Callable[[Any], FastAPI]


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """The application behind a real socket on loopback."""
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
    thread.start()
    try:
        end = time.monotonic() + 20.0
        while not server.started and time.monotonic() < end:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{door.getsockname()[1]}/api/v1/predict"
    finally:
        server.should_exit = True
        thread.join(20.0)
        door.close()


def ask(app: FastAPI, body: dict[str, Any]) -> httpx.Response:
    with listening(app) as address:
        return httpx.post(address, json=body, timeout=60.0)


def test_old_bars_are_refused_in_one_sentence(research: Any, body: dict[str, Any], tmp_path: Path, serve: Serve) -> None:
    answer = ask(serve(research.write(tmp_path, max_age_sessions=5)), body)
    assert answer.status_code == 422
    assert set(answer.json()) == {"error"}
    sentence = answer.json()["error"]
    last = research.tables["bars"].index[-1][0]
    expected = market.last_complete_bar("XNYS", "1d", pd.Timestamp.now("UTC"))
    assert (
        f"may lie 5 sessions behind the calendar, but the last one seen is {last:%Y-%m-%d} where {expected:%Y-%m-%d} is expected"
        in sentence
    )
    assert "\n" not in sentence


def test_a_limit_that_is_wide_enough_or_absent_lets_them_pass(research: Any, body: dict[str, Any], tmp_path: Path, serve: Serve) -> None:
    scores = [
        ask(serve(research.write(tmp_path / name, **card)), body).json()["scores"]
        for name, card in (("off", {}), ("wide", {"max_age_sessions": 100_000, "max_age_minutes": 10**9}))
    ]
    assert scores[0] == scores[1]
    assert len(scores[0]) > 3


@pytest.mark.parametrize(
    ("limit", "hours", "passes"),
    [
        ({"max_age_sessions": 0}, 0, True),  # the close itself
        ({"max_age_sessions": 0}, 20, True),  # the next session has not closed
        ({"max_age_sessions": 0}, 24 * 4, False),
        ({"max_age_sessions": 2}, 24 * 5, True),
        ({"max_age_minutes": 389}, 24 * 4, False),
        ({"max_age_minutes": 390}, 24 * 4, True),
    ],
)
def test_the_moment_of_the_request_decides(
    research: Any, body: dict[str, Any], tmp_path: Path, limit: dict[str, int], hours: int, passes: bool
) -> None:
    # 2012-04-05 was the Thursday before Good Friday; Monday's close is four days after Thursday's, Tuesday's five.
    session = research.tables["bars"].index[-1][0]
    assert str(session.date()) == "2012-04-05"
    bundle = load_bundle(research.write(tmp_path, **limit))
    request = {**body, "symbols": ["S001"]}
    at = pd.Timestamp("2012-04-05 20:00") + pd.Timedelta(hours=hours)
    content = httpx.Request("POST", "http://service", json=request).content
    if passes:
        assert predict(bundle, content, alias="champion", at=at).scores
    else:
        with pytest.raises(DataError, match="where 2012-04-09 is expected"):
            predict(bundle, content, alias="champion", at=at)


def test_a_bundle_with_a_limit_passes_its_rehearsal_on_made_up_bars(research: Any, tmp_path: Path) -> None:
    assert load_rehearsed(research.write(tmp_path, max_age_sessions=0, max_age_minutes=0)).card.max_age_sessions == 0


def test_a_member_that_is_known_to_be_absent(
    research: Any, body: dict[str, Any], session: pd.Timestamp, tmp_path: Path, serve: Serve
) -> None:
    today = f"{session:%Y-%m-%d}"
    members = {row["symbol"] for row in body["bars"] if row["date"] == today}
    fewer = [row for row in body["bars"] if (row["date"], row["symbol"]) != (today, "S003")]
    app = serve(research.write(tmp_path))
    refused, answered = ask(app, {**body, "bars": fewer}), ask(app, {**body, "bars": fewer, "absent": ["S003"]})
    assert (refused.status_code, "S003 of the universe has no bar" in refused.json()["error"]) == (422, True)
    assert answered.status_code == 200, answered.text
    assert {pair["symbol"] for pair in answered.json()["scores"]} == members - {"S003"}
