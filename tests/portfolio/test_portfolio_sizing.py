from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from portfolio_cases import frame_of, random_returns

from touchstone.errors import ConfigError, DataError
from touchstone.portfolio import (
    equal_risk,
    fixed_fraction,
    kelly_bet,
    kelly_fraction,
    session_returns,
    trailing_volatility,
    volatility_target,
)

NAN = float("nan")


def bars_of(closes: pd.DataFrame) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([closes.index, closes.columns], names=["date", "symbol"])
    return pd.DataFrame({"close": closes.to_numpy().ravel()}, index=index).dropna()


def weights_at(returns: pd.DataFrame, rows: list[int], values: list[float]) -> pd.DataFrame:
    return pd.DataFrame([values] * len(rows), index=returns.index[rows], columns=returns.columns)


def test_fixed_fraction_by_hand() -> None:
    weights = frame_of({"A": [0.3, 0.1], "B": [-0.7, 0.0], "C": [0.0, 0.2]})
    assert fixed_fraction(weights, fraction=0.25).to_dict("list") == {"A": [0.25, 0.25], "B": [-0.25, 0.0], "C": [0.0, 0.25]}
    assert fixed_fraction(weights, fraction=0.8, max_gross=1.0).iloc[0].to_dict() == {"A": 0.5, "B": -0.5, "C": 0.0}


def test_equal_risk_by_hand_keeps_each_side() -> None:
    weights = frame_of({"A": [0.1], "B": [0.5], "C": [-0.4], "D": [0.0]})
    sized = equal_risk(weights, frame_of({"A": [0.1], "B": [0.2], "C": [0.3], "D": [NAN]}))
    assert sized.iloc[0].to_dict() == pytest.approx({"A": 0.4, "B": 0.2, "C": -0.4, "D": 0.0})


@pytest.mark.parametrize("volatility", [NAN, 0.0])
def test_equal_risk_names_who_has_no_volatility(volatility: float) -> None:
    with pytest.raises(DataError, match="B on 2020-01-01"):
        equal_risk(frame_of({"A": [0.5], "B": [0.5]}), frame_of({"A": [0.1], "B": [volatility]}))


def test_session_returns_carry_the_last_close_over_a_gap_and_nothing_before_the_first() -> None:
    closes = frame_of({"A": [10.0, NAN, 12.0], "B": [NAN, 5.0, 4.0]})
    returns = session_returns(bars_of(closes))
    np.testing.assert_allclose(returns["A"], [NAN, 0.0, 0.2])
    np.testing.assert_allclose(returns["B"], [NAN, NAN, -0.2])


def test_trailing_volatility_is_numpy_on_the_window() -> None:
    returns = random_returns(1, n_names=3, n_sessions=50)
    found = trailing_volatility(returns, returns.index[[18, 19, 40]], lookback=20)
    assert found.iloc[0].isna().all()
    np.testing.assert_array_equal(found.iloc[2], returns.iloc[21:41].to_numpy().std(axis=0, ddof=1) * np.sqrt(252))


def test_volatility_target_by_hand() -> None:
    """Returns of +1 % and -1 % in turn have a deviation of 1 % * sqrt(4 / 3) over four sessions, times sqrt(252) a year."""
    returns = frame_of({"A": [0.01, -0.01, 0.01, -0.01], "B": [0.0, 0.0, 0.0, 0.0]})
    scaled = volatility_target(weights_at(returns, [3], [0.5, 0.5]), returns, annual_volatility=0.05, lookback=4)
    expected = 0.5 * 0.05 / (0.005 * np.sqrt(4 / 3) * np.sqrt(252))
    assert scaled.iloc[0].to_list() == pytest.approx([expected, expected])


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), target=st.floats(0.01, 0.5), max_gross=st.floats(0.2, 3.0))
def test_volatility_target_is_met_or_capped(seed: int, target: float, max_gross: float) -> None:
    returns = random_returns(seed, n_names=5, n_sessions=80)
    weights = weights_at(returns, [70, 75], [0.4, -0.3, 0.2, 0.0, 0.1])
    scaled = volatility_target(weights, returns, annual_volatility=target, max_gross=max_gross, lookback=60)
    for date, row in scaled.iterrows():
        window = returns.loc[:date].iloc[-60:].to_numpy()
        volatility = np.sqrt(row @ np.cov(window.T) @ row * 252)
        gross = row.abs().sum()
        assert volatility <= target * (1 + 1e-9)
        assert gross <= max_gross * (1 + 1e-9)
        assert volatility == pytest.approx(target) or gross == pytest.approx(max_gross)


def test_volatility_target_sees_no_later_return_and_leaves_flat_dates_flat() -> None:
    returns = random_returns(3, n_names=2, n_sessions=40)
    weights = weights_at(returns, [20, 30], [0.5, 0.5])
    weights.iloc[1] = 0.0
    other = returns.copy()
    other.iloc[21:] = 0.5
    scaled = volatility_target(weights, returns, lookback=20)
    pd.testing.assert_frame_equal(scaled, volatility_target(weights, other, lookback=20))
    assert not scaled.iloc[1].any()
    assert (weights.iloc[0] == 0.5).all()


def test_volatility_target_names_date_and_symbol_without_history() -> None:
    returns = random_returns(3, n_names=2, n_sessions=40)
    returns.iloc[:15, 1] = NAN
    with pytest.raises(DataError, match=r"2020-01-21 some are missing for S01:"):
        volatility_target(weights_at(returns, [20], [0.5, 0.5]), returns, lookback=20)
    with pytest.raises(DataError, match=r"2020-01-06 some are missing for S00, S01:"):
        volatility_target(weights_at(returns, [5], [0.5, 0.5]), returns, lookback=20)
    with pytest.raises(DataError, match="stood still in the 20 sessions to 2020-01-21"):
        volatility_target(weights_at(returns, [20], [0.5, 0.0]), returns * 0.0, lookback=20)
    with pytest.raises(DataError, match="sessions of the bars"):
        volatility_target(frame_of({"S00": [1.0]}, start="1999-01-01"), returns, lookback=20)


def test_kelly_of_a_coin() -> None:
    """Kelly (1956): stake p - q at even odds; at odds of 2 to 1 a fair coin is worth a quarter."""
    assert kelly_bet(0.6) == pytest.approx(0.2)
    assert kelly_bet(0.5, odds=2.0) == 0.25
    assert kelly_bet(0.4) == 0.0
    growth = [0.6 * np.log(1 + f) + 0.4 * np.log(1 - f) for f in np.linspace(0.0, 0.9, 91)]
    assert np.argmax(growth) == 20


def test_kelly_fraction_by_hand() -> None:
    """m / s^2 = 0.06 / 0.04 = 1.5, a half of which is 0.75; over 6 years k = 0.0036 / (0.0036 + 0.04 / 6) = 0.3506."""
    weights, edge, volatility = frame_of({"A": [1.0]}), frame_of({"A": [0.06]}), frame_of({"A": [0.2]})
    assert kelly_fraction(weights, edge, volatility).iloc[0, 0] == pytest.approx(0.75)
    assert kelly_fraction(weights, edge, volatility, years=6.0).iloc[0, 0] == pytest.approx(0.75 * 0.0036 / (0.0036 + 0.04 / 6))
    assert kelly_fraction(weights, edge, volatility, fraction=1.0, max_weight=0.9).iloc[0, 0] == 0.9
    assert kelly_fraction(-weights, edge, volatility).iloc[0, 0] == 0.0
    assert kelly_fraction(-weights, -edge, volatility).iloc[0, 0] == pytest.approx(-0.75)


def test_shrunk_kelly_grows_fastest_over_estimates() -> None:
    """The k of the docstring against a search over 200,000 estimates of an edge."""
    edge, volatility, years = 0.08, 0.2, 10.0
    estimates = np.random.default_rng(0).normal(edge, volatility / np.sqrt(years), 200_000)
    parts = np.linspace(0.0, 1.0, 101)
    growth = [np.mean(k * estimates * edge / volatility**2 - 0.5 * (k * estimates / volatility) ** 2) for k in parts]
    assert parts[np.argmax(growth)] == pytest.approx(edge**2 / (edge**2 + volatility**2 / years), abs=0.02)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), max_weight=st.floats(0.05, 1.0), max_gross=st.floats(0.1, 2.0))
def test_kelly_keeps_caps_and_sides_and_permutes(seed: int, max_weight: float, max_gross: float) -> None:
    rng = np.random.default_rng(seed)
    names = list("ABCDEF")
    side, edge, volatility = (
        pd.DataFrame([values], index=pd.date_range("2020-01-01", periods=1), columns=names)
        for values in (rng.choice([-1.0, 0.0, 1.0], 6), rng.normal(0, 0.2, 6), rng.uniform(0.1, 0.5, 6))
    )
    sized = kelly_fraction(side, edge, volatility, max_weight=max_weight, max_gross=max_gross)
    assert sized.abs().max(axis=None) <= max_weight
    assert sized.abs().sum(axis=1).iloc[0] <= max_gross * (1 + 1e-12)
    assert (sized * side >= 0.0).all(axis=None)
    order = list(rng.permutation(names))
    other = kelly_fraction(side[order], edge, volatility, max_weight=max_weight, max_gross=max_gross)
    np.testing.assert_allclose(other[names], sized, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda w: fixed_fraction(w, fraction=0.0), "fraction must lie in"),
        (lambda w: kelly_fraction(w, w, w, fraction=1.5), "fraction must lie in"),
        (lambda w: kelly_fraction(w, w, w, years=0.0), "years must lie in"),
        (lambda w: volatility_target(w, w, annual_volatility=NAN), "annual_volatility must lie in"),
        (lambda w: volatility_target(w, w, lookback=1), "lookback must be at least 2"),
        (lambda w: kelly_bet(1.5), "probability must lie in"),
    ],
)
def test_options_that_do_not_fit(call: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        call(frame_of({"A": [1.0]}))


def test_tables_that_break_the_contract() -> None:
    with pytest.raises(DataError, match="finite, but are not for A on 2020-01-01"):
        fixed_fraction(frame_of({"A": [NAN]}), fraction=0.1)
    twice = pd.concat([frame_of({"A": [0.1]})] * 2)
    with pytest.raises(DataError, match="volatility must be given once"):
        equal_risk(frame_of({"A": [1.0]}), twice)
    with pytest.raises(DataError, match="different dates and symbols"):
        fixed_fraction(twice, fraction=0.1)
    with pytest.raises(DataError, match="infinite ones of A on 2020-01-01"):
        session_returns(frame_of({"A": [np.inf]}))
    with pytest.raises(DataError, match="above zero"):
        session_returns(bars_of(frame_of({"A": [1.0, 0.0]})))
    with pytest.raises(DataError, match="carry 'close'"):
        session_returns(bars_of(frame_of({"A": [1.0]})).rename(columns={"close": "price"}))
    twice = bars_of(frame_of({"A": [1.0]}))
    with pytest.raises(DataError, match="twice"):
        session_returns(pd.concat([twice, twice]))
    with pytest.raises(DataError, match="rising dates"):
        session_returns(frame_of({"A": [0.1, 0.2]}).iloc[::-1])


def test_dates_of_another_unit_are_the_same_dates() -> None:
    returns = random_returns(3, n_names=2, n_sessions=40)
    weights = weights_at(returns, [30], [0.5, 0.5])
    coarse = returns.set_axis(returns.index.as_unit("s"))
    assert volatility_target(weights, coarse, lookback=20).equals(volatility_target(weights, returns, lookback=20))
    volatilities = trailing_volatility(coarse, weights.index, lookback=20)
    assert equal_risk(weights, volatilities).equals(equal_risk(weights, trailing_volatility(returns, weights.index, lookback=20)))
