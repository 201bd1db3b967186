"""A backtest's outcome made of known parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def make_outcome() -> Callable[..., dict[str, Any]]:
    """Arguments of `scorecard`: scores with a given link to the labels, returns with a given daily Sharpe ratio."""

    def make(*, seed: int = 0, skill: float = 0.3, sharpe: float = 0.1, n_sessions: int = 600, horizon: int = 5) -> dict[str, Any]:
        rng = np.random.default_rng(seed)
        dates = pd.bdate_range("2017-01-02", periods=n_sessions, unit="us")
        index = pd.MultiIndex.from_product([dates, [f"S{number:02d}" for number in range(12)]], names=["date", "symbol"])
        signal = rng.normal(size=len(index))
        label = 0.02 * (skill * signal + rng.normal(size=len(index)))
        label[-12 * (horizon + 1) :] = np.nan
        by_date = pd.DatetimeIndex(dates, name="date")
        net = pd.Series(0.01 * (sharpe + rng.normal(size=n_sessions)), index=by_date, name="return")
        return {
            "scores": pd.Series(signal, index=index, name="score"),
            "labels": pd.DataFrame({"label": label}, index=index),
            "returns_net": net,
            "returns_gross": net + 0.0002,
            "benchmark_returns": pd.Series(0.01 * rng.normal(size=n_sessions), index=by_date),
            "equal_weighted_returns": pd.Series(0.01 * rng.normal(size=n_sessions), index=by_date),
            "n_trials": 10,
            "ledger_variance": 0.01,
            "audit_findings": 0,
            "horizon": horizon,
            "cost_curve": {2.0: 1.1, 0.0: 1.9, 1.0: 1.5},
            "confidence": 0.95,
            "n_resamples": 100,
            "seed": 3,
        }

    return make
