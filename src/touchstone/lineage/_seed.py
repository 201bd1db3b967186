"""One seed for each task, so that the order and number of workers cannot matter."""

from __future__ import annotations

from touchstone.lineage._canonical import canonical_json, digest

__all__ = ["task_seed"]

_POSITIVE_INT32 = 0x7FFFFFFF


def task_seed(seed: int, pipeline: str, step: str, task: int | str) -> int:
    """First four bytes of SHA-256 of canonical ``[seed, pipeline, step, task]``, as an integer in [0, 2³¹)."""
    head = digest(canonical_json([seed, pipeline, step, task]).encode())[:8]
    return int(head, 16) & _POSITIVE_INT32
