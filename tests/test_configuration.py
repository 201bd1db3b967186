"""Parameters: found, merged, checked before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from touchstone.configuration import TouchstoneConfigLoader, merge, read_parameters
from touchstone.errors import ConfigError
from touchstone.parameters import GateParameters, identity, parse

REPOSITORY = Path(__file__).parents[1]
RAW: dict[str, Any] = yaml.safe_load((REPOSITORY / "params.yaml").read_text())


def test_the_committed_parameters_say_next_close_because_the_sample_has_closes_only() -> None:
    parameters = parse(RAW)
    assert parameters.data.source == "sample"
    assert parameters.labels.fill == parameters.backtest.fill == "next_close"


@pytest.mark.parametrize(
    ("change", "nearest"),
    [
        ({"data": {"sorce": "sample"}}, "did you mean 'source'"),
        ({"trainning": {}}, "did you mean 'training'"),
        ({"data": {"files": {"pth": "x"}}}, "did you mean 'path'"),
        ({"validation": {"gate": {"deflated_sharpe": {"treshold": 0.9}}}}, "did you mean 'threshold'"),
        ({"validation": {"gate": {"deflated_sharp": {"threshold": 0.9, "required": True}}}}, "did you mean 'deflated_sharpe'"),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(change: dict[str, Any], nearest: str) -> None:
    with pytest.raises(ConfigError, match=nearest):
        parse(merge(RAW, change))


def test_a_value_that_does_not_fit_is_told_with_its_place() -> None:
    with pytest.raises(ConfigError, match=r"labels\.horizon.*got 0"):
        parse(merge(RAW, {"labels": {"horizon": 0}}))
    with pytest.raises(ConfigError, match=r"data\.derive.*must be a list.*write \[vwap_hlc3\]"):
        parse(merge(RAW, {"data": {"derive": "vwap_hlc3"}}))


def test_where_and_how_fast_are_no_part_of_the_identity() -> None:
    one = parse(merge(RAW, {"data": {"files": {"path": "somewhere"}}, "runtime": {"threads": 1}}))
    two = parse(RAW)
    assert identity(one.data) == identity(two.data)
    assert identity(one.runtime) == identity(two.runtime) == {}
    assert identity(parse(merge(RAW, {"seed": 8}))) != identity(two)


def test_merge_leaves_its_arguments_alone() -> None:
    base = {"a": {"b": 1, "c": 2}}
    assert merge(base, {"a": {"b": 3}}) == {"a": {"b": 3, "c": 2}}
    assert base == {"a": {"b": 1, "c": 2}}


def test_environment_then_runtime_win(project: Path) -> None:
    loader = TouchstoneConfigLoader(
        str(project / "conf"), env="test", runtime_params={"training": {"n_trials": 2}}, base_env="base", default_run_env="base"
    )
    values = loader["parameters"]
    assert values["data"]["source"] == "simulated"
    assert values["training"]["n_trials"] == 2
    assert values["training"]["n_folds"] == 2
    assert values["training"]["models"] == ["ridge", "lightgbm"]


def test_parameters_that_cannot_be_read_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds none"):
        read_parameters(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("a: [1")
    with pytest.raises(ConfigError, match="must be YAML"):
        read_parameters(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("- 1")
    with pytest.raises(ConfigError, match="must hold sections"):
        read_parameters(tmp_path / "params.yaml")


def test_the_gate_of_the_parameters_is_the_gate_of_the_evaluation() -> None:
    from touchstone.evaluation._gate import _RULES

    assert list(GateParameters.model_fields) == list(_RULES)


def test_a_rule_that_is_left_out_is_not_applied() -> None:
    rules = parse(RAW).validation.gate.rules()
    assert rules["deflated_sharpe"] == (0.95, True)
    assert "sharpe_above_benchmark" not in rules
