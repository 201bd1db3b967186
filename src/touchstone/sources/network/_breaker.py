"""The circuit breaker of one vendor: after failures in a row nobody is let through for a while, and then one at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState
from purgatory.service._async.circuitbreaker import AsyncCircuitBreaker

from touchstone.errors import SourceError
from touchstone.sources.network._metrics import CIRCUIT
from touchstone.sources.network._vendor import Policy

__all__ = ["Breaker", "CircuitOpen", "Declined"]

CircuitOpen = OpenedState
_STATES = {"closed": 0, "half-opened": 1, "opened": 2}
_logger = logging.getLogger(__name__)


class Declined(Exception):  # noqa: N818 - an answer of the vendor
    """The vendor is well and does not give what was asked for, or not now: no failure."""


class Breaker:
    """Counts failures in a row; what `SourceError` and `Declined` say came from a vendor that is well."""

    def __init__(self, source: str, policy: Policy) -> None:
        self._source = source
        self._factory = AsyncCircuitBreakerFactory(policy.breaker_failures, policy.breaker_reset_s, exclude=[SourceError, Declined])
        self._probe = asyncio.Lock()
        self._seen = "closed"
        CIRCUIT.labels(source).set(_STATES[self._seen])

    @asynccontextmanager
    async def guard(self) -> AsyncIterator[None]:
        """Let one request through.

        Raises
        ------
        CircuitOpen
            The vendor is being left alone.
        """
        circuit = await self._factory.get_breaker(self._source)
        if circuit.context.state == "closed":
            async with self._watched(circuit):
                yield
            return
        # Half open: one request finds out, the others wait for what it finds.
        async with self._probe, self._watched(circuit):
            yield

    @asynccontextmanager
    async def _watched(self, circuit: AsyncCircuitBreaker) -> AsyncIterator[None]:
        try:
            async with circuit:
                self._show(circuit.context.state)
                yield
        finally:
            self._show(circuit.context.state)

    def _show(self, state: str) -> None:
        CIRCUIT.labels(self._source).set(_STATES[state])
        if state != self._seen:
            _logger.warning("the circuit of '%s' is %s", self._source, state)
            self._seen = state
