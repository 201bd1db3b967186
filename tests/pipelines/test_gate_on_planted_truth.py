"""The test is tested: at the committed defaults the gate passes a planted signal on four of five seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

Verdicts = Callable[[float], Iterator[dict[str, Any]]]


@pytest.mark.slow
def test_a_planted_signal_passes_on_four_of_five_seeds(verdicts: Verdicts) -> None:
    passed: list[bool] = []
    for verdict in verdicts(0.05):
        passed.append(verdict["passed"])
        if sum(passed) >= 4 or passed.count(False) > 1:  # the seeds that are left can change nothing
            break
    assert sum(passed) >= 4, passed
