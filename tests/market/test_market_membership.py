"""Rules of membership: each row is judged by its past alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone import audit
from touchstone.errors import ConfigError
from touchstone.market import Universe, bar_times, eligible, empty_table, membership_caveats, sessions, validate

DATES = sessions("XNYS", "2020-01-02", "2020-03-06")
FOREVER = pd.Timestamp("2099-12-31").as_unit("us")


def market_of(closes: dict[str, list[float | None]], volumes: dict[str, list[float]] | None = None) -> pd.DataFrame:
    """Bars from one list per symbol; None: no bar on that session."""
    n_sessions = len(next(iter(closes.values())))
    index = pd.MultiIndex.from_product([DATES[:n_sessions], pd.Index(list(closes), dtype="str")], names=["date", "symbol"])
    volumes = volumes or {symbol: [1.0] * n_sessions for symbol in closes}
    fields = {"close": closes, "volume": volumes}
    frame = pd.DataFrame({name: np.array(list(table.values()), dtype="float64").T.ravel() for name, table in fields.items()}, index=index)
    return frame[frame["close"].notna()]


def stated(*symbols: str, start: pd.Timestamp = DATES[0], end: pd.Timestamp = FOREVER) -> pd.DataFrame:
    return pd.DataFrame({"symbol": pd.Series(list(symbols), dtype="str"), "start": start, "end": end})


def member_numbers(bars: pd.DataFrame, universe: pd.DataFrame, symbol: str) -> list[int]:
    """Sessions on which the symbol is a member, by number."""
    inside = bars.index[Universe(universe).mask(bars.index)]
    return DATES.get_indexer(inside[inside.get_level_values("symbol") == symbol].get_level_values("date")).tolist()


def test_without_rules_the_universe_is_what_was_stated() -> None:
    universe = stated("A")
    assert eligible(market_of({"A": [1.0, 2.0]}), universe) is universe


def test_age_counts_the_symbols_own_bars() -> None:
    bars = market_of({"A": [1, 1, 1, 1, 1, 1], "NEW": [None, None, 1, None, 1, 1]})
    universe = eligible(bars, stated("A", "NEW"), min_age=2)
    assert member_numbers(bars, universe, "A") == [2, 3, 4, 5]
    assert member_numbers(bars, universe, "NEW") == [5]


def test_dollar_volume_is_the_median_of_the_window_that_ends_at_the_bar() -> None:
    volumes = [10.0, 100.0, 100.0, 1.0, 1.0, 100.0, 100.0]
    bars = market_of({"A": [2.0] * 7}, {"A": volumes})
    universe = eligible(bars, stated("A"), min_dollar_volume=200.0, window=3)
    # Medians of three: -, -, 100, 100, 1, 1, 100 shares at 2.
    assert member_numbers(bars, universe, "A") == [2, 3, 6]
    assert universe[["start", "end"]].to_numpy().tolist() == [[DATES[2], DATES[3]], [DATES[6], DATES[6]]]
    validate("universe", universe)


def test_a_window_does_not_reach_into_another_symbol() -> None:
    bars = market_of({"A": [1.0] * 4, "B": [1.0] * 4}, {"A": [900.0] * 4, "B": [900.0] * 4})
    assert member_numbers(bars, eligible(bars, stated("A", "B"), min_dollar_volume=1.0, window=3), "B") == [2, 3]


def test_a_missing_volume_in_the_window_is_no_volume() -> None:
    bars = market_of({"A": [1.0] * 5}, {"A": [9.0, np.nan, 9.0, 9.0, 9.0]})
    assert member_numbers(bars, eligible(bars, stated("A"), min_dollar_volume=1.0, window=2), "A") == [3, 4]


def test_rules_narrow_what_is_stated_and_never_widen_it() -> None:
    bars = market_of({"A": [1.0] * 6, "B": [1.0] * 6})
    universe = eligible(bars, stated("A", start=DATES[3], end=DATES[4]), min_age=1)
    assert (member_numbers(bars, universe, "A"), member_numbers(bars, universe, "B")) == ([3, 4], [])


def test_no_member_at_all_is_an_empty_table() -> None:
    universe = eligible(market_of({"A": [1.0] * 3}), stated("A"), min_age=9)
    assert universe.empty
    validate("universe", universe)


def test_volumes_are_needed_and_prices_that_were_seen() -> None:
    bars = market_of({"A": [1.0] * 3})
    with pytest.raises(ConfigError, match="needs volumes, but the bars carry only close"):
        eligible(bars[["close"]], stated("A"), min_dollar_volume=1.0)
    with pytest.raises(ConfigError, match="adjusted for total return"):
        eligible(bars, stated("A"), min_dollar_volume=1.0, adjustment="total_return")
    assert len(eligible(bars[["close"]], stated("A"), min_age=1, adjustment="total_return")) == 1


def random_market(seed: int, n_sessions: int = 40) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    closes = {symbol: np.where(generator.random(n_sessions) < 0.1, np.nan, generator.uniform(1, 9, n_sessions)) for symbol in "ABC"}
    volumes = {symbol: generator.integers(0, 9, n_sessions).astype(float) for symbol in "ABC"}
    return market_of({name: list(values) for name, values in closes.items()}, {name: list(values) for name, values in volumes.items()})


RULES: Any = st.fixed_dictionaries({"min_age": st.integers(0, 12), "min_dollar_volume": st.floats(0, 30), "window": st.integers(1, 9)})


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), RULES)
def test_membership_is_what_the_definition_says(seed: int, rules: dict[str, Any]) -> None:
    bars, universe = random_market(seed), stated("A", "B", end=DATES[33])
    rows = bars.reset_index()
    dollars = (rows["close"] * rows["volume"]).groupby(rows["symbol"])
    usual = dollars.transform(lambda values: values.rolling(rules["window"]).median())
    wanted = (rows["date"] <= DATES[33]) & rows["symbol"].isin(["A", "B"]) & (rows.groupby("symbol").cumcount() >= rules["min_age"])
    if rules["min_dollar_volume"]:
        wanted &= usual >= rules["min_dollar_volume"]
    np.testing.assert_array_equal(Universe(eligible(bars, universe, **rules)).mask(bars.index), wanted)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), RULES, st.integers(1, 38))
def test_later_bars_change_no_earlier_membership(seed: int, rules: dict[str, Any], cut: int) -> None:
    bars, universe = random_market(seed), stated("A", "B", "C")
    past = bars.loc[: DATES[cut]]
    future = random_market(seed + 1).loc[DATES[cut + 1] :] * 100.0
    before = Universe(eligible(bars, universe, **rules)).mask(past.index)
    np.testing.assert_array_equal(Universe(eligible(pd.concat([past, future]), universe, **rules)).mask(past.index), before)
    np.testing.assert_array_equal(Universe(eligible(past, universe, **rules)).mask(past.index), before)


def _as_frame(bars: pd.DataFrame, universe: pd.DataFrame, *, shift: int = 0) -> pd.DataFrame:
    rules = {"min_age": 3, "min_dollar_volume": 18.0, "window": 5}
    seen = bars.assign(volume=bars["volume"].groupby(level="symbol").shift(shift)) if shift else bars
    inside = Universe(eligible(seen, universe, **rules)).mask(bars.index)
    return pd.DataFrame({"member": inside.astype("float64")}, index=bars.index)


def test_the_audit_passes_the_rules_and_catches_one_that_peeks() -> None:
    tables = {"bars": random_market(3), "universe": stated("A", "B", "C", end=DATES[37])}
    assert audit.look_ahead(_as_frame, tables, n_cuts=6).passed
    assert not audit.look_ahead(lambda bars, universe: _as_frame(bars, universe, shift=-2), tables, n_cuts=6).passed


@pytest.fixture(scope="module")
def half_hours() -> pd.DataFrame:
    """Eight sessions of half-hours of two symbols; B is busy on every third session and has no bars on the fifth."""
    times = bar_times("XNYS", DATES[0], DATES[7], "30m")
    index = pd.MultiIndex.from_product([times, pd.Index(["A", "B"], dtype="str")], names=["date", "symbol"])
    session = times.normalize().repeat(2)
    busy = (DATES.get_indexer(session) % 3 == 0) & (index.get_level_values("symbol") == "B")
    bars = pd.DataFrame({"close": 2.0, "volume": np.where(busy, 50.0, 1.0)}, index=index)
    return bars[~((index.get_level_values("symbol") == "B") & (session == DATES[4]))]


def _sessions_of(universe: pd.DataFrame) -> list[tuple[str, int, int]]:
    """Spans of whole sessions, from the first to the last half-hour, by the numbers of the sessions."""
    opens, closes = (bar_times("XNYS", DATES[0], DATES[7], "30m")[row::13] for row in (0, 12))
    numbers = opens.get_indexer(universe["start"]), closes.get_indexer(universe["end"])
    return list(zip(universe["symbol"], *(side.tolist() for side in numbers), strict=True))


def test_intraday_rules_are_known_before_the_session_opens(half_hours: pd.DataFrame) -> None:
    universe = eligible(half_hours, stated("A", "B"), min_dollar_volume=500.0, window=1, timeframe="30m")
    # 13 half-hours at 50 shares of 2: the session after a busy one, which for B's fourth is its sixth, as it has no fifth.
    assert _sessions_of(universe) == [("B", number, number) for number in (1, 5, 7)]
    inside = half_hours.index[Universe(universe).mask(half_hours.index)]
    assert inside.get_level_values("date").normalize().value_counts().to_dict() == {DATES[1]: 13, DATES[5]: 13, DATES[7]: 13}


def test_intraday_age_counts_sessions(half_hours: pd.DataFrame) -> None:
    universe = eligible(half_hours, stated("A", "B"), min_age=5, timeframe="30m")
    assert _sessions_of(universe) == [("A", 5, 7), ("B", 6, 7)]


def test_a_span_of_dates_holds_every_bar_of_its_sessions(half_hours: pd.DataFrame) -> None:
    inside = half_hours.index[Universe(stated("A", start=DATES[2], end=DATES[3])).mask(half_hours.index)]
    assert inside.get_level_values("date").equals(bar_times("XNYS", DATES[2], DATES[3], "30m"))


def test_a_close_at_midnight_belongs_to_the_day_before() -> None:
    times = bar_times("24/7", DATES[0], DATES[1], "1h")
    index = pd.MultiIndex.from_product([times, ["A"]], names=["date", "symbol"])
    inside = index[Universe(stated("A", start=DATES[1], end=DATES[1])).mask(index)]
    assert inside.get_level_values("date").equals(bar_times("24/7", DATES[1], DATES[1], "1h"))


def test_what_nobody_states_is_said() -> None:
    bars = market_of({"A": [1, 1, 1], "B": [1, 1, None], "C": [1, None, None]})
    actions = pd.DataFrame({"symbol": ["C"], "kind": ["delisting"]})
    whole, ended = membership_caveats(bars, empty_table("universe"), actions)
    assert "membership is each symbol's own life in the data" in whole
    assert ended.startswith("1 of 3 symbols end before the data without a delisting on record (B): nobody says what holders got.")
    assert membership_caveats(bars, stated("A", "B", "C"), actions) == (ended,)
    assert membership_caveats(market_of({"A": [1, 1]}), stated("A"), actions) == ()
