"""Windows with their dates written out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import ConfigError, DataError
from touchstone.splits import PurgedWalkForward, Split

# Two weeks, and the Monday after: 8, 9, 10, 11, 12, 15, 16, 17, 18, 19, 22 January 2024.
SESSIONS = pd.bdate_range("2024-01-08", periods=11).as_unit("us").rename("date")


def labels_of(horizon: int, symbols: str = "AB", n_sessions: int = 11) -> pd.DataFrame:
    """Labels of the fill next_close: start the day after, end `horizon` days later, unknown at the end of the data."""
    dates = SESSIONS[:n_sessions]
    index = pd.MultiIndex.from_product([dates, list(symbols)], names=["date", "symbol"])
    day = np.repeat(np.arange(n_sessions), len(symbols))
    known = day + 1 + horizon < n_sessions
    at = lambda offset: pd.Series(dates.to_numpy()[np.minimum(day + offset, n_sessions - 1)], index=index).where(known)  # noqa: E731
    return pd.DataFrame({"label": np.where(known, day / 100.0, np.nan), "start": at(1), "end": at(1 + horizon)}, index=index)


def days(labels: pd.DataFrame, rows: np.ndarray) -> list[int]:
    """Days of January, each once, of the rows."""
    return sorted(set(labels.index.get_level_values("date")[rows].day))


def windows_of(splitter: PurgedWalkForward, labels: pd.DataFrame) -> list[tuple[list[int], list[int]]]:
    return [(days(labels, split.train), days(labels, split.test)) for split in splitter.split(labels)]


def test_rolling_windows_by_hand():
    # Horizon 1: decided on the 11th, bought on the 12th, sold on the 15th. The first test row, decided on the 15th, buys on the
    # 16th, so the label of the 11th stays, while that of the 12th ends on the 16th and is purged.
    assert windows_of(PurgedWalkForward(5, 3), labels_of(horizon=1)) == [
        ([8, 9, 10, 11], [15, 16, 17]),
        ([11, 12, 15, 16], [18, 19, 22]),
    ]


def test_the_last_window_may_be_shorter():
    assert windows_of(PurgedWalkForward(5, 4), labels_of(horizon=1)) == [
        ([8, 9, 10, 11], [15, 16, 17, 18]),
        # No label of the 19th and the 22nd is known: they span from their own date on, and the label of the 17th ends on the 19th.
        ([12, 15, 16], [19, 22]),
    ]


def test_expanding_windows_by_hand():
    assert windows_of(PurgedWalkForward(5, 3, expanding=True), labels_of(horizon=1)) == [
        ([8, 9, 10, 11], [15, 16, 17]),
        ([8, 9, 10, 11, 12, 15, 16], [18, 19, 22]),
    ]


def test_a_longer_horizon_purges_more():
    assert windows_of(PurgedWalkForward(5, 3), labels_of(horizon=3)) == [
        ([8, 9], [15, 16, 17]),
        # Test rows of the 18th and later have no label: their spans start on the 18th itself.
        ([11], [18, 19, 22]),
    ]


def test_the_embargo_keeps_its_distance_before_the_test():
    assert windows_of(PurgedWalkForward(5, 3, embargo=2), labels_of(horizon=1)) == [
        ([8, 9], [15, 16, 17]),
        ([11, 12], [18, 19, 22]),
    ]


def test_rows_are_positions_of_every_symbol():
    labels = labels_of(horizon=1)
    first = next(iter(PurgedWalkForward(5, 3).split(labels)))
    assert isinstance(first, Split)
    assert first.train.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert first.test.tolist() == [10, 11, 12, 13, 14, 15]
    assert first.train.dtype == first.test.dtype == np.int64


def test_rows_without_a_label_are_tested_but_not_trained_on():
    labels = labels_of(horizon=1)
    labels.loc[(SESSIONS[1], "A"), ["label", "start", "end"]] = [np.nan, pd.NaT, pd.NaT]
    labels.loc[(SESSIONS[6], "B"), ["label", "start", "end"]] = [np.nan, pd.NaT, pd.NaT]
    first = next(iter(PurgedWalkForward(5, 3).split(labels)))
    assert 2 not in first.train
    assert 3 in first.train
    assert 13 in first.test


def test_a_symbol_with_a_longer_span_is_purged_on_its_own():
    labels = labels_of(horizon=1)
    labels.loc[(SESSIONS[2], "B"), "end"] = SESSIONS[6]
    first = next(iter(PurgedWalkForward(5, 3).split(labels)))
    assert first.train.tolist() == [0, 1, 2, 3, 4, 6, 7]


def test_the_first_test_session_is_number_n_train():
    splitter, labels = PurgedWalkForward(5, 3), labels_of(horizon=1)
    assert splitter.first_test_session(labels) == pd.Timestamp("2024-01-15")
    assert labels.index.get_level_values("date")[next(iter(splitter.split(labels))).test[0]] == pd.Timestamp("2024-01-15")


def test_spans_that_end_after_the_frame_still_count():
    labels = labels_of(horizon=3).loc[SESSIONS[:6].tolist()]  # labels kept, the sessions they end on cut off
    assert windows_of(PurgedWalkForward(5, 1), labels) == [([8, 9], [15])]


@pytest.mark.parametrize("n_sessions", [1, 5])
def test_too_few_sessions_are_refused_at_once(n_sessions):
    labels = labels_of(horizon=1, n_sessions=n_sessions)
    with pytest.raises(DataError, match=rf"needs at least 6 sessions, but got {n_sessions}"):
        PurgedWalkForward(5, 3).split(labels)
    with pytest.raises(DataError, match="needs at least 6 sessions"):
        PurgedWalkForward(5, 3).first_test_session(labels)


def test_a_window_that_the_purge_empties_is_refused():
    with pytest.raises(DataError, match="tested from 2024-01-10 has none after the purge"):
        list(PurgedWalkForward(2, 3).split(labels_of(horizon=3)))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [((0, 3, 0), "n_train .* got 0"), ((5, 0, 0), "n_test .* got 0"), ((5, 3, -1), "embargo .* at least 0, but got -1")],
)
def test_numbers_out_of_range_are_refused(arguments, words):
    n_train, n_test, embargo = arguments
    with pytest.raises(ConfigError, match=words):
        PurgedWalkForward(n_train, n_test, embargo=embargo)


def test_what_is_no_labels_frame_is_refused():
    labels = labels_of(horizon=1)
    splitter = PurgedWalkForward(5, 3)
    with pytest.raises(DataError, match="start, end is missing"):
        splitter.split(labels[["label"]])
    with pytest.raises(DataError, match="goes backwards at 2024-01-08"):
        splitter.split(pd.concat([labels.iloc[2:], labels.iloc[:2]]))
    with pytest.raises(DataError, match="start <= end"):
        splitter.split(labels.assign(end=labels["start"] - pd.Timedelta(days=1)))
    with pytest.raises(DataError, match="start <= end"):
        splitter.split(labels.assign(start=pd.Series(pd.NaT, index=labels.index).astype("datetime64[us]")))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    n_train=st.integers(6, 12),
    n_test=st.integers(1, 9),
    embargo=st.integers(0, 2),
    expanding=st.booleans(),
)
def test_no_training_span_touches_a_test_span(seed, n_train, n_test, embargo, expanding):
    labels, spans = random_labels(seed)
    tested = []
    for split in PurgedWalkForward(n_train, n_test, embargo=embargo, expanding=expanding).split(labels):
        tested.extend(split.test.tolist())
        for row in split.train:
            assert spans[row][0] >= 0
            assert all(spans[row][1] + embargo < spans[other][0] for other in split.test if spans[other][0] >= 0)
            assert labels.index[row][0] < labels.index[split.test[0]][0]
    dates = labels.index.get_level_values("date")
    assert tested == np.flatnonzero(dates >= dates.unique()[n_train]).tolist()


def random_labels(seed: int) -> tuple[pd.DataFrame, list[tuple[int, int]]]:
    """Labels with gaps and spans of random lengths, and their (start, end) in session numbers, (-1, -1) without a label."""
    rng = np.random.default_rng(seed)
    n_sessions, n_symbols = 24, 3
    dates = pd.bdate_range("2024-01-08", periods=n_sessions).as_unit("us")
    index = pd.MultiIndex.from_product([dates, list("ABC")], names=["date", "symbol"])
    day = np.repeat(np.arange(n_sessions), n_symbols)
    end = day + rng.integers(1, 4, len(day))
    known = (end < n_sessions) & (rng.random(len(day)) < 0.9)
    known[: 2 * n_symbols], end[: 2 * n_symbols] = True, 1 + day[: 2 * n_symbols]  # something is left to train on
    start = np.minimum(day + 1, end)
    at = lambda number: pd.Series(dates.to_numpy()[np.minimum(number, n_sessions - 1)], index=index).where(known)  # noqa: E731
    frame = pd.DataFrame({"label": np.where(known, rng.normal(size=len(day)), np.nan), "start": at(start), "end": at(end)}, index=index)
    keep = np.flatnonzero(rng.random(len(day)) < 0.95)
    keep = np.union1d(keep, np.arange(0, len(day), n_symbols))  # every session has a row
    numbers = [(int(s), int(e)) if k else (-1, -1) for s, e, k in zip(start, end, known, strict=True)]
    return frame.iloc[keep], [numbers[row] for row in keep]
