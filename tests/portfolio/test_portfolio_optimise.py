"""Solutions that can be written down, and what must hold for every method."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from portfolio_cases import frame_of, random_returns, random_scores, with_covariance
from threadpoolctl import threadpool_limits

from touchstone.errors import ConfigError, DataError, OrderError
from touchstone.portfolio import Optimised, optimise

NAN = float("nan")
METHODS = ("black_litterman", "hierarchical_risk_parity", "mean_variance", "minimum_variance", "risk_budgeting")
CONVEX = tuple(method for method in METHODS if method != "hierarchical_risk_parity")
TWO = np.array([[0.04, 0.006], [0.006, 0.01]]) / 252


def solved(covariance: np.ndarray, scores: list[float], **options: object) -> np.ndarray:
    """Weights of one decision after returns with that sample covariance."""
    values = with_covariance(covariance)
    returns = frame_of({f"S{column}": list(values[:, column]) for column in range(len(covariance))})
    on_last = pd.MultiIndex.from_product([returns.index[-1:], returns.columns], names=["date", "symbol"])
    found = optimise(pd.Series(scores, index=on_last), returns, lookback=len(returns), covariance="sample", **options)
    return found.weights.iloc[0].to_numpy()


def walked(seed: int, **options: object) -> Optimised:
    """Four decisions over the last ten of forty sessions."""
    returns = random_returns(seed, n_names=8, n_sessions=40)
    scores = random_scores(seed, n_names=8, n_sessions=10, start="2020-01-31")
    return optimise(scores, returns, **{"lookback": 30, "rebalance_every": 3, **options})


def test_minimum_variance_of_two_assets() -> None:
    """w = (s2^2 - c) / (s1^2 + s2^2 - 2c) = 0.004 / 0.038 (Markowitz 1952; any textbook's two-asset formula)."""
    np.testing.assert_allclose(solved(TWO, [0.0, 0.0], method="minimum_variance"), [4 / 38, 34 / 38], atol=1e-6)


def test_minimum_variance_keeps_its_cap() -> None:
    np.testing.assert_allclose(solved(TWO, [0.0, 0.0], method="minimum_variance", max_weight=0.6), [0.4, 0.6], atol=1e-6)


def test_risk_parity_of_uncorrelated_assets_is_inverse_volatility() -> None:
    """Maillard, Roncalli and Teïletche (2010), equation 4 with correlations of zero: w_i in proportion to 1 / s_i."""
    weights = solved(np.diag([0.01, 0.04, 0.16]) / 252, [0.0, 0.0, 0.0], method="risk_budgeting")
    np.testing.assert_allclose(weights, np.array([4.0, 2.0, 1.0]) / 7.0, atol=1e-6)


def test_risk_parity_gives_each_name_the_same_part_of_the_variance() -> None:
    covariance = np.array([[0.04, 0.01, 0.0], [0.01, 0.09, 0.02], [0.0, 0.02, 0.01]]) / 252
    weights = solved(covariance, [0.0, 0.0, 0.0], method="risk_budgeting")
    contributions = weights * (covariance @ weights)
    np.testing.assert_allclose(contributions / contributions.sum(), 1 / 3, atol=1e-5)


def test_hierarchical_risk_parity_of_two_assets_is_inverse_variance() -> None:
    """López de Prado (2016), step 3: a pair is split 1 - v1 / (v1 + v2), whatever the correlation."""
    np.testing.assert_allclose(solved(TWO, [0.0, 0.0], method="hierarchical_risk_parity"), [0.2, 0.8], atol=1e-12)


def test_hierarchical_risk_parity_of_two_pairs_by_hand() -> None:
    """Pairs (S0, S2) and (S1, S3) with correlation 0.9, unrelated to each other. Each is split by inverse variance, then the two
    clusters by the variance of their inverse-variance portfolios (López de Prado 2016, step 3)."""
    deviations = np.array([0.01, 0.02, 0.02, 0.04])
    correlation = np.eye(4)
    correlation[0, 2] = correlation[2, 0] = correlation[1, 3] = correlation[3, 1] = 0.9
    covariance = correlation * np.outer(deviations, deviations)
    pair = np.array([0.8, 0.2])
    first, second = (pair @ covariance[np.ix_(names, names)] @ pair for names in ([0, 2], [1, 3]))
    share = 1 - first / (first + second)
    expected = [0.8 * share, 0.8 * (1 - share), 0.2 * share, 0.2 * (1 - share)]
    for linkage in ("single", "ward"):
        weights = solved(covariance, [0.0] * 4, method="hierarchical_risk_parity", linkage=linkage)
        np.testing.assert_allclose(weights, expected, atol=1e-12)


def test_hierarchical_risk_parity_is_skfolio_called_directly() -> None:
    from skfolio.moments import LedoitWolf
    from skfolio.optimization import HierarchicalRiskParity
    from skfolio.prior import EmpiricalPrior

    found = walked(5, method="hierarchical_risk_parity", rebalance_every=100)
    window = random_returns(5, n_names=8, n_sessions=40).iloc[1:31]
    model = HierarchicalRiskParity(prior_estimator=EmpiricalPrior(covariance_estimator=LedoitWolf())).fit(window)
    np.testing.assert_allclose(found.weights.iloc[0], model.weights_, atol=1e-12)


def test_mean_variance_is_the_inverse_covariance_times_the_edge() -> None:
    """Inside all bounds and net of nothing: w = (m - g 1) S^-1 / a, with g such that the weights sum to one."""
    scores, aversion = np.array([0.0021, 0.0023]), 4.0
    inverse = np.linalg.inv(TWO)
    daily = scores / 21
    unconstrained = inverse @ daily / aversion
    lagrange = (unconstrained.sum() - 1.0) / (inverse.sum() / aversion)
    expected = inverse @ (daily - lagrange) / aversion
    assert (expected > 0.0).all()
    weights = solved(TWO, scores.tolist(), method="mean_variance", forecast="return", risk_aversion=aversion)
    np.testing.assert_allclose(weights, expected, atol=1e-6)


def test_black_litterman_by_its_formula() -> None:
    """m = p + tS (tS + O)^-1 (q - p) with O = t diag(S) at a confidence of one half, posterior S + tS - tS (tS + O)^-1 tS
    (Black and Litterman 1992; Idzorek 2007), then mean-variance on it."""
    views, aversion, tau = np.array([0.0010, 0.0004]) / 21, 2.5, 0.05
    prior = aversion * TWO @ np.array([0.5, 0.5])
    blend = tau * TWO @ np.linalg.inv(tau * TWO + tau * np.diag(np.diag(TWO)))
    edge, covariance = prior + blend @ (views - prior), TWO + tau * TWO - blend @ (tau * TWO)
    inverse = np.linalg.inv(covariance)
    unconstrained = inverse @ edge / aversion
    expected = unconstrained - inverse.sum(axis=0) * (unconstrained.sum() - 1.0) / inverse.sum()
    assert (expected > 0.0).all()
    weights = solved(TWO, (views * 21).tolist(), method="black_litterman", forecast="return")
    np.testing.assert_allclose(weights, expected, atol=1e-6)


def test_scores_become_returns_by_grinolds_rule() -> None:
    """Alpha is volatility times IC times score (Grinold 1994): the same weights as from these returns themselves."""
    volatility = np.sqrt(np.diag(TWO) * 21)
    alphas = 0.05 * volatility * np.array([1.0, -1.0]) / np.sqrt(2.0)  # two scores are 1 / sqrt(2) deviations from their mean
    by_score = solved(TWO, [7.0, 3.0], method="mean_variance", risk_aversion=10.0)
    by_return = solved(TWO, alphas.tolist(), method="mean_variance", risk_aversion=10.0, forecast="return")
    np.testing.assert_allclose(by_score, by_return, atol=1e-6)
    assert 0.2 < by_score[0] < 0.9


def test_cost_in_the_objective_keeps_what_is_held() -> None:
    free, dear, hopeless = (walked(3, method="mean_variance", cost_bps=cost) for cost in (0.0, 20.0, 100_000.0))
    assert dear.decisions["turnover"].iloc[1:].sum() < 0.8 * free.decisions["turnover"].iloc[1:].sum()
    assert (hopeless.decisions["turnover"].iloc[1:] < 1e-5).all()
    assert walked(3, method="minimum_variance", cost_bps=100_000.0).decisions["turnover"].iloc[1:].max() < 1e-5


def test_turnover_is_counted_from_weights_that_drifted() -> None:
    found = walked(3, method="minimum_variance")
    returns = random_returns(3, n_names=8, n_sessions=40)
    first, second = found.weights.index[:2]
    worth = found.weights.loc[first] * (1.0 + returns.loc[first:second].iloc[1:]).prod()
    expected = (found.weights.loc[second] - worth / worth.sum()).abs().sum()
    assert found.decisions.loc[second, "turnover"] == pytest.approx(expected)
    assert found.decisions["turnover"].iloc[0] == pytest.approx(1.0)


def test_turnover_stays_within_its_limit() -> None:
    free = walked(3, method="mean_variance").decisions["turnover"].iloc[1:]
    found = walked(3, method="mean_variance", max_turnover=0.1).decisions["turnover"].iloc[1:]
    assert free.max() > 0.2
    assert found.max() <= 0.1 + 1e-6


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=6, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1_000), max_weight=st.floats(0.2, 1.0))
def test_long_only_weights_sum_to_one_under_their_cap(method: str, seed: int, max_weight: float) -> None:
    found = walked(seed, method=method, max_weight=max_weight)
    np.testing.assert_allclose(found.weights.sum(axis=1), 1.0, atol=1e-6)
    assert found.weights.min(axis=None) >= 0.0
    assert found.weights.max(axis=None) <= max_weight + 1e-6
    assert len(found.weights) == 4


@pytest.mark.parametrize("method", ["black_litterman", "mean_variance"])
def test_long_and_short_weights_stand_against_each_other(method: str) -> None:
    weights = walked(4, method=method, long_only=False, max_weight=0.2).weights
    np.testing.assert_allclose(weights.sum(axis=1), 0.0, atol=1e-6)
    assert weights.abs().max(axis=None) <= 0.2 + 1e-6
    assert weights.abs().sum(axis=1).max() <= 1.0 + 1e-6
    assert weights.min(axis=None) < -0.01


@pytest.mark.parametrize("method", CONVEX)
@settings(max_examples=4, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1_000))
def test_other_names_for_the_symbols_permute_the_weights(method: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    returns = random_returns(seed, n_names=6, n_sessions=30)
    dates = pd.MultiIndex.from_product([returns.index[-1:], returns.columns], names=["date", "symbol"])
    scores = pd.Series(rng.normal(size=6), index=dates)
    renamed = dict(zip(returns.columns, rng.permutation(returns.columns), strict=True))
    first = optimise(scores, returns, method=method, lookback=30).weights
    second = optimise(scores.rename(renamed, level="symbol"), returns.rename(columns=renamed), method=method, lookback=30).weights
    np.testing.assert_allclose(second[first.rename(columns=renamed).columns], first, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_rows_and_the_unit_of_returns_and_scores_are_nothing(method: str) -> None:
    returns = random_returns(6, n_names=7, n_sessions=35)
    scores = random_scores(6, n_names=7, n_sessions=5, start="2020-01-31")
    before = returns.copy(), scores.copy()
    weights = optimise(scores, returns, method=method, lookback=30).weights
    pd.testing.assert_frame_equal(returns, before[0])
    pd.testing.assert_series_equal(scores, before[1])
    shuffled = optimise(scores.sample(frac=1.0, random_state=1), returns[returns.columns[::-1]], method=method, lookback=30).weights
    pd.testing.assert_frame_equal(shuffled, weights)
    np.testing.assert_allclose(optimise(scores * 100.0, returns, method=method, lookback=30).weights, weights, atol=1e-5)
    if method in ("hierarchical_risk_parity", "minimum_variance", "risk_budgeting"):
        np.testing.assert_allclose(optimise(scores, returns * 3.7, method=method, lookback=30).weights, weights, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_a_later_return_or_score_changes_no_earlier_weight(method: str) -> None:
    returns = random_returns(7, n_names=6, n_sessions=40)
    scores = random_scores(7, n_names=6, n_sessions=10, start="2020-01-31")
    cut = returns.index[34]
    weights = optimise(scores, returns, method=method, lookback=30, rebalance_every=2).weights
    other_returns, other_scores = returns.copy(), scores.copy()
    other_returns.loc[other_returns.index > cut] = 0.3 * np.random.default_rng(0).normal(size=(5, 6))
    other_scores[other_scores.index.get_level_values("date") > cut] *= -1.0
    other = optimise(other_scores, other_returns, method=method, lookback=30, rebalance_every=2).weights
    pd.testing.assert_frame_equal(other.loc[:cut], weights.loc[:cut])
    assert not other.loc[cut:].iloc[1:].equals(weights.loc[cut:].iloc[1:])


@pytest.mark.parametrize("method", METHODS)
def test_the_same_bytes_on_every_run_and_with_any_number_of_threads(method: str) -> None:
    """A hundred names and a covariance by eigenvectors: left to itself, OpenBLAS gives other bits with two threads than with one."""
    returns = random_returns(1, n_names=100, n_sessions=400)
    scores = random_scores(1, n_names=100, n_sessions=1, start="2021-01-28")
    weights = []
    for threads in (1, 2, 2):
        with threadpool_limits(threads):
            found = optimise(scores, returns, method=method, lookback=380, covariance="denoised")
        weights.append(found.weights.to_numpy().tobytes())
    assert len(set(weights)) == 1


def test_names_without_history_are_left_out_and_said() -> None:
    returns = random_returns(8, n_names=4, n_sessions=35)
    returns.iloc[:10, 2] = NAN
    scores = random_scores(8, n_names=4, n_sessions=5, start="2020-01-31")
    found = optimise(scores, returns, method="minimum_variance", lookback=30)
    assert not found.weights["S02"].any()
    assert found.left_out.xs("S02", level="symbol")["n_returns"].to_list() == [21, 22, 23, 24, 25]
    assert (found.left_out["needed"] == 30).all()
    assert (found.decisions["n_names"] == 3).all()
    early = optimise(scores, returns, method="minimum_variance", lookback=30, min_history=22)
    assert early.left_out.index.to_list() == [(pd.Timestamp("2020-01-31"), "S02")]
    assert (early.weights["S02"].iloc[1:] > 0.0).all()


def test_only_the_best_names_are_chosen_from() -> None:
    found = walked(9, method="risk_budgeting", n_names=3)
    scores = random_scores(9, n_names=8, n_sessions=10, start="2020-01-31")
    for date, row in found.weights.iterrows():
        assert set(row[row > 0.0].index) == set(scores.loc[date].sort_values(ascending=False, kind="stable").index[:3])


def test_what_is_held_stays_to_choose_from_where_trading_counts() -> None:
    """Scores turn upside down; a turnover of 0.3 cannot leave the first names, which 3 of 8 would otherwise force."""
    returns = random_returns(9, n_names=8, n_sessions=40)
    index = pd.MultiIndex.from_product([returns.index[-2:], returns.columns], names=["date", "symbol"])
    scores = pd.Series([*range(8), *range(8, 0, -1)], index=index, dtype=float)
    found = optimise(scores, returns, method="mean_variance", lookback=30, n_names=3, max_turnover=0.3)
    assert found.decisions["n_names"].to_list() == [3, 3 + found.decisions["n_held"].iloc[0]]
    assert found.decisions["turnover"].iloc[1] == pytest.approx(0.3, abs=1e-6)
    free = optimise(scores, returns, method="mean_variance", lookback=30, n_names=3)
    assert free.decisions["n_names"].to_list() == [3, 3]


def test_a_problem_that_cannot_be_solved_names_date_and_symbols() -> None:
    returns = random_returns(8, n_names=4, n_sessions=35)
    scores = random_scores(8, n_names=4, n_sessions=5, start="2020-01-31")
    still = returns.copy()
    still["S01"] = 0.0
    with pytest.raises(DataError, match="30 sessions to 2020-01-31 they are constant for S01:"):
        optimise(scores, still, method="risk_budgeting", lookback=30)
    late = returns.copy()
    late.iloc[:20, 3] = NAN
    with pytest.raises(OrderError, match=r"at least 4 names with 30 returns \(max_weight 0\.3\), but 3 are to choose from on 2020-01-31"):
        optimise(scores, late, method="minimum_variance", lookback=30, max_weight=0.3)
    with pytest.raises(OrderError, match="0 are to choose from on 2020-01-31"):
        optimise(scores, returns, method="minimum_variance", lookback=33)
    with pytest.raises(OrderError, match="from 4 returns is not, on 2020-01-31"):
        optimise(scores, returns, method="minimum_variance", lookback=4, covariance="sample")
    with pytest.raises(DataError, match="S03 have none"):
        optimise(scores, returns.drop(columns="S03"), method="minimum_variance", lookback=30)
    with pytest.raises(DataError, match="2020-02-04"):
        optimise(scores, returns.iloc[:-1], method="minimum_variance", lookback=30)


def test_limits_that_no_weights_meet_name_the_date() -> None:
    scores = random_scores(8, n_names=4, n_sessions=2, start="2020-01-31")
    scores.loc[("2020-01-31", ["S00", "S01"])] = NAN
    scores.loc[("2020-02-01", ["S02", "S03"])] = NAN
    with pytest.raises(OrderError, match=r"2 names of 2020-02-01 \(max_weight 1, max_turnover 0\.5 of which 1\.0000 must be sold"):
        optimise(scores, random_returns(8, n_names=4, n_sessions=35), method="minimum_variance", lookback=30, max_turnover=0.5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "minimum_varience"}, "did you mean 'minimum_variance'"),
        ({"method": "minimum_variance", "look_back": 3}, "did you mean 'lookback'"),
        ({"method": "minimum_variance", "covariance": "ledoit"}, "did you mean 'ledoit_wolf'"),
        ({"method": "minimum_variance", "long_only": False}, "options that it uses, but got long_only"),
        ({"method": "risk_budgeting", "cost_bps": 5.0}, "options that it uses, but got cost_bps"),
        ({"method": "hierarchical_risk_parity", "max_turnover": 0.5}, "options that it uses, but got max_turnover"),
        ({"method": "minimum_variance", "max_weight": 0.0}, "max_weight must lie in"),
        ({"method": "minimum_variance", "cost_bps": -1.0}, "cost_bps must be at least"),
        ({"method": "minimum_variance", "min_history": 300}, "at most lookback"),
        ({"method": "black_litterman", "confidence": 0.0}, "confidence must lie in"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        optimise(random_scores(1, n_names=2, n_sessions=1), random_returns(1, n_names=2, n_sessions=5), **options)
