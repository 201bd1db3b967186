"""The application around the prediction: what is served, what is missing, and an event loop that is never held up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from touchstone.errors import LineageError
from touchstone.serving._app import create_app
from touchstone.serving._bundle import load_bundle
from touchstone.serving._watcher import AliasWatcher
from touchstone.tracking import RegisteredModel, ServedModel

Ask = Callable[..., httpx.Response]


def test_models_says_what_is_served_and_what_is_registered(research: Any, tmp_path: Path, ask: Ask) -> None:
    served = research.write(tmp_path)
    newest = RegisteredModel(version="2", run_id="cd", verdict="rejected", aliases=["candidate"])
    app = create_app(AliasWatcher("champion", lambda alias: served, load_bundle), lambda: [newest])
    answer = ask(app, "/api/v1/models", method="GET").json()
    assert answer == {
        "alias": "champion",
        "serving": "1",
        "problem": None,
        "models": [{"version": "2", "run_id": "cd", "verdict": "rejected", "aliases": ["candidate"]}],
    }


def test_without_a_model_the_service_says_so_and_it_is_not_the_clients_fault(ask: Ask) -> None:
    def none(alias: str) -> ServedModel:
        raise LineageError(f"A model must carry the alias '{alias}', but none does: promote one.")

    app = create_app(AliasWatcher("champion", none, load_bundle), list)
    for path, method in (("/api/v1/predict", "POST"), ("/api/v1/models", "GET")):
        answer = ask(app, path, method=method, content=b"{}")
        assert answer.status_code == 503
        assert answer.json() == {"error": "A model must carry the alias 'champion', but none does: promote one."}


def test_a_moved_alias_changes_the_next_answer(research: Any, body: dict[str, Any], tmp_path: Path, ask: Ask) -> None:
    first, second = research.write(tmp_path / "one"), research.write(tmp_path / "two", "lightgbm")
    alias = {"champion": first}
    app = create_app(AliasWatcher("champion", alias.__getitem__, load_bundle, interval=0.0), list)
    before = ask(app, json=body).json()["scores"]
    alias["champion"] = second
    after = ask(app, json=body).json()["scores"]
    assert before != after
    assert [pair["symbol"] for pair in before] == [pair["symbol"] for pair in after]


def test_requests_that_compute_hold_up_nobody_else(research: Any, body: dict[str, Any], tmp_path: Path) -> None:
    served = research.write(tmp_path)
    working, release = threading.Event(), threading.Event()

    def slow(alias: str) -> ServedModel:
        working.set()
        assert release.wait(30)
        return served

    app = create_app(AliasWatcher("champion", slow, load_bundle), list)

    async def exchange() -> tuple[int, int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
            prediction = asyncio.create_task(client.post("/api/v1/predict", json=body))
            while not working.is_set():
                await asyncio.sleep(0.01)
            meanwhile = await client.get("/api/v1/openapi.json")
            assert not prediction.done()
            release.set()
            return meanwhile.status_code, (await prediction).status_code

    assert asyncio.run(exchange()) == (200, 200)


def test_many_requests_at_once_get_the_answers_they_would_get_alone(
    research: Any, body: dict[str, Any], tmp_path: Path, serve: Callable[[ServedModel], FastAPI], ask: Ask
) -> None:
    app = serve(research.write(tmp_path, "lightgbm"))
    alone = {pair["symbol"]: pair["score"] for pair in ask(app, json=body).json()["scores"]}
    asked = [{**body, "symbols": [symbol]} for symbol in sorted(alone)[:8]]

    async def exchange() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
            return await asyncio.gather(*(client.post("/api/v1/predict", json=request) for request in asked))

    for request, answer in zip(asked, asyncio.run(exchange()), strict=True):
        (pair,) = answer.json()["scores"]
        assert pair == {"symbol": request["symbols"][0], "score": alone[request["symbols"][0]]}


@pytest.mark.parametrize("path", ["/api/v1/predict", "/api/v1/models"])
def test_the_interface_describes_itself(ask: Ask, path: str) -> None:
    app = create_app(AliasWatcher("champion", dict.__getitem__, load_bundle), list)  # type: ignore[arg-type]  # never looked up
    described = ask(app, "/api/v1/openapi.json", method="GET").json()["paths"][path]
    assert described
    if path.endswith("predict"):
        assert "bars" in described["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]
