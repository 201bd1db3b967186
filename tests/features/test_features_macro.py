"""The set `macro`: changes and scores of what was known, at each moment by what was known then."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from touchstone import audit, features, market
from touchstone.features import FeatureSet, SessionFeature, Sessions
from touchstone.features._joins import macro_by_session

COLUMNS = ["macro_prices_change_21", "macro_prices_change_63", "macro_prices_zscore_252"]
DAYS = pd.bdate_range("2018-01-01", periods=400, name="date").as_unit("us")


def series(*rows: tuple[int, float, int, int]) -> pd.DataFrame:
    """Rows of (period, value, known_at, expires_at), the dates as positions on the sessions."""
    period, value, known, expires = (list(column) for column in zip(*rows, strict=True))
    dates = {"period": DAYS[period], "known_at": DAYS[known], "expires_at": DAYS[expires]}
    return pd.DataFrame({"series": pd.Series(["x"] * len(rows), dtype="str"), "value": value, **dates})


def of(macro: pd.DataFrame, days: pd.DatetimeIndex = DAYS) -> pd.DataFrame:
    """The set's columns of series x, by session."""
    bars = pd.DataFrame({"close": 1.0}, index=pd.MultiIndex.from_product([days, ["A", "B"]], names=["date", "symbol"]))
    return features.compute(bars, "macro", macro=macro, transform="none").xs("B", level="symbol")


@pytest.fixture(scope="module")
def revised(macro: pd.DataFrame) -> pd.DataFrame:
    """Every month's number is corrected by a lot, thirty days after it was first told."""
    later = macro.assign(value=macro["value"] + 5.0, known_at=macro["known_at"] + pd.Timedelta(days=30))
    both = pd.concat([macro, later.assign(expires_at=later["expires_at"] + pd.Timedelta(days=30))], ignore_index=True)
    return both.astype({"series": "str"})


def test_the_columns_stand_beside_the_level(macro: pd.DataFrame, bars: pd.DataFrame) -> None:
    matrix = features.compute(bars, ["momentum", "macro"], macro=macro, transform="none")
    assert [column for column in matrix if column.startswith("macro_")] == [*COLUMNS, "macro_prices"]
    plan = features.plan("macro", fields=["close"], macro_series=["prices", "jobs"])
    assert plan.columns[:3] == tuple(name.replace("prices", "jobs") for name in COLUMNS)
    assert [plan.lookbacks[name] for name in COLUMNS] == [22, 64, 252]
    assert plan.ranked == ()


def test_a_change_is_from_what_was_known_then_not_from_its_revision() -> None:
    """Told as 1 on session 10, corrected to 4 on session 30: the change over 21 sessions sees the 1 until session 50."""
    change = of(series((5, 1.0, 10, 399), (5, 4.0, 30, 399)))["macro_x_change_21"].to_numpy()
    assert np.isnan(change[:31]).all()
    np.testing.assert_array_equal(change[31:51], 3.0)
    np.testing.assert_array_equal(change[51:], 0.0)


def test_what_has_expired_has_no_change() -> None:
    known = series((5, 1.0, 10, 100), (150, 2.0, 170, 399))
    change = of(known)["macro_x_change_63"].to_numpy()
    np.testing.assert_array_equal(np.flatnonzero(~np.isnan(change)), [*range(73, 101), *range(233, 400)])
    assert (change[233:] == 0.0).all()
    np.testing.assert_array_equal(of(known)["macro_x_change_21"].to_numpy()[31:101], 0.0)


def test_a_score_is_of_what_was_known_at_each_session_of_the_year() -> None:
    random = np.random.default_rng(2)
    table = series(*((10 * k, float(random.normal()), 10 * k + 3, 399) for k in range(39)))
    known = pd.Series(macro_by_session(table, "x", DAYS), index=DAYS)
    rolled = known.rolling(252, min_periods=60)
    expected = ((known - rolled.mean()) / rolled.std()).iloc[251:]
    got = of(table)["macro_x_zscore_252"]
    assert got.iloc[:251].isna().all()
    np.testing.assert_allclose(got.iloc[251:], expected, rtol=1e-5, atol=1e-6)


def test_a_score_needs_sixty_values_and_one_that_differs() -> None:
    late = of(series((200, 1.0, 200, 399), (250, 3.0, 250, 399)))["macro_x_zscore_252"].to_numpy()
    np.testing.assert_array_equal(np.isnan(late), np.arange(400) < 259)
    still = of(series((0, 0.1, 0, 399)))["macro_x_zscore_252"]
    assert still.isna().all()


def test_expired_values_are_no_part_of_the_year() -> None:
    score = of(series((0, 1.0, 0, 200), (0, 2.0, 50, 200), (300, 7.0, 310, 399)))["macro_x_zscore_252"].to_numpy()
    assert np.isnan(score[251:310]).all()  # nothing is known on these sessions
    window = np.concatenate([np.full(142, 2.0), [7.0]])  # session 310: those of 59 to 200, and itself
    assert score[310] == pytest.approx((7.0 - window.mean()) / window.std(ddof=1), rel=1e-5)


def test_values_do_not_depend_on_where_history_begins(revised: pd.DataFrame, bars: pd.DataFrame, sessions: pd.DatetimeIndex) -> None:
    whole = features.compute(bars, "macro", macro=revised, transform="none")
    for start in (1, 97, len(sessions) - 252):
        part = features.compute(bars.loc[sessions[start] :], "macro", macro=revised, transform="none")
        full = part.loc[sessions[start + 251] :]
        assert full["macro_prices_zscore_252"].notna().all()
        pd.testing.assert_frame_equal(full, whole.loc[full.index], check_exact=True)


def test_online_it_is_what_the_batch_gives(tables: dict[str, Any], revised: pd.DataFrame, sessions: pd.DatetimeIndex) -> None:
    sets, told = ["macro", "momentum"], {"macro": revised, **{name: tables[name] for name in ("benchmark", "universe", "actions")}}
    bars = tables["bars"]
    whole = features.compute(bars, sets, **told, transform="rank")
    recent = bars.loc[sessions[-510] :]
    base = market.adjustment_factors(bars, told["actions"]).loc[recent.index].groupby(level="symbol").first()
    known = revised[revised["known_at"] <= sessions[-1]]
    online = features.latest(recent, sets, **told | {"macro": known}, base_factors=base, transform="rank")
    pd.testing.assert_frame_equal(online, whole.loc[online.index], check_exact=True)


def test_the_audit_accuses_the_revised_value_and_not_the_set(tables: dict[str, Any], revised: pd.DataFrame) -> None:
    given = {"bars": tables["bars"], "macro": revised}
    assert audit.look_ahead(_compute("macro"), given, n_cuts=8, seed=4).passed
    leaking = FeatureSet("leaking", (SessionFeature("change_of_the_last_word", 22, _change_of_the_last_word),))
    report = audit.look_ahead(_compute(leaking), given, n_cuts=8, seed=4)
    assert set(report.findings["feature"]) == {"change_of_the_last_word"}


def _compute(sets: Any) -> Any:
    return lambda *, bars, macro: features.compute(bars, sets, macro=macro, transform="none")


def _change_of_the_last_word(given: Sessions) -> np.ndarray[Any, Any]:
    """The leak: what is known today, less what is now, after its revision, said of the past."""
    first_told = given.macro.groupby("period")["known_at"].transform("min")
    known = macro_by_session(given.macro.assign(known_at=first_told), "prices", given.dates)
    return np.append(np.full(21, np.nan), known[21:] - known[:-21])
