"""The HTTP interface: every mistake of a client is one sentence under `error`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import pandas as pd
from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from touchstone import __version__
from touchstone.errors import LineageError, TouchstoneError
from touchstone.serving._predict import Prediction, predict
from touchstone.serving._request import PredictRequest
from touchstone.serving._watcher import AliasWatcher
from touchstone.tracking import RegisteredModel

__all__ = ["Models", "create_app"]

_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": PredictRequest.model_json_schema()}}}}
Answer = TypeVar("Answer")


class Models(BaseModel):
    """What is served, and what the registry holds.

    Attributes
    ----------
    alias, serving
        The alias that is followed, and the version in service.
    problem
        Why the alias cannot be followed just now, so that the version in service may be an old one; null when all is well.
    models
        Every registered version, newest first.
    """

    alias: str
    serving: str
    problem: str | None
    models: list[RegisteredModel]


def create_app(watcher: AliasWatcher, registered: Callable[[], list[RegisteredModel]], *, at_once: int = 4) -> FastAPI:
    """The application.

    Parameters
    ----------
    watcher : AliasWatcher
        Gives the bundle that each request is answered with.
    registered : callable
        Versions of the registered model, newest first.
    at_once : int
        Requests computed at a time; more would only share the processors. The others wait, the event loop does not.
    """
    app = FastAPI(title="Touchstone", version=__version__, docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json")
    limiter = CapacityLimiter(at_once)

    async def in_thread(work: Callable[[], Answer]) -> Answer:
        return await to_thread.run_sync(work, limiter=limiter)

    @app.post("/api/v1/predict", openapi_extra=_BODY)
    async def predict_scores(request: Request) -> Prediction:
        """Scores of the last session of the bars, for a decision after its close."""
        # The body is parsed by the thread too: megabytes of JSON would hold up everyone else here.
        return await in_thread(partial(_predict, watcher, await request.body()))

    @app.get("/api/v1/models")
    async def list_models() -> Models:
        """The version in service, and every registered version with its aliases and verdict."""
        return await in_thread(partial(_models, watcher, registered))

    app.exception_handler(TouchstoneError)(_mistake)
    app.exception_handler(HTTPException)(_refusal)
    return app


def _predict(watcher: AliasWatcher, body: bytes) -> Prediction:
    return predict(watcher.current(), body, alias=watcher.alias, at=pd.Timestamp.now("UTC"))


def _models(watcher: AliasWatcher, registered: Callable[[], list[RegisteredModel]]) -> Models:
    version = watcher.current().served.version
    return Models(alias=watcher.alias, serving=str(version), problem=watcher.problem, models=registered())


async def _mistake(_: Request, error: TouchstoneError) -> JSONResponse:
    # A broken registry is not the client's fault; everything else that is told in a sentence is.
    return JSONResponse({"error": str(error)}, status_code=503 if isinstance(error, LineageError) else 422)


async def _refusal(request: Request, error: HTTPException) -> JSONResponse:
    sentence = f"{request.method} {request.url.path} is not answered here ({error.detail}): see /api/v1/openapi.json."
    return JSONResponse({"error": sentence}, status_code=error.status_code, headers=error.headers)
