"""A limit on what a client may send, over everything that the server mounts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["BodyLimit"]


class BodyLimit:
    """Pure ASGI middleware: a body over the limit is answered with 413 and never reaches the application.

    Parameters
    ----------
    app : ASGI application
    limit_mib : int
        Largest body in MiB.
    """

    def __init__(self, app: ASGIApp, limit_mib: int = 32) -> None:
        self._app = app
        self._limit_mib = limit_mib

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # A body without a declared length is counted as it comes; what was declared too long is not read at all.
        messages = [] if _declared(scope) > self._limit else await self._read(receive)
        if not messages:
            await self._refuse(send)
            return
        await self._app(scope, _replaying(messages, receive), send)

    @property
    def _limit(self) -> int:
        return self._limit_mib * 2**20

    async def _read(self, receive: Receive) -> list[Message]:
        """The messages of the body; none when there are too many bytes in them."""
        messages: list[Message] = []
        size = 0
        while not messages or messages[-1].get("more_body", False):
            messages.append(await receive())
            size += len(messages[-1].get("body", b""))
            if size > self._limit:
                return []
        return messages

    async def _refuse(self, send: Send) -> None:
        sentence = f"A request body may hold {self._limit_mib} MiB at most, but got more: send bars as columns, or fewer sessions."
        body = json.dumps({"error": sentence}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _declared(scope: Scope) -> int:
    length = dict(scope["headers"]).get(b"content-length", b"0")
    return int(length) if length.isdigit() else 0


def _replaying(messages: list[Message], receive: Receive) -> Receive:
    """What was read, then whatever the server says after it (a disconnect)."""
    waiting = iter(messages)

    async def replay() -> Message:
        return next(waiting, None) or await receive()

    return replay
