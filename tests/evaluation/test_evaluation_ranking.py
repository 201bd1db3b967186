from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from touchstone.errors import ConfigError, DataError
from touchstone.evaluation import information_coefficient, quantile_returns

NAN = float("nan")


def panel(values: np.ndarray) -> pd.Series:
    n_dates, n_symbols = values.shape
    dates = pd.date_range("2020-01-01", periods=n_dates, unit="us")
    index = pd.MultiIndex.from_product([dates, [f"S{number:02d}" for number in range(n_symbols)]], names=["date", "symbol"])
    return pd.Series(values.ravel(), index=index)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), n_symbols=st.integers(5, 30), method=st.sampled_from(["rank", "pearson"]))
def test_equals_scipy_with_ties_and_gaps(seed: int, n_symbols: int, method: str) -> None:
    rng = np.random.default_rng(seed)
    scores = np.round(rng.normal(size=(4, n_symbols)), 1)
    returns = 0.3 * scores + np.round(rng.normal(size=(4, n_symbols)), 1)
    scores[rng.random(scores.shape) < 0.1] = NAN
    returns[rng.random(scores.shape) < 0.1] = NAN
    ic = information_coefficient(panel(scores), panel(returns), method)
    for date in range(4):
        both = ~np.isnan(scores[date]) & ~np.isnan(returns[date])
        left, right = scores[date][both], returns[date][both]
        if len(left) < 5 or len(set(left)) < 2 or len(set(right)) < 2:
            assert np.isnan(ic.iloc[date])
        else:
            expected = stats.spearmanr(left, right)[0] if method == "rank" else stats.pearsonr(left, right)[0]
            assert ic.iloc[date] == pytest.approx(expected, abs=1e-12)


def test_perfect_order_is_one_whatever_its_shape() -> None:
    scores = panel(np.arange(12.0).reshape(2, 6))
    returns = np.exp(scores)
    assert information_coefficient(scores, returns).tolist() == [1.0, 1.0]
    assert information_coefficient(scores, -returns).tolist() == [-1.0, -1.0]
    assert (information_coefficient(scores, returns, "pearson") < 0.99).all()


def test_under_five_pairs_or_a_constant_side_there_is_none() -> None:
    scores = panel(np.array([[1.0, 2.0, 3.0, 4.0, NAN], [1.0, 2.0, 3.0, 4.0, 5.0], [7.0] * 5, [0.1] * 5]))
    returns = panel(np.array([[1.0, 2.0, 3.0, 4.0, 5.0], [0.1] * 5, [1.0, 2.0, 3.0, 4.0, 5.0], [1 / 3] * 5]))
    for method in ("rank", "pearson"):
        ic = information_coefficient(scores, returns, method)
        assert ic.isna().all()
        assert len(ic) == 4


def test_rows_are_matched_by_index_not_by_place() -> None:
    rng = np.random.default_rng(1)
    scores, returns = panel(rng.normal(size=(3, 8))), panel(rng.normal(size=(3, 8)))
    straight = information_coefficient(scores, returns)
    shuffled = information_coefficient(scores.sample(frac=1.0, random_state=2), returns.sample(frac=1.0, random_state=3))
    pd.testing.assert_series_equal(straight, shuffled)
    fewer = information_coefficient(scores, returns.iloc[8:])
    assert np.isnan(fewer.iloc[0])
    assert fewer.iloc[1:].tolist() == straight.iloc[1:].tolist()


def test_quantiles_written_out() -> None:
    scores = panel(np.array([[1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0]]))
    returns = panel(np.array([[0.01, 0.02, 0.03, 0.04], [0.0, 0.0, 0.0, -0.02]]))
    table = quantile_returns(scores, returns, n_quantiles=2)
    assert table.index.tolist() == [1, 2]
    assert table["mean_return"].tolist() == pytest.approx([(0.015 - 0.01) / 2, (0.035 + 0.0) / 2])
    assert table["n_dates"].tolist() == [2, 2]


def test_every_date_counts_the_same() -> None:
    scores = panel(np.array([[1.0, 2.0, 3.0, 4.0], [1.0, NAN, NAN, 2.0]]))
    returns = panel(np.array([[0.0, 0.0, 0.1, 0.1], [0.0, 0.0, 0.0, 0.3]]))
    assert quantile_returns(scores, returns, n_quantiles=2)["mean_return"].tolist() == pytest.approx([0.0, 0.2])


def test_ties_stay_together_and_thin_dates_are_left_out() -> None:
    tied = quantile_returns(panel(np.array([[1.0, 1.0, 1.0, 1.0]])), panel(np.array([[0.1, 0.2, 0.3, 0.4]])), n_quantiles=2)
    assert tied["n_dates"].tolist() == [0, 1]
    assert tied.loc[2, "mean_return"] == pytest.approx(0.25)
    thin = quantile_returns(panel(np.array([[1.0, 2.0]])), panel(np.array([[0.1, 0.2]])), n_quantiles=5)
    assert thin["n_dates"].sum() == 0
    assert thin["mean_return"].isna().all()


def test_buckets_are_equally_full() -> None:
    rng = np.random.default_rng(5)
    scores = panel(rng.normal(size=(1, 100)))
    own_number = quantile_returns(scores, scores, n_quantiles=5)["mean_return"].tolist()
    assert own_number == pytest.approx(np.sort(scores.to_numpy()).reshape(5, 20).mean(axis=1).tolist())


def test_bad_input() -> None:
    scores = panel(np.arange(10.0).reshape(2, 5))
    with pytest.raises(ConfigError, match="method"):
        information_coefficient(scores, scores, "kendall")
    with pytest.raises(ConfigError, match="n_quantiles"):
        quantile_returns(scores, scores, n_quantiles=1)
    with pytest.raises(DataError, match="unique"):
        information_coefficient(pd.concat([scores, scores]), scores)
    with pytest.raises(DataError, match="returns must be indexed"):
        information_coefficient(scores, scores.reset_index(drop=True))
    with pytest.raises(DataError, match="finite"):
        information_coefficient(scores.replace(3.0, np.inf), scores)
