"""Rows in = clean + quarantined, whatever comes in."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import ConfigError, DataError
from touchstone.market import MarketData, Metadata, empty_table, ingest, sessions, validate

DATES = sessions("XNYS", "2020-01-02", "2020-01-31")


def raw_bars() -> pd.DataFrame:
    index = pd.MultiIndex.from_product([["B", "A"], DATES[:5]], names=["symbol", "date"]).swaplevel()
    close = 10.0 + np.arange(len(index), dtype=float)
    return pd.DataFrame({"high": close + 1.0, "low": close - 1.0, "close": close}, index=index)


def market_data(bars: pd.DataFrame, **tables: pd.DataFrame) -> MarketData:
    names = ("actions", "macro", "signals", "universe", "benchmark")
    metadata = Metadata(source="test", adjustment="none", fields=tuple(bars.columns), calendar="XNYS")
    return MarketData(bars=bars, **{name: empty_table(name) for name in names} | tables, metadata=metadata)


def test_sound_bars_are_sorted_by_date_then_symbol() -> None:
    done = ingest(market_data(raw_bars()))
    validate("bars", done.bars)
    assert list(done.bars.index[:3]) == [(DATES[0], "A"), (DATES[0], "B"), (DATES[1], "A")]
    assert done.quality.empty
    assert done.quarantine.empty
    assert list(done.quarantine.columns) == ["row", "date", "symbol", "high", "low", "close", "checks"]


def test_the_quarantine_keeps_the_raw_row_its_number_and_every_check_it_failed() -> None:
    bars = raw_bars()
    bars.iloc[3, 2] = -5.0
    bars.iloc[7, 0] = np.nan
    done = ingest(market_data(bars))
    assert done.quarantine["row"].tolist() == [3, 7]
    assert done.quarantine["symbol"].tolist() == ["B", "A"]
    assert done.quarantine["close"].tolist() == [-5.0, 17.0]
    assert done.quarantine["checks"].tolist() == ["close_outside_range,non_positive", "missing_value"]
    assert len(done.bars) == 8


def test_a_conflict_names_only_the_row_that_was_set_aside() -> None:
    bars = raw_bars()
    twice = pd.concat([bars, bars.iloc[[9]] + 1.0])
    done = ingest(market_data(twice))
    assert done.quarantine[["row", "close", "checks"]].to_numpy().tolist() == [[10, 20.0, "conflicting_duplicate"]]
    assert done.bars.loc[(DATES[4], "A"), "close"] == 19.0


def test_a_missing_session_is_told_and_nothing_is_invented_for_it() -> None:
    done = ingest(market_data(raw_bars().drop(index=[(DATES[2], "A")])))
    assert done.quality[["symbol", "date", "check"]].to_numpy().tolist() == [["A", DATES[2], "missing_session"]]
    assert (DATES[2], "A") not in done.bars.index
    assert done.quarantine.empty


def test_the_universe_is_each_symbols_clean_span_unless_given() -> None:
    bars = raw_bars()
    bars.iloc[0, 2] = np.nan
    done = ingest(market_data(bars.drop(index=[(DATES[4], "A")])))
    assert done.universe.to_numpy().tolist() == [["A", DATES[0], DATES[3]], ["B", DATES[1], DATES[4]]]
    given = validate("universe", done.universe.iloc[::-1].reset_index(drop=True))
    assert ingest(market_data(raw_bars(), universe=given)).universe.equals(done.universe)


def test_the_other_tables_are_checked_and_sorted() -> None:
    macro = pd.DataFrame(
        {
            "series": pd.array(["b", "a"], dtype="str"),
            "period": DATES[[0, 0]],
            "value": [1.0, 2.0],
            "known_at": DATES[[0, 1]],
            "expires_at": DATES[[5, 5]],
        }
    )
    assert ingest(market_data(raw_bars(), macro=macro)).macro["value"].tolist() == [2.0, 1.0]
    with pytest.raises(DataError, match=r"expires_at must not lie before known_at"):
        ingest(market_data(raw_bars(), macro=macro.assign(expires_at=DATES[0])))
    benchmark = pd.DataFrame({"close": [2.0, np.nan]}, index=DATES[:2])
    with pytest.raises(DataError, match=r"'benchmark' must not be missing"):
        ingest(market_data(raw_bars(), benchmark=benchmark))


def test_no_bar_at_all_or_none_that_is_sound_is_an_error() -> None:
    with pytest.raises(DataError, match=r"at least one bar, but 'test' gave none"):
        ingest(market_data(raw_bars().iloc[:0]))
    with pytest.raises(DataError, match=r"all 10 of 'test' were quarantined \(missing_value 10\)"):
        ingest(market_data(raw_bars().assign(close=np.nan)))


def test_bars_on_closed_days_alone_are_an_error_too() -> None:
    flat = raw_bars().reset_index().assign(date=pd.Timestamp("2020-01-18")).astype({"date": "datetime64[us]"})
    with pytest.raises(DataError, match=r"not_a_session 10\).*1d bars of the calendar XNYS; set data\.timeframe and data\.calendar"):
        ingest(market_data(flat.set_index(["date", "symbol"])))


def test_an_unknown_calendar_is_an_error() -> None:
    data = market_data(raw_bars())
    with pytest.raises(ConfigError, match=r"XNYS"):
        ingest(dataclasses.replace(data, metadata=data.metadata.model_copy(update={"calendar": "XNYQ"})))


def test_a_row_that_is_lost_on_the_way_stops_the_ingestion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pd.DataFrame, "sort_index", lambda self: self.iloc[1:])
    with pytest.raises(DataError, match=r"10 came in, 9 are clean and 0 quarantined"):
        ingest(market_data(raw_bars()))


def test_one_symbol_is_enough() -> None:
    assert len(ingest(market_data(raw_bars().iloc[:5])).bars) == 5


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    rows=st.lists(st.integers(0, 9), min_size=1, max_size=25),
    nonsense=st.lists(st.tuples(st.integers(0, 24), st.integers(0, 2), st.sampled_from([np.nan, np.inf, -1.0, 0.0, 12.3])), max_size=8),
)
def test_no_row_is_ever_lost_and_clean_bars_obey_the_contract(rows: list[int], nonsense: list[tuple[int, int, float]]) -> None:
    raw = raw_bars().iloc[rows]
    for row, field, value in nonsense:
        raw.iloc[row % len(raw), field] = value
    before = raw.copy()
    try:
        done = ingest(market_data(raw))
    except DataError as problem:
        assert "were quarantined" in str(problem)  # noqa: PT017 - the only way that is allowed to fail
        return
    assert len(raw) == len(done.bars) + len(done.quarantine)
    validate("bars", done.bars)
    aside = raw.iloc[done.quarantine["row"]]
    np.testing.assert_array_equal(aside.to_numpy(), done.quarantine[["high", "low", "close"]].to_numpy())
    quarantined = done.quality[done.quality["action"] == "quarantined"]
    assert set(zip(quarantined["date"], quarantined["symbol"], strict=True)) == set(aside.index)
    pd.testing.assert_frame_equal(raw, before)
