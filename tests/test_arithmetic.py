"""The pins: set before numpy loads, in every process that makes numbers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from touchstone import arithmetic

TOUCHSTONE = str(Path(sys.executable).with_name("touchstone"))
DISPATCH = "from numpy._core._multiarray_umath import __cpu_features__ as has; print(has['X86_V4'], has['AVX512_ICL'], has['AVX512_SPR'])"


def test_this_process_computes_as_every_processor_does() -> None:
    # Numpy read the pins when it loaded: tests that compare bits with another process depend on it.
    from numpy._core._multiarray_umath import __cpu_features__ as has

    assert arithmetic.is_pinned()
    assert not any(has[name] for name in ("X86_V4", "AVX512_ICL", "AVX512_SPR"))


def test_a_pin_that_differs_is_no_pin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "SkylakeX")
    assert not arithmetic.is_pinned()
    arithmetic.pin()
    assert arithmetic.is_pinned()


def _ask(code: str, *, pinned: bool) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in arithmetic.PINS}
    environment |= arithmetic.PINS if pinned else {}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def test_pinning_before_numpy_is_what_counts() -> None:
    assert _ask(f"from touchstone import arithmetic; arithmetic.pin_or_restart(); {DISPATCH}", pinned=False) == "False False False"
    assert _ask(DISPATCH, pinned=True) == "False False False"


def test_a_command_that_comes_too_late_starts_again_pinned(tmp_path: Path) -> None:
    # A file named like the command, which loads numpy first, as a plugin of Kedro may.
    command = tmp_path / "kedro"
    command.write_text(
        f"import numpy, sys\nfrom touchstone import arithmetic\narithmetic.pin_or_restart()\n{DISPATCH}\nprint(sys.argv[1:])\n"
    )
    environment = {name: value for name, value in os.environ.items() if name not in arithmetic.PINS}
    answer = subprocess.run([sys.executable, command, "run", "--env", "x y"], env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines() == ["False False False", "['run', '--env', 'x y']"]


@pytest.mark.slow
def test_the_command_line_is_pinned() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in arithmetic.PINS}
    answer = subprocess.run([TOUCHSTONE, "doctor"], env=environment, capture_output=True, text=True, check=False)
    assert "ok   arithmetic is pinned" in answer.stdout
