"""The equal-weighted universe, against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from touchstone.market import empty_table, equal_weighted, sessions

DATES = sessions("XNYS", "2020-01-02", "2020-01-15")
NAN = np.nan


def panel(**closes: list[float]) -> pd.DataFrame:
    wide = pd.DataFrame(closes, index=DATES[: len(next(iter(closes.values())))])
    index = pd.MultiIndex.from_product([wide.index, wide.columns.astype("str")], names=["date", "symbol"])
    return pd.DataFrame({"close": wide.to_numpy().ravel()}, index=index).dropna()


def action(symbol: str, session: int, kind: str, value: float, *, known: int | None = None) -> pd.DataFrame:
    known_at = DATES[session if known is None else known]
    row = {"symbol": [symbol], "ex_date": [DATES[session]], "kind": [kind], "value": [value], "known_at": [known_at]}
    return pd.DataFrame(row).astype(empty_table("actions").dtypes.to_dict())


def test_the_mean_of_simple_returns() -> None:
    earned = equal_weighted(panel(A=[10.0, 11.0, 11.0], B=[20.0, 18.0, 27.0]))
    np.testing.assert_allclose(earned, [(0.1 - 0.1) / 2, (0.0 + 0.5) / 2], atol=1e-15)
    assert earned.name == "equal_weighted"
    assert list(earned.index) == list(DATES[1:3])
    assert earned.index.name == "date"


def test_only_symbols_with_both_closes_count() -> None:
    earned = equal_weighted(panel(A=[10.0, 11.0, 12.1, 12.1], B=[20.0, NAN, 30.0, 33.0]))
    np.testing.assert_allclose(earned, [0.1, 0.1, 0.05], rtol=1e-12)


def test_a_session_without_a_pair_is_nan() -> None:
    earned = equal_weighted(panel(A=[10.0, NAN, 12.0], B=[NAN, 5.0, NAN]))
    assert earned.isna().tolist() == [True, True]


def test_members_are_those_of_the_session_before() -> None:
    universe = pd.DataFrame({"symbol": ["A", "B"], "start": DATES[[0, 1]], "end": DATES[[1, 3]]})
    earned = equal_weighted(panel(A=[10.0, 11.0, 22.0, 22.0], B=[20.0, 10.0, 11.0, 22.0]), universe=universe)
    # B enters on session 1, so its crash into it does not count; A leaves after session 1, but held to session 2.
    np.testing.assert_allclose(earned, [0.1, (1.0 + 0.1) / 2, 1.0], rtol=1e-12)


def test_dividends_count_on_their_ex_date_however_late_they_were_known() -> None:
    bars = panel(A=[10.0, 9.0, 9.0])
    for known in (0, 1, 2):
        earned = equal_weighted(bars, actions=action("A", 1, "dividend", 1.0, known=known))
        np.testing.assert_allclose(earned, [0.0, 0.0], atol=1e-15)


def test_a_split_is_no_return() -> None:
    earned = equal_weighted(panel(A=[10.0, 5.0]), actions=action("A", 1, "split", 2.0))
    np.testing.assert_allclose(earned, [0.0], atol=1e-15)


def test_a_delisting_return_is_earned_once_by_members() -> None:
    bars = panel(A=[10.0, 10.0, 10.0, 10.0], B=[20.0, 20.0, NAN, NAN])
    gone = action("B", 2, "delisting", -0.3)
    np.testing.assert_allclose(equal_weighted(bars, actions=gone), [0.0, -0.15, 0.0], atol=1e-15)
    without = pd.DataFrame({"symbol": ["A", "B"], "start": DATES[[0, 0]], "end": DATES[[3, 0]]})
    np.testing.assert_allclose(equal_weighted(bars, actions=gone, universe=without), [0.0, 0.0, 0.0], atol=1e-15)


def test_a_delisting_after_the_last_session_or_of_a_stranger_is_not_earned() -> None:
    bars = panel(A=[10.0, 10.0, 10.0])
    for gone in (action("A", 3, "delisting", -1.0), action("Z", 1, "delisting", -1.0)):
        np.testing.assert_allclose(equal_weighted(bars, actions=gone), [0.0, 0.0], atol=1e-15)


def test_the_input_is_left_alone() -> None:
    bars, given = panel(A=[10.0, 9.0, 9.0]), action("A", 1, "dividend", 1.0)
    before = bars.copy(), given.copy()
    equal_weighted(bars, actions=given)
    pd.testing.assert_frame_equal(bars, before[0])
    pd.testing.assert_frame_equal(given, before[1])
