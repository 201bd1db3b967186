from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from touchstone.errors import ConfigError
from touchstone.evaluation import Scorecard, Verdict, gate, scorecard

NAN = float("nan")


@pytest.fixture
def card(make_outcome) -> Scorecard:
    return scorecard(**make_outcome())


def changed(card: Scorecard, part: str, **values: Any) -> Scorecard:
    return dataclasses.replace(card, **{part: dataclasses.replace(getattr(card, part), **values)})


def only(verdict: Verdict) -> tuple[str, float | None]:
    (rule,) = verdict.rules
    return rule.outcome, rule.observed


@pytest.mark.parametrize(
    ("rule", "part", "field", "at_threshold"),
    [
        ("rank_ic_lower", "rank_ic", "lower", "failed"),
        ("deflated_sharpe", "luck", "deflated_sharpe", "passed"),
        ("net_sharpe_lower", "sharpe", "net_lower", "failed"),
        ("sharpe_above_equal_weighted", "sharpe", "net_minus_equal_weighted", "failed"),
        ("sharpe_above_benchmark", "sharpe", "net_minus_benchmark", "failed"),
        ("positive_years", "positive_years", "share", "passed"),
    ],
)
def test_each_rule_reads_its_number(card: Scorecard, rule: str, part: str, field: str, at_threshold: str) -> None:
    outcomes = [gate(changed(card, part, **{field: value}), {rule: (0.5, True)}) for value in (0.4, 0.5, 0.6, NAN)]
    assert [only(verdict) for verdict in outcomes] == [("failed", 0.4), (at_threshold, 0.5), ("passed", 0.6), ("not_applicable", None)]
    assert [verdict.passed for verdict in outcomes] == [False, at_threshold == "passed", True, False]


def test_look_ahead_allows_no_more_than_its_threshold(card: Scorecard) -> None:
    for findings, outcome in ((0, "passed"), (1, "failed")):
        found = dataclasses.replace(card, audit_findings=findings)
        assert only(gate(found, {"no_look_ahead": (0.0, True)})) == (outcome, float(findings))


def test_double_costs_need_their_point_on_the_curve(card: Scorecard) -> None:
    rule = {"sharpe_at_double_costs": (0.0, True)}
    assert only(gate(card, rule)) == ("passed", 1.1)
    without = dataclasses.replace(card, cost_curve=tuple(point for point in card.cost_curve if point.multiplier != 2.0))
    verdict = gate(without, rule)
    assert only(verdict) == ("not_applicable", None)
    assert not verdict.passed
    assert "no point at twice the costs" in verdict.rules[0].reason


@pytest.mark.parametrize("n_full", [0, 1])
def test_positive_years_need_two_full_years(card: Scorecard, n_full: int) -> None:
    verdict = gate(changed(card, "positive_years", n_full=n_full, share=1.0), {"positive_years": (0.6, True)})
    assert only(verdict) == ("not_applicable", None)
    assert f"the span has {n_full}" in verdict.rules[0].reason


def test_rules_that_are_not_required_only_inform(card: Scorecard) -> None:
    rules = {"no_look_ahead": (0.0, True), "net_sharpe_lower": (99.0, False), "sharpe_above_benchmark": (0.0, False)}
    verdict = gate(changed(card, "sharpe", net_minus_benchmark=NAN), rules)
    assert [rule.outcome for rule in verdict.rules] == ["passed", "failed", "not_applicable"]
    assert verdict.passed


def test_one_required_rule_that_is_not_applicable_rejects(card: Scorecard) -> None:
    rules = {"no_look_ahead": (0.0, True), "sharpe_above_benchmark": (0.0, True)}
    assert not gate(changed(card, "sharpe", net_minus_benchmark=NAN), rules).passed


def test_reasons_say_what_was_seen(card: Scorecard) -> None:
    verdict = gate(changed(card, "rank_ic", lower=-0.01), {"rank_ic_lower": (0.0, True)})
    assert verdict.rules[0].reason == "lower end of the mean rank IC -0.01 is not above 0"


def test_plain_dictionary(card: Scorecard) -> None:
    plain = gate(card, {"deflated_sharpe": (0.95, True), "positive_years": (0.6, False)}).to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert list(plain) == ["passed", "rules"]
    assert [list(rule) for rule in plain["rules"]] == [["name", "outcome", "observed", "threshold", "required", "reason"]] * 2
    assert [rule["name"] for rule in plain["rules"]] == ["deflated_sharpe", "positive_years"]


def test_bad_input(card: Scorecard) -> None:
    with pytest.raises(ConfigError, match="did you mean 'deflated_sharpe'"):
        gate(card, {"deflated_sharp": (0.95, True)})
    with pytest.raises(ConfigError, match="finite"):
        gate(card, {"deflated_sharpe": (NAN, True)})
    with pytest.raises(ConfigError, match="none required"):
        gate(card, {})
    with pytest.raises(ConfigError, match="none required"):
        gate(card, {"deflated_sharpe": (0.95, False)})


def test_noise_is_rejected_and_skill_passes(make_outcome) -> None:
    """Truth is known here: outcomes without skill must not come through, those with it must."""
    rules = {"rank_ic_lower": (0.0, True), "deflated_sharpe": (0.95, True), "net_sharpe_lower": (0.0, True)}
    noise = [gate(scorecard(**make_outcome(seed=seed, skill=0.0, sharpe=0.0)), rules).passed for seed in range(25)]
    skill = [gate(scorecard(**make_outcome(seed=seed, skill=0.3, sharpe=0.25)), rules).passed for seed in range(10)]
    assert np.sum(noise) <= 1
    assert np.sum(skill) >= 9
