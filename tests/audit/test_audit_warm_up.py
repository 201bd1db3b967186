"""A value needs no more history than its column declares."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone import audit
from touchstone.errors import LookAheadError

DAYS = pd.bdate_range("2019-01-01", periods=150, name="date").as_unit("us")
NAMES = pd.Index(["A", "B", "C"], dtype="str", name="symbol")
Panel = Callable[[np.ndarray], np.ndarray]


@pytest.fixture(scope="module")
def small() -> pd.DataFrame:
    return _market(1)


def _market(seed: int) -> pd.DataFrame:
    close = 20.0 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0.0, 0.02, (len(DAYS), len(NAMES))), axis=0))
    return pd.DataFrame({"close": close.ravel()}, index=pd.MultiIndex.from_product([DAYS, NAMES]))


def _feature(function: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[..., pd.DataFrame]:
    def compute(bars: pd.DataFrame) -> pd.DataFrame:
        close = function(bars.reset_index().pivot_table(index="date", columns="symbol", values="close"))
        return close.melt(ignore_index=False, value_name="feature").set_index("symbol", append=True).reindex(bars.index)

    return compute


def test_a_lookback_that_is_too_short_is_found(small: pd.DataFrame) -> None:
    compute = _feature(lambda close: close.rolling(20).max())
    audit.look_ahead(compute, {"bars": small}, lookback=20).raise_on_leak()
    # With less history than it needs the value is NaN, where its declaration promises one.
    report = audit.look_ahead(compute, {"bars": small}, lookback=19)
    assert set(report.findings["check"]) == {"warm-up"}
    with pytest.raises(LookAheadError, match=r"'feature' of A on .* is .* and nan when nothing before .* is given .*: with its declared"):
        report.raise_on_leak()


def test_a_memory_without_end_has_no_lookback(small: pd.DataFrame) -> None:
    report = audit.look_ahead(_feature(lambda close: close.ewm(span=10).mean()), {"bars": small}, lookback=30)
    assert set(report.findings["check"]) == {"warm-up"}


def test_partial_windows_are_compared_on_full_lookback_only(small: pd.DataFrame) -> None:
    compute = _feature(lambda close: close.rolling(20, min_periods=1).max())
    assert not audit.look_ahead(compute, {"bars": small}, lookback=20).passed
    audit.look_ahead(compute, {"bars": small}, lookback=20, partial=["feature"]).raise_on_leak()


def test_without_a_lookback_nothing_is_withheld(small: pd.DataFrame) -> None:
    report = audit.look_ahead(_feature(lambda close: close.ewm(span=10).mean()), {"bars": small})
    report.raise_on_leak()
    assert "warm-up" not in {check.check for check in report.checks}


HONEST: dict[str, Callable[[pd.DataFrame, int], pd.DataFrame]] = {
    "mean": lambda close, window: close.rolling(window).mean(),
    "deviation": lambda close, window: close.rolling(window + 1).std(),
    "rank": lambda close, window: close.rolling(window, min_periods=1).rank(pct=True),
    "expanding": lambda close, window: close.expanding(window).max(),
    "exponential": lambda close, window: close.ewm(span=window).mean(),
    "return": lambda close, window: close.pct_change(window),
    "cross-section": lambda close, window: close.pct_change(window).rank(axis=1),
}


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(HONEST)), st.integers(1, 30), st.integers(1, 40), st.integers(0, 1000))
def test_no_honest_window_is_accused_and_one_value_from_ahead_always_is(kind: str, window: int, lag: int, seed: int) -> None:
    bars = {"bars": _market(seed)}
    alone = [] if kind == "cross-section" else ["feature"]
    audit.look_ahead(_feature(lambda close: HONEST[kind](close, window)), bars, seed=seed, per_symbol=alone).raise_on_leak()
    peek = _feature(lambda close: HONEST[kind](close, window) + 1e-9 * close.shift(-lag))
    report = audit.look_ahead(peek, bars, seed=seed, per_symbol=alone)
    assert {"truncation", "perturbation", "append"} <= set(report.findings["check"])
