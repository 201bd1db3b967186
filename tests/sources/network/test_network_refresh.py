"""Bringing a source up to date: what is missing and no more, revisions, the store, and loads without a network."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from binance_market import BinanceMarket, milliseconds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vendor_server import VendorServer, changed, status

from touchstone import sources
from touchstone.errors import ConfigError, SourceError
from touchstone.lineage import data_hash
from touchstone.market import MarketData
from touchstone.sources.network import Policy, Refreshed, refresh
from touchstone.sources.network._snapshots import Entry, Kept, SnapshotStore
from touchstone.sources.vendors._binance import Binance

POLICY = Policy(requests_per_minute=60_000, timeout_s=2.0, attempts=2, backoff_s=0.001, backoff_max_s=0.01, overlap=3)


@pytest.fixture(scope="module")
def market() -> BinanceMarket:
    return BinanceMarket(["BTCUSDT", "ETHUSDT"], since="2024-01-01", now="2024-02-01T12:00")


@pytest.fixture
def update(tmp_path: Path, market: BinanceMarket, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Refreshed]:
    def bring(*symbols: str, at: str = "2024-02-01T12:00", **more: Any) -> Refreshed:
        monkeypatch.setattr(market, "now", milliseconds(at))
        asked = {"start": "2024-01-01", "calendar": "24/7", "policy": POLICY, "snapshots": tmp_path, **more}
        return refresh("binance", symbols=symbols, now=pd.Timestamp(at), credentials=tmp_path / "none.yml", **asked)

    return bring


def load(folder: Path, **more: Any) -> MarketData:
    return sources.load("binance", calendar="24/7", snapshots=str(folder), **more)


def asked_for(server: VendorServer) -> list[tuple[str, str]]:
    """Symbol and first bar of the klines asked for."""
    klines = [asked.query for asked in server.asked if "startTime" in asked.query]
    return sorted((query["symbol"], f"{pd.Timestamp(int(query['startTime']), unit='ms'):%Y-%m-%d %H:%M}") for query in klines)


def test_only_what_is_missing_is_asked_for(server: VendorServer, update: Callable[..., Refreshed], tmp_path: Path) -> None:
    assert update("BTCUSDT").new_rows == {"BTCUSDT": 31}
    server.recover()
    done = update("BTCUSDT", "ETHUSDT", at="2024-02-03T12:00")
    assert asked_for(server) == [("BTCUSDT", "2024-01-29 00:00"), ("ETHUSDT", "2024-01-01 00:00")], (
        "the last three bars again, and a new symbol"
    )
    assert done.new_rows == {"BTCUSDT": 2, "ETHUSDT": 33}
    assert done.revisions.empty
    assert len(load(tmp_path).bars) == 66
    server.recover()
    assert sorted(update(at="2024-02-03T12:00").new_rows) == ["BTCUSDT", "ETHUSDT"], "without symbols, those that are known"


def test_an_earlier_start_and_a_hole_are_filled(server: VendorServer, update: Callable[..., Refreshed], tmp_path: Path) -> None:
    update("BTCUSDT", start="2024-01-20", end="2024-01-22")
    with pytest.raises(SourceError, match=r"touchstone refresh binance --start 2024-01-10"):
        load(tmp_path, start="2024-01-10")
    update("BTCUSDT", start="2024-01-28")
    update("BTCUSDT", start="2024-01-20")
    assert len(load(tmp_path, start="2024-01-20").bars) == 12, "also the days between the two spans"
    update("BTCUSDT", start="2024-01-10")
    assert len(load(tmp_path, start="2024-01-10").bars) == 22


def test_a_bar_that_is_not_over_is_left_out(server: VendorServer, update: Callable[..., Refreshed], tmp_path: Path) -> None:
    update("BTCUSDT", at="2024-02-01T23:59")
    assert load(tmp_path).bars.index.get_level_values("date").max() == pd.Timestamp("2024-01-31")
    update("BTCUSDT", timeframe="1h", start="2024-01-31", at="2024-02-01T10:30")
    bars = load(tmp_path, timeframe="1h").bars
    dates = bars.index.get_level_values("date")
    assert (dates.min(), dates.max()) == (pd.Timestamp("2024-01-31T01:00"), pd.Timestamp("2024-02-01T10:00"))
    day = load(tmp_path, timeframe="1h", start="2024-01-31", end="2024-01-31").bars
    assert len(day) == 24, "the bar that closes at midnight is the day's last"


def test_a_changed_last_digit_is_a_revision(server: VendorServer, update: Callable[..., Refreshed], tmp_path: Path) -> None:
    update("BTCUSDT")
    before = load(tmp_path)
    close = before.bars["close"].iloc[-2]
    server.ail(changed(f'"{close:.8f}"', f'"{close:.7f}1"'))
    done = update("BTCUSDT", at="2024-02-02T12:00")
    later, seen_at = float(f"{close:.7f}1"), pd.Timestamp("2024-02-02T12:00")
    assert done.revisions.to_numpy().tolist() == [["BTCUSDT", pd.Timestamp("2024-01-30"), "close", close, later, seen_at]]
    after = load(tmp_path)
    assert after.bars["close"].iloc[-3] == later, "the later value counts"
    assert "changed 1 values" in after.metadata.caveats[-1]
    assert not [caveat for caveat in after.metadata.caveats if "2024" in caveat], "no clock in what a run reads"
    assert "changed" not in " ".join(before.metadata.caveats)
    kept = (tmp_path / "binance" / "revisions.jsonl").read_text()
    assert kept.count("\n") == 1
    assert '"seen_at":"2024-02-02T12:00:00"' in kept


def test_a_vendor_that_restates_is_asked_for_everything(
    server: VendorServer, update: Callable[..., Refreshed], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Binance, "restates", True)
    update("BTCUSDT")
    close = load(tmp_path).bars["close"].iloc[-1]
    server.recover()
    server.ail(changed(f'"{close:.8f}"', '"50.0"'))
    update("BTCUSDT", at="2024-02-02T12:00")
    assert asked_for(server) == [("BTCUSDT", "2024-01-01 00:00"), ("BTCUSDT", "2024-01-29 00:00")]


def test_the_same_bytes_without_a_vendor(update: Callable[..., Refreshed], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with BinanceMarket(["BTCUSDT", "ETHUSDT"], since="2024-01-01", now="2024-02-01T12:00").serve() as server:
        monkeypatch.setenv("TOUCHSTONE_BINANCE_URL", server.url)
        update("ETHUSDT", "BTCUSDT")
        before = load(tmp_path)
    n_asked = len(server.asked)
    after = load(tmp_path)
    assert data_hash(after.bars) == data_hash(before.bars)
    assert after.metadata == before.metadata
    assert len(server.asked) == n_asked
    down = update("BTCUSDT")
    assert "the connection failed (ConnectError)" in down.failed["BTCUSDT"]
    assert data_hash(load(tmp_path).bars) == data_hash(before.bars), "an update that failed leaves what was known"


def test_a_symbol_is_kept_whole_or_not_at_all(server: VendorServer, update: Callable[..., Refreshed], tmp_path: Path) -> None:
    server.ail(lambda well, last: well, status(500), status(500))
    assert list(update("BTCUSDT").failed) == ["BTCUSDT"]
    with pytest.raises(SourceError, match=r"no 1d data of any symbol: run `touchstone refresh binance`"):
        load(tmp_path)
    assert update("BTCUSDT").new_rows == {"BTCUSDT": 31}


def test_what_was_never_fetched_is_named(server: VendorServer, update: Callable[..., Refreshed], tmp_path: Path) -> None:
    update("BTCUSDT")
    with pytest.raises(SourceError, match="no 1d data of ETHUSDT, LTCUSDT: run `touchstone refresh binance`"):
        load(tmp_path, symbols=("BTCUSDT", "LTCUSDT", "ETHUSDT"))
    with pytest.raises(SourceError, match="no 5m data"):
        load(tmp_path, timeframe="5m")


def test_it_works_where_a_loop_runs(server: VendorServer, update: Callable[..., Refreshed]) -> None:
    async def notebook() -> Refreshed:
        return update("BTCUSDT")

    assert asyncio.run(notebook()).new_rows == {"BTCUSDT": 31}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"calendar": "XNYS"}, "set data.calendar to '24/7'"),
        ({"options": {"feed": "iex"}}, "got 'feed'"),
        ({"start": "2025-01-01"}, "choose an earlier start"),
    ],
)
def test_what_cannot_be_fetched_is_refused(more: dict[str, Any], said: str, server: VendorServer, update: Callable[..., Refreshed]) -> None:
    with pytest.raises(ConfigError, match=said):
        update("BTCUSDT", **more)
    assert not server.asked


def test_without_symbols_there_is_nothing_to_fetch(update: Callable[..., Refreshed]) -> None:
    with pytest.raises(ConfigError, match="pass --symbol"):
        update()


def test_only_network_sources_are_fetched(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'sample' reads no network"):
        refresh("sample", start="2024-01-01", snapshots=tmp_path, credentials=tmp_path)


def test_payloads_are_named_by_their_hash_and_never_written_twice(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path, "binance")
    digest = store.keep(b"[1]")
    assert digest == hashlib.sha256(b"[1]").hexdigest()
    (path,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    first = path.read_bytes()
    stamp = path.stat().st_mtime_ns
    store.keep(b"[1]")
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (first, stamp)
    assert store.read(digest) == b"[1]"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_changed_byte_of_a_payload_is_found(tmp_path: Path, data: st.DataObject) -> None:
    store = SnapshotStore(tmp_path, "binance")
    digest = store.keep(b'[[1577836800000,"7195.24","7255.00","7175.15","7200.85","16792.38"]]' * 3)
    (path,) = (tmp_path / "binance" / "payloads").rglob("*.gz")
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.integers(1, 255))
    try:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ other]) + whole[place + 1 :])
        with pytest.raises(SourceError, match=path.name):
            store.read(digest)
    finally:
        path.write_bytes(whole)


def _entry(day: int) -> Entry:
    when = pd.Timestamp(2024, 1, day).as_unit("us")
    fetch = Binance().plan(sources.SourceRequest(when, when, ("BTCUSDT",), "24/7"), {"BTCUSDT": when})[0]
    return Entry("BTCUSDT", {"timeframe": "1d"}, when, when, when, (Kept(fetch, "0" * 64, 3),))


def test_a_crash_in_the_middle_of_a_line_leaves_the_index_as_it_was(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path, "binance")
    store.append(_entry(1))
    index = tmp_path / "binance" / "index.jsonl"
    whole = index.read_bytes()
    store.append(_entry(2))
    for cut in (len(whole) + 1, len(index.read_bytes()) - 1):
        index.write_bytes(index.read_bytes()[:cut])
        assert store.entries({"timeframe": "1d"}) == [_entry(1)]
    store.append(_entry(3))
    assert store.entries({"timeframe": "1d"}) == [_entry(1), _entry(3)]


def test_a_changed_line_of_the_index_is_found(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path, "binance")
    store.append(_entry(1))
    index = tmp_path / "binance" / "index.jsonl"
    index.write_text(index.read_text().replace("BTCUSDT", "ETHUSDT", 1))
    with pytest.raises(SourceError, match=r"line 1 of .*index\.jsonl has changed"):
        store.entries({"timeframe": "1d"})


def test_answers_of_another_width_are_kept_apart(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path, "binance")
    store.append(_entry(1))
    assert store.entries({"timeframe": "5m"}) == []
