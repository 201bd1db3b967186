"""Signals that grow old: each counts until it expires, in batch, online, from a file and in a request."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from touchstone import audit, features, market
from touchstone.errors import DataError
from touchstone.features._joins import macro_by_session, signal_by_session
from touchstone.lineage import data_hash
from touchstone.serving._request import parse_request, to_tables
from touchstone.sources import join_tables, load, read_tables

SESSIONS = pd.bdate_range("2020-01-01", periods=8, name="date").as_unit("us")
NAN = np.nan


def _signals(*rows: tuple[str, int, float, int, int]) -> pd.DataFrame:
    """Rows of (symbol, period, value, known_at, expires_at), the dates as positions on the sessions."""
    symbol, period, value, known, expires = (list(column) for column in zip(*rows, strict=True))
    told = {"period": SESSIONS[period], "value": value, "known_at": SESSIONS[known], "expires_at": SESSIONS[expires]}
    return pd.DataFrame({"name": "s", "symbol": symbol, **told}).astype({"name": "str", "symbol": "str"})


def test_a_value_counts_until_it_expires_and_then_the_best_that_still_counts() -> None:
    table = _signals(("A", 0, 1.0, 1, 6), ("A", 2, 2.0, 2, 3), ("B", 0, 5.0, 0, 0))
    got = signal_by_session(table, "s", pd.Index(["A", "B"]), SESSIONS)
    np.testing.assert_array_equal(got, [[NAN, 1.0, 2.0, 2.0, 1.0, 1.0, 1.0, NAN], [5.0] + [NAN] * 7])
    for_all = signal_by_session(table[:2].assign(symbol="*"), "s", pd.Index(["A", "B"]), SESSIONS)
    np.testing.assert_array_equal(for_all, [got[0], got[0]])


def test_the_rule_is_that_of_macro_whatever_the_rows() -> None:
    random = np.random.default_rng(3)
    for _ in range(30):
        period = random.integers(0, 8, 12)
        known = np.minimum(period + random.integers(0, 4, 12), 7)
        expires = np.minimum(known + random.integers(0, 9, 12), 7)
        rows = zip(["A"] * 12, period, random.normal(size=12), known, expires, strict=True)
        table = _signals(*rows)
        # Dates between sessions and beyond them.
        table["expires_at"] += pd.to_timedelta(random.integers(0, 30, 12), unit="h")
        expected = macro_by_session(table.rename(columns={"name": "series"}), "s", SESSIONS)
        np.testing.assert_array_equal(signal_by_session(table, "s", pd.Index(["A"]), SESSIONS)[0], expected)


def test_online_is_the_batch_and_the_audit_finds_no_future(tables) -> None:
    given = tables["signals"].iloc[::3].reset_index(drop=True)
    aging = given.assign(expires_at=given["known_at"] + pd.Timedelta(days=2))
    joined = {**tables, "signals": market.validate("signals", aging)}
    whole = _compute(**joined)
    assert whole["signal_planted"].isna().sum() > _compute(**{**tables, "signals": given})["signal_planted"].isna().sum() + 100
    told = {name: table for name, table in joined.items() if name != "bars"}
    last = whole.index.get_level_values("date") == whole.index[-1][0]
    pd.testing.assert_frame_equal(features.latest(tables["bars"], "momentum", **told, transform="rank"), whole[last], check_exact=True)
    assert audit.look_ahead(_compute, joined, n_cuts=3, seed=4).passed


def test_the_contract_takes_the_column_and_holds_it_to_its_rule() -> None:
    table = _signals(("A", 0, 1.0, 1, 6))
    without = table.drop(columns="expires_at")
    assert market.validate("signals", without) is without
    assert "expires_at" not in market.empty_table("signals")
    assert data_hash(market.validate("signals", table)) != data_hash(without)
    with pytest.raises(DataError, match="expires_at must not lie before known_at"):
        market.validate("signals", table.assign(expires_at=SESSIONS[0]))
    with pytest.raises(DataError, match="'expires_at' of table 'signals' must not be missing"):
        market.validate("signals", table.assign(expires_at=pd.Series([pd.NaT], dtype="datetime64[us]")))
    hours = pd.DatetimeIndex(["2020-01-02 20:00", "2020-01-02 21:00", "2020-01-09 21:00"]).as_unit("us")
    moved = market.at_bars(table, hours, calendar="XNYS", timeframe="1h")
    assert moved["expires_at"].tolist() == [pd.Timestamp("2020-01-09 21:00")]


def test_a_file_may_carry_it_beside_signals_that_never_expire(tmp_path: Path) -> None:
    given = load("simulated", n_symbols=2, n_sessions=20)
    (tmp_path / "signals.csv").write_text("symbol,name,value,known_at,expires_at\nS000,news,3.0,2010-01-05,2010-01-07\n")
    joined = join_tables(given, read_tables(tmp_path)).signals
    assert joined.loc[joined["name"] == "news", "expires_at"].tolist() == [pd.Timestamp("2010-01-07")]
    assert (joined.loc[joined["name"] == "planted", "expires_at"] == pd.Timestamp("2261-12-31")).all()
    symbols, sessions = given.bars.index.unique("symbol"), given.bars.index.unique("date")
    before, after = (signal_by_session(table, "planted", symbols, sessions) for table in (given.signals, joined))
    np.testing.assert_array_equal(after, before)


def test_a_request_may_carry_it_in_every_row_or_in_none() -> None:
    row = {"name": "s", "symbol": "A", "period": "2020-01-02", "value": 1.0, "known_at": "2020-01-02"}
    assert list(_asked(row)) == ["name", "symbol", "period", "value", "known_at"]
    assert _asked(row | {"expires_at": "2020-01-03"})["expires_at"].tolist() == [pd.Timestamp("2020-01-03")]
    with pytest.raises(DataError, match="'expires_at' of table 'signals' must not be missing, but 1 of 2 rows"):
        _asked(row, row | {"expires_at": "2020-01-03", "symbol": "B"})


def _asked(*rows: dict[str, object]) -> pd.DataFrame:
    bars = [{"date": "2020-01-02", "symbol": "A", "close": 1.0}]
    signals = to_tables(parse_request(json.dumps({"bars": bars, "signals": rows}).encode())).signals
    assert signals is not None
    return signals


def _compute(**tables: pd.DataFrame) -> pd.DataFrame:
    return features.compute(
        tables["bars"], "momentum", **{name: table for name, table in tables.items() if name != "bars"}, transform="rank"
    )
