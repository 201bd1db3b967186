"""Start the server: the alias and the address are checked first, then this process becomes BentoML's."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

from touchstone import arithmetic
from touchstone.errors import ConfigError

__all__ = ["ALIAS", "DEFAULT_ALIAS", "ROOT", "start"]

ALIAS, DEFAULT_ALIAS = "TOUCHSTONE_ALIAS", "champion"
ROOT = "TOUCHSTONE_ROOT"
_SERVICE = "touchstone.serving._service:Touchstone"
# Nothing phones home; BentoML wants the word, not 1.
_SILENT = {"DO_NOT_TRACK": "1", "BENTOML_DO_NOT_TRACK": "True", "MLFLOW_DISABLE_TELEMETRY": "true"}


def start(root: Path, *, port: int, host: str = "127.0.0.1") -> NoReturn:
    """Serve the model that carries the alias ``TOUCHSTONE_ALIAS`` (default ``champion``) until the server is told to stop.

    This process becomes the server, so that a supervisor's signals reach it and it ends with its exit code: SIGTERM lets a
    running request finish.

    Parameters
    ----------
    root : Path
        The project's folder.
    port : int
        Port to listen on, 1 to 65535.
    host : str
        IP address to listen on; the default answers this machine only.

    Raises
    ------
    LineageError
        No model carries the alias; the sentence names the two ways on.
    ConfigError
        An address that cannot be listened on.
    """
    from touchstone.tracking import resolve

    home = root.resolve()
    resolve(os.environ.get(ALIAS, DEFAULT_ALIAS), root=home)
    _require_free(host, port)
    serve = ["-m", "bentoml", "serve", _SERVICE, "--working-dir", str(home), "--host", host, "--port", str(port)]
    os.execve(sys.executable, [sys.executable, *serve], _environment(home))


def _environment(root: Path) -> dict[str, str]:
    own = root / ".touchstone"
    places = {ROOT: str(root), "BENTOML_HOME": str(own / "bentoml")}
    return {"NUMBA_CACHE_DIR": str(own / "numba")} | dict(os.environ) | arithmetic.PINS | _SILENT | places


def _require_free(host: str, port: int) -> None:
    if not 1 <= port <= 65535:
        raise ConfigError(f"A port must lie in 1 to 65535, but got {port}: give another with --port.")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise ConfigError(
            f"A host must be an IP address of this machine, but got '{host}': use 127.0.0.1, or 0.0.0.0 for every one."
        ) from None
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind((host, port))
    except OSError as error:
        raise ConfigError(
            f"The server needs a free address, but {host}:{port} is not ({error.strerror}): give another with --port."
        ) from None
