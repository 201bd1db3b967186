"""The online form equals the batch form to the bit, or refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from touchstone import features, market
from touchstone.errors import DataError


def _rest(tables: dict[str, pd.DataFrame], *but: str) -> dict[str, pd.DataFrame]:
    return {name: table for name, table in tables.items() if name not in ("bars", *but)}


def _base(bars: pd.DataFrame, actions: pd.DataFrame, recent: pd.DataFrame) -> pd.DataFrame:
    """The batch's adjustment factors at each symbol's first recent bar."""
    factors = market.adjustment_factors(bars, actions).loc[recent.index]
    return factors.groupby("symbol").first()


def _window(bars: pd.DataFrame, last: int, n_sessions: int) -> pd.DataFrame:
    dates = bars.index.unique("date")
    return bars.loc[dates[last - n_sessions + 1] : dates[last]]


def _assert_same_bits(got: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert got.index.tolist() == expected.index.tolist()
    assert got.columns.equals(expected.columns)
    assert np.array_equal(got.to_numpy().view(np.int32), expected.to_numpy().view(np.int32))


@pytest.mark.parametrize("last", [524, 530, 545, 559])
@pytest.mark.parametrize("transform", ["rank", "none"])
def test_last_session_equals_the_batch_to_the_bit(tables, last, transform) -> None:
    batch = features.compute(tables["bars"], "momentum", transform=transform, **_rest(tables))
    recent = _window(tables["bars"], last, 505)
    base = _base(tables["bars"], tables["actions"], recent)
    assert not np.allclose(base, 1.0)
    online = features.latest(recent, "momentum", transform=transform, base_factors=base, **_rest(tables))
    day = recent.index[-1][0]
    _assert_same_bits(online, batch.loc[[day]])


def test_more_history_changes_nothing(tables) -> None:
    answers = []
    for n_sessions in (505, 517, 560):
        recent = _window(tables["bars"], 559, n_sessions)
        base = _base(tables["bars"], tables["actions"], recent)
        answers.append(features.latest(recent, "momentum", base_factors=base, **_rest(tables), transform="rank"))
    _assert_same_bits(answers[0], answers[1])
    _assert_same_bits(answers[0], answers[2])


def test_some_symbols_get_the_ranks_among_all(tables) -> None:
    batch = features.compute(tables["bars"], "momentum", **_rest(tables), transform="rank")
    online = features.latest(tables["bars"], "momentum", symbols=["EEE", "AAA"], **_rest(tables), transform="rank")
    day = batch.index[-1][0]
    _assert_same_bits(online, batch.loc[[(day, "AAA"), (day, "EEE")]])


def test_a_member_without_a_bar_is_an_error_under_ranks(tables) -> None:
    fewer = tables["bars"].drop((tables["bars"].index[-1][0], "BBB"))
    with pytest.raises(DataError, match=r"whole cross-section of .*, but BBB of the universe has no bar"):
        features.latest(fewer, "momentum", **_rest(tables), transform="rank")
    with pytest.raises(DataError, match="but BBB of the universe has no bar"):
        features.latest(fewer, "momentum", **_rest(tables, "universe"), transform="rank")
    online = features.latest(fewer, "momentum", symbols=["AAA"], transform="none", **_rest(tables))
    assert len(online) == 1


def test_a_member_that_is_missing_altogether_is_an_error_under_ranks(tables) -> None:
    fewer = tables["bars"][tables["bars"].index.get_level_values("symbol") != "BBB"]
    with pytest.raises(DataError, match="but BBB of the universe has no bar"):
        features.latest(fewer, "momentum", **_rest(tables), transform="rank")


def test_a_symbol_that_is_no_member(tables) -> None:
    with pytest.raises(DataError, match=r"but ZZZ has none"):
        features.latest(tables["bars"], "momentum", symbols=["AAA", "ZZZ"], **_rest(tables), transform="rank")


def test_history_shorter_than_the_lookback(tables) -> None:
    with pytest.raises(DataError, match=r"lookback, 505, but the bars have 504 sessions"):
        features.latest(_window(tables["bars"], 559, 504), "momentum", **_rest(tables), transform="rank")


def test_one_symbol_with_a_short_history_that_was_listed_before_it(tables) -> None:
    dates = tables["bars"].index.unique("date")
    is_eee = np.asarray(tables["bars"].index.get_level_values("symbol") == "EEE")
    early = np.asarray(tables["bars"].index.get_level_values("date") < dates[200])
    with pytest.raises(DataError, match=rf"505 sessions of history .* but got EEE from {dates[200].date()}"):
        features.latest(tables["bars"][~(is_eee & early)], "momentum", **_rest(tables), transform="rank")


def test_without_a_universe_a_late_listing_cannot_be_told_from_lost_history(tables) -> None:
    with pytest.raises(DataError, match="but got FFF from"):
        features.latest(tables["bars"], "momentum", **_rest(tables, "universe"), transform="rank")


def test_actions_before_the_bars_need_the_factors_that_they_left(tables) -> None:
    recent = _window(tables["bars"], 559, 505)
    with pytest.raises(DataError, match="need base_factors, but they are missing for DDD"):
        features.latest(recent, "momentum", **_rest(tables), transform="rank")
    base = _base(tables["bars"], tables["actions"], recent).drop(index="DDD")
    with pytest.raises(DataError, match="missing for DDD"):
        features.latest(recent, "momentum", base_factors=base, **_rest(tables), transform="rank")


def test_a_symbol_that_joined_after_its_first_bar_was_not_listed_then(tables) -> None:
    dates = tables["bars"].index.unique("date")
    is_cut = (tables["bars"].index.get_level_values("symbol") == "EEE") & (tables["bars"].index.get_level_values("date") < dates[500])
    joined = tables["universe"].copy()
    joined.loc[joined["symbol"] == "EEE", "start"] = dates[540]
    given = _rest({**tables, "universe": joined})
    with pytest.raises(DataError, match=rf"505 sessions of history .* but got EEE from {dates[500].date()}"):
        features.latest(tables["bars"][~is_cut], "momentum", **given, transform="rank")
    joined.loc[joined["symbol"] == "EEE", "start"] = dates[500]
    assert len(features.latest(tables["bars"][~is_cut], "momentum", **given, transform="rank")) == 6


def test_one_symbol_as_text_is_no_list_of_symbols(tables) -> None:
    with pytest.raises(DataError, match=r"must be a list of names, got the text 'AAA': write \['AAA'\]"):
        features.latest(tables["bars"], "momentum", symbols="AAA", **_rest(tables), transform="rank")


def test_an_empty_universe_has_nobody_to_answer_for(tables) -> None:
    given = {**_rest(tables), "universe": tables["universe"].iloc[:0]}
    with pytest.raises(DataError, match="at least one bar inside the universe"):
        features.latest(tables["bars"], "momentum", **given, transform="rank")
