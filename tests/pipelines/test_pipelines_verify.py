"""`touchstone verify` makes an archived run again, for real, and says what is not what it was."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from touchstone.cli import cli

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def archived(
    new_project: Callable[[Path], Path],
    with_short_report: Callable[[Path], Path],
    runner: Callable[..., None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A project with an archived run, whose report is of one line."""
    root = with_short_report(new_project(tmp_path_factory.mktemp("archived") / "project"))
    runner(root)
    return root


@pytest.fixture
def spoilt(archived: Path, tmp_path: Path) -> Path:
    """A copy whose archive a test may damage."""
    root = tmp_path / "project"
    shutil.copytree(archived, root)
    return root


def _archive(root: Path) -> Path:
    (folder,) = (path for path in (root / "runs").iterdir() if path.is_dir() and not path.name.startswith("."))
    return folder


def _verify(root: Path) -> Result:
    here = Path.cwd()
    os.chdir(root)
    try:
        return CliRunner().invoke(cli, ["verify", _archive(root).name[:12]])
    finally:
        os.chdir(here)


def test_every_output_comes_out_the_same(archived: Path, shell: dict[str, str], tmp_path: Path) -> None:
    command = ["touchstone", "verify", _archive(archived).name]
    before = {path: path.read_bytes() for path in sorted(archived.rglob("*")) if path.is_file()}
    environment = {**shell, "NUMBA_CACHE_DIR": str(tmp_path / "numba")}
    answer = subprocess.run(command, cwd=archived, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    n_outputs = len(json.loads((archived / "data" / "08_reporting" / "manifest.json").read_text())["outputs"])
    assert f"{n_outputs + 1} outputs compared, 0 differ" in answer.stdout
    # The repetition happens elsewhere: nothing of the project was touched.
    assert {path: path.read_bytes() for path in sorted(archived.rglob("*")) if path.is_file()} == before


@pytest.mark.parametrize(
    ("file", "genuine", "forged", "said"),
    [
        (
            "outputs/01_raw/bars.parquet",
            b"PAR1",
            b"PAR2",
            "'data/01_raw/bars.parquet' must be what its manifest says, but its bytes differ",
        ),
        ("code.tar", b"touchstone", b"no tar at all", "the archive is damaged"),
        ("code.tar", b"ddof=1", b"ddof=0", "the archive is damaged"),
    ],
)
def test_a_damaged_archive_is_refused_by_name(spoilt: Path, file: str, genuine: bytes, forged: bytes, said: str) -> None:
    path = _archive(spoilt) / file
    assert genuine in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(genuine, forged, 1))
    result = _verify(spoilt)
    assert result.exit_code == 1
    assert said in result.output
    assert "Traceback" not in result.output


def test_other_archived_parameters_are_caught_by_the_outputs_they_change(spoilt: Path) -> None:
    path = _archive(spoilt) / "project" / "params.yaml"
    path.write_text(path.read_text().replace("half_spread_bps: 5.0", "half_spread_bps: 6.0"))
    result = _verify(spoilt)
    assert result.exit_code == 1
    assert "differs: data/07_model_output/equity.parquet" in result.output
    assert "differs: data/08_reporting/manifest.json" in result.output
    assert "differs: data/03_primary/bars.parquet" not in result.output
    assert "did not give the same bytes again" in result.output
