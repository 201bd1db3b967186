"""The answer key says all that is wrong with a spoilt market, and nothing else is wrong with it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from touchstone.market import ingest
from touchstone.sources._simulated import SimulatedMarket, simulate_market
from touchstone.sources._simulated_errors import APART, ERROR_KINDS

PER_KIND = 12
SIZE = {"n_symbols": 40, "n_sessions": 500, "seed": 21, "rank_ic": 0.0}


@pytest.fixture(scope="module")
def clean() -> SimulatedMarket:
    return simulate_market(**SIZE)


@pytest.fixture(scope="module")
def spoilt() -> SimulatedMarket:
    return simulate_market(**SIZE, errors_per_kind=PER_KIND)


def _of(market: SimulatedMarket, kind: str) -> pd.DataFrame:
    return market.answer_key[market.answer_key["kind"] == kind]


def _rows(table: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(table[["date", "symbol"]])


def test_each_kind_stands_in_the_key_as_often_as_asked(spoilt: SimulatedMarket) -> None:
    key = spoilt.answer_key
    rows = key.drop_duplicates(["symbol", "date", "kind"])["kind"].value_counts()
    assert set(rows.index) == set(ERROR_KINDS)
    assert rows.drop("swapped").eq(PER_KIND).all()
    assert rows["swapped"] == 2 * PER_KIND
    assert (key["true_date"].eq(key["date"]) | key["kind"].eq("time_travel")).all()


def test_the_key_gives_the_value_that_stands_there_and_the_one_that_belongs_there(clean: SimulatedMarket, spoilt: SimulatedMarket) -> None:
    key = spoilt.answer_key[~spoilt.answer_key["kind"].isin(["duplicate", "time_travel"])]
    raw = spoilt.data.bars[~spoilt.data.bars.index.duplicated()]
    for market, column in ((clean.data.bars, "true"), (raw, "injected")):
        there = [market.loc[(row.date, row.symbol), row.field] for row in key.itertuples()]
        np.testing.assert_array_equal(there, key[column])
    assert not key["true"].eq(key["injected"]).any()


def test_rows_that_are_not_in_the_key_are_untouched(clean: SimulatedMarket, spoilt: SimulatedMarket) -> None:
    key = spoilt.answer_key
    moved = pd.MultiIndex.from_frame(key[["true_date", "symbol"]], names=["date", "symbol"])
    touched = _rows(key).append(moved)
    raw, true = spoilt.data.bars, clean.data.bars
    pd.testing.assert_frame_equal(raw[~raw.index.isin(touched)], true[~true.index.isin(touched)], check_exact=True)
    assert len(raw) == len(true) + PER_KIND


def test_errors_of_a_symbol_keep_apart_from_each_other_and_from_its_actions(spoilt: SimulatedMarket) -> None:
    dates = spoilt.data.benchmark.index
    key = spoilt.answer_key.assign(at=dates.get_indexer(spoilt.answer_key["true_date"]))
    places = key.drop_duplicates(["symbol", "at"]).sort_values(["symbol", "at"])
    assert places.groupby("symbol")["at"].diff().min() > APART
    actions = spoilt.data.actions.query("kind != 'delisting'").assign(ex=lambda table: dates.get_indexer(table["ex_date"]))
    near = places.merge(actions[["symbol", "ex"]], on="symbol")
    assert (near["at"] - near["ex"]).abs().min() > 3


def test_scaled_rows_are_a_hundred_times_too_large_or_small(spoilt: SimulatedMarket) -> None:
    scaled = _of(spoilt, "scaled")
    assert set((scaled["injected"] / scaled["true"]).round(9)) == {100.0, 0.01}
    assert scaled.groupby(["date", "symbol"])["field"].agg(set).map(lambda fields: fields == {"open", "high", "low", "close"}).all()


def test_swapped_rows_are_each_others_and_far_apart(spoilt: SimulatedMarket) -> None:
    closes = _of(spoilt, "swapped").query("field == 'close'")
    for _, pairs in closes.groupby("date"):
        assert sorted(pairs["true"]) == sorted(pairs["injected"])
    ratio = closes["injected"] / closes["true"]
    assert np.maximum(ratio, 1.0 / ratio).min() >= 1.2


def test_spikes_revert_and_are_large_against_the_symbols_own_moves(clean: SimulatedMarket, spoilt: SimulatedMarket) -> None:
    moves = np.log(clean.data.bars["close"]).groupby("symbol").diff()
    deviation = 1.4826 * (moves - moves.groupby("symbol").transform("median")).abs().groupby("symbol").median()
    closes = _of(spoilt, "spike").query("field == 'close'")
    sizes = np.log(closes["injected"] / closes["true"]).abs() / deviation[closes["symbol"]].to_numpy()
    assert sizes.between(7.5, 16.5).all()
    raw = spoilt.data.bars.loc[_rows(closes)]
    assert (raw["high"] >= raw["close"]).all()
    assert (raw["low"] <= raw["close"]).all()


def test_breaches_missing_and_non_positive_values_are_what_they_are_called(spoilt: SimulatedMarket) -> None:
    raw = spoilt.data.bars
    breached = raw.loc[_rows(_of(spoilt, "high_low"))]
    outside = (breached["high"] < breached[["open", "close"]].max(axis=1)) | (breached["low"] > breached[["open", "close"]].min(axis=1))
    assert outside.all()
    assert _of(spoilt, "missing")["injected"].isna().all()
    assert (_of(spoilt, "non_positive")["injected"] <= 0.0).all()


def test_duplicates_follow_their_row_and_some_are_exact(spoilt: SimulatedMarket) -> None:
    raw, duplicates = spoilt.data.bars, _of(spoilt, "duplicate")
    for row in duplicates.itertuples():
        first, second = np.flatnonzero(raw.index == (row.date, row.symbol))
        assert second == first + 1
        assert raw["close"].iloc[[first, second]].tolist() == [row.true, row.injected]
    assert 0 < duplicates["true"].eq(duplicates["injected"]).sum() < PER_KIND


def test_time_travellers_stand_at_their_own_place_with_an_earlier_date(clean: SimulatedMarket, spoilt: SimulatedMarket) -> None:
    raw = spoilt.data.bars.reset_index()
    for row in _of(spoilt, "time_travel").itertuples():
        assert row.date < row.true_date
        own = raw[raw["symbol"] == row.symbol]
        assert not own["date"].eq(row.true_date).any()
        at = own.index[own["date"].eq(row.date)]
        assert len(at) == 2
        assert own.loc[at[1], "close"] == row.injected == clean.data.bars.loc[(row.true_date, row.symbol), "close"]
        assert own["date"].shift()[at[1]] > row.date


def test_ingestion_sets_aside_what_is_in_the_key_and_nothing_else(spoilt: SimulatedMarket) -> None:
    ingested = ingest(spoilt.data)
    aside = set(pd.MultiIndex.from_frame(ingested.quarantine[["date", "symbol"]]))
    spikes = set(_rows(_of(spoilt, "spike")))
    # A spike may hide in a real move the other way: one in twelve at most.
    assert set(_rows(spoilt.answer_key)) - spikes <= aside <= set(_rows(spoilt.answer_key))
    assert len(spikes - aside) <= 1
    assert len(ingested.bars) + len(ingested.quarantine) == len(spoilt.data.bars)
