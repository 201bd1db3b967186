"""The BentoML service: what `bentoml serve` loads in each worker."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import bentoml
from anyio import to_thread

from touchstone.errors import TouchstoneError
from touchstone.serving._app import create_app
from touchstone.serving._body_limit import BodyLimit
from touchstone.serving._rehearsal import load_rehearsed
from touchstone.serving._start import ALIAS, DEFAULT_ALIAS, ROOT
from touchstone.serving._watcher import AliasWatcher
from touchstone.tracking import registered_models, resolve

__all__ = ["Touchstone"]

_root = Path(os.environ.get(ROOT, ".")).resolve()
_watcher = AliasWatcher(os.environ.get(ALIAS, DEFAULT_ALIAS), partial(resolve, root=_root), load_rehearsed)


@bentoml.service(workers=1)
@bentoml.asgi_app(create_app(_watcher, partial(registered_models, _root)))
class Touchstone:
    """Scores of the registered model; the routes are the mounted application's."""

    def __init__(self) -> None:
        self._is_loaded()

    async def __is_ready__(self) -> bool:
        return await to_thread.run_sync(self._is_loaded)

    def _is_loaded(self) -> bool:
        try:
            _watcher.current()
        except TouchstoneError:  # the watcher has logged it, and looks again
            return False
        return True


Touchstone.add_asgi_middleware(BodyLimit)  # type: ignore[attr-defined]  # the decorator makes a Service of the class
