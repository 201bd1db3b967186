"""What can be seen of fetching from outside: counters and the state of each circuit."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

__all__ = ["CIRCUIT", "FAILURES", "REQUESTS", "RETRIES"]

CIRCUIT = Gauge("touchstone_source_circuit_state", "Circuit breaker of a source: 0 closed, 1 half open, 2 open.", ["source"])
REQUESTS = Counter("touchstone_source_requests", "Requests sent, by what came of them.", ["source", "outcome"])
RETRIES = Counter("touchstone_source_retries", "Requests that were tried again.", ["source"])
FAILURES = Counter("touchstone_source_failures", "Pages that were given up.", ["source"])
