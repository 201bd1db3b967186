"""Where the domain announces what it evaluated: silent unless a pipeline, notebook or service listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias

from touchstone.lineage._trials import Trial
from touchstone.types import FloatArray

__all__ = ["Sink", "record", "recorder", "recording"]

Sink: TypeAlias = Callable[[Trial, FloatArray | None], None]

recorder: ContextVar[Sink | None] = ContextVar("recorder", default=None)


def record(trial: Trial, returns: FloatArray | None = None) -> None:
    """Announce a trial to the installed sink; without one nothing happens.

    Parameters
    ----------
    trial : what was evaluated.
    returns : its simple returns per period (n,), where they are at hand.

    Worker threads do not inherit the context variable: announce in the thread that installed the sink.
    """
    sink = recorder.get()
    if sink is not None:
        sink(trial, returns)


@contextmanager
def recording(sink: Sink) -> Iterator[None]:
    """Install a sink for the length of a ``with`` block; the one before comes back afterwards."""
    token = recorder.set(sink)
    try:
        yield
    finally:
        recorder.reset(token)
