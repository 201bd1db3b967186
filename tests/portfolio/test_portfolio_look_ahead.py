"""Portfolios under the audit that features are under."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
from portfolio_cases import random_returns, random_scores

from touchstone.audit import look_ahead
from touchstone.portfolio import Known, make, make_sizing

N_SESSIONS, LOOKBACK = 60, 12


def tables() -> dict[str, pd.DataFrame]:
    returns = random_returns(2, n_names=5, n_sessions=N_SESSIONS)
    closes = 100.0 * (1.0 + returns).cumprod()
    index = pd.MultiIndex.from_product([closes.index, closes.columns], names=["date", "symbol"])
    scores = random_scores(2, n_names=5, n_sessions=N_SESSIONS - 20, start="2020-01-21")
    return {"bars": pd.DataFrame({"close": closes.to_numpy().ravel()}, index=index), "scores": scores.to_frame("score")}


def weights_of(name: str, **options: object) -> Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]:
    return lambda scores, bars: make(name, **options).weights(scores["score"], bars)


def sized(name: str, **options: object) -> Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]:
    return lambda scores, bars: make_sizing(name, **options).size(weights_of("score_weights")(scores, bars), Known(bars=bars))


def hindsight(scores: pd.DataFrame, bars: pd.DataFrame) -> pd.DataFrame:
    """Scales by a volatility that no decision could know."""
    weights = weights_of("score_weights")(scores, bars)
    return weights / bars["close"].groupby("symbol").std()


def audited(rule: Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]) -> object:
    def compute(bars: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
        weights = rule(scores, bars)
        index = pd.MultiIndex.from_product([weights.index, weights.columns], names=["date", "symbol"])
        return pd.DataFrame({"weight": weights.to_numpy().ravel()}, index=index)

    return look_ahead(compute, tables(), n_cuts=3)


CASES = {
    "top_k_drop_n": weights_of("top_k_drop_n", k=3, n_drop=1),
    "quantile_weights": weights_of("quantile_weights", exposures=(-0.5, 0.5)),
    "minimum_variance": weights_of("minimum_variance", lookback=LOOKBACK, rebalance_every=4),
    "mean_variance": weights_of("mean_variance", lookback=LOOKBACK, rebalance_every=4, cost_bps=10.0),
    "volatility_target": sized("volatility_target", lookback=LOOKBACK),
    "equal_risk": sized("equal_risk", lookback=LOOKBACK),
}


@pytest.mark.parametrize("case", CASES)
def test_no_weight_depends_on_the_future(case: str) -> None:
    assert audited(CASES[case]).passed


def test_the_audit_would_have_found_hindsight() -> None:
    assert not audited(hindsight).passed
