from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from portfolio_cases import random_scores, scores_of

from touchstone.errors import ConfigError, DataError, OrderError
from touchstone.portfolio import quantile_weights, score_weights, top_bottom, top_k_drop_n, top_n

NAN = float("nan")
RULES = {
    "top_n": lambda scores: top_n(scores, n=3),
    "top_k_drop_n": lambda scores: top_k_drop_n(scores, k=4, n_drop=2),
    "quantile_weights": lambda scores: quantile_weights(scores, exposures=(-0.5, 0.0, 0.5)),
    "score_weights": score_weights,
    "score_weights long": lambda scores: score_weights(scores, long_only=True),
    "top_bottom": lambda scores: top_bottom(scores, n_long=2, n_short=1),
}


def held(weights: pd.DataFrame) -> list[str]:
    return ["".join(row[row > 0.0].index) for _, row in weights.iterrows()]


def test_top_n_holds_the_best_and_ties_go_by_symbol() -> None:
    weights = top_n(scores_of({"C": [1.0, 5.0], "B": [1.0, NAN], "A": [0.0, 2.0]}), n=2)
    assert weights.to_dict("list") == {"A": [0.0, 0.5], "B": [0.5, 0.0], "C": [0.5, 0.5]}


def test_top_n_names_the_date_that_has_too_few() -> None:
    with pytest.raises(OrderError, match="1 are scored on 2020-01-02"):
        top_n(scores_of({"A": [1.0, 1.0], "B": [2.0, NAN]}), n=2)


def test_top_k_drop_n_by_hand() -> None:
    """Day 2: C, the best not held, comes in and B is the worst of A B C. Day 3: D comes, A goes. Day 4: B is no better than C and D."""
    scores = scores_of({"A": [4.0, 2.0, 1.0, 1.0], "B": [3.0, 1.0, 0.0, 2.0], "C": [2.0, 4.0, 4.0, 4.0], "D": [1.0, 3.0, 3.0, 3.0]})
    weights = top_k_drop_n(scores, k=2, n_drop=1)
    assert held(weights) == ["AB", "AC", "CD", "CD"]
    assert weights.loc["2020-01-01", "A"] == 0.5


def test_top_k_drop_n_at_equal_scores_the_earlier_symbol_is_the_better_one() -> None:
    assert held(top_k_drop_n(scores_of({"B": [1.0, 1.0], "A": [0.0, 1.0], "C": [1.0, 1.0]}), k=2, n_drop=1)) == ["BC", "AB"]


def test_top_k_drop_n_sells_what_has_no_score_and_fills_up_when_it_can() -> None:
    scores = scores_of({"A": [3.0, NAN, NAN], "B": [2.0, NAN, 1.0], "C": [NAN, 1.0, 2.0], "D": [NAN, NAN, 3.0]})
    assert held(top_k_drop_n(scores, k=2, n_drop=1)) == ["AB", "C", "CD"]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 6), data=st.data())
def test_top_k_drop_n_is_the_rule_of_qlib(seed: int, k: int, data: st.DataObject) -> None:
    """Sell and buy lists written from the description of TopkDropoutStrategy (bottom, top), on scores without gaps."""
    n_drop = data.draw(st.integers(1, k))
    scores = random_scores(seed, n_names=12, n_sessions=8)
    weights = top_k_drop_n(scores, k=k, n_drop=n_drop)
    holding: list[str] = []
    for date, row in weights.iterrows():
        on_date = scores.loc[date]
        best_first = sorted(on_date.index, key=lambda name, s=on_date: (-s[name], name))
        candidates = [name for name in best_first if name not in holding][: n_drop + k - len(holding)]
        together = [name for name in best_first if name in holding or name in candidates]
        selling = [name for name in holding if name in together[-n_drop:]]
        buying = candidates[: len(selling) + k - len(holding)]
        before, holding = set(holding), [name for name in holding if name not in selling] + buying
        assert set(row[row > 0.0].index) == set(holding)
        assert not before or len(before - set(holding)) <= n_drop
        assert (row[row > 0.0] == 1.0 / k).all()


def test_quantiles_by_hand() -> None:
    scores = scores_of({"A": [1.0], "B": [2.0], "C": [3.0], "D": [4.0], "E": [NAN], "F": [5.0]})
    weights = quantile_weights(scores, exposures=(-1.0, 0.2, 0.8)).iloc[0]
    # (r + 1/2) * 3 / 5 is 0.3 0.9 1.5 2.1 2.7: two names, one, two.
    assert weights.to_dict() == pytest.approx({"A": -0.5, "B": -0.5, "C": 0.2, "D": 0.4, "E": 0.0, "F": 0.4})


def test_quantiles_name_the_date_that_has_too_few() -> None:
    with pytest.raises(OrderError, match="2 are scored on 2020-01-01 for 5 quantiles"):
        quantile_weights(scores_of({"A": [1.0], "B": [2.0]}))


def test_score_weights_by_hand() -> None:
    scores = scores_of({"A": [1.0], "B": [2.0], "C": [6.0], "D": [NAN]})
    assert score_weights(scores).iloc[0].to_dict() == pytest.approx({"A": -1 / 3, "B": -1 / 6, "C": 0.5, "D": 0.0})
    assert score_weights(scores - 2.0, long_only=True).iloc[0].to_dict() == {"A": 0.0, "B": 0.0, "C": 1.0, "D": 0.0}
    assert not score_weights(scores - 7.0, long_only=True).any(axis=None)


def test_score_weights_of_scores_that_are_all_alike() -> None:
    with pytest.raises(OrderError, match="alike on 2020-01-02"):
        score_weights(scores_of({"A": [1.0, 0.1], "B": [2.0, 0.1], "C": [NAN, 0.1]}))


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_scores_of_any_size_have_weights(size: float) -> None:
    scores = scores_of({"A": [1.0], "B": [2.0], "C": [6.0]})
    np.testing.assert_allclose(score_weights(scores * size), score_weights(scores), rtol=1e-14)


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_what_all_rules_promise(rule: str, seed: int) -> None:
    scores = random_scores(seed, n_names=9, n_sessions=6)
    before = scores.copy()
    weights = RULES[rule](scores)
    pd.testing.assert_series_equal(scores, before)
    np.testing.assert_allclose(weights.abs().sum(axis=1), 1.0, atol=1e-12)
    # The order of rows is nothing, another scale of scores is nothing, and neither is what comes later.
    pd.testing.assert_frame_equal(RULES[rule](scores.sample(frac=1.0, random_state=seed)), weights)
    np.testing.assert_allclose(RULES[rule](scores * 4.0), weights, rtol=0, atol=0)
    later = scores.copy()
    later.iloc[-9:] = -later.iloc[-9:].to_numpy() + 1.0
    pd.testing.assert_frame_equal(RULES[rule](later).iloc[:-1], weights.iloc[:-1])


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=10, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_other_names_for_the_symbols_permute_the_weights(rule: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.permuted(np.tile(np.arange(8.0), (5, 1)), axis=1) - 3.0  # without ties, which go by name
    scores = scores_of({f"S{number}": list(values[:, number]) for number in range(8)})
    renamed = {f"S{number}": f"S{place}" for number, place in enumerate(rng.permutation(8))}
    dates, symbols = scores.index.get_level_values("date"), scores.index.get_level_values("symbol").map(renamed)
    other = RULES[rule](pd.Series(scores.to_numpy(), index=pd.MultiIndex.from_arrays([dates, symbols], names=["date", "symbol"])))
    expected = RULES[rule](scores).rename(columns=renamed).sort_index(axis=1)
    np.testing.assert_allclose(other, expected, atol=1e-15)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda s: top_n(s, n=0), "n must be at least 1"),
        (lambda s: top_n(s, n=1, rebalance_every=0), "rebalance_every must be at least 1"),
        (lambda s: top_k_drop_n(s, k=0, n_drop=1), "k must be at least 1"),
        (lambda s: top_k_drop_n(s, k=1, n_drop=0), "n_drop must be at least 1"),
        (lambda s: top_k_drop_n(s, k=1, n_drop=2), "n_drop must be at most k"),
        (lambda s: quantile_weights(s, exposures=(1.0,)), "at least two numbers"),
        (lambda s: quantile_weights(s, exposures=(1.0, NAN)), "at least two numbers"),
    ],
)
def test_options_that_do_not_fit(call: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        call(scores_of({"A": [1.0], "B": [2.0]}))


def test_rules_decide_on_every_kth_scored_session() -> None:
    scores = scores_of({"A": [NAN, 1.0, 2.0, 3.0], "B": [NAN, 2.0, 1.0, 4.0]})
    assert [date.day for date in top_k_drop_n(scores, k=1, n_drop=1, rebalance_every=2).index] == [2, 4]


def test_scores_that_break_the_contract() -> None:
    with pytest.raises(DataError, match="infinite"):
        score_weights(scores_of({"A": [1.0], "B": [np.inf]}))
