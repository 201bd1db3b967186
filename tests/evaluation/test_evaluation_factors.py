"""The factor report's numbers: golden small cases, properties, and what becomes of noise and of a planted signal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone import evaluation, labels, sources
from touchstone.errors import ConfigError, DataError

HORIZON = 5


def market(n_sessions: int = 120, n_symbols: int = 12, *, seed: int = 0, horizon: int = HORIZON) -> tuple[pd.MultiIndex, pd.Series]:
    """Sessions by symbols, and forward returns that overlap as those of `horizon` sessions do."""
    rng = np.random.default_rng(seed)
    dates = pd.bdate_range("2015-01-02", periods=n_sessions, unit="us")
    index = pd.MultiIndex.from_product([dates, [f"S{place:03d}" for place in range(n_symbols)]], names=["date", "symbol"])
    daily = 0.01 * rng.standard_normal((n_sessions + horizon, n_symbols))
    ahead = np.stack([daily[first + 1 : first + 1 + horizon].sum(axis=0) for first in range(n_sessions)])
    return index, pd.Series(ahead.ravel(), index=index)


def noise(index: pd.MultiIndex, n_features: int, *, seed: int, persistence: float = 0.0) -> pd.DataFrame:
    """Features that know nothing; persistent ones drift slowly, as real ones do."""
    rng = np.random.default_rng(seed)
    n_symbols = index.get_level_values("symbol").nunique()
    shocks = rng.standard_normal((len(index) // n_symbols, n_symbols, n_features))
    for session in range(1, len(shocks)):
        shocks[session] = persistence * shocks[session - 1] + np.sqrt(1.0 - persistence**2) * shocks[session]
    return pd.DataFrame(shocks.reshape(len(index), n_features), index=index, columns=[f"noise_{place}" for place in range(n_features)])


def one_session(scores: list[float], returns: list[float]) -> tuple[pd.DataFrame, dict[int, pd.Series]]:
    index = pd.MultiIndex.from_product([pd.DatetimeIndex(["2020-01-02"]), list("abcdefghij")[: len(scores)]], names=["date", "symbol"])
    return pd.DataFrame({"f": scores}, index=index), {1: pd.Series(returns, index=index)}


def test_the_rank_ic_of_a_known_permutation() -> None:
    """Ranks 1 … 5 against 2 1 4 3 5: differences 1 1 1 1 0, so 1 - 6 * 4 / (5 * 24) = 0.8."""
    matrix, returns = one_session([1.0, 2.0, 3.0, 40.0, 500.0], [0.2, 0.1, 0.4, 0.3, 0.5])

    found = evaluation.assess_factors(matrix, returns, horizon=1)

    assert found.rank_ic.iloc[0, 0] == pytest.approx(0.8, abs=1e-15)


def test_ranks_are_taken_among_the_pairs_alone() -> None:
    """The third has no return and the sixth no value: what is left is the permutation above."""
    nan = float("nan")
    matrix, returns = one_session([1.0, 2.0, 2.5, 3.0, 40.0, nan, 500.0], [0.2, 0.1, nan, 0.4, 0.3, 9.0, 0.5])

    found = evaluation.assess_factors(matrix, returns, horizon=1)

    assert found.rank_ic.iloc[0, 0] == pytest.approx(0.8, abs=1e-15)
    assert found.leaderboard["coverage"].iloc[0] == pytest.approx(6 / 7)


def test_quantile_means_by_hand() -> None:
    """Ten symbols in five buckets of two: the means of neighbours by value."""
    returns = [0.10, 0.20, 0.30, 0.40, 0.50, 0.60, 0.70, 0.80, 0.90, 1.00]
    matrix, outcomes = one_session([float(value) for value in range(10, 0, -1)], returns)

    found = evaluation.assess_factors(matrix, outcomes, horizon=1)

    assert found.quantiles.loc["f"].tolist() == pytest.approx([0.95, 0.75, 0.55, 0.35, 0.15])
    assert found.spreads["f"].tolist() == pytest.approx([0.15 - 0.95])
    assert found.leaderboard.loc["f", "monotonicity"] == pytest.approx(-1.0)


def test_q_values_of_the_textbook_example() -> None:
    """Benjamini, Hochberg (1995), section 3.2: fifteen comparisons of thrombolytic treatments; at 0.05 the first four are rejected."""
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]

    q = evaluation.false_discovery(pd.Series([*p, np.nan]))

    assert (q <= 0.05).tolist() == [True] * 4 + [False] * 12
    assert q.iloc[3] == pytest.approx(15 * 0.0095 / 4)
    assert q.iloc[:15].tolist() == sorted(q.iloc[:15])
    assert np.isnan(q.iloc[15])
    any_dependence = evaluation.false_discovery(pd.Series(p), dependent=True)
    assert any_dependence.iloc[3] == pytest.approx(15 * 0.0095 / 4 * sum(1 / place for place in range(1, 16)))


def test_every_number_agrees_with_the_functions_for_one_score() -> None:
    index, ahead = market(60, 15)
    rng = np.random.default_rng(3)
    matrix = noise(index, 2, seed=1).mask(rng.random((len(index), 2)) < 0.2).round(1)
    ahead = ahead.mask(rng.random(len(ahead)) < 0.1)

    found = evaluation.assess_factors(matrix, {HORIZON: ahead}, horizon=HORIZON)

    for name in matrix.columns:
        expected = evaluation.information_coefficient(matrix[name], ahead)
        pd.testing.assert_series_equal(found.rank_ic[name], expected, check_names=False, rtol=1e-12)
        pearson = evaluation.information_coefficient(matrix[name], ahead, method="pearson").mean()
        assert found.leaderboard.loc[name, "pearson_ic"] == pytest.approx(pearson, rel=1e-10)
        means = evaluation.quantile_returns(matrix[name], ahead)["mean_return"]
        assert found.quantiles.loc[name].tolist() == pytest.approx(means.tolist(), rel=1e-12)
        assert found.leaderboard.loc[name, "icir"] == pytest.approx(expected.mean() / expected.std())


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.sampled_from([0.5, 3.0]))
def test_neither_the_order_of_symbols_nor_a_monotone_transform_changes_a_rank(seed: int, scale: float) -> None:
    index, ahead = market(40, 11, seed=seed)
    matrix = noise(index, 3, seed=seed)
    as_given = evaluation.assess_factors(matrix, {HORIZON: ahead}, horizon=HORIZON)

    bent = evaluation.assess_factors(np.exp(scale * matrix), {HORIZON: ahead}, horizon=HORIZON)
    names = dict(zip(index.levels[1], np.random.default_rng(seed).permutation(index.levels[1]), strict=True))
    renamed = index.set_levels(index.levels[1].map(names), level="symbol")
    order = np.lexsort([renamed.get_level_values("symbol"), renamed.get_level_values("date")])
    shuffled = matrix.set_axis(renamed).iloc[order]
    permuted = evaluation.assess_factors(shuffled, {HORIZON: ahead.set_axis(renamed)}, horizon=HORIZON)

    for other in (bent, permuted):
        pd.testing.assert_frame_equal(other.rank_ic, as_given.rank_ic, check_exact=True)
        pd.testing.assert_frame_equal(other.years, as_given.years)
        ranked = ["rank_ic", "t", "p", "q", "turnover_top", "turnover_bottom", "autocorrelation_1", "autocorrelation_20"]
        pd.testing.assert_frame_equal(other.leaderboard[ranked], as_given.leaderboard[ranked])
        pd.testing.assert_frame_equal(other.quantiles, as_given.quantiles, rtol=1e-9)
    pd.testing.assert_frame_equal(bent.clusters.correlation, as_given.clusters.correlation)


def test_threads_change_no_bit() -> None:
    index, ahead = market()
    matrix = noise(index, 6, seed=2)

    alone, together = (evaluation.assess_factors(matrix, {HORIZON: ahead}, horizon=HORIZON, threads=n) for n in (1, 3))

    pd.testing.assert_frame_equal(alone.leaderboard, together.leaderboard, check_exact=True)


def test_the_interval_holds_its_promise_where_labels_overlap() -> None:
    """A moving sum of 20 sessions: intervals miss the true mean, 0, about one time in twenty. Newey and West's would one time in eight."""
    rng = np.random.default_rng(5)
    sums = (np.convolve(rng.standard_normal(769), np.ones(20), "valid") for _ in range(600))

    missed = [not estimate.lower <= 0.0 <= estimate.upper for estimate in (evaluation.mean_estimate(one, overlap=20) for one in sums)]

    assert 0.02 <= np.mean(missed) <= 0.085


def test_an_estimate_of_independent_values_is_students() -> None:
    values = np.random.default_rng(1).standard_normal(4000)

    found = evaluation.mean_estimate(values)

    assert found.t == pytest.approx(values.mean() / (values.std() / np.sqrt(4000)), rel=0.25)
    assert found.degrees == int(0.4 * 4000 ** (2 / 3))
    assert found.lower < found.mean < found.upper


@pytest.mark.parametrize("values", [[], [1.0], [2.0] * 50, list(range(7))])
def test_too_little_gives_no_certainty(values: list[float]) -> None:
    found = evaluation.mean_estimate(np.array(values), overlap=2)

    assert found.degrees == 0
    assert np.isnan([found.t, found.p, found.lower, found.upper]).all()


def test_the_best_of_many_without_skill() -> None:
    """One normal: sqrt(2 / pi). Two independent ones: E max(|a|, |b|) = 2 / sqrt(pi)."""
    assert evaluation.expected_maximum_t(1, degrees=10**6) == pytest.approx(np.sqrt(2 / np.pi), rel=1e-4)
    assert evaluation.expected_maximum_t(2, degrees=10**6) == pytest.approx(2 / np.sqrt(np.pi), rel=1e-4)
    drawn = np.abs(np.random.default_rng(0).standard_t(20, size=(4000, 158))).max(axis=1)
    assert evaluation.expected_maximum_t(158, degrees=20) == pytest.approx(drawn.mean(), rel=0.02)


def test_copies_are_worth_one_test() -> None:
    series = np.random.default_rng(0).standard_normal((500, 4))
    copies = pd.DataFrame(np.repeat(series[:, :1], 6, axis=1))

    assert evaluation.effective_tests(copies) == pytest.approx(1.0, rel=1e-5)
    assert evaluation.effective_tests(pd.DataFrame(series)) == pytest.approx(4.0, rel=0.02)
    assert evaluation.effective_tests(copies.join(pd.DataFrame(series[:, 1:], columns=list("abc")))) == pytest.approx(4.0, rel=0.4)


@pytest.fixture(scope="module")
def real_returns() -> pd.Series:
    """Forward returns of five sessions of twenty real stocks, 2003 to 2022."""
    return labels.forward_return(sources.load("sample").bars, horizon=HORIZON)["label"]


def test_of_noise_on_real_returns_little_is_declared_and_the_false_share_is_held_over_seeds(real_returns: pd.Series) -> None:
    """Of nothing, the chance that anything is declared is the false discovery rate: 0.1, within what eight stretches can tell."""
    dates = real_returns.index.unique("date")
    declared, largest = [], []
    for seed in range(8):
        ahead = real_returns.loc[dates[600 * seed] : dates[600 * seed + 249]]
        index = pd.MultiIndex.from_product([ahead.index.unique(name) for name in ("date", "symbol")])
        found = evaluation.assess_factors(noise(index, 158, seed=seed, persistence=0.9), {HORIZON: ahead}, horizon=HORIZON)
        assert found.many.n_tests == 158
        declared.append(found.many.n_discoveries > 0)
        largest.append(found.many.largest_t / found.many.expected_largest_t)

    assert np.mean(declared) <= 0.25
    assert 0.8 <= np.mean(largest) <= 1.2, "the best of 158 is about as good as the best of 158 is expected to be"


def test_a_planted_signal_is_found_among_noise() -> None:
    index, ahead = market(300, 30)
    planted = 0.15 * ahead / ahead.std() + np.random.default_rng(8).standard_normal(len(ahead))

    found = evaluation.assess_factors(noise(index, 157, seed=9).assign(planted=planted), {HORIZON: ahead}, horizon=HORIZON)

    assert found.leaderboard.index[0] == "planted"
    assert found.leaderboard.loc["planted", "q_any_dependence"] < 0.01
    assert found.many.n_tests == 158
    assert found.many.largest_t > 2 * found.many.expected_largest_t
    assert found.leaderboard["q"].drop("planted").gt(0.05).mean() > 0.97


def test_a_market_wide_column_orders_nothing_and_stands_apart() -> None:
    index, ahead = market()
    by_session = pd.Series(np.arange(120.0), index=index.levels[0]).reindex(index.get_level_values("date")).to_numpy()
    matrix = noise(index, 1, seed=1).assign(level=by_session, nothing=np.nan)

    found = evaluation.assess_factors(matrix, {HORIZON: ahead}, horizon=HORIZON)

    assert found.market_wide.index.tolist() == ["level"]
    assert found.market_wide.loc["level", "n_sessions"] == 120 / HORIZON
    assert found.leaderboard.index.tolist() == ["noise_0", "nothing"]
    assert found.leaderboard.loc["nothing", ["rank_ic", "p", "q", "cluster"]].fillna(0).eq(0).all()
    assert found.many.n_tests == 1
    rising = evaluation.assess_factors(matrix[["level"]], {HORIZON: pd.Series(by_session, index=index)}, horizon=HORIZON)
    assert rising.market_wide.loc["level", "correlation"] == pytest.approx(1.0)
    assert rising.leaderboard.empty


def test_turnover_and_autocorrelation_of_features_that_stay_and_that_turn_round() -> None:
    index, ahead = market(60, 10, horizon=1)
    place = pd.Series(index.codes[1], index=index, dtype="float64")
    flip = np.where(index.codes[0] % 2 == 0, 1.0, -1.0)
    matrix = pd.DataFrame({"stays": place, "turns": flip * place})

    board = evaluation.assess_factors(matrix, {1: ahead}, horizon=1).leaderboard

    assert board.loc["stays", ["turnover_top", "turnover_bottom"]].eq(0.0).all()
    assert board.loc["stays", ["autocorrelation_1", "autocorrelation_5", "autocorrelation_20"]].eq(1.0).all()
    assert board.loc["turns", "turnover_top"] == 1.0
    assert board.loc["turns", ["autocorrelation_1", "autocorrelation_5", "autocorrelation_20"]].tolist() == [-1.0, -1.0, 1.0]


def test_liquidity_halves_judge_their_own_symbols() -> None:
    index, ahead = market(60, 20)
    liquid = pd.Series(index.codes[1] >= 10, index=index)
    knows = ahead.where(liquid, np.random.default_rng(0).standard_normal(len(ahead)))

    found = evaluation.assess_factors(knows.to_frame("f"), {HORIZON: ahead}, horizon=HORIZON, liquidity=liquid * 1e6 + index.codes[1])

    assert found.leaderboard.loc["f", "ic_more_liquid"] == pytest.approx(1.0)
    assert abs(found.leaderboard.loc["f", "ic_less_liquid"]) < 0.2


def test_clusters_join_what_is_alike_whatever_its_sign_and_keep_the_rest_alone() -> None:
    index, _ = market(80, 20)
    base = noise(index, 3, seed=4)
    near = noise(index, 2, seed=5)
    matrix = base.assign(twin=base["noise_0"] + 0.1 * near["noise_0"], mirror=-base["noise_0"] + 0.1 * near["noise_1"])

    clusters = evaluation.cluster_features(evaluation.rank_correlation(matrix))

    together = clusters.members["cluster"][["noise_0", "twin", "mirror"]]
    assert together.eq(together.iloc[0]).all()
    assert clusters.n_clusters == 3
    assert clusters.members["represents"].sum() == 3
    assert clusters.members["represents"]["noise_0"], "the member that both others were made of is most like all"
    assert np.diff(clusters.members["cluster"]).min() >= 0, "members of a cluster are neighbours"
    ranks = matrix.groupby(level="date").rank()
    expected = (ranks - ranks.groupby(level="date").transform("mean")).corr()
    pd.testing.assert_frame_equal(evaluation.rank_correlation(matrix), expected, check_names=False)


def test_coverage_years_and_decay_are_by_feature() -> None:
    index, ahead = market(400, 8)
    late = index.get_level_values("date").year == 2016
    matrix = noise(index, 1, seed=0).assign(late=lambda frame: frame["noise_0"].where(late))

    found = evaluation.assess_factors(matrix, {1: ahead, HORIZON: ahead}, horizon=HORIZON)

    assert found.coverage.loc["late"].tolist() == [0.0, 1.0]
    assert np.isnan(found.years.loc["late", 2015])
    assert found.years.loc["late", 2016] == pytest.approx(found.rank_ic["late"].mean())
    assert found.decay.columns.tolist() == [1, HORIZON]
    assert (found.decay_lower < found.decay).all(axis=None)


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        ({"horizon": 3}, ConfigError, r"got 3 \(there: 5\)"),
        ({"n_quantiles": 1}, ConfigError, "at least 2"),
        ({"level": 1.5}, ConfigError, r"\(0, 1\)"),
        ({"confidence": 1.0}, ConfigError, "confidence"),
        ({"matrix": lambda matrix: matrix.iloc[::-1]}, DataError, "date-major"),
        ({"matrix": lambda matrix: matrix.iloc[:0]}, DataError, "there are none"),
        ({"matrix": lambda matrix: matrix[[]]}, DataError, "at least one feature"),
        ({"matrix": lambda matrix: matrix.assign(noise_0=np.inf)}, DataError, "'noise_0' has 1440 infinite"),
        ({"matrix": lambda matrix: matrix.reset_index(drop=True)}, DataError, "set that index"),
    ],
)
def test_what_cannot_be_assessed_is_refused(change: dict[str, object], error: type[Exception], told: str) -> None:
    index, ahead = market()
    matrix = noise(index, 1, seed=0)
    make = change.pop("matrix", None) if "matrix" in change else None
    arguments = {"horizon": HORIZON, **change}

    with pytest.raises(error, match=told):
        evaluation.assess_factors(make(matrix) if make else matrix, {HORIZON: ahead}, **arguments)


def test_inputs_are_left_as_they_were() -> None:
    index, ahead = market(30, 6)
    matrix = noise(index, 2, seed=0)
    before, returns_before = matrix.copy(), ahead.copy()

    evaluation.assess_factors(matrix, {HORIZON: ahead}, horizon=HORIZON, liquidity=ahead)

    pd.testing.assert_frame_equal(matrix, before)
    pd.testing.assert_series_equal(ahead, returns_before)
