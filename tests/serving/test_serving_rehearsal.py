"""What would fail in front of a client fails in rehearsal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from touchstone import models
from touchstone.errors import ConfigError, DataError
from touchstone.serving._rehearsal import load_rehearsed


@pytest.mark.parametrize("model", ["ridge", "lightgbm"])
def test_a_sound_bundle_passes(research: Any, tmp_path: Path, model: str) -> None:
    assert load_rehearsed(research.write(tmp_path, model)).forecaster.dump() == research.fitted[model].dump()


def test_closes_alone_without_a_benchmark_pass(research: Any, tmp_path: Path) -> None:
    columns = ["return_1", "volatility_20"]
    matrix = research.matrix[columns].tail(500)
    lean = replace(research, fitted={"ridge": models.make("ridge").fit(matrix, matrix["return_1"].astype("float64").fillna(0.0))})
    served = lean.write(tmp_path, columns=columns, fields=["close"], needs_benchmark=False, adjustment="total_return")
    assert load_rehearsed(served).card.fields == ("close",)


def test_a_feature_set_that_is_not_there(research: Any, tmp_path: Path) -> None:
    served = research.write(tmp_path, features={"sets": ["momentun"], "transform": "rank"})
    with pytest.raises(ConfigError, match="did you mean 'momentum'"):
        load_rehearsed(served)


@pytest.mark.parametrize(
    ("card", "said"),
    [
        ({"fields": ["close"]}, "the bars do not carry"),
        ({"needs_benchmark": False}, "there is no benchmark"),
        ({"lookback": 100}, "lookback, 505"),
    ],
)
def test_a_card_that_does_not_fit_its_model(research: Any, tmp_path: Path, card: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        load_rehearsed(research.write(tmp_path, **card))
