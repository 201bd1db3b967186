"""Golden values printed in the papers, and the statistics tested on luck itself."""

from __future__ import annotations

import ast
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import ConfigError, DataError
from touchstone.evaluation import (
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    minimum_backtest_length,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
)

PER_PERIOD = {
    "probabilistic_sharpe_ratio",
    "deflated_sharpe_ratio",
    "minimum_track_record_length",
}


# Bailey, López de Prado (2012), The Sharpe Ratio Efficient Frontier: two years of monthly returns, annual ratio about 1.59.
@pytest.mark.parametrize(("skewness", "kurtosis", "printed"), [(0.0, 3.0, 0.982), (-2.448, 10.164, 0.913)])
def test_probabilistic_sharpe_of_the_papers_hedge_fund(skewness: float, kurtosis: float, printed: float) -> None:
    value = probabilistic_sharpe_ratio(0.458, n_observations=24, skewness=skewness, kurtosis=kurtosis)
    assert round(value, 3) == printed


# The same paper, minimum track record length: annual ratio 2 against 1 at 95 %, independent normal returns.
@pytest.mark.parametrize(("periods_a_year", "printed_years"), [(252, 2.73), (52, 2.83), (12, 3.24)])
def test_minimum_track_record_of_the_paper(periods_a_year: int, printed_years: float) -> None:
    root = math.sqrt(periods_a_year)
    periods = minimum_track_record_length(2.0 / root, benchmark=1.0 / root)
    assert round(periods / periods_a_year, 2) == printed_years


# Bailey, López de Prado (2014), The Deflated Sharpe Ratio, numerical example: annual ratio 2.5 over 1,250 days of a
# 250-day year, skewness -3, kurtosis 10, annual variance of the trials 1/2.
@pytest.mark.parametrize(
    ("n_trials", "skewness", "kurtosis", "printed"), [(100, -3.0, 10.0, 0.9004), (46, -3.0, 10.0, 0.9505), (88, 0.0, 3.0, 0.9505)]
)
def test_deflated_sharpe_of_the_paper(n_trials: int, skewness: float, kurtosis: float, printed: float) -> None:
    value = deflated_sharpe_ratio(
        2.5 / math.sqrt(250), n_trials=n_trials, trials_variance=0.5 / 250, n_observations=1250, skewness=skewness, kurtosis=kurtosis
    )
    assert round(value, 4) == printed


def test_expected_maximum_of_the_papers() -> None:
    # 0.1132 in the example of 2014; 1.57 for ten trials in Bailey, Borwein, López de Prado, Zhu (2014).
    assert round(expected_maximum_sharpe(100, trials_variance=0.5 / 250), 4) == 0.1132
    assert round(expected_maximum_sharpe(10), 2) == 1.57


def test_five_years_bear_forty_five_trials() -> None:
    # Bailey, Borwein, López de Prado, Zhu (2014): with five years of data, no more than 45 configurations for an annual ratio of 1.
    assert minimum_backtest_length(45, annual_sharpe=1.0) <= 5.0 < minimum_backtest_length(46, annual_sharpe=1.0)
    assert minimum_backtest_length(45, annual_sharpe=2.0) == pytest.approx(minimum_backtest_length(45, annual_sharpe=1.0) / 4)


def test_one_trial_is_not_deflated() -> None:
    assert expected_maximum_sharpe(1, trials_variance=4.0) == 0.0
    assert minimum_backtest_length(1, annual_sharpe=1.0) == 0.0
    plain = probabilistic_sharpe_ratio(0.1, n_observations=300)
    assert deflated_sharpe_ratio(0.1, n_trials=1, trials_variance=0.01, n_observations=300) == plain


def test_expected_maximum_is_near_the_simulated_one() -> None:
    rng = np.random.default_rng(2)
    for n_trials in (5, 20, 100):
        simulated = rng.normal(size=(40_000, n_trials)).max(axis=1).mean()
        assert expected_maximum_sharpe(n_trials) == pytest.approx(simulated, rel=0.04)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    sharpe=st.floats(0.01, 0.4),
    benchmark=st.floats(-0.1, 0.3),
    skewness=st.floats(-2.0, 2.0),
    excess=st.floats(0.1, 10.0),
    confidence=st.floats(0.6, 0.99),
)
def test_the_track_record_is_where_the_probability_arrives(
    sharpe: float, benchmark: float, skewness: float, excess: float, confidence: float
) -> None:
    shape = {"skewness": skewness, "kurtosis": skewness**2 + 1.0 + excess}
    length = minimum_track_record_length(sharpe, benchmark=benchmark, confidence=confidence, **shape)
    if sharpe <= benchmark:
        assert length == math.inf
    elif 3.0 < length < 1e6:
        before, after = math.floor(length), math.ceil(length) + 1
        assert probabilistic_sharpe_ratio(sharpe, benchmark=benchmark, n_observations=after, **shape) >= confidence
        assert probabilistic_sharpe_ratio(sharpe, benchmark=benchmark, n_observations=before, **shape) <= confidence + 1e-9


def test_more_trials_lower_the_probability() -> None:
    values = [deflated_sharpe_ratio(0.1, n_trials=n, trials_variance=0.001, n_observations=1000) for n in (1, 2, 5, 50, 5000)]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 5


def test_undefined_in_undefined_out() -> None:
    nan = float("nan")
    assert math.isnan(probabilistic_sharpe_ratio(nan, n_observations=10))
    assert math.isnan(deflated_sharpe_ratio(nan, n_trials=5, trials_variance=0.1, n_observations=10, skewness=nan, kurtosis=nan))
    assert math.isnan(minimum_track_record_length(nan, skewness=nan, kurtosis=nan))


def test_two_outcomes_have_a_ratio_without_variance() -> None:
    # Kurtosis = skewness² + 1 and the ratio at the corner: 1 - 2 * 1 + (5 - 1) / 4 * 1 = 0.
    shape = {"n_observations": 10, "skewness": 2.0, "kurtosis": 5.0}
    assert probabilistic_sharpe_ratio(1.0, benchmark=0.5, **shape) == 1.0
    assert probabilistic_sharpe_ratio(1.0, benchmark=1.5, **shape) == 0.0
    assert probabilistic_sharpe_ratio(1.0, benchmark=1.0, **shape) == 0.5


def test_bad_input() -> None:
    with pytest.raises(DataError, match="not the excess"):
        probabilistic_sharpe_ratio(0.1, n_observations=100, kurtosis=0.0)
    with pytest.raises(DataError, match="2 observations"):
        probabilistic_sharpe_ratio(0.1, n_observations=1)
    with pytest.raises(DataError, match="n_trials = 0"):
        expected_maximum_sharpe(0)
    for variance in (-0.1, float("nan"), float("inf")):
        with pytest.raises(DataError, match="trials_variance"):
            expected_maximum_sharpe(3, trials_variance=variance)
    with pytest.raises(ConfigError, match="confidence"):
        minimum_track_record_length(0.1, confidence=1.0)
    with pytest.raises(DataError, match="annual_sharpe"):
        minimum_backtest_length(10, annual_sharpe=0.0)


def test_the_best_of_many_without_skill_is_seen_through() -> None:
    """Truth is known here: no trial has skill, so a claim at 95 % may stand about one time in twenty."""
    rng = np.random.default_rng(8)
    n_trials, n, fooled, seen_through = 20, 400, 0, 0
    for _ in range(400):
        returns = rng.normal(scale=0.01, size=(n_trials, n))
        sharpes = returns.mean(axis=1) / returns.std(axis=1, ddof=1)
        best = float(sharpes.max())
        fooled += probabilistic_sharpe_ratio(best, n_observations=n) >= 0.95
        seen_through += deflated_sharpe_ratio(best, n_trials=n_trials, trials_variance=1.0 / (n - 1), n_observations=n) >= 0.95
    assert fooled > 0.5 * 400
    assert seen_through < 0.07 * 400


def _annual_given_as_per_period(source: str) -> list[int]:
    """Lines on which a per-period statistic is given `sharpe_ratio(…)` with its annual default."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and _name(node.func) in PER_PERIOD):
            continue
        for inner in [part for argument in node.args for part in ast.walk(argument)]:
            if isinstance(inner, ast.Call) and _name(inner.func) == "sharpe_ratio":
                given = {keyword.arg: keyword.value for keyword in inner.keywords}.get("periods_per_year")
                if not (isinstance(given, ast.Constant) and given.value == 1):
                    lines.append(inner.lineno)
    return lines


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def test_annual_ratios_never_reach_per_period_statistics() -> None:
    root = Path(__file__).parents[2] / "src" / "touchstone"
    assert {str(path): lines for path in root.rglob("*.py") if (lines := _annual_given_as_per_period(path.read_text()))} == {}


def test_that_check_finds_what_it_looks_for() -> None:
    assert _annual_given_as_per_period("probabilistic_sharpe_ratio(sharpe_ratio(r), n_observations=9)") == [1]
    assert _annual_given_as_per_period("e.deflated_sharpe_ratio(float(e.sharpe_ratio(r, periods_per_year=252)), n_trials=3)") == [1]
    assert _annual_given_as_per_period("probabilistic_sharpe_ratio(sharpe_ratio(r, periods_per_year=1), n_observations=9)") == []
