from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from touchstone.errors import ConfigError, DataError
from touchstone.evaluation import bootstrap_interval, sharpe_ratio


def mean(values: np.ndarray) -> float:
    return float(values.mean())


def autoregressive(rng: np.random.Generator, n: int, coefficient: float) -> np.ndarray:
    noise = rng.normal(size=n + 50)
    values = np.zeros(n + 50)
    for step in range(1, n + 50):
        values[step] = coefficient * values[step - 1] + noise[step]
    return values[50:]


def test_of_independent_values_it_is_the_textbook_interval() -> None:
    values = np.random.default_rng(1).normal(loc=2.0, size=1000)
    interval = bootstrap_interval(values, mean, n_resamples=2000, seed=5)
    half_width = 1.96 * values.std(ddof=1) / math.sqrt(1000)
    assert interval.estimate == values.mean()
    assert (interval.upper - interval.lower) / 2 == pytest.approx(half_width, rel=0.08)
    assert interval.lower < interval.estimate < interval.upper
    assert interval.block_length < 3.0


def test_less_confidence_is_a_shorter_interval() -> None:
    values = np.random.default_rng(1).normal(size=200)
    wide, narrow = (bootstrap_interval(values, mean, confidence=level, n_resamples=500) for level in (0.99, 0.8))
    assert wide.lower < narrow.lower < narrow.upper < wide.upper


def test_it_covers_the_truth_of_dependent_values_where_single_draws_do_not() -> None:
    """The mean of an AR(1) is known to be 0: count how often each interval says so."""
    rng = np.random.default_rng(3)
    covered = {"blocks": 0, "single": 0}
    for trial in range(100):
        values = autoregressive(rng, 250, 0.6)
        for name, length in (("blocks", None), ("single", 1.0)):
            interval = bootstrap_interval(values, mean, n_resamples=150, seed=trial, block_length=length)
            covered[name] += interval.lower <= 0.0 <= interval.upper
    assert covered["blocks"] >= 83
    assert covered["single"] <= 78


def test_the_block_length_grows_with_dependence_and_keeps_its_floor() -> None:
    rng = np.random.default_rng(9)
    lengths = [bootstrap_interval(autoregressive(rng, 1000, rho), mean, n_resamples=2).block_length for rho in (0.0, 0.5, 0.9)]
    assert lengths == sorted(lengths)
    assert lengths[2] > 20
    independent = rng.normal(size=1000)
    assert bootstrap_interval(independent, mean, n_resamples=2, minimum_block_length=5.0).block_length == 5.0
    assert bootstrap_interval(independent, mean, n_resamples=2, block_length=7.0).block_length == 7.0
    assert bootstrap_interval(independent[:19], mean, n_resamples=2).block_length == 1.0


def test_same_seed_same_interval() -> None:
    values = pd.Series(np.random.default_rng(1).normal(size=120))
    first = bootstrap_interval(values, sharpe_ratio, n_resamples=60, seed=4)
    assert first == bootstrap_interval(values, sharpe_ratio, n_resamples=60, seed=4)
    assert first != bootstrap_interval(values, sharpe_ratio, n_resamples=60, seed=5)


def test_nan_is_left_out_and_too_little_has_no_interval() -> None:
    values = np.random.default_rng(1).normal(size=60)
    with_gaps = np.insert(values, [3, 30], float("nan"))
    assert bootstrap_interval(with_gaps, mean, n_resamples=50) == bootstrap_interval(values, mean, n_resamples=50)
    assert math.isnan(bootstrap_interval(np.array([]), mean).estimate)
    alone = bootstrap_interval(np.array([1.0]), mean)
    assert alone.estimate == 1.0
    assert math.isnan(alone.lower)
    undefined = bootstrap_interval(np.ones(50), sharpe_ratio)
    assert math.isnan(undefined.estimate)
    assert math.isnan(undefined.lower)


def test_resamples_without_a_value_are_counted() -> None:
    values = np.array([0.0, 0.0, 0.0, 1.0])
    interval = bootstrap_interval(values, sharpe_ratio, n_resamples=200)
    assert 0 < interval.n_undefined < 200
    assert math.isfinite(interval.lower)
    constant = bootstrap_interval(np.ones(30), mean, n_resamples=20)
    assert (constant.lower, constant.upper, constant.block_length) == (1.0, 1.0, 1.0)


def test_a_statistic_that_is_never_defined_has_no_bounds() -> None:
    calls = iter([1.0])
    interval = bootstrap_interval(np.arange(5.0), lambda _: next(calls, float("nan")), n_resamples=10)
    assert interval.n_undefined == 10
    assert math.isnan(interval.lower)


def test_bad_input() -> None:
    values = np.arange(30.0)
    for settings, word in (
        ({"confidence": 1.0}, "confidence"),
        ({"n_resamples": 0}, "n_resamples"),
        ({"block_length": 0.5}, "block"),
        ({"minimum_block_length": 0.0}, "block"),
    ):
        with pytest.raises(ConfigError, match=word):
            bootstrap_interval(values, mean, **settings)
    with pytest.raises(DataError, match="finite"):
        bootstrap_interval(np.array([1.0, np.inf]), mean)
