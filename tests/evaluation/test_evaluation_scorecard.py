from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest

from touchstone import evaluation
from touchstone.errors import ConfigError, DataError
from touchstone.evaluation import scorecard


def test_numbers_are_those_of_the_functions(make_outcome) -> None:
    outcome = make_outcome()
    card = scorecard(**outcome)
    net = outcome["returns_net"]
    assert (card.span.first.isoformat(), card.span.n_sessions) == ("2017-01-02", 600)
    assert card.sharpe.net == evaluation.sharpe_ratio(net)
    assert card.sharpe.gross == evaluation.sharpe_ratio(outcome["returns_gross"])
    assert card.sharpe.benchmark == evaluation.sharpe_ratio(outcome["benchmark_returns"])
    assert card.sharpe.net_minus_benchmark == pytest.approx(card.sharpe.net - card.sharpe.benchmark)
    assert card.sharpe.net_minus_equal_weighted == pytest.approx(card.sharpe.net - card.sharpe.equal_weighted)
    assert card.sharpe.net_lower < card.sharpe.net < card.sharpe.net_upper
    assert card.sharpe.block_length >= 5.0
    assert card.performance.annual_return == evaluation.annual_return(net)
    assert card.performance.annual_volatility == evaluation.annual_volatility(net)
    assert card.performance.max_drawdown == evaluation.max_drawdown(net)
    assert card.performance.annual_return_gross > card.performance.annual_return


def test_luck_takes_per_session_ratios(make_outcome) -> None:
    card = scorecard(**make_outcome())
    luck = card.luck
    assert luck.sharpe_per_session == pytest.approx(card.sharpe.net / math.sqrt(252))
    shape = {"n_observations": 600, "skewness": luck.skewness, "kurtosis": luck.kurtosis}
    assert luck.probabilistic_sharpe == evaluation.probabilistic_sharpe_ratio(luck.sharpe_per_session, **shape)
    assert luck.deflated_sharpe == evaluation.deflated_sharpe_ratio(
        luck.sharpe_per_session, n_trials=10, trials_variance=luck.trials_variance, **shape
    )
    assert luck.deflated_sharpe < luck.probabilistic_sharpe
    assert luck.expected_maximum_sharpe == evaluation.expected_maximum_sharpe(10, trials_variance=luck.trials_variance)


@pytest.mark.parametrize(("ledger", "used"), [(1e-4, 1e-4), (0.5, 1 / 599), (float("nan"), 1 / 599), (0.0, 1 / 599)])
def test_trials_variance_is_the_smaller_of_ledger_and_sampling(make_outcome, ledger: float, used: float) -> None:
    luck = scorecard(**make_outcome() | {"ledger_variance": ledger}).luck
    assert luck.trials_variance == pytest.approx(used)
    assert luck.sampling_variance == pytest.approx(1 / 599)
    assert luck.ledger_variance == ledger or math.isnan(ledger)


def test_rank_ic_uses_every_horizonth_scored_date(make_outcome) -> None:
    outcome = make_outcome()
    card = scorecard(**outcome)
    every = evaluation.information_coefficient(outcome["scores"], outcome["labels"]["label"])
    kept = every.iloc[::5].dropna()
    assert card.rank_ic.n == len(kept) == 119
    assert card.rank_ic.mean == pytest.approx(kept.mean())
    assert card.rank_ic.icir == pytest.approx(kept.mean() / kept.std(ddof=1))
    assert card.rank_ic.lower < card.rank_ic.mean < card.rank_ic.upper


def test_dates_without_scores_are_not_scored_dates(make_outcome) -> None:
    outcome = make_outcome()
    late = outcome["scores"].copy()
    late.iloc[: 3 * 12] = np.nan
    every = evaluation.information_coefficient(outcome["scores"], outcome["labels"]["label"])
    assert scorecard(**outcome | {"scores": late}).rank_ic.mean == pytest.approx(every.iloc[3::5].mean())


def test_labels_between_the_kept_dates_do_not_count(make_outcome) -> None:
    outcome = make_outcome()
    labels = outcome["labels"].copy()
    day = labels.index.get_level_values("date").factorize()[0]
    labels.loc[day % 5 != 0, "label"] *= -3.0
    assert scorecard(**outcome | {"labels": labels}).rank_ic == scorecard(**outcome).rank_ic


def test_years_and_their_share(make_outcome) -> None:
    outcome = make_outcome()
    card = scorecard(**outcome)
    assert [(year.year, year.full) for year in card.years] == [(2017, True), (2018, True), (2019, False)]
    growth = np.prod([1.0 + year.net_return for year in card.years])
    assert growth == pytest.approx((1.0 + outcome["returns_net"]).prod())
    assert sum(year.n_sessions for year in card.years) == 600
    positive = [year.net_return > 0 for year in card.years if year.full]
    assert card.positive_years.share == sum(positive) / 2
    assert card.positive_years.n_full == 2


@pytest.mark.parametrize(("first_year", "second_year", "share"), [(0.001, 0.001, 1.0), (0.001, -0.001, 0.5), (-0.001, -0.001, 0.0)])
def test_share_of_positive_years(make_outcome, first_year: float, second_year: float, share: float) -> None:
    outcome = make_outcome()
    drift = np.where(outcome["returns_net"].index.year == 2017, first_year, second_year)
    wave = np.where(np.arange(600) % 2, 1e-4, -1e-4)
    net = pd.Series(drift + wave, index=outcome["returns_net"].index)
    assert scorecard(**outcome | {"returns_net": net}).positive_years.share == share


def test_without_a_benchmark_its_numbers_are_undefined(make_outcome) -> None:
    outcome = make_outcome()
    none = scorecard(**outcome | {"benchmark_returns": None})
    assert math.isnan(none.sharpe.benchmark)
    assert math.isnan(none.sharpe.net_minus_benchmark)
    empty = scorecard(**outcome | {"benchmark_returns": outcome["benchmark_returns"] * np.nan})
    assert empty.to_dict() == none.to_dict()


def test_a_shorter_benchmark_is_compared_on_its_own_sessions(make_outcome) -> None:
    outcome = make_outcome()
    benchmark = outcome["benchmark_returns"].iloc[:300]
    card = scorecard(**outcome | {"benchmark_returns": benchmark})
    expected = evaluation.sharpe_ratio(outcome["returns_net"].iloc[:300]) - evaluation.sharpe_ratio(benchmark)
    assert card.sharpe.net_minus_benchmark == pytest.approx(expected)


def test_json_ready_and_sorted(make_outcome) -> None:
    outcome = make_outcome(sharpe=-0.2)
    card = scorecard(**outcome | {"benchmark_returns": None})
    plain = card.to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["sharpe"]["benchmark"] is None
    # A negative ratio never gets there: infinite, so None.
    assert plain["luck"]["minimum_track_record_length"] is None
    assert plain["span"] == {"first": "2017-01-02", "last": "2019-04-19", "n_sessions": 600}
    assert [point["multiplier"] for point in plain["cost_curve"]] == [0.0, 1.0, 2.0]
    assert [row["quantile"] for row in plain["quantile_returns"]] == [1, 2, 3, 4, 5]


def test_skill_shows_in_the_quantiles(make_outcome) -> None:
    means = [row.mean_return for row in scorecard(**make_outcome(skill=0.5)).quantile_returns]
    assert means == sorted(means)


def test_a_backtest_that_never_trades_has_no_sharpe(make_outcome) -> None:
    outcome = make_outcome()
    card = scorecard(**outcome | {"returns_net": outcome["returns_net"] * 0.0})
    assert card.to_dict()["luck"]["deflated_sharpe"] is None
    assert card.to_dict()["sharpe"]["net_lower"] is None


def test_same_inputs_same_card(make_outcome) -> None:
    assert scorecard(**make_outcome()) == scorecard(**make_outcome())


def test_bad_input(make_outcome) -> None:
    outcome = make_outcome()
    net = outcome["returns_net"]
    with pytest.raises(ConfigError, match="horizon"):
        scorecard(**outcome | {"horizon": 0})
    with pytest.raises(DataError, match="returns_gross must have every session"):
        scorecard(**outcome | {"returns_gross": net.iloc[1:]})
    with pytest.raises(DataError, match=r"equal_weighted_returns must be finite, but is not on 2017-01-04"):
        scorecard(**outcome | {"equal_weighted_returns": net.where(net.index != net.index[2])})
    with pytest.raises(DataError, match="ascending"):
        scorecard(**outcome | {"returns_net": net.iloc[::-1]})
    with pytest.raises(DataError, match="at least two"):
        scorecard(**outcome | {"returns_net": net.iloc[:1]})
