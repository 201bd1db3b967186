"""The alias, looked up again and again: whoever promotes a model does not restart the service."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from touchstone.errors import LineageError, TouchstoneError
from touchstone.serving._bundle import Bundle

if TYPE_CHECKING:
    from touchstone.tracking import ServedModel

__all__ = ["AliasWatcher"]

logger = logging.getLogger(__name__)


class AliasWatcher:
    """The bundle behind an alias, looked up when it is asked for and at most once per interval.

    A new version is loaded beside the old one and takes its place in one assignment: a request in flight keeps the bundle it
    started with. A look that fails (a registry that is being rebuilt, files that are gone) leaves the version in service where
    it is; `problem` and the log say so.

    Parameters
    ----------
    alias : str
    resolve : callable
        Alias → what the registry says; raises a TouchstoneError when it says nothing.
    load : callable
        What the registry says → bundle; raises a TouchstoneError when its files are broken.
    interval : float
        Seconds between two looks.
    clock : callable
        Seconds that never run backwards.
    """

    def __init__(
        self,
        alias: str,
        resolve: Callable[[str], ServedModel],
        load: Callable[[ServedModel], Bundle],
        *,
        interval: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.alias = alias
        self._resolve = resolve
        self._load = load
        self._interval = interval
        self._clock = clock
        self._lock = threading.Lock()
        self._due = float("-inf")
        self._bundle: Bundle | None = None
        self._problem: TouchstoneError | None = None

    @property
    def problem(self) -> str | None:
        """Why the last look failed; None when it did not."""
        return None if self._problem is None else str(self._problem)

    def current(self) -> Bundle:
        """The bundle to answer with; safe to call from many threads.

        Raises
        ------
        LineageError
            No look has succeeded yet: what the last one said.
        """
        # Nobody waits for another thread's look, unless there is nothing to answer with yet.
        if self._clock() >= self._due and self._lock.acquire(blocking=self._bundle is None):
            try:
                self._look_when_due()
            finally:
                self._lock.release()
        bundle = self._bundle
        if bundle is None:
            raise LineageError(self.problem or f"The alias '{self.alias}' was not looked up yet: ask again.")
        return bundle

    def _look_when_due(self) -> None:
        if self._clock() < self._due:
            return
        try:
            self._bundle, problem = self._newest(self._bundle), None
        except TouchstoneError as error:
            problem = error
        if problem is not None and str(problem) != self.problem:
            logger.warning("The alias '%s' cannot be followed: %s", self.alias, problem)
        self._problem = problem
        self._due = self._clock() + self._interval

    def _newest(self, bundle: Bundle | None) -> Bundle:
        served = self._resolve(self.alias)
        if bundle is not None and bundle.served == served:
            return bundle
        loaded = self._load(served)
        logger.info("Serving version %s (run %s) as %s", served.version, served.run_id, self.alias)
        return loaded
