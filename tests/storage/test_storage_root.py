"""One root for all outputs: who says where it is, and what does not move with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from touchstone.configuration import TouchstoneConfigLoader
from touchstone.errors import ConfigError
from touchstone.project import generated_dvc_yaml
from touchstone.remote import Remote
from touchstone.root import data_root

SETTING = "TOUCHSTONE_DATA_ROOT"


def _bars(project: Path, env: str = "test") -> str:
    loader = TouchstoneConfigLoader(str(project / "conf"), env=env, base_env="base", default_run_env="base")
    return str(loader["catalog"]["bars"]["filepath"])


def _local(project: Path, text: str, env: str = "local") -> None:
    (project / "conf" / env).mkdir(exist_ok=True)
    (project / "conf" / env / "globals.yml").write_text(text)


def test_outputs_lie_in_data_unless_said_otherwise(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_root(project) == project / "data"
    assert _bars(project) == "data/03_primary/bars.parquet"
    _local(project, "data_root: /big/disk\n")
    assert data_root(project) == Path("/big/disk")
    assert _bars(project) == "/big/disk/03_primary/bars.parquet"
    monkeypatch.setenv(SETTING, "s3://lab/data/")
    assert data_root(project) == Remote("s3://lab/data")
    assert _bars(project) == "s3://lab/data/03_primary/bars.parquet"


def test_every_output_moves_with_the_root(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "memory://lab")
    loader = TouchstoneConfigLoader(str(project / "conf"), base_env="base", default_run_env="base")
    kept = {name for name, entry in loader["catalog"].items() if not entry["filepath"].startswith("memory://lab/")}
    assert kept == {"code", "training_code", "lock", "known_trials", "search_storage"}


def test_a_root_of_one_environment_is_refused_as_other_commands_would_not_find_it(project: Path) -> None:
    _local(project, "data_root: elsewhere\n", env="test")
    with pytest.raises(ConfigError, match=r"conf/test/globals\.yml names one for its environment alone"):
        _bars(project)


def test_a_root_that_is_no_text_is_refused(project: Path) -> None:
    _local(project, "data_root: [a]\n")
    with pytest.raises(ConfigError, match=r"local/globals\.yml says \['a'\]"):
        data_root(project)


def test_the_stages_are_those_of_the_project_wherever_this_machine_keeps_its_outputs(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = generated_dvc_yaml(project)
    assert "- data/03_primary/bars.parquet" in before
    monkeypatch.setenv(SETTING, "s3://lab/data")
    assert generated_dvc_yaml(project) == before


def test_a_stage_that_dvc_runs_refuses_another_root(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_STAGE", "ingestion")
    assert data_root(project) == project / "data"
    monkeypatch.setenv(SETTING, "s3://lab/data")
    with pytest.raises(ConfigError, match="unset TOUCHSTONE_DATA_ROOT"):
        data_root(project)
