"""Steps across the symbols of a session, and the set that is made of them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from touchstone import audit, features, market
from touchstone.errors import DataError
from touchstone.features._cross_section_kernels import log_window_mean, neutral_sessions, winsor_sessions
from touchstone.features._kernels import rank_sessions, zscore_sessions

# Ties, both zeros, neighbours that differ in the last bit, and values of every size.
NUMBERS = st.one_of(
    st.sampled_from([np.nan, 0.0, -0.0, 1.0, -1.0, np.nextafter(1.0, 2.0), 1.0 + 2.0**-50, -np.nextafter(1.0, 2.0), np.inf, -np.inf]),
    st.floats(-1e9, 1e9),
)
SESSIONS = st.lists(st.lists(NUMBERS, max_size=40), min_size=1, max_size=4)
MODEST = st.lists(st.one_of(st.sampled_from([np.nan, 0.0, 1.0]), st.floats(-1e6, 1e6)), min_size=1, max_size=30)
NO_GROUPS = np.empty(0, dtype=np.int64)


def across(step: Callable[..., None], values: list[float], groups: list[int] | None = None) -> np.ndarray[Any, Any]:
    out = np.full(len(values), 9.0)
    of = NO_GROUPS if groups is None else np.array(groups, dtype=np.int64)
    step(np.array(values, dtype=np.float64), of, np.array([0, len(values)]), out)
    return out


@settings(max_examples=150, deadline=None, derandomize=True)
@given(SESSIONS)
def test_ranks_of_any_numbers_equal_scipy(blocks: list[list[float]]) -> None:
    values = np.array([value for block in blocks for value in block], dtype=np.float64)
    offsets = np.cumsum([0, *map(len, blocks)]).astype(np.int64)
    out = np.full(len(values), 9.0)
    rank_sessions(values, offsets, out)
    for start, stop in pairwise(offsets):
        block = values[start:stop]
        present = ~np.isnan(block)
        n = present.sum()
        expected = np.full(len(block), np.nan)
        if n > 1:
            expected[present] = (stats.rankdata(block[present]) - 0.5) / n - 0.5
        np.testing.assert_array_equal(out[start:stop], expected)


def test_ranks_of_many_sessions_and_of_crowded_values_equal_scipy() -> None:
    """More sessions than are sorted at once, of other widths, with numbers that differ in bits that a key has no room for."""
    random = np.random.default_rng(3)
    widths = random.integers(0, 700, 150)
    offsets = np.append(0, np.cumsum(widths)).astype(np.int64)
    values = 1.0 + random.integers(0, 300, offsets[-1]) * 2.0**-52
    out = np.empty_like(values)
    rank_sessions(values, offsets, out)
    for start, stop in pairwise(offsets):
        if stop - start > 1:
            np.testing.assert_array_equal(out[start:stop], (stats.rankdata(values[start:stop]) - 0.5) / (stop - start) - 0.5)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(MODEST)
def test_scores_have_mean_zero_and_deviation_one(values: list[float]) -> None:
    got = across(zscore_sessions, values)
    given_ = np.array(values)
    if np.nanmin(np.append(given_, 0.5)) == np.nanmax(np.append(given_, 0.5)) or len(np.unique(given_[~np.isnan(given_)])) < 2:
        assert np.isnan(got).all()
        return
    present = given_[~np.isnan(given_)]
    # Numbers whose squares vanish have no deviation.
    if present.std(ddof=1) > 1e-100:
        np.testing.assert_allclose(got, (given_ - present.mean()) / present.std(ddof=1), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("values", [[np.nan, 4.0], [0.1, 0.1, 0.1], [np.nan, np.nan], [1e-200, 2e-200]])
def test_without_two_values_or_a_deviation_there_is_no_score(values: list[float]) -> None:
    assert np.isnan(across(zscore_sessions, values)).all()


def test_a_residual_is_the_distance_from_the_sectors_mean() -> None:
    values, sectors = [1.0, 2.0, 6.0, 5.0, np.nan, 7.0, 8.0], [0, 0, 0, 1, 1, -1, -1]
    # The second sector has one value, the unknown ones have nobody to be compared with.
    np.testing.assert_array_equal(across(neutral_sessions, values, sectors), [-2.0, -1.0, 3.0, np.nan, np.nan, np.nan, np.nan])


def test_equal_members_of_a_sector_have_no_residual_at_all() -> None:
    assert (across(neutral_sessions, [0.1] * 7, [0] * 7) == 0.0).all()
    assert np.isnan(across(neutral_sessions, [1.0, 2.0], [-1, -1])).all()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(-1, 3)), min_size=1, max_size=30))
def test_residuals_equal_a_group_by(rows: list[tuple[float, int]]) -> None:
    values, groups = (list(column) for column in zip(*rows, strict=True))
    frame = pd.DataFrame({"value": values, "group": groups})
    by_group = frame.groupby("group")["value"]
    expected = (frame["value"] - by_group.transform("mean")).where((by_group.transform("size") > 1) & (frame["group"] >= 0))
    np.testing.assert_allclose(across(neutral_sessions, values, groups), expected, atol=1e-8)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(MODEST)
def test_what_lies_beyond_the_fence_is_moved_to_it(values: list[float]) -> None:
    given_ = np.array(values)
    present = given_[~np.isnan(given_)]
    reach = 3.0 * stats.median_abs_deviation(present, scale="normal") if len(present) else 0.0
    middle = np.median(present) if len(present) else 0.0
    expected = np.clip(given_, middle - reach, middle + reach) if reach > 0.0 else given_
    np.testing.assert_allclose(across(winsor_sessions, values), expected, rtol=1e-12)


def test_an_outlier_is_pulled_in_and_the_rest_stays() -> None:
    got = across(winsor_sessions, [1.0, 2.0, 3.0, 4.0, 500.0])
    np.testing.assert_array_equal(got[:4], [1.0, 2.0, 3.0, 4.0])
    assert got[4] == pytest.approx(3.0 + 3.0 * 1.482602218505602)
    np.testing.assert_array_equal(across(winsor_sessions, [0.0, 0.0, 0.0, 7.0]), [0.0, 0.0, 0.0, 7.0])


def test_the_logarithm_of_nothing_traded_is_missing() -> None:
    out = np.empty((2, 2))
    log_window_mean(np.array([[1.0, 3.0, 5.0], [0.0, 0.0, 4.0]]), 1, out, 2)
    np.testing.assert_allclose(out, np.log([[2.0, 4.0], [np.nan, 2.0]]))


@pytest.fixture(scope="module")
def sectors(sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """AAA moves to the other sector at session 400; EEE is nowhere, FFF unknown."""
    rows = [
        ("AAA", "goods", 0, 399),
        ("AAA", "services", 400, len(sessions) - 1),
        ("BBB", "goods", 0, len(sessions) - 1),
        ("CCC", "services", 0, len(sessions) - 1),
        ("DDD", "services", 0, len(sessions) - 1),
        ("FFF", "unknown", 0, len(sessions) - 1),
    ]
    symbol, sector, start, end = zip(*rows, strict=True)
    frame = pd.DataFrame({"symbol": symbol, "sector": sector, "start": sessions[list(start)], "end": sessions[list(end)]})
    return frame.astype({"symbol": "str", "sector": "str"})


@pytest.fixture(scope="module")
def given_tables(tables: dict[str, Any], sectors: pd.DataFrame) -> dict[str, Any]:
    return {name: tables[name] for name in ("bars", "actions", "universe")} | {"sectors": sectors}


@pytest.fixture(scope="module")
def matrix(given_tables: dict[str, Any]) -> pd.DataFrame:
    return _compute(**given_tables)


def test_the_set_says_where_each_symbol_stands(matrix: pd.DataFrame, given_tables: dict[str, Any], sessions: pd.DatetimeIndex) -> None:
    told = {name: table for name, table in given_tables.items() if name not in {"bars", "sectors"}}
    raw = features.compute(given_tables["bars"], "momentum", **told, transform="none")
    for base in ("return_5", "volatility_20"):
        today, plain = matrix.loc[sessions[500]], raw.loc[sessions[500], base].astype("float64")
        n = plain.notna().sum()
        np.testing.assert_allclose(today[f"cs_rank_{base}"], (plain.rank() - 0.5) / n - 0.5, atol=1e-6)
        np.testing.assert_allclose(today[f"cs_zscore_{base}"], (plain - plain.mean()) / plain.std(), rtol=1e-4)
        services = plain[["AAA", "CCC", "DDD"]]
        np.testing.assert_allclose(today.loc[services.index, f"cs_neutral_{base}"], services - services.mean(), rtol=1e-3, atol=1e-7)
        assert today.loc[["BBB", "EEE", "FFF"], f"cs_neutral_{base}"].isna().all()  # alone in its sector, in none, unknown


def test_sectors_count_from_their_date(matrix: pd.DataFrame, sessions: pd.DatetimeIndex) -> None:
    first, second = (matrix["cs_neutral_return_1"].xs(symbol, level="symbol") for symbol in ("AAA", "BBB"))
    np.testing.assert_allclose(first.loc[sessions[200:400]], -second.loc[sessions[200:400]], atol=1e-7)
    assert second.loc[sessions[400:]].isna().all()


def test_dollars_are_those_that_changed_hands(matrix: pd.DataFrame, bars: pd.DataFrame, sessions: pd.DatetimeIndex) -> None:
    """A split moves price and volume, not what was paid."""
    paid = (bars["close"] * bars["volume"]).loc[sessions[491:511]].groupby("symbol").mean()
    np.testing.assert_allclose(matrix["cs_rank_log_dollar_volume_20"].loc[sessions[510]], (paid.rank() - 0.5) / 6 - 0.5, atol=1e-6)


def test_without_sectors_or_volume_the_set_says_what_it_leaves_out(bars: pd.DataFrame) -> None:
    plan = features.plan("cross_section", fields=["close"], has_sectors=False)
    reasons = {left.feature: left.reason for left in plan.left_out}
    assert reasons["cs_neutral_return_5"] == "there are no sectors"
    assert reasons["cs_rank_log_dollar_volume_20"] == "the bars do not carry volume"
    assert len(plan.columns) + len(plan.left_out) == 28
    assert plan.per_symbol == ()
    without = features.compute(bars[["close"]], "cross_section", transform="none")
    assert tuple(without.columns) == plan.columns


def test_the_audit_finds_no_future_in_it(given_tables: dict[str, Any]) -> None:
    assert audit.look_ahead(_compute, given_tables, n_cuts=3, seed=4).passed


def test_online_it_is_what_the_batch_gives(matrix: pd.DataFrame, given_tables: dict[str, Any], sessions: pd.DatetimeIndex) -> None:
    bars, day = given_tables["bars"], sessions[-1]
    recent = bars[bars.index.get_level_values("date") >= sessions[-121]]
    factors = market.adjustment_factors(bars, given_tables["actions"])
    told = {name: table for name, table in given_tables.items() if name != "bars"}
    told |= {"base_factors": factors.loc[recent.index].groupby(level="symbol").first(), "transform": "none"}
    online = features.latest(recent, "cross_section", **told, symbols=["AAA", "DDD"])
    expected = matrix.loc[[(day, "AAA"), (day, "DDD")]]
    pd.testing.assert_frame_equal(online, expected, check_exact=True)
    with pytest.raises(DataError, match="CCC"):
        features.latest(recent.drop(index=(day, "CCC")), "cross_section", **told, symbols=["AAA"])


def _compute(**tables: pd.DataFrame) -> pd.DataFrame:
    told = {name: table for name, table in tables.items() if name != "bars"}
    return features.compute(tables["bars"], "cross_section", **told, transform="none")
