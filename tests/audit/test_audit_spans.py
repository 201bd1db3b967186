"""Spans of labels that reach where they must not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.audit import label_spans, purged
from touchstone.errors import LookAheadError

SESSIONS = pd.bdate_range("2020-01-01", periods=20, name="date").as_unit("us")
HORIZON = 3


def _labels(n_symbols: int = 2) -> pd.DataFrame:
    """Filled one session after the decision, held for three."""
    index = pd.MultiIndex.from_product([SESSIONS, [f"S{k}" for k in range(n_symbols)]], names=["date", "symbol"])
    position = np.repeat(np.arange(len(SESSIONS)), n_symbols)
    known = position + 1 + HORIZON < len(SESSIONS)
    dates = SESSIONS.to_series().reset_index(drop=True)
    return pd.DataFrame(
        {
            "label": np.where(known, 0.01, np.nan),
            "start": dates.reindex(np.where(known, position + 1, -1)).to_numpy(),
            "end": dates.reindex(np.where(known, position + 1 + HORIZON, -1)).to_numpy(),
        },
        index=index,
    )


def _rows(first: int, last: int, n_symbols: int = 2) -> np.ndarray:
    return np.arange(first * n_symbols, (last + 1) * n_symbols)


def test_labels_that_end_before_the_session_pass() -> None:
    label_spans(_labels().iloc[_rows(0, 5)], before=SESSIONS[10])


def test_a_label_that_ends_on_the_session_is_named() -> None:
    with pytest.raises(LookAheadError, match=rf"must end before it, but 2 do not: S0 on {SESSIONS[6].date()} .*to {SESSIONS[10].date()}"):
        label_spans(_labels().iloc[_rows(0, 6)], before=SESSIONS[10])


def test_rows_without_a_label_are_passed_over() -> None:
    label_spans(_labels().iloc[_rows(17, 19)], before=SESSIONS[0])


def test_purged_training_rows_pass() -> None:
    # Test decisions of session 10 fill at 11; a label decided at session 6 ends at session 10.
    purged(_labels(), _rows(0, 6), _rows(10, 12))
    purged(_labels(), _rows(16, 15), _rows(10, 12))


def test_a_training_span_that_touches_is_named() -> None:
    with pytest.raises(LookAheadError, match=rf"2 of 16 do: S0 on {SESSIONS[7].date()}"):
        purged(_labels(), _rows(0, 7), _rows(10, 12))


def test_training_after_the_test_must_start_after_its_spans() -> None:
    # The last test span, decided at session 5, ends at session 9.
    purged(_labels(), _rows(9, 12), _rows(4, 5))
    with pytest.raises(LookAheadError, match=rf"S0 on {SESSIONS[8].date()}"):
        purged(_labels(), _rows(8, 12), _rows(4, 5))


def test_a_training_row_without_a_label_is_named() -> None:
    with pytest.raises(LookAheadError, match=r"label that is known, but 2 have none: S0 .*from unknown to unknown"):
        purged(_labels(), _rows(0, 16), _rows(18, 19))


def test_a_test_row_without_a_label_reaches_to_the_end() -> None:
    purged(_labels(), _rows(0, 12), _rows(17, 19))
    with pytest.raises(LookAheadError):
        purged(_labels(), _rows(0, 13), _rows(17, 19))


def test_no_test_rows_touch_nothing() -> None:
    purged(_labels(), _rows(0, 5), np.array([], dtype=np.int64))


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.sets(st.integers(0, 15), min_size=1), st.sets(st.integers(0, 19), min_size=1))
def test_purged_agrees_with_comparing_every_pair(train_sessions: set[int], test_sessions: set[int]) -> None:
    labels = _labels(1)
    train, test = np.array(sorted(train_sessions)), np.array(sorted(test_sessions))
    touching = any(
        train_session + 1 <= (test_session + 4 if test_session < 16 else 19)
        and (test_session + 1 if test_session < 16 else test_session) <= train_session + 4
        for train_session in train
        for test_session in test
    )
    if touching:
        with pytest.raises(LookAheadError):
            purged(labels, train, test)
    else:
        purged(labels, train, test)
