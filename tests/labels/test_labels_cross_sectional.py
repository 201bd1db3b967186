"""Labels against their own date."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import ConfigError, DataError
from touchstone.labels import cross_sectional

DATES = pd.to_datetime(["2024-01-08", "2024-01-09"]).as_unit("us")


def series_of(first: list[float], second: list[float]) -> pd.Series:
    index = pd.MultiIndex.from_product([DATES, list("ABCDE")[: len(first)]], names=["date", "symbol"])
    return pd.Series([*first, *second], index=index, name="label")


def test_ranks_are_centred_with_ties_averaged_and_gaps_left_out():
    ranks = cross_sectional(series_of([0.3, -0.1, 0.3, np.nan], [5.0, 4.0, 3.0, 2.0]))
    expected = series_of([1 / 3, -1 / 3, 0.0, np.nan], [0.375, 0.125, -0.125, -0.375])
    expected.loc[(DATES[0], "A")] = expected.loc[(DATES[0], "C")] = 2.5 / 3 - 0.5 - 1 / 6
    pd.testing.assert_series_equal(ranks, expected)


def test_demeaned_labels_sum_to_zero_and_raw_ones_are_left():
    labels = series_of([0.1, 0.2, np.nan], [0.4, 0.0, 0.2])
    pd.testing.assert_series_equal(cross_sectional(labels, method="demeaned"), series_of([-0.05, 0.05, np.nan], [0.2, -0.2, 0.0]))
    pd.testing.assert_series_equal(cross_sectional(labels, method="raw"), labels)


def test_a_date_with_one_label_has_no_rank():
    ranks = cross_sectional(series_of([0.3, np.nan], [1.0, 2.0]))
    assert ranks.loc[DATES[0]].isna().all()
    assert ranks.loc[DATES[1]].tolist() == [-0.25, 0.25]


def test_one_symbol_has_no_ranks_but_a_mean():
    with pytest.raises(DataError, match=r"these 1 symbol\(s\) never have two: bring more symbols, or set training.target"):
        cross_sectional(series_of([0.3], [0.1]))
    assert cross_sectional(series_of([0.3], [0.1]), method="demeaned").tolist() == [0.0, 0.0]


def test_no_rows_give_no_rows():
    assert cross_sectional(series_of([0.3], [0.1]).iloc[:0]).empty


def test_an_unknown_method_names_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'demeaned'"):
        cross_sectional(series_of([0.3], [0.1]), method="demean")


@settings(max_examples=25, deadline=None, derandomize=True)
@given(values=st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=5))
def test_ranks_stay_inside_and_ignore_what_keeps_the_order(values):
    labels = series_of(values, values[::-1])
    ranks = cross_sectional(labels)
    assert ranks.abs().max() < 0.5
    assert ranks.groupby(level="date").mean().abs().max() < 1e-12
    pd.testing.assert_series_equal(ranks, cross_sectional(labels * 2.0))
