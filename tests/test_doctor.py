"""A doctor that finds what is wrong, and says how it should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from touchstone.doctor import examine

REPOSITORY = Path(__file__).parents[1]


def _wrong(root: Path) -> list[str]:
    return [finding.what for finding in examine(root) if not finding.well]


def test_this_installation_is_well() -> None:
    assert _wrong(REPOSITORY) == []


def test_packages_that_differ_from_the_lock_are_named(project: Path) -> None:
    path = project / "requirements.lock"
    path.write_text(path.read_text() + "no-such-package==1.0\n")
    (said,) = _wrong(project)
    assert said == "1 packages differ from the lock: no-such-package missing (lock: 1.0)"


def test_parameters_that_are_not_understood_are_told(project: Path) -> None:
    path = project / "params.yaml"
    path.write_text(path.read_text().replace("\nseed: 7", "\nsed: 7"))
    said = _wrong(project)
    assert said
    assert all("did you mean 'seed'" in sentence for sentence in said)


def test_a_source_that_does_not_exist_is_told(project: Path) -> None:
    path = project / "params.yaml"
    path.write_text(path.read_text().replace("source: sample ", "source: sampel "))
    (said,) = _wrong(project)
    assert "'sampel'" in said
    assert "sample" in said


def test_arithmetic_that_is_not_pinned_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENBLAS_CORETYPE")
    (said,) = _wrong(REPOSITORY)
    assert "arithmetic" in said
