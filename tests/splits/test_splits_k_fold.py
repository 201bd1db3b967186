"""Folds with their dates written out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import ConfigError, DataError
from touchstone.splits import PurgedKFold

# Ten sessions: 8, 9, 10, 11, 12, 15, 16, 17, 18, 19 January 2024.
SESSIONS = pd.bdate_range("2024-01-08", periods=10).as_unit("us").rename("date")


def labels_of(horizon: int, n_sessions: int = 10, n_more: int = 9) -> pd.DataFrame:
    """Labels of the fill next_close of one symbol; sessions go on for `n_more` after the frame, so that all are known."""
    dates = pd.bdate_range("2024-01-08", periods=n_sessions + n_more).as_unit("us").to_numpy()
    day = np.arange(n_sessions)
    index = pd.MultiIndex.from_product([pd.DatetimeIndex(dates[:n_sessions]), ["A"]], names=["date", "symbol"])
    return pd.DataFrame({"label": day / 100.0, "start": dates[day + 1], "end": dates[day + 1 + horizon]}, index=index)


def unlabel(labels: pd.DataFrame, day: int) -> pd.DataFrame:
    unknown = labels.index.get_level_values("date").day == day
    return labels.assign(**{column: labels[column].mask(unknown) for column in labels})


def folds_of(splitter: PurgedKFold, labels: pd.DataFrame) -> list[tuple[list[int], list[int]]]:
    day = labels.index.get_level_values("date").day
    return [(day[split.train].tolist(), day[split.test].tolist()) for split in splitter.split(labels)]


def test_folds_by_hand():
    # Horizon 1: the row of day t spans the two sessions after it, so one row on either side touches the fold.
    assert folds_of(PurgedKFold(3), labels_of(horizon=1)) == [
        ([15, 16, 17, 18, 19], [8, 9, 10, 11]),
        ([8, 9, 10, 18, 19], [12, 15, 16]),
        ([8, 9, 10, 11, 12, 15], [17, 18, 19]),
    ]


def test_the_embargo_follows_the_test():
    assert folds_of(PurgedKFold(3, embargo=1), labels_of(horizon=1)) == [
        ([16, 17, 18, 19], [8, 9, 10, 11]),
        ([8, 9, 10, 19], [12, 15, 16]),
        ([8, 9, 10, 11, 12, 15], [17, 18, 19]),
    ]


def test_a_longer_horizon_purges_more_on_both_sides():
    assert folds_of(PurgedKFold(2), labels_of(horizon=2)) == [
        ([17, 18, 19], [8, 9, 10, 11, 12]),
        ([8, 9, 10], [15, 16, 17, 18, 19]),
    ]


def test_a_row_without_a_label_spans_as_far_as_labels_reach():
    # The row of the 11th may depend on the 11th to the 15th (two sessions, the longest reach), no further.
    labels = unlabel(labels_of(horizon=1), 11)
    assert folds_of(PurgedKFold(3), labels)[0] == ([15, 16, 17, 18, 19], [8, 9, 10, 11])
    # In the second fold the 12th starts a span on its own date: the 10th, which ends there, goes; without a label the 12th would stay.
    labels = unlabel(labels_of(horizon=1), 12)
    assert folds_of(PurgedKFold(3), labels)[1] == ([8, 9, 18, 19], [12, 15, 16])


def test_rows_without_any_label_cannot_train():
    nothing = labels_of(horizon=1).assign(label=np.nan)
    with pytest.raises(DataError, match="tested from 2024-01-08 has none after the purge"):
        list(PurgedKFold(2).split(nothing))


def test_a_purge_that_leaves_nothing_is_refused():
    with pytest.raises(DataError, match="an embargo of 9: bring more history, or lower the horizon, the embargo or n_folds=2"):
        list(PurgedKFold(2, embargo=9).split(labels_of(horizon=1)))


def test_fewer_sessions_than_folds_are_refused_at_once():
    with pytest.raises(DataError, match="got 3 sessions for 4 folds"):
        PurgedKFold(4).split(labels_of(horizon=1, n_sessions=3))


@pytest.mark.parametrize(("n_folds", "embargo", "words"), [(1, 0, "n_folds .* at least 2, but got 1"), (2, -3, "embargo .* got -3")])
def test_numbers_out_of_range_are_refused(n_folds, embargo, words):
    with pytest.raises(ConfigError, match=words):
        PurgedKFold(n_folds, embargo=embargo)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(n_sessions=st.integers(24, 40), n_folds=st.integers(2, 5), horizon=st.integers(1, 3), embargo=st.integers(0, 3))
def test_exactly_the_rows_apart_train(n_sessions, n_folds, horizon, embargo):
    labels = labels_of(horizon=horizon, n_sessions=n_sessions)
    tested = []
    for split in PurgedKFold(n_folds, embargo=embargo).split(labels):
        tested.extend(split.test.tolist())
        first, last = split.test[0], split.test[-1]
        apart = [
            day for day in range(n_sessions) if day + 1 + horizon < first + 1 or day + 1 > last + 1 + horizon + embargo
        ]  # spans are [day + 1, day + 1 + horizon]
        assert split.train.tolist() == apart
    assert tested == list(range(n_sessions))
    sizes = [len(split.test) for split in PurgedKFold(n_folds, embargo=embargo).split(labels)]
    assert max(sizes) - min(sizes) <= 1
    assert sizes == sorted(sizes, reverse=True)
