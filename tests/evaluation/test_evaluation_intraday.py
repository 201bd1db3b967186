"""A scorecard of hourly returns: years and spans in days, annual figures by the bars of a year."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from touchstone.evaluation import scorecard
from touchstone.market import bar_times, periods_per_year
from touchstone.plots import monthly_returns

A_YEAR = periods_per_year("24/7", "1h")
STAMPS = bar_times("24/7", "2019-01-01", "2020-03-31", "1h")


@pytest.fixture(scope="module")
def returns() -> pd.Series:
    return pd.Series(np.random.default_rng(2).normal(1e-5, 1e-3, len(STAMPS)), index=STAMPS, name="return")


def test_a_bar_that_ends_at_midnight_belongs_to_the_year_before(returns: pd.Series) -> None:
    dates = STAMPS[:40]
    scores = pd.Series(
        np.random.default_rng(3).normal(size=240),
        index=pd.MultiIndex.from_product([dates, list("ABCDEF")], names=["date", "symbol"]),
    )
    card = scorecard(
        scores=scores,
        labels=pd.DataFrame({"label": scores * 0.01}),
        returns_net=returns,
        returns_gross=returns,
        benchmark_returns=None,
        equal_weighted_returns=returns,
        n_trials=1,
        ledger_variance=float("nan"),
        audit_findings=0,
        horizon=24,
        cost_curve={1.0: 0.0},
        n_resamples=100,
        periods_per_year=A_YEAR,
    )
    assert [(year.year, year.n_sessions, year.full) for year in card.years] == [(2019, 8760, True), (2020, 91 * 24, False)]
    assert (card.span.first, card.span.last) == (dt.date(2019, 1, 1), dt.date(2020, 3, 31))
    assert card.performance.annual_volatility == pytest.approx(returns.std() * np.sqrt(8760))


def test_months_hold_their_own_bars(returns: pd.Series) -> None:
    table = monthly_returns(returns)
    assert table.index.tolist() == [2019, 2020]
    assert np.isnan(table.loc[2020, 4])
    january = returns.iloc[: 31 * 24]
    assert table.loc[2019, 1] == pytest.approx((1.0 + january).prod() - 1.0)
