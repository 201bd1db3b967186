"""Membership on intraday bars goes by the session of the exchange, wherever in UTC that session opens."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from touchstone.market import (
    Ingested,
    MarketData,
    Metadata,
    Sectors,
    Universe,
    at_bars,
    bar_times,
    eligible,
    empty_table,
    freshness,
    ingest,
    session_of,
    sessions,
)

# Sydney opens at 23:00 UTC of the day before, CME at 23:00, where an hour closes at midnight; 24/7 closes there.
CALENDARS = ("XASX", "CMES", "24/7", "XTKS", "XNYS")


def spans(calendar: str, *rows: tuple[str, int, int]) -> pd.DataFrame:
    dates = sessions(calendar, "2020-01-06", "2020-01-24")
    table = {"symbol": [row[0] for row in rows], "start": dates[[row[1] for row in rows]], "end": dates[[row[2] for row in rows]]}
    return pd.DataFrame(table).astype({"symbol": "str"})


def bars_of(calendar: str, *symbols: str) -> pd.DataFrame:
    times = bar_times(calendar, "2020-01-06", "2020-01-24", "1h")
    index = pd.MultiIndex.from_product([times, pd.Index(symbols, dtype="str")], names=["date", "symbol"])
    walk = np.random.default_rng(0).normal(0.0, 1e-3, (len(times), len(symbols)))
    return pd.DataFrame({"close": 100.0 * np.exp(walk.cumsum(axis=0)).ravel(), "volume": 1e3}, index=index)


def ingested(calendar: str, bars: pd.DataFrame, **tables: pd.DataFrame) -> Ingested:
    metadata = Metadata(source="test", adjustment="none", fields=tuple(bars.columns), calendar=calendar, timeframe="1h")
    given = {name: empty_table(name) for name in ("actions", "macro", "signals", "universe", "benchmark")} | tables
    return ingest(MarketData(bars=bars, **given, metadata=metadata))


def session_numbers(calendar: str, index: pd.Index) -> dict[int, int]:
    """How many bars of each session, by its number, are in an index."""
    dates = sessions(calendar, "2020-01-06", "2020-01-24")
    numbers = dates.get_indexer(session_of(pd.DatetimeIndex(index.get_level_values("date")), calendar, "1h"))
    return dict(zip(*np.unique(numbers, return_counts=True), strict=True))


@pytest.mark.parametrize("calendar", CALENDARS)
def test_a_stated_span_holds_whole_sessions(calendar: str) -> None:
    done = ingested(calendar, bars_of(calendar, "A", "B"), universe=spans(calendar, ("A", 0, 9), ("B", 2, 3), ("B", 6, 6)))
    inside = done.bars.index[Universe(done.universe).mask(done.bars.index)]
    every = session_numbers(calendar, done.bars.xs("B", level="symbol", drop_level=False).index)
    found = session_numbers(calendar, inside[inside.get_level_values("symbol") == "B"])
    assert found == {number: every[number] for number in (2, 3, 6)}


@pytest.mark.parametrize("calendar", CALENDARS)
def test_the_life_of_a_symbol_that_nobody_states_is_its_sessions(calendar: str) -> None:
    bars = bars_of(calendar, "A", "B")
    session = session_of(pd.DatetimeIndex(bars.index.get_level_values("date")), calendar, "1h")
    dates = sessions(calendar, "2020-01-06", "2020-01-24")
    short = bars[~((bars.index.get_level_values("symbol") == "B") & ((session < dates[2]) | (session > dates[4])))]
    done = ingested(calendar, short)
    assert Universe(done.universe).mask(done.bars.index).all()
    inside = bars.index[Universe(done.universe).mask(bars.index)]
    assert set(session_numbers(calendar, inside[inside.get_level_values("symbol") == "B"])) == {2, 3, 4}


@pytest.mark.parametrize("calendar", CALENDARS)
def test_rules_that_look_back_give_whole_sessions(calendar: str) -> None:
    bars = bars_of(calendar, "A")
    universe = eligible(bars, spans(calendar, ("A", 1, 7)), min_age=4, calendar=calendar, timeframe="1h")
    inside = bars.index[Universe(universe).mask(bars.index)]
    assert session_numbers(calendar, inside) == {number: session_numbers(calendar, bars.index)[number] for number in (4, 5, 6, 7)}
    stamped = at_bars(spans(calendar, ("A", 1, 7)), bars.index.levels[0], calendar=calendar, timeframe="1h")
    again = eligible(bars, stamped, min_age=4, calendar=calendar, timeframe="1h")
    pd.testing.assert_frame_equal(again, universe)


@pytest.mark.parametrize("calendar", CALENDARS)
def test_a_sector_holds_whole_sessions(calendar: str) -> None:
    sectors = spans(calendar, ("A", 2, 3), ("A", 4, 9)).assign(sector=pd.Series(["Energy", "Utilities"], dtype="str"))
    done = ingested(calendar, bars_of(calendar, "A"), sectors=sectors[["symbol", "sector", "start", "end"]])
    found = Sectors(done.sectors).at(done.bars.index)
    for name, numbers in (("Energy", {2, 3}), ("Utilities", set(range(4, 10)))):
        assert set(session_numbers(calendar, found.index[found == name])) == numbers


@pytest.mark.parametrize("calendar", CALENDARS)
def test_what_is_set_on_the_clock_stays(calendar: str) -> None:
    stamps = bars_of(calendar, "A").index.levels[0]
    once = at_bars(spans(calendar, ("A", 2, 3), ("B", 0, 9)), stamps, calendar=calendar, timeframe="1h")
    pd.testing.assert_frame_equal(at_bars(once, stamps, calendar=calendar, timeframe="1h"), once)


def test_a_span_over_a_weekend_alone_holds_nothing() -> None:
    weekend = pd.DataFrame({"symbol": ["A"], "start": pd.Timestamp("2020-01-11"), "end": pd.Timestamp("2020-01-12")}).astype(
        {"symbol": "str", "start": "datetime64[us]", "end": "datetime64[us]"}
    )
    done = ingested("XASX", bars_of("XASX", "A", "B"), universe=pd.concat([weekend, spans("XASX", ("B", 0, 3))], ignore_index=True))
    inside = done.bars.index[Universe(done.universe).mask(done.bars.index)]
    assert set(inside.get_level_values("symbol")) == {"B"}


def test_who_left_at_the_last_close_in_sydney_need_not_have_the_first_bar_of_the_next_session() -> None:
    bars = bars_of("XASX", "A", "B")
    stamps = bars.index.levels[0]
    last = stamps[session_of(stamps, "XASX", "1h").searchsorted(pd.Timestamp("2020-01-09"))]
    assert last == pd.Timestamp("2020-01-09 00:00")
    stamps_of_b = (bars.index.get_level_values("symbol") == "A") | (bars.index.get_level_values("date") < last)
    seen = bars[stamps_of_b & (bars.index.get_level_values("date") <= last)]
    universe = spans("XASX", ("A", 0, 9), ("B", 0, 2))
    assert freshness(seen, calendar="XASX", timeframe="1h", expected=last, max_age_sessions=0, universe=universe).passed
    stays = universe.assign(end=universe["end"].max())
    assert not freshness(seen, calendar="XASX", timeframe="1h", expected=last, max_age_sessions=0, universe=stays).passed
