"""Macro and signals arrive when they were known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from touchstone import features
from touchstone.features._joins import macro_by_session, signal_by_session

SESSIONS = pd.bdate_range("2020-01-01", periods=10, name="date").as_unit("us")


def _macro(*rows: tuple[int, float, int, int]) -> pd.DataFrame:
    """Rows of (period, value, known_at, expires_at), the dates as positions on the sessions."""
    columns = list(zip(*rows, strict=True))
    return pd.DataFrame(
        {
            "series": ["x"] * len(rows),
            "period": SESSIONS[list(columns[0])],
            "value": columns[1],
            "known_at": SESSIONS[list(columns[2])],
            "expires_at": SESSIONS[list(columns[3])],
        }
    )


def test_known_from_its_date_until_it_expires() -> None:
    got = macro_by_session(_macro((0, 1.5, 3, 6)), "x", SESSIONS)
    np.testing.assert_array_equal(got, [np.nan] * 3 + [1.5] * 4 + [np.nan] * 3)


def test_latest_period_wins_even_when_an_older_one_is_published_after_it() -> None:
    got = macro_by_session(_macro((1, 2.0, 2, 9), (0, 1.0, 4, 9)), "x", SESSIONS)
    np.testing.assert_array_equal(got, [np.nan] * 2 + [2.0] * 8)


def test_a_revision_replaces_what_it_revises_from_when_it_is_known() -> None:
    got = macro_by_session(_macro((0, 1.1, 5, 9), (0, 1.0, 2, 9)), "x", SESSIONS)
    np.testing.assert_array_equal(got, [np.nan] * 2 + [1.0] * 3 + [1.1] * 5)


def test_between_sessions_means_the_next_session() -> None:
    table = _macro((0, 1.0, 2, 9)).assign(known_at=SESSIONS[2] + pd.Timedelta(hours=9))
    assert np.isnan(macro_by_session(table, "x", SESSIONS)[2])
    assert macro_by_session(table, "x", SESSIONS)[3] == 1.0


def test_other_series_stay_out() -> None:
    assert np.isnan(macro_by_session(_macro((0, 1.0, 0, 9)), "y", SESSIONS)).all()


def test_signal_is_carried_from_when_it_was_known_for_its_own_symbol() -> None:
    table = pd.DataFrame(
        {
            "name": "planted",
            "symbol": ["B", "A", "A", "Z"],
            "period": SESSIONS[[0, 0, 4, 0]],
            "value": [7.0, 1.0, 2.0, 9.0],
            "known_at": SESSIONS[[0, 1, 5, 0]],
        }
    )
    got = signal_by_session(table, "planted", pd.Index(["A", "B"]), SESSIONS)
    np.testing.assert_array_equal(got, [[np.nan] + [1.0] * 4 + [2.0] * 5, [7.0] * 10])


def test_of_two_known_on_one_day_the_later_period_wins() -> None:
    table = pd.DataFrame({"name": "s", "symbol": "A", "period": SESSIONS[[1, 0]], "value": [5.0, 4.0], "known_at": SESSIONS[[3, 3]]})
    got = signal_by_session(table, "s", pd.Index(["A"]), SESSIONS)
    np.testing.assert_array_equal(got[0], [np.nan] * 3 + [5.0] * 7)


def test_a_late_correction_of_an_old_value_does_not_take_the_place_of_a_newer_one() -> None:
    table = pd.DataFrame(
        {"name": "s", "symbol": "A", "period": SESSIONS[[0, 2, 0, 2]], "value": [1.0, 2.0, 1.5, 2.5], "known_at": SESSIONS[[1, 3, 5, 7]]}
    )
    got = signal_by_session(table, "s", pd.Index(["A"]), SESSIONS)
    np.testing.assert_array_equal(got[0], [np.nan, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.5, 2.5, 2.5])
    for_all = signal_by_session(table.assign(symbol="*"), "s", pd.Index(["A", "B"]), SESSIONS)
    np.testing.assert_array_equal(for_all, [got[0], got[0]])
    # In macro it is the same.
    macro = table.rename(columns={"name": "series"}).assign(expires_at=SESSIONS[9])
    np.testing.assert_array_equal(macro_by_session(macro, "s", SESSIONS), got[0])


def test_a_signal_known_before_the_first_session_is_there_from_it() -> None:
    table = pd.DataFrame(
        {"name": "s", "symbol": "A", "period": [pd.Timestamp("2019-12-01")], "value": [5.0], "known_at": [pd.Timestamp("2019-12-01")]}
    )
    assert (signal_by_session(table, "s", pd.Index(["A"]), SESSIONS) == 5.0).all()


def test_columns_come_after_the_features_and_only_signals_are_ranked(tables) -> None:
    matrix = features.compute(tables["bars"], "momentum", **{name: tables[name] for name in tables if name != "bars"}, transform="rank")
    assert list(matrix.columns[-2:]) == ["macro_prices", "signal_planted"]
    assert matrix["signal_planted"].abs().max() < 0.5
    by_session = matrix["macro_prices"].groupby("date")
    pd.testing.assert_series_equal(by_session.min(), by_session.max())
    expected = macro_by_session(tables["macro"], "prices", pd.DatetimeIndex(by_session.first().index))
    np.testing.assert_array_equal(by_session.first(), expected.astype(np.float32))
