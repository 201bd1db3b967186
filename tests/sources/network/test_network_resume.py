"""A history that breaks off goes on from what landed; an earlier start asks for the earlier part; nothing unneeded stays."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from binance_market import BinanceMarket, milliseconds
from vendor_server import Answer, VendorServer, changed, html, status

from touchstone import sources
from touchstone.errors import SourceError
from touchstone.lineage import data_hash
from touchstone.sources.network import Fetch, Page, Policy, Refreshed, refresh
from touchstone.sources.network._snapshots import Entry
from touchstone.sources.network._span import Piece, missing
from touchstone.sources.vendors._binance import Binance

POLICY = Policy(requests_per_minute=60_000, timeout_s=2.0, attempts=1, backoff_s=0.001, backoff_max_s=0.01, overlap=3)
START, NOW = "2017-01-01", "2024-03-01T12:00"
N_BARS = 2616  # sessions from START to the day before NOW: three pages


@pytest.fixture(scope="module")
def market() -> BinanceMarket:
    return BinanceMarket(["BTCUSDT", "ETHUSDT"], since="2012-01-01", now=NOW)


@pytest.fixture
def update(tmp_path: Path, market: BinanceMarket, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Refreshed]:
    def bring(*symbols: str, at: str = NOW, folder: str = "kept", **more: Any) -> Refreshed:
        monkeypatch.setattr(market, "now", milliseconds(at))
        asked = {"start": START, "calendar": "24/7", "policy": POLICY, **more}
        return refresh(
            "binance", symbols=symbols, now=pd.Timestamp(at), snapshots=tmp_path / folder, credentials=tmp_path / "none.yml", **asked
        )

    return bring


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[str, bytes]]:
    """How often each payload of a symbol was parsed."""
    counts: Counter[tuple[str, bytes]] = Counter()
    read = Binance.read

    def counted(self: Binance, fetch: Fetch, payload: bytes) -> Page:
        counts[fetch.symbol, payload] += 1
        return read(self, fetch, payload)

    monkeypatch.setattr(Binance, "read", counted)
    return counts


def load(folder: Path, **more: Any) -> Any:
    return sources.load("binance", calendar="24/7", snapshots=str(folder), **more)


def firsts(server: VendorServer) -> list[str]:
    """First bars of the klines that were asked for."""
    return [f"{pd.Timestamp(int(a.query['startTime']), unit='ms'):%Y-%m-%d}" for a in server.asked if "startTime" in a.query]


def well(answer: Answer, _: Answer | None) -> Answer:
    return answer


def payloads(folder: Path) -> set[str]:
    return {path.stem for path in (folder / "binance" / "payloads").rglob("*.gz")}


def named(folder: Path, file: str = "index.jsonl") -> set[str]:
    text = (folder / "binance" / file).read_text()
    return {part[:64] for part in text.split('"sha256":"')[1:]}


def test_what_landed_is_not_asked_for_again(server: VendorServer, update: Callable[..., Refreshed], tmp_path: Path) -> None:
    server.ail(well, well, well, status(500))
    assert list(update("BTCUSDT").failed) == ["BTCUSDT"]
    asked_before = firsts(server)
    with pytest.raises(SourceError, match="no 1d data of any symbol"):
        load(tmp_path / "kept")
    server.recover()
    assert update("BTCUSDT").new_rows == {"BTCUSDT": N_BARS}
    assert [a.path for a in server.asked] == ["/api/v3/klines"], "the last page alone"
    assert firsts(server)[0] == asked_before[-1]
    assert not (tmp_path / "kept" / "binance" / "progress.jsonl").exists()
    server.recover()
    update("BTCUSDT", folder="at once")
    assert data_hash(load(tmp_path / "kept").bars) == data_hash(load(tmp_path / "at once").bars)


def test_days_later_the_old_end_is_reached_first_and_then_the_new_one(
    server: VendorServer, update: Callable[..., Refreshed], tmp_path: Path
) -> None:
    server.ail(well, well, well, status(500))
    update("BTCUSDT")
    server.recover()
    assert update("BTCUSDT", at="2024-03-04T12:00").new_rows == {"BTCUSDT": N_BARS + 3}
    assert firsts(server)[1:] == ["2024-02-27"], "the last three bars of the history that broke off, and on"
    server.recover()
    update("BTCUSDT", at="2024-03-04T12:00", folder="at once")
    assert data_hash(load(tmp_path / "kept").bars) == data_hash(load(tmp_path / "at once").bars)


def test_a_half_fetched_update_leaves_what_was_known(server: VendorServer, update: Callable[..., Refreshed], tmp_path: Path) -> None:
    update("BTCUSDT", at="2020-01-01T12:00")
    before = data_hash(load(tmp_path / "kept").bars)
    server.ail(well, status(500))
    assert update("BTCUSDT").failed
    assert data_hash(load(tmp_path / "kept").bars) == before
    server.recover()
    done = update("BTCUSDT")
    assert done.new_rows == {"BTCUSDT": 1521}, "a gap longer than a page"
    assert len(server.asked) == 1
    assert done.revisions.empty


def test_a_mark_that_the_vendor_refuses_is_given_up(server: VendorServer, update: Callable[..., Refreshed], tmp_path: Path) -> None:
    server.ail(well, well, well, status(500))
    update("BTCUSDT")
    server.ail(status(400))
    assert update("BTCUSDT").failed
    server.recover()
    assert update("BTCUSDT").new_rows == {"BTCUSDT": N_BARS}
    assert len(server.asked) == 4, "from the beginning"


def test_a_vendor_that_restates_begins_anew(
    server: VendorServer, update: Callable[..., Refreshed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Binance, "restates", True)
    server.ail(well, well, well, status(500))
    update("BTCUSDT")
    server.recover()
    update("BTCUSDT")
    assert firsts(server)[0] == START


def test_an_earlier_start_asks_for_the_earlier_part_alone(server: VendorServer, update: Callable[..., Refreshed], tmp_path: Path) -> None:
    update("BTCUSDT")
    server.recover()
    assert update("BTCUSDT", start="2016-12-20").new_rows == {"BTCUSDT": 12}
    spans = [(a.query["startTime"], a.query["endTime"]) for a in server.asked if "startTime" in a.query]
    assert spans[0] == (str(milliseconds("2016-12-20")), str(milliseconds(START)))
    assert firsts(server)[1:] == ["2024-02-27"]
    server.recover()
    update("BTCUSDT", start="2016-12-20", folder="at once")
    kept, at_once = (load(tmp_path / folder, start="2016-12-20") for folder in ("kept", "at once"))
    assert data_hash(kept.bars) == data_hash(at_once.bars)


def test_a_symbol_listed_after_the_earlier_start_is_no_empty_page(
    server: VendorServer, market: BinanceMarket, update: Callable[..., Refreshed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(market.since, "ETHUSDT", milliseconds("2023-06-01"))
    assert update("BTCUSDT", "ETHUSDT", "ETHUSDT").new_rows == {"BTCUSDT": N_BARS, "ETHUSDT": 274}
    done = update("BTCUSDT", "ETHUSDT", start="2016-01-01")
    assert not done.failed
    assert done.new_rows == {"BTCUSDT": 366, "ETHUSDT": 0}


def test_a_hole_is_refused_and_filled(server: VendorServer, update: Callable[..., Refreshed], tmp_path: Path) -> None:
    update("BTCUSDT", start="2024-01-01", end="2024-01-10")
    update("BTCUSDT", start="2024-02-01")
    with pytest.raises(SourceError, match=r"between 2024-01-10 and 2024-02-01: run .*--symbol BTCUSDT --start 2024-01-10"):
        load(tmp_path / "kept", start="2024-01-05")
    assert len(load(tmp_path / "kept", start="2024-02-01").bars) == 29
    assert len(load(tmp_path / "kept", start="2024-01-05", end="2024-01-10").bars) == 6
    server.recover()
    assert update("BTCUSDT", start="2024-01-01").new_rows == {"BTCUSDT": 21}
    assert firsts(server) == ["2024-01-08", "2024-02-27"]
    assert len(load(tmp_path / "kept", start="2024-01-01").bars) == 60


def test_a_line_that_is_gone_from_the_index_is_a_hole(update: Callable[..., Refreshed], server: VendorServer, tmp_path: Path) -> None:
    for at in ("2024-01-10T12:00", "2024-02-10T12:00", NOW):
        update("BTCUSDT", start="2024-01-01", at=at)
    index = tmp_path / "kept" / "binance" / "index.jsonl"
    first, _, last = index.read_text().splitlines(keepends=True)
    index.write_text(first + last)
    with pytest.raises(SourceError, match="without a hole"):
        load(tmp_path / "kept", start="2024-01-01")


def test_each_payload_is_parsed_once(server: VendorServer, update: Callable[..., Refreshed], parsed: Counter[tuple[str, bytes]]) -> None:
    update("BTCUSDT")
    assert set(parsed.values()) == {1}
    assert len(parsed) == 4
    parsed.clear()
    update("BTCUSDT", "ETHUSDT", at="2024-03-04T12:00")
    assert set(parsed.values()) == {1}


def test_exactly_a_page_is_one_page(server: VendorServer, update: Callable[..., Refreshed], tmp_path: Path) -> None:
    for n_bars, n_pages in ((999, 1), (1000, 1), (1001, 2)):
        server.recover()
        start = f"{pd.Timestamp('2024-03-01') - pd.Timedelta(days=n_bars):%Y-%m-%d}"
        assert update("BTCUSDT", start=start, folder=str(n_bars)).new_rows == {"BTCUSDT": n_bars}
        assert len(firsts(server)) == n_pages


def test_what_nothing_names_is_removed_after_an_update_that_went_well(
    server: VendorServer, update: Callable[..., Refreshed], tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    server.ail(well, well, html())
    update("BTCUSDT")
    store = folder / "binance" / "payloads" / "ab"
    store.mkdir(exist_ok=True)
    left = [store / f"ab{'0' * 62}.gz", store / f".ab{'0' * 62}.gz.17", store / "a person's note.txt"]
    for path in left:
        path.write_bytes(b"?")
    update("BTCUSDT", "NOPE")
    assert left[0].exists(), "nothing is removed while a symbol fails"
    update("BTCUSDT")
    assert [path.exists() for path in left] == [False, False, True]
    assert payloads(folder) == named(folder) | named(folder, "rejected.jsonl")
    assert len(load(folder).bars) == N_BARS


def test_pages_that_wait_survive_the_update_of_another_symbol(
    server: VendorServer, update: Callable[..., Refreshed], tmp_path: Path
) -> None:
    server.ail(well, well, well, status(500))
    update("BTCUSDT")
    waiting = named(tmp_path / "kept", "progress.jsonl")
    server.recover()
    assert not update("ETHUSDT").failed
    assert waiting <= payloads(tmp_path / "kept")
    server.recover()
    assert update("BTCUSDT").new_rows == {"BTCUSDT": N_BARS}
    assert len(server.asked) == 1


def test_a_changed_line_of_the_progress_is_found(server: VendorServer, update: Callable[..., Refreshed], tmp_path: Path) -> None:
    server.ail(well, well, well, status(500))
    update("BTCUSDT")
    progress = tmp_path / "kept" / "binance" / "progress.jsonl"
    progress.write_text(progress.read_text().replace("BTCUSDT", "ETHUSDT", 1))
    with pytest.raises(SourceError, match=r"line 1 of .*progress\.jsonl has changed: remove it"):
        update("BTCUSDT")


def test_two_refreshes_at_once_take_turns(server: VendorServer, update: Callable[..., Refreshed], tmp_path: Path) -> None:
    done: list[Refreshed] = []
    threads = [threading.Thread(target=lambda: done.append(update("BTCUSDT"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(brought.new_rows["BTCUSDT"] for brought in done) == [0, N_BARS]
    assert len(load(tmp_path / "kept").bars) == N_BARS


def test_restated_prices_replace_the_past_as_a_whole(
    server: VendorServer, update: Callable[..., Refreshed], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a split a vendor divides all prices; one row of the past it has no more, and the update asks for a later start."""
    monkeypatch.setattr(Binance, "restates", True)
    at = "2024-02-10T12:00"
    update("BTCUSDT", start="2024-01-01", at=at)
    before = load(tmp_path / "kept").bars["close"]
    read = Binance.read

    def halved(self: Binance, fetch: Fetch, payload: bytes) -> Page:
        page = read(self, fetch, payload)
        bars = page.tables.get("bars")
        if bars is None or fetch.end <= pd.Timestamp("2024-02-10"):
            return page
        dates = bars.index.get_level_values("date")
        return replace(page, tables={"bars": bars[dates != pd.Timestamp("2024-01-15")] / 2})

    monkeypatch.setattr(Binance, "read", halved)
    server.recover()
    update("BTCUSDT", start="2024-02-01")
    assert firsts(server)[-1] == "2024-01-01", "all that was ever asked for, not only what is asked for now"
    after = load(tmp_path / "kept", start="2024-01-01").bars["close"]
    assert pd.Timestamp("2024-01-15") not in after.index.get_level_values("date"), "an old price beside halved ones would be a leap"
    common = before.index.intersection(after.index)
    assert len(common) == len(before) - 1
    assert (after.loc[common] == before.loc[common] / 2).all()


def test_revisions_of_other_symbols_and_widths_stay_on_record(
    server: VendorServer, update: Callable[..., Refreshed], tmp_path: Path
) -> None:
    revised = {}
    for symbol, timeframe, bar in (("BTCUSDT", "1d", "2024-02-29"), ("ETHUSDT", "1h", "2024-03-01 11:00")):
        start = {"1d": "2024-02-20", "1h": "2024-03-01"}[timeframe]
        update(symbol, start=start, timeframe=timeframe)
        close = load(tmp_path / "kept", symbols=(symbol,), timeframe=timeframe).bars["close"].loc[pd.Timestamp(bar), symbol]
        server.ail(changed(f'"{close:.8f}"', f'"{close:.7f}1"'))
        revised[symbol] = len(update(symbol, start=start, timeframe=timeframe).revisions)
    assert revised == {"BTCUSDT": 1, "ETHUSDT": 1}
    kept = (tmp_path / "kept" / "binance" / "revisions.jsonl").read_text()
    assert kept.count("\n") == 2
    assert '"timeframe":"1d"' in kept
    assert '"timeframe":"1h"' in kept


def _entry(start: str, end: str) -> Entry:
    since, until = pd.Timestamp(start), pd.Timestamp(end)
    return Entry("X", {}, since, until, until)


def test_pieces_meet_and_hold_a_known_bar() -> None:
    day = pd.Timestamp
    dates = pd.DatetimeIndex([*pd.date_range("2024-01-05", "2024-01-09"), *pd.date_range("2024-01-20", "2024-01-25")])
    entries = [_entry("2024-01-03", "2024-01-09"), _entry("2024-01-20", "2024-01-25")]
    found = missing(entries, dates, start=day("2024-01-01"), end=day("2024-01-31"), overlap=2)
    assert found == [
        Piece(day("2024-01-01"), day("2024-01-05")),
        Piece(day("2024-01-01"), day("2024-01-20"), day("2024-01-08")),
        Piece(day("2024-01-01"), day("2024-01-31"), day("2024-01-24")),
    ]
    assert missing([], dates[:0], start=day("2024-01-01"), end=day("2024-01-31"), overlap=2) == [
        Piece(day("2024-01-01"), day("2024-01-31"))
    ]


def test_an_earlier_span_of_restated_prices_costs_none_of_the_later_ones(
    server: VendorServer, update: Callable[..., Refreshed], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Binance, "restates", True)
    update("BTCUSDT", start="2024-02-01")
    update("BTCUSDT", start="2023-12-01", end="2023-12-31")
    assert len(load(tmp_path / "kept", start="2023-12-01").bars) == 91
