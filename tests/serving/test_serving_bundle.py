"""A bundle that cannot score as it was trained is refused before it is served."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from touchstone.errors import LineageError
from touchstone.serving._bundle import load_bundle


def _lose(name: str) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).unlink()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_lose("model.txt"), "lacks model.txt"),
        (_lose("bundle.json"), "lacks bundle.json"),
        (lambda folder: (folder / "bundle.json").write_text("{"), "its text does not fit"),
        (lambda folder: (folder / "bundle.json").write_text('{"model": "ridge"}'), "features does not fit"),
        (lambda folder: (folder / "model.txt").write_bytes(b"tree\n"), "ridge"),
    ],
)
def test_broken_files(research: Any, tmp_path: Path, spoil: Callable[[Path], Any], said: str) -> None:
    served = research.write(tmp_path)
    spoil(tmp_path)
    with pytest.raises(LineageError, match=said):
        load_bundle(served)


def test_a_model_of_other_columns(research: Any, tmp_path: Path) -> None:
    served = research.write(tmp_path, columns=research.card["columns"][::-1])
    with pytest.raises(LineageError, match="must be fitted on the columns"):
        load_bundle(served)


def test_a_bundle_carries_what_its_files_say(research: Any, tmp_path: Path) -> None:
    bundle = load_bundle(research.write(tmp_path, "lightgbm"))
    assert list(bundle.card.columns) == research.card["columns"]
    assert bundle.card.lookback == research.card["lookback"]
    assert bundle.forecaster.dump() == research.fitted["lightgbm"].dump()
