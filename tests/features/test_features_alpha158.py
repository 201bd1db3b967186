"""`alpha158` against Qlib's own numbers, and what the set says about itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from touchstone import features, market
from touchstone.features._alpha158 import ALPHA158

# What Qlib 0.9.7 computes from three symbols of the S&P 500, one of them listed in 2017 and with a bar that is a close only.
GOLDEN = Path(__file__).parents[3] / "shared" / "golden"
FAMILIES = [
    *("ROC", "MA", "STD", "BETA", "RSQR", "RESI", "MAX", "MIN", "QTLU", "QTLD", "RANK", "RSV", "IMAX", "IMIN", "IMXD"),
    *("CORR", "CORD", "CNTP", "CNTN", "CNTD", "SUMP", "SUMN", "SUMD", "VMA", "VSTD", "WVMA", "VSUMP", "VSUMN", "VSUMD"),
]
CANDLE = ["KMID", "KLEN", "KMID2", "KUP", "KUP2", "KLOW", "KLOW2", "KSFT", "KSFT2", "OPEN0", "HIGH0", "LOW0", "VWAP0"]

needs_golden = pytest.mark.skipif(not GOLDEN.is_dir(), reason="needs ../shared/golden, which is no part of the project")


@pytest.fixture(scope="module")
def golden() -> tuple[pd.DataFrame, pd.DataFrame]:
    bars = pd.read_parquet(GOLDEN / "alpha158_input.parquet")
    return bars, pd.read_parquet(GOLDEN / "alpha158_expected.parquet").drop(columns="LABEL0").reindex(bars.index)


def _assert_close(got: np.ndarray, expected: np.ndarray, name: str) -> None:
    assert np.array_equal(np.isnan(got), np.isnan(expected)), name
    # The golden values' own tolerance: Qlib keeps its inputs as float32.
    assert np.nanmax(np.abs(got - expected) / (1.0 + np.abs(expected)), initial=0.0) <= 1e-4, name


@needs_golden
def test_names_and_order_are_qlibs(golden) -> None:
    assert [feature.name for feature in ALPHA158.features] == golden[1].columns.tolist()
    assert golden[1].columns.tolist() == CANDLE + [f"{family}{window}" for family in FAMILIES for window in (5, 10, 20, 30, 60)]


@needs_golden
def test_whole_bars_give_qlibs_values_also_where_a_bar_is_a_close_only(golden) -> None:
    bars, expected = golden
    matrix = features.compute(bars, "alpha158", transform="none")
    for name in expected:
        _assert_close(matrix[name].to_numpy(np.float64), expected[name].to_numpy(np.float64), name)


def test_without_vwap_one_feature_is_left_out_and_the_plan_says_so() -> None:
    planned = features.plan("alpha158", fields=["open", "high", "low", "close", "volume"])
    assert len(planned.columns) == 157
    assert [(left.feature, left.reason) for left in planned.left_out] == [("VWAP0", "the bars do not carry vwap")]


def test_closes_alone_carry_what_needs_no_more() -> None:
    columns = features.plan("alpha158", fields=["close"]).columns
    assert {name.rstrip("0123456789") for name in columns} == {
        *("ROC", "MA", "STD", "BETA", "RSQR", "RESI", "QTLU", "QTLD", "RANK"),
        *("CNTP", "CNTN", "CNTD", "SUMP", "SUMN", "SUMD"),
    }


def test_only_features_of_changes_and_lags_look_at_the_session_before_the_window() -> None:
    wider = {"ROC", "CORD", "CNTP", "CNTN", "CNTD", "SUMP", "SUMN", "SUMD", "WVMA", "VSUMP", "VSUMN", "VSUMD"}
    for feature in ALPHA158.features[len(CANDLE) :]:
        family = feature.name.rstrip("0123456789")
        assert feature.lookback == int(feature.name.removeprefix(family)) + (family in wider), feature.name
        assert feature.partial_windows == (family != "ROC"), feature.name


def test_the_first_sessions_have_partial_windows_and_roc_waits(bars) -> None:
    matrix = features.compute(market.derive(bars, ("vwap_hlc3",)), "alpha158", transform="none").xs("FFF", level="symbol")
    n_first = matrix.notna().to_numpy().argmax(axis=0)
    waits = dict.fromkeys(("STD", "VSTD", "BETA", "RSQR", "RESI", "CORR"), 1) | {"CORD": 2, "WVMA": 2}
    for name, first in zip(matrix.columns, n_first, strict=True):
        family = name.rstrip("0123456789")
        changes = family in {"SUMP", "SUMN", "SUMD", "VSUMP", "VSUMN", "VSUMD"}
        expected = int(name.removeprefix(family)) if family == "ROC" else waits.get(family, int(changes))
        assert first == expected, name
