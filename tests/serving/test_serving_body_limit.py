"""The limit counts bytes, not promises."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import httpx
import pytest

from touchstone.serving._body_limit import BodyLimit

Ask = Callable[..., httpx.Response]
MIB = 2**20


async def echo(scope: Any, receive: Any, send: Any) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def chunks(n_bytes: int) -> Any:
    async def stream() -> Any:
        for _ in range(n_bytes // 1024):
            yield b"x" * 1024

    return stream()


@pytest.mark.parametrize("content", [b"", b"bars", b"x" * MIB])
def test_a_body_within_the_limit_passes_whole(ask: Ask, content: bytes) -> None:
    assert ask(BodyLimit(echo, limit_mib=1), "/", content=content).content == content


def test_a_streamed_body_within_the_limit_passes_whole(ask: Ask) -> None:
    assert len(ask(BodyLimit(echo, limit_mib=1), "/", content=chunks(MIB)).content) == MIB


@pytest.mark.parametrize("content", [b"x" * (MIB + 1), chunks(MIB + 1024)], ids=["declared", "streamed"])
def test_a_body_over_the_limit_is_refused(ask: Ask, content: Any) -> None:
    answer = ask(BodyLimit(echo, limit_mib=1), "/", content=content)
    assert answer.status_code == 413
    assert answer.json() == {"error": "A request body may hold 1 MiB at most, but got more: send bars as columns, or fewer sessions."}


@pytest.mark.parametrize("declared", [b"9" * 30, b"-1", b"many"])
def test_a_declared_length_that_lies_is_not_believed(declared: bytes) -> None:
    statuses = _statuses(BodyLimit(echo, limit_mib=1), declared, [b"x"])
    assert statuses == [413 if declared.isdigit() else 200]


def test_other_scopes_pass_untouched() -> None:
    seen: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    asyncio.run(BodyLimit(application)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert seen == [{"type": "lifespan"}]


def _statuses(app: Any, declared: bytes, parts: Iterable[bytes]) -> list[int]:
    messages = iter([{"type": "http.request", "body": part, "more_body": False} for part in parts])
    sent: list[Any] = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app({"type": "http", "headers": [(b"content-length", declared)]}, receive, send))
    return [message["status"] for message in sent if "status" in message]
