"""The same code, data and parameters give the same bytes and the same id, in any folder and with any number of threads."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

pytestmark = pytest.mark.slow


def test_another_folder_and_one_thread_give_the_same_manifest(
    finished_run: Path,
    fresh: Callable[[Path], Path],
    runner: Callable[..., None],
    manifest: Callable[[Path], dict[str, Any]],
    tmp_path: Path,
) -> None:
    other = fresh(tmp_path / "a folder with spaces" / "project")
    runner(other, runtime={"threads": 1})
    assert manifest(other) == manifest(finished_run)
    bodies = [(root / "data" / "08_reporting" / "manifest.json").read_bytes() for root in (other, finished_run)]
    assert bodies[0] == bodies[1]
    assert str(tmp_path) not in bodies[0].decode()


def test_the_manifest_lists_every_file_of_the_run(finished_run: Path, manifest: Callable[[Path], dict[str, Any]]) -> None:
    written = {path.relative_to(finished_run).as_posix() for path in (finished_run / "data").rglob("*") if path.is_file()}
    assert set(manifest(finished_run)["outputs"]) == written - {"data/08_reporting/manifest.json"}


def test_a_simulated_market_is_not_remembered(finished_run: Path) -> None:
    assert (finished_run / "ledger" / "known.jsonl").read_text() == ""


@pytest.fixture(scope="module")
def base(
    fresh: Callable[[Path], Path],
    identify: Callable[..., str],
    from_files: Callable[[Path], dict[str, Any]],
    prices: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, str]:
    """A project that has run on files as far as its id; for reading only."""
    root = fresh(tmp_path_factory.mktemp("base") / "project")
    return root, identify(root, **from_files(prices))


def _copy(base: tuple[Path, str], target: Path) -> Path:
    shutil.copytree(base[0], target)
    return target


def _known(root: Path) -> str:
    return (root / "ledger" / "known.jsonl").read_text()


def test_a_repeated_run_is_the_same_run_and_adds_no_trial(
    base: tuple[Path, str], identify: Callable[..., str], from_files: Callable[[Path], dict[str, Any]], prices: Path, tmp_path: Path
) -> None:
    root = _copy(base, tmp_path / "again")
    elsewhere = tmp_path / "moved" / "market.csv"
    elsewhere.parent.mkdir()
    shutil.copy2(prices, elsewhere)
    # Where the file lies and how many threads work on it decide nothing.
    assert identify(root, **from_files(elsewhere), runtime={"threads": 1}) == base[1]
    assert len(_known(root).splitlines()) == 1
    assert _known(root) == _known(base[0])


@pytest.mark.parametrize(("change", "n_trials"), [({"backtest": {"half_spread_bps": 6.0}}, 2), ({"seed": 8}, 2)], ids=["cost", "seed"])
def test_another_parameter_is_another_run_and_another_trial(
    base: tuple[Path, str],
    identify: Callable[..., str],
    from_files: Callable[[Path], dict[str, Any]],
    prices: Path,
    tmp_path: Path,
    change: dict[str, Any],
    n_trials: int,
) -> None:
    root = _copy(base, tmp_path / "changed")
    assert identify(root, **from_files(prices), **change) != base[1]
    assert len(_known(root).splitlines()) == n_trials
    assert set(_known(base[0]).splitlines()) < set(_known(root).splitlines())


def test_another_row_of_data_is_another_run_but_no_other_trial(
    base: tuple[Path, str], identify: Callable[..., str], from_files: Callable[[Path], dict[str, Any]], prices: Path, tmp_path: Path
) -> None:
    root, changed = _copy(base, tmp_path / "changed"), tmp_path / "market.csv"
    table = pd.read_csv(prices)
    table.loc[300, "close"] = round(table.loc[300, "close"] + 0.01, 4)
    table.to_csv(changed, index=False)
    assert identify(root, **from_files(changed)) != base[1]
    # The same configuration on the same symbols and span: a repair of the data is no further attempt.
    assert len(_known(root).splitlines()) == 1


@pytest.mark.parametrize(
    ("file", "same"), [("labels/_grid.py", False), ("pipelines/backtest/nodes.py", False), ("cli.py", True), ("tracking/_tar.py", True)]
)
def test_a_line_of_code_counts_where_it_can_decide_a_result(base: tuple[Path, str], tmp_path: Path, file: str, same: bool) -> None:
    from touchstone.lineage import code_hash
    from touchstone.stages import code_files

    def hashed(root: Path) -> str:
        return code_hash({path: (root / path).read_bytes() for path in code_files(root)})

    root = _copy(base, tmp_path / "changed")
    with (root / "src" / "touchstone" / file).open("a") as source:
        source.write("\n# one more line\n")
    assert (hashed(root) == hashed(base[0])) is same


def test_the_code_is_part_of_the_id(
    base: tuple[Path, str], identify: Callable[..., str], from_files: Callable[[Path], dict[str, Any]], prices: Path, tmp_path: Path
) -> None:
    root = _copy(base, tmp_path / "changed")
    with (root / "src" / "touchstone" / "labels" / "_grid.py").open("a") as source:
        source.write("\n# one more line\n")
    assert identify(root, **from_files(prices)) != base[1]
