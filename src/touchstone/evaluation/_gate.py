"""The verdict: rules over a scorecard, each passed, failed or not applicable, with its reason."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

from touchstone.errors import ConfigError, nearest
from touchstone.evaluation._scorecard import Scorecard

__all__ = ["RuleOutcome", "Verdict", "gate"]

_FEWEST_FULL_YEARS = 2


@dataclass(frozen=True)
class RuleOutcome:
    """One rule of the gate; `observed` is None where the rule is not applicable."""

    name: str
    outcome: Literal["passed", "failed", "not_applicable"]
    observed: float | None
    threshold: float
    required: bool
    reason: str


@dataclass(frozen=True)
class Verdict:
    """Whether a run may be promoted: every required rule has passed."""

    passed: bool
    rules: tuple[RuleOutcome, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values: ``passed`` and ``rules``, a list of ``name outcome observed threshold required reason``."""
        return {"passed": self.passed, "rules": [asdict(rule) for rule in self.rules]}


class _Observation(NamedTuple):
    """A number, or NaN with why there is none."""

    value: float
    why_not: str = "it is undefined for these returns"


class _Rule(NamedTuple):
    observe: Callable[[Scorecard], _Observation]
    compare: Callable[[float, float], bool]
    sign: str
    what: str


def gate(scorecard: Scorecard, rules: Mapping[str, tuple[float, bool]]) -> Verdict:
    """Hold a scorecard against the rules.

    Parameters
    ----------
    scorecard : Scorecard
    rules : mapping
        Rule name to (threshold, required); they are reported in the order below, whatever the mapping's. Known rules:

        - ``no_look_ahead``: audit findings ≤ threshold;
        - ``rank_ic_lower``: lower end of the mean rank IC's interval > threshold;
        - ``deflated_sharpe``: probability ≥ threshold;
        - ``net_sharpe_lower``: lower end of the annual net Sharpe ratio's interval > threshold;
        - ``sharpe_at_double_costs``: annual net Sharpe ratio at twice the costs > threshold;
        - ``positive_years``: share of full years with a positive net return ≥ threshold; needs two full years;
        - ``sharpe_above_equal_weighted``, ``sharpe_above_benchmark``: net annual Sharpe ratio less theirs > threshold.

    Returns
    -------
    Verdict
        Passed when every required rule has; one that is not applicable has not. Other rules inform.

    Raises
    ------
    ConfigError
        An unknown rule, a threshold that is no number, or no required rule: such a gate would let everything through.
    """
    if not any(required for _, required in rules.values()):
        raise ConfigError(f"A gate needs a required rule, but got {len(rules)} rules and none required: it would let everything through.")
    unknown = next((name for name in rules if name not in _RULES), None)
    if unknown is not None:
        raise ConfigError(f"Every rule of the gate must be known, but got '{unknown}': {nearest(unknown, _RULES)}.")
    outcomes = tuple(_judge(scorecard, name, *rules[name]) for name in _RULES if name in rules)
    return Verdict(all(rule.outcome == "passed" for rule in outcomes if rule.required), outcomes)


def _judge(scorecard: Scorecard, name: str, threshold: float, required: bool) -> RuleOutcome:
    if not math.isfinite(threshold):
        raise ConfigError(f"The threshold of rule '{name}' must be a finite number, but got {threshold}.")
    rule = _RULES[name]
    value, why_not = rule.observe(scorecard)
    if not math.isfinite(value):
        return RuleOutcome(name, "not_applicable", None, float(threshold), required, f"{rule.what}: {why_not}")
    passed = rule.compare(value, threshold)
    reason = f"{rule.what} {value:.4g} is {'' if passed else 'not '}{rule.sign} {threshold:.4g}"
    return RuleOutcome(name, "passed" if passed else "failed", float(value), float(threshold), required, reason)


def _double_costs(card: Scorecard) -> _Observation:
    found = [point.sharpe for point in card.cost_curve if point.multiplier == 2.0]
    if not found:
        return _Observation(math.nan, "the cost curve has no point at twice the costs")
    return _Observation(found[0])


def _positive_years(card: Scorecard) -> _Observation:
    years = card.positive_years
    if years.n_full < _FEWEST_FULL_YEARS:
        return _Observation(math.nan, f"it takes {_FEWEST_FULL_YEARS} full years and the span has {years.n_full}")
    return _Observation(years.share)


def _above_benchmark(card: Scorecard) -> _Observation:
    return _Observation(card.sharpe.net_minus_benchmark, "there is no benchmark with a Sharpe ratio on this span")


_ABOVE, _AT_LEAST, _AT_MOST = (operator.gt, "above"), (operator.ge, "at least"), (operator.le, "at most")
_RULES = {
    "no_look_ahead": _Rule(lambda card: _Observation(float(card.audit_findings)), *_AT_MOST, "number of look-ahead findings"),
    "rank_ic_lower": _Rule(
        lambda card: _Observation(card.rank_ic.lower, "too few dates have a rank IC"), *_ABOVE, "lower end of the mean rank IC"
    ),
    "deflated_sharpe": _Rule(lambda card: _Observation(card.luck.deflated_sharpe), *_AT_LEAST, "deflated Sharpe probability"),
    "net_sharpe_lower": _Rule(lambda card: _Observation(card.sharpe.net_lower), *_ABOVE, "lower end of the annual net Sharpe"),
    "sharpe_at_double_costs": _Rule(_double_costs, *_ABOVE, "annual Sharpe at twice the costs"),
    "positive_years": _Rule(_positive_years, *_AT_LEAST, "share of positive full years"),
    "sharpe_above_equal_weighted": _Rule(
        lambda card: _Observation(card.sharpe.net_minus_equal_weighted), *_ABOVE, "net Sharpe less the equal-weighted universe's"
    ),
    "sharpe_above_benchmark": _Rule(_above_benchmark, *_ABOVE, "net Sharpe less the benchmark's"),
}
