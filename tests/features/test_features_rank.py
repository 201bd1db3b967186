"""The rank transform."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from touchstone import features
from touchstone.errors import ConfigError, DataError
from touchstone.features._kernels import rank_sessions

VALUES = st.lists(st.one_of(st.sampled_from([np.nan, 0.0, 1.0, -1.0]), st.floats(-1e6, 1e6)), min_size=1, max_size=25)


def _rank(values: list[float]) -> np.ndarray:
    out = np.empty(len(values))
    rank_sessions(np.array(values), np.array([0, len(values)]), out)
    return out


@settings(max_examples=60, deadline=None, derandomize=True)
@given(VALUES)
def test_ranks_equal_scipy(values: list[float]) -> None:
    present = ~np.isnan(values)
    n = present.sum()
    expected = np.full(len(values), np.nan)
    if n > 1:
        expected[present] = (rankdata(np.array(values)[present]) - 0.5) / n - 0.5
    np.testing.assert_array_almost_equal_nulp(np.nan_to_num(_rank(values), nan=9.0), np.nan_to_num(expected, nan=9.0), 4)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(VALUES)
def test_ranks_are_centred_and_inside_half(values: list[float]) -> None:
    ranks = _rank(values)
    present = ranks[~np.isnan(ranks)]
    assert abs(present.sum()) < 1e-9
    assert (np.abs(present) < 0.5).all()


def test_by_hand_with_ties_and_a_missing_value() -> None:
    ranks = _rank([3.0, np.nan, 1.0, 3.0, 2.0])
    np.testing.assert_array_equal(ranks, [0.25, np.nan, -0.375, 0.25, -0.125])


def test_one_value_alone_has_no_rank() -> None:
    assert np.isnan(_rank([np.nan, 4.0])).all()


def test_members_only_are_ranked(bars: pd.DataFrame, universe: pd.DataFrame, benchmark: pd.DataFrame) -> None:
    start = universe["start"].iloc[0]
    members = universe[universe["symbol"].isin(["AAA", "BBB", "EEE"])].assign(start=start)
    ranked = features.compute(bars, "momentum", universe=members, benchmark=benchmark, transform="rank")
    raw = features.compute(bars, "momentum", benchmark=benchmark, transform="none")
    day = bars.index[-1][0]
    expected = raw.loc[day].loc[["AAA", "BBB", "EEE"]].rank().sub(0.5).div(3).sub(0.5).astype("float32")
    np.testing.assert_allclose(ranked.loc[day], expected, atol=1e-7)


def test_one_symbol_cannot_be_ranked_but_stands_as_it_is(bars: pd.DataFrame) -> None:
    one = bars[bars.index.get_level_values("symbol") == "AAA"]
    with pytest.raises(DataError, match=r"at least two symbols, but the bars hold only AAA.*transform to none"):
        features.compute(one, "momentum", transform="rank")
    assert features.compute(one, "momentum", transform="none")["return_1"].notna().sum() == len(one) - 1


def test_unknown_transform_names_the_nearest(bars: pd.DataFrame) -> None:
    with pytest.raises(ConfigError, match="did you mean 'rank'"):
        features.compute(bars, "momentum", transform="ranks")  # type: ignore[arg-type]
