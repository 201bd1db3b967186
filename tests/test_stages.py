"""The DVC stages are what the pipelines and the catalog say."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from touchstone.project import generated_dvc_yaml
from touchstone.stages import STAGES, code_files

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def stages() -> dict[str, Any]:
    return dict(yaml.safe_load(generated_dvc_yaml(REPOSITORY))["stages"])


@pytest.fixture(scope="module")
def shared(new_project: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose files are read and, one at a time, added to."""
    return new_project(tmp_path_factory.mktemp("stages") / "project")


def _outs(stage: dict[str, Any]) -> set[str]:
    return {*stage["outs"], *(next(iter(entry)) for kind in ("metrics", "plots") for entry in stage.get(kind, ()))}


def test_the_committed_stages_are_the_generated_ones() -> None:
    assert (REPOSITORY / "dvc.yaml").read_text() == generated_dvc_yaml(REPOSITORY), "run `touchstone dvc-sync`"


def test_one_stage_a_pipeline_with_its_name(stages: dict[str, Any]) -> None:
    assert tuple(stages) == STAGES
    assert [stage["cmd"] for stage in stages.values()] == [f"kedro run --pipelines {name}" for name in STAGES]


def test_every_data_dependency_is_an_earlier_stages_output(stages: dict[str, Any]) -> None:
    made: set[str] = set()
    for name, stage in stages.items():
        read = {path for path in stage["deps"] if path.startswith("data/")}
        assert read <= made, name
        assert not made & _outs(stage), "two stages write one file"
        made |= _outs(stage)


def test_the_files_of_the_source_and_the_lock_are_dependencies(stages: dict[str, Any]) -> None:
    assert "${data.files.path}" in stages["ingestion"]["deps"]
    assert all("requirements.lock" in stage["deps"] and "conf/base" in stage["deps"] for stage in stages.values())


def test_how_fast_is_no_dependency_and_the_ledger_no_output(stages: dict[str, Any]) -> None:
    assert not any("runtime" in stage["params"] for stage in stages.values())
    assert not any("ledger/known.jsonl" in _outs(stage) for stage in stages.values())
    assert "ledger/known.jsonl" in stages["validation"]["deps"]
    assert "ledger/known.jsonl" not in stages["backtest"]["deps"]


def test_a_backtest_parameter_concerns_nothing_before_the_backtest(stages: dict[str, Any]) -> None:
    assert [name for name, stage in stages.items() if "backtest" in stage["params"]] == ["backtest", "validation"]


@pytest.mark.parametrize(
    ("file", "concerned"),
    [
        ("src/touchstone/sources/_sample.py", ["ingestion"]),
        ("src/touchstone/features/_momentum.py", ["features"]),
        ("src/touchstone/portfolio/_top_bottom.py", ["backtest", "validation"]),
        ("src/touchstone/lineage/_canonical.py", list(STAGES[:5])),
        ("src/touchstone/tracking/_verify.py", []),
        ("src/touchstone/cli.py", []),
    ],
)
def test_code_concerns_the_stages_that_import_it(shared: Path, file: str, concerned: list[str]) -> None:
    # The report stage names the code of all stages, as it makes the run's identity of it.
    assert [stage for stage in STAGES[:5] if file in code_files(shared, [stage])] == concerned


def test_the_run_is_the_code_of_all_stages_and_the_catalog_and_the_reports(shared: Path) -> None:
    every = set(code_files(shared))
    assert {file for stage in STAGES for file in code_files(shared, [stage])} == every
    assert {"conf/base/catalog/06_models.yml", "notebooks/reports/tear_sheet.ipynb", "src/touchstone/reports/_render.py"} <= every
    assert not any("conf/test" in file or "__pycache__" in file for file in every)


def test_a_module_that_nothing_imports_is_no_code_of_the_run(shared: Path) -> None:
    before = code_files(shared)
    idle = shared / "src" / "touchstone" / "idle.py"
    idle.write_text("import touchstone.features\n")
    assert code_files(shared) == before
    idle.unlink()


def test_what_only_a_report_imports_is_code_of_the_run(shared: Path, tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(shared, root)
    (root / "src" / "touchstone" / "client.py").write_text("VALUE = 1\n")
    notebook = root / "notebooks" / "reports" / "other.ipynb"
    notebook.write_text('{"cells": [{"cell_type": "code", "source": ["%matplotlib inline\\n", "from touchstone.client import VALUE"]}]}')
    added = {"notebooks/reports/other.ipynb", "src/touchstone/client.py"}
    assert set(code_files(root)) - set(code_files(shared)) == added
