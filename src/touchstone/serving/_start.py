"""Start the server: the alias is checked first, then BentoML runs in a process of its own."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from touchstone import arithmetic
from touchstone.errors import ConfigError

__all__ = ["ALIAS", "DEFAULT_ALIAS", "ROOT", "start"]

ALIAS, DEFAULT_ALIAS = "TOUCHSTONE_ALIAS", "champion"
ROOT = "TOUCHSTONE_ROOT"
_SERVICE = "touchstone.serving._service:Touchstone"
# Nothing phones home; BentoML wants the word, not 1.
_SILENT = {"DO_NOT_TRACK": "1", "BENTOML_DO_NOT_TRACK": "True", "MLFLOW_DISABLE_TELEMETRY": "true"}


def start(root: Path, *, port: int, host: str = "127.0.0.1") -> int:
    """Serve the model that carries the alias ``TOUCHSTONE_ALIAS`` (default ``champion``) until the server is told to stop.

    Parameters
    ----------
    root : Path
        The project's folder.
    port : int
        Port to listen on, 1 to 65535.
    host : str
        IP address to listen on; the default answers this machine only.

    Returns
    -------
    int
        Exit code of the server.

    Raises
    ------
    LineageError
        No model carries the alias; the sentence names the two ways on.
    ConfigError
        An address that cannot be listened on.
    """
    from touchstone.tracking import resolve

    resolve(os.environ.get(ALIAS, DEFAULT_ALIAS), root=root)
    _require_free(host, port)
    command = [sys.executable, "-m", "bentoml", "serve", _SERVICE, "--host", host, "--port", str(port)]
    process = subprocess.Popen(command, cwd=root, env=_environment(root.resolve()))
    with _signals_passed_to(process):
        return process.wait()


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


@contextmanager
def _signals_passed_to(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """A supervisor stops this process, and means the server; a request that is running may finish."""

    def forward(number: int, _: FrameType | None) -> None:
        if process.poll() is None:
            process.send_signal(number)

    before = {number: signal.signal(number, forward) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
