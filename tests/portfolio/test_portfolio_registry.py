from __future__ import annotations

import dataclasses
import subprocess
import sys

import pandas as pd
import pytest
from portfolio_cases import frame_of, random_returns, random_scores

from touchstone import portfolio
from touchstone.errors import ConfigError, DataError
from touchstone.market import Sectors
from touchstone.portfolio import Known, list_portfolios, list_sizings, make, make_sizing

RULES = {
    "quantile_weights": {"exposures": [-0.5, 0.5]},
    "score_weights": {"long_only": True},
    "top_bottom": {"n_long": 2, "n_short": 1},
    "top_k_drop_n": {"k": 3, "n_drop": 1},
    "top_n": {"n": 3},
}
SIZINGS = {
    "equal_risk": {"lookback": 20},
    "fixed_fraction": {"fraction": 0.1},
    "kelly_fraction": {"lookback": 20, "years": 5.0},
    "neutral": {"against": ["sector", "beta"]},
    "volatility_target": {"lookback": 20},
}
SCORES = random_scores(1, n_names=6, n_sessions=10, start="2020-01-31")
RETURNS = random_returns(1, n_names=6, n_sessions=40)


def known() -> Known:
    symbols = list(RETURNS.columns)
    sectors = {"symbol": symbols, "sector": list("aabbab"), "start": RETURNS.index[0], "end": RETURNS.index[-1]}
    betas = RETURNS * 0.0 + [0.8, 1.0, 1.2, 0.9, 1.3, 1.1]
    return Known(bars=RETURNS, sectors=Sectors(pd.DataFrame(sectors)), betas=betas, expected_returns=RETURNS * 0.0 + 0.05)


def test_every_name_is_covered() -> None:
    assert list_sizings() == tuple(sorted(SIZINGS))
    methods = ("black_litterman", "hierarchical_risk_parity", "mean_variance", "minimum_variance", "risk_budgeting")
    assert list_portfolios() == tuple(sorted([*RULES, *methods]))


@pytest.mark.parametrize("name", RULES)
def test_a_rule_by_name_is_the_function(name: str) -> None:
    rule = make(name, rebalance_every=2, **RULES[name])
    assert rule.name == name
    assert not rule.needs_bars
    pd.testing.assert_frame_equal(rule.weights(SCORES), getattr(portfolio, name)(SCORES, rebalance_every=2, **RULES[name]))


def test_an_optimiser_by_name_is_the_method() -> None:
    rule = make("minimum_variance", lookback=30, rebalance_every=5)
    assert (rule.name, rule.needs_bars) == ("minimum_variance", True)
    expected = portfolio.optimise(SCORES, RETURNS, method="minimum_variance", lookback=30, rebalance_every=5)
    pd.testing.assert_frame_equal(rule.weights(SCORES, RETURNS), expected.weights)
    pd.testing.assert_frame_equal(rule.optimised(SCORES, RETURNS).left_out, expected.left_out)
    with pytest.raises(DataError, match="needs bars"):
        rule.weights(SCORES)


def test_sizings_by_name_are_the_functions() -> None:
    weights, given = portfolio.score_weights(SCORES), known()
    volatilities = portfolio.trailing_volatility(RETURNS, weights.index, lookback=20)
    expected = {
        "equal_risk": portfolio.equal_risk(weights, volatilities),
        "fixed_fraction": portfolio.fixed_fraction(weights, fraction=0.1),
        "kelly_fraction": portfolio.kelly_fraction(weights, given.expected_returns, volatilities, years=5.0),
        "neutral": portfolio.neutralise(weights, sectors=given.sectors, betas=given.betas),
        "volatility_target": portfolio.volatility_target(weights, RETURNS, lookback=20),
    }
    for name, options in SIZINGS.items():
        sizing = make_sizing(name, **options)
        assert sizing.name == name
        pd.testing.assert_frame_equal(sizing.size(weights, given), expected[name])


@pytest.mark.parametrize("name", [name for name in SIZINGS if name != "fixed_fraction"])
def test_a_sizing_says_what_it_needs(name: str) -> None:
    with pytest.raises(ConfigError, match=f"'{name}' needs (bars|sectors), but got none"):
        make_sizing(name, **SIZINGS[name]).size(frame_of({"S00": [1.0]}, start="2020-02-08"), Known())


def test_rules_are_frozen_and_equal_by_their_options() -> None:
    assert make("top_n", n=3) == make("top_n", n=3) != make("top_n", n=4)
    assert hash(make("quantile_weights", exposures=[0, 1])) == hash(make("quantile_weights", exposures=(0.0, 1.0)))
    assert make("minimum_variance") == make("minimum_variance", lookback=252)
    assert make_sizing("neutral", against="beta") == make_sizing("neutral", against=["beta"])
    with pytest.raises(dataclasses.FrozenInstanceError):
        make("top_n", n=3).n = 4


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: make("top_m", n=1), "did you mean 'top_n'"),
        (lambda: make("top_n", m=1), "did you mean 'n'|known: n"),
        (lambda: make("top_n"), "needs n, but got no options"),
        (lambda: make("top_n", n=0), "n must be at least 1"),
        (lambda: make("top_bottom", n_long=1), "give one of the two"),
        (lambda: make("risk_budgeting", lookbak=1), "did you mean 'lookback'"),
        (lambda: make_sizing("kelly"), "did you mean 'kelly_fraction'"),
        (lambda: make_sizing("neutral", against=["betas"]), "did you mean 'beta'"),
        (lambda: make_sizing("neutral", against=[]), "against something"),
        (lambda: make_sizing("volatility_target", lookback=1), "lookback must be at least 2"),
    ],
)
def test_mistakes_are_told_when_a_rule_is_made(call: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        call()


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    script = "import sys, touchstone.portfolio as p; p.make('minimum_variance'); print({'skfolio', 'cvxpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == "set()"
