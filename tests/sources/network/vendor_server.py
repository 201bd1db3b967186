"""A vendor on loopback: a real HTTP server that gives healthy answers and, when told to, sick ones.

::

    with VendorServer({"/api/v3/klines": answer}) as server:  # answer(query: dict) -> JSON-ready value, bytes, or Answer
        server.ail(status(429, retry_after="0"), html())      # the next two requests are answered so, then it is well again
        ...
        server.asked                                          # what was asked: path, query, headers
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

__all__ = ["Answer", "Asked", "Sickness", "VendorServer", "changed", "cut_off", "empty", "html", "repeated", "slow", "status", "truncated"]


@dataclass(frozen=True)
class Answer:
    """What goes over the wire."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    cut: bool = False  # the connection dies before the promised length


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    client: tuple[str, int]  # a connection that is used again has the same port
    at: float = field(default_factory=time.monotonic)


# From the healthy answer and the answer given before it to a sick one.
Sickness = Callable[[Answer, Answer | None], Answer]


def status(code: int, *, retry_after: str | None = None, body: Any = None) -> Sickness:
    """An error status, with or without Retry-After."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return lambda well, last: Answer(_bytes(body if body is not None else {"error": "sick"}), code, headers)


def slow(seconds: float) -> Sickness:
    """Healthy, but late."""
    return lambda well, last: Answer(well.body, well.status, well.headers, delay_s=seconds)


def truncated() -> Sickness:
    """The first half of the payload, as if that were all."""
    return lambda well, last: Answer(well.body[: len(well.body) // 2])


def cut_off() -> Sickness:
    """The connection dies in the middle of the payload."""
    return lambda well, last: Answer(well.body, cut=True)


def html() -> Sickness:
    """A page for people, with status 200."""
    page = b"<!DOCTYPE html><html><body>Down for maintenance</body></html>"
    return lambda well, last: Answer(page, headers={"Content-Type": "text/html"})


def empty(body: Any = ()) -> Sickness:
    """A page without rows; `body` says how this vendor writes one."""
    return lambda well, last: Answer(_bytes(body))


def repeated() -> Sickness:
    """The page given before, once more."""
    return lambda well, last: well if last is None else last


def changed(before: str, after: str) -> Sickness:
    """The healthy payload with one thing in it written otherwise; `before` must be there."""

    def change(well: Answer, last: Answer | None) -> Answer:
        text, n = re.subn(re.escape(before), after, well.body.decode(), count=1)
        if not n:
            raise AssertionError(f"{before} is not in the payload")
        return Answer(text.encode(), well.status, well.headers)

    return change


class VendorServer:
    """Serves on a free port from ``__enter__`` (or `start`) to ``__exit__`` (or `stop`).

    Parameters
    ----------
    answers : mapping
        Path, which may hold ``{name}`` parts, → function of the query (path parts included) that gives an `Answer`, bytes, text
        or what JSON can write.
    """

    def __init__(self, answers: Mapping[str, Callable[[dict[str, str]], Any]]) -> None:
        self.asked: list[Asked] = []
        self.under_way = 0
        self.most_under_way = 0
        self._sick: deque[Sickness] = deque()
        self._always: Sickness | None = None
        self._last: Answer | None = None
        routes = [Route(path, self._endpoint(answer)) for path, answer in answers.items()]
        self._server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), port=0, log_level="critical", lifespan="off"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self.url = ""

    def ail(self, *sicknesses: Sickness) -> None:
        """Answer the next requests so, one after the other; then be well again."""
        self._sick.extend(sicknesses)

    def ail_always(self, sickness: Sickness | None) -> None:
        """Answer every request so, until told None."""
        self._always = sickness

    def recover(self) -> None:
        """Be well, and forget what was asked."""
        self._sick.clear()
        self._always = self._last = None
        self.asked.clear()
        self.most_under_way = 0

    def start(self) -> VendorServer:
        self._thread.start()
        while not self._server.started:
            self._thread.join(0.005)
        host, port = self._server.servers[0].sockets[0].getsockname()[:2]
        self.url = f"http://{host}:{port}"
        return self

    def stop(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join()

    def __enter__(self) -> VendorServer:
        return self.start()

    def __exit__(self, *problem: object) -> None:
        self.stop()

    def _endpoint(self, answer: Callable[[dict[str, str]], Any]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            query = {**request.query_params, **{name: str(value) for name, value in request.path_params.items()}}
            client = (request.client.host, request.client.port) if request.client else ("", 0)
            self.asked.append(Asked(request.url.path, query, dict(request.headers), client))
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
            try:
                return await _respond(self._answer(_wrapped(answer(query))))
            finally:
                self.under_way -= 1

        return endpoint

    def _answer(self, well: Answer) -> Answer:
        sickness = self._sick.popleft() if self._sick else self._always
        given = well if sickness is None else sickness(well, self._last)
        self._last = given
        return given


async def _respond(answer: Answer) -> Response:
    await asyncio.sleep(answer.delay_s)
    headers = {"Content-Type": "application/json", **answer.headers}
    if not answer.cut:
        return Response(answer.body, answer.status, headers)

    async def half() -> AsyncIterator[bytes]:
        yield answer.body[: len(answer.body) // 2]
        raise ConnectionAbortedError

    return StreamingResponse(half(), answer.status, {**headers, "Content-Length": str(len(answer.body))})


def _wrapped(given: Any) -> Answer:
    return given if isinstance(given, Answer) else Answer(_bytes(given))


def _bytes(given: Any) -> bytes:
    if isinstance(given, bytes):
        return given
    return given.encode() if isinstance(given, str) else json.dumps(given).encode()
