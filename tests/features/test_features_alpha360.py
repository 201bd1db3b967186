"""`alpha360`: the last sixty sessions as they were."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from touchstone import features, market
from touchstone.features._alpha360 import ALPHA360

FIELDS = ("close", "open", "high", "low", "vwap", "volume")


@pytest.fixture(scope="module")
def typical(bars) -> pd.DataFrame:
    return market.derive(bars, ("vwap_hlc3",))


@pytest.fixture(scope="module")
def matrix(typical) -> pd.DataFrame:
    return features.compute(typical, "alpha360", transform="none")


def test_names_and_order_are_qlibs(matrix) -> None:
    assert matrix.columns.tolist() == [f"{field.upper()}{lag}" for field in FIELDS for lag in range(59, -1, -1)]


@pytest.mark.parametrize("symbol", ["AAA", "CCC", "FFF"])
def test_every_lag_over_the_present(typical, matrix, symbol) -> None:
    """CCC misses two sessions, FFF is listed late: NaN where the session of the lag has no bar."""
    own = typical.xs(symbol, level="symbol")
    grid = own.reindex(typical.index.unique("date"))
    got = matrix.xs(symbol, level="symbol")
    for field in FIELDS:
        present = grid["volume"] + 1e-12 if field == "volume" else grid["close"]
        for lag in (0, 1, 30, 59):
            expected = (grid[field].shift(lag) / present).loc[own.index].astype(np.float32)
            pd.testing.assert_series_equal(got[f"{field.upper()}{lag}"], expected, check_names=False, rtol=0.0, atol=0.0)


def test_the_present_close_is_one(matrix) -> None:
    assert (matrix["CLOSE0"] == 1.0).all()


def test_each_lag_declares_the_sessions_that_it_needs() -> None:
    assert {feature.name: feature.lookback for feature in ALPHA360.features}["LOW7"] == 8
    assert ALPHA360.lookback == 60
    assert not any(feature.partial_windows for feature in ALPHA360.features)


def test_without_vwap_its_lags_are_left_out() -> None:
    planned = features.plan("alpha360", fields=["open", "high", "low", "close", "volume"])
    assert [left.feature for left in planned.left_out] == [f"VWAP{lag}" for lag in range(59, -1, -1)]
