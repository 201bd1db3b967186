from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from touchstone.errors import ConfigError, DataError
from touchstone.evaluation import (
    annual_return,
    annual_volatility,
    conditional_value_at_risk,
    max_drawdown,
    moments,
    sharpe_ratio,
    turnover,
    value_at_risk,
)

RETURNS = pd.Series([0.01, -0.02, 0.03, 0.0])
EVERYTHING = [annual_return, annual_volatility, sharpe_ratio, max_drawdown, value_at_risk, conditional_value_at_risk]


def test_written_out() -> None:
    growth = 1.01 * 0.98 * 1.03
    assert annual_return(RETURNS) == pytest.approx(growth ** (252 / 4) - 1)
    # Mean 0.005; squared deviations 25 + 625 + 625 + 25 = 1300 (in 1e-6), divided by 3.
    deviation = math.sqrt(1300e-6 / 3)
    assert annual_volatility(RETURNS) == pytest.approx(deviation * math.sqrt(252))
    assert sharpe_ratio(RETURNS) == pytest.approx(0.005 / deviation * math.sqrt(252))
    assert sharpe_ratio(RETURNS, periods_per_year=1) == pytest.approx(0.005 / deviation)
    assert max_drawdown(RETURNS) == pytest.approx(-0.02)


def test_doubling_in_a_year_is_a_hundred_percent() -> None:
    assert annual_return(np.full(252, 2 ** (1 / 252) - 1)) == pytest.approx(1.0)
    assert annual_return(np.full(504, 2 ** (1 / 504) - 1), periods_per_year=252) == pytest.approx(math.sqrt(2) - 1)


def test_drawdown_counts_from_the_starting_capital() -> None:
    assert max_drawdown(np.array([-0.1, 0.2])) == pytest.approx(-0.1)
    assert max_drawdown(np.array([0.5, -0.5, 0.1, -0.2])) == pytest.approx(0.5 * 1.1 * 0.8 - 1)
    assert max_drawdown(np.array([0.1, 0.1])) == 0.0


def test_losing_everything() -> None:
    assert annual_return(np.array([0.1, -1.0, 0.5])) == -1.0
    assert max_drawdown(np.array([0.1, -1.0, 0.5])) == -1.0


@pytest.mark.parametrize("value", [0.0, 0.01, 1 / 3, -0.007])
def test_a_constant_series_has_no_sharpe(value: float) -> None:
    constant = np.full(252, value)
    assert annual_volatility(constant) == 0.0
    assert math.isnan(sharpe_ratio(constant))
    assert math.isnan(moments(constant).sharpe)


def test_a_constant_return_read_off_an_equity_curve_has_no_sharpe_either() -> None:
    equity = 1e6 * np.cumprod(np.full(500, 1.0007))
    returns = equity[1:] / equity[:-1] - 1.0
    assert len(set(returns)) > 1
    assert math.isnan(sharpe_ratio(returns))


@pytest.mark.parametrize("function", EVERYTHING)
def test_nan_is_left_out_and_nothing_is_nan(function) -> None:
    with_gaps = pd.Series([0.01, float("nan"), -0.02, 0.03, float("nan"), 0.0])
    assert function(with_gaps) == function(RETURNS)
    assert math.isnan(function(RETURNS.iloc[:0]))
    with pytest.raises(DataError, match="finite"):
        function(pd.Series([0.1, float("inf")]))
    with pytest.raises(DataError, match="one series"):
        function(np.zeros((3, 2)))


def test_one_return_has_no_deviation() -> None:
    assert math.isnan(sharpe_ratio(np.array([0.1])))
    assert math.isnan(annual_volatility(np.array([0.1])))


@pytest.mark.parametrize("function", [annual_return, max_drawdown])
def test_percent_for_fractions_is_caught(function) -> None:
    with pytest.raises(DataError, match="percent"):
        function(np.array([2.0, -3.0]))


def test_value_at_risk_interpolates_linearly() -> None:
    values = np.array([-0.04, -0.03, -0.02, -0.01, 0.0])
    # Position 0.05 * (5 - 1) = 0.2 between the two worst.
    assert value_at_risk(values) == pytest.approx(-0.038)
    assert conditional_value_at_risk(values) == pytest.approx(-0.04)
    assert conditional_value_at_risk(values, level=0.5) == pytest.approx(-0.03)


def test_gains_are_no_losses() -> None:
    gains = np.array([0.01, 0.02, 0.03])
    assert value_at_risk(gains) == 0.0
    assert conditional_value_at_risk(gains) == 0.0


@pytest.mark.parametrize("level", [0.0, 1.0, float("nan")])
def test_levels_out_of_range(level: float) -> None:
    for function in (value_at_risk, conditional_value_at_risk):
        with pytest.raises(ConfigError, match="level"):
            function(RETURNS, level=level)


def test_years_out_of_range() -> None:
    with pytest.raises(ConfigError, match="periods_per_year"):
        sharpe_ratio(RETURNS, periods_per_year=0)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), n=st.integers(3, 400))
def test_properties(seed: int, n: int) -> None:
    returns = np.random.default_rng(seed).standard_t(4, size=n).clip(-20, 20) * 0.01
    assert sharpe_ratio(returns * 0.3) == pytest.approx(sharpe_ratio(returns))
    assert sharpe_ratio(-returns) == pytest.approx(-sharpe_ratio(returns))
    assert -1.0 <= max_drawdown(returns) <= 0.0
    assert conditional_value_at_risk(returns) <= value_at_risk(returns) <= 0.0
    # One drawdown is as deep as the worst session at least.
    assert max_drawdown(returns) <= min(returns.min(), 0.0) + 1e-15


def test_moments_equal_scipy() -> None:
    returns = np.random.default_rng(3).gamma(2.0, size=500) * 0.01 - 0.015
    measured = moments(returns)
    assert measured.skewness == pytest.approx(stats.skew(returns), rel=1e-12)
    assert measured.kurtosis == pytest.approx(stats.kurtosis(returns, fisher=False), rel=1e-12)
    assert measured.sharpe == pytest.approx(returns.mean() / returns.std(ddof=1), rel=1e-12)
    assert measured.n_observations == 500


def test_kurtosis_of_a_normal_is_three() -> None:
    measured = moments(np.random.default_rng(4).normal(size=200_000))
    assert measured.kurtosis == pytest.approx(3.0, abs=0.05)
    assert measured.skewness == pytest.approx(0.0, abs=0.02)


def test_turnover_counts_buys_and_sells_from_flat() -> None:
    dates = pd.DatetimeIndex(["2020-01-01", "2020-01-02", "2020-01-03"], name="date")
    weights = pd.DataFrame({"A": [0.5, 0.0, 0.0], "B": [-0.5, 0.5, float("nan")], "C": [0.0, -0.5, 0.0]}, index=dates)
    assert turnover(weights).tolist() == [1.0, 2.0, 1.0]
    assert turnover(weights).index.equals(dates)
