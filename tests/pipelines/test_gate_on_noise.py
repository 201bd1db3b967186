"""The test is tested: at the committed defaults the gate rejects a market without a signal on every seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

Verdicts = Callable[[float], Iterator[dict[str, Any]]]


@pytest.mark.slow
def test_noise_is_rejected_on_every_seed(verdicts: Verdicts) -> None:
    judged = list(verdicts(0.0))
    assert len(judged) == 5
    assert not any(verdict["passed"] for verdict in judged)
    for verdict in judged:
        outcomes = {rule["name"]: rule["outcome"] for rule in verdict["rules"]}
        assert outcomes["no_look_ahead"] == "passed"
        assert outcomes["rank_ic_lower"] == outcomes["deflated_sharpe"] == "failed"
