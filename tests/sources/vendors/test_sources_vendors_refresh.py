"""The four vendors over real HTTP on loopback: healthy, sick in every way, and what a second run makes of what was kept."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from vendor_markets import ANSWERS, FIRST, KEYS, LAST, NOW, PRICES, price_rows
from vendor_payloads import yahoo_chart
from vendor_server import Sickness, VendorServer, changed, cut_off, html, slow, status, truncated

from touchstone import sources
from touchstone.errors import ConfigError, SourceError
from touchstone.lineage import data_hash
from touchstone.market import bar_times
from touchstone.sources.network import Policy, Refreshed, refresh

POLICY = Policy(requests_per_minute=60_000, timeout_s=0.4, attempts=3, backoff_s=0.002, backoff_max_s=0.01)
SICK: dict[str, Callable[[], Sickness]] = {
    "429": lambda: status(429, retry_after="0"),
    "500": lambda: status(500),
    "time-out": lambda: slow(0.6),
    "truncated": truncated,
    "connection cut": cut_off,
    "HTML": html,
    "empty": lambda: lambda well, last: type(well)(b""),
}
ADJUSTMENTS = {"yahoo": "none", "alpaca": "none", "finnhub": "split", "stooq": "total_return"}


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, VendorServer]]:
    running = {name: VendorServer(answers).start() for name, answers in ANSWERS.items()}
    yield running
    for server in running.values():
        server.stop()


@pytest.fixture(params=sorted(ANSWERS))
def vendor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(vendor: str, servers: dict[str, VendorServer], monkeypatch: pytest.MonkeyPatch) -> VendorServer:
    monkeypatch.setenv(f"TOUCHSTONE_{vendor.upper()}_URL", servers[vendor].url)
    for name, key in KEYS.items():
        monkeypatch.setenv(name, key)
    servers[vendor].asked.clear()
    return servers[vendor]


@pytest.fixture
def update(vendor: str, server: VendorServer, tmp_path: Path) -> Callable[..., Refreshed]:
    def bring(*symbols: str, folder: str = "snapshots", **more: Any) -> Refreshed:
        asked = {"start": FIRST, "end": LAST, "policy": POLICY, "now": NOW, **more}
        return refresh(vendor, symbols=symbols, snapshots=tmp_path / folder, credentials=tmp_path / "none.yml", **asked)

    return bring


@pytest.fixture
def read(vendor: str, tmp_path: Path) -> Callable[..., Any]:
    return lambda folder="snapshots", **more: sources.load(vendor, snapshots=str(tmp_path / folder), **more)


def test_a_healthy_vendor_gives_the_market_as_it_is(vendor: str, update: Callable[..., Refreshed], read: Callable[..., Any]) -> None:
    brought = update("AAPL", "MSFT")
    assert not brought.failed
    assert brought.revisions.empty
    loaded = read()
    for symbol in ("AAPL", "MSFT"):
        rows = price_rows(symbol)
        bars = loaded.bars.xs(symbol, level="symbol")
        assert [f"{day:%Y-%m-%d}" for day in bars.index] == [row[0] for row in rows]
        assert bars[["open", "high", "low", "close", "volume"]].to_numpy().tolist() == [list(map(float, row[1:6])) for row in rows]
    assert loaded.metadata.adjustment == ADJUSTMENTS[vendor]
    assert loaded.metadata.currency == "USD"
    assert loaded.actions["value"].tolist() == ([0.24, 0.24] if vendor in ("alpaca", "finnhub") else [])


def test_a_second_run_needs_no_network_and_an_update_asks_for_little(
    vendor: str, server: VendorServer, update: Callable[..., Refreshed], read: Callable[..., Any]
) -> None:
    update("AAPL", end="2024-02-15")
    whole = len(server.asked)
    first = data_hash(read().bars)
    assert len(server.asked) == whole
    again = update("AAPL")
    assert again.new_rows == {"AAPL": 9}
    assert again.revisions.empty
    assert data_hash(read(end="2024-02-15").bars) == first
    update("AAPL", folder="at once")
    assert data_hash(read().bars) == data_hash(read("at once").bars)


def test_one_sickness_after_another_and_then_the_same_bytes(
    server: VendorServer, update: Callable[..., Refreshed], read: Callable[..., Any]
) -> None:
    update("AAPL", folder="well")
    n_well = len(server.asked)
    server.ail(*(sickness() for sickness in SICK.values()))
    assert not update("AAPL", policy=replace(POLICY, attempts=len(SICK) + 1, breaker_failures=len(SICK) + 1)).failed
    assert len(server.asked) == 2 * n_well + len(SICK)
    assert data_hash(read().bars) == data_hash(read("well").bars)


def test_sick_for_good_keeps_what_came_before_and_says_why(
    vendor: str, server: VendorServer, update: Callable[..., Refreshed], read: Callable[..., Any]
) -> None:
    update("AAPL", end="2024-02-15")
    before = data_hash(read().bars)
    server.ail_always(html())
    failed = update("AAPL").failed
    server.ail_always(None)
    assert "3 tries" in failed["AAPL"]
    assert f"touchstone refresh {vendor}" in failed["AAPL"]
    assert data_hash(read().bars) == before


def test_a_symbol_that_does_not_exist_is_named_and_the_others_land(update: Callable[..., Refreshed], read: Callable[..., Any]) -> None:
    brought = update("AAPL", "NOSUCH")
    assert list(brought.failed) == ["NOSUCH"]
    assert "NOSUCH" in brought.failed["NOSUCH"]
    assert set(read().bars.index.get_level_values("symbol")) == {"AAPL"}
    with pytest.raises(SourceError, match="NOSUCH"):
        read(symbols=["NOSUCH"])


def test_a_changed_last_digit_is_a_revision(
    vendor: str, server: VendorServer, update: Callable[..., Refreshed], read: Callable[..., Any]
) -> None:
    update("AAPL")
    close = price_rows("AAPL")[-1][4]
    now_said = round(close + 0.01, 2)
    # Changed in every answer that holds it, as a vendor that corrected itself would give it.
    wording = {"stooq": ",{},", "alpaca": '"c": {}', "yahoo": "{}]", "finnhub": "{}, "}[vendor]
    key = wording.format(close), wording.format(now_said)
    server.ail_always(_where(key))
    revised = update("AAPL").revisions
    server.ail_always(None)
    assert revised[["symbol", "field", "before", "after"]].to_numpy().tolist() == [["AAPL", "close", close, now_said]]
    assert read().bars["close"].iloc[-1] == now_said
    assert any("changed 1 value" in caveat for caveat in read().metadata.caveats)


def _where(key: tuple[str, str]) -> Sickness:
    """Change the value in the answers that hold it."""
    return lambda well, last: changed(*key)(well, last) if key[0].encode() in well.body else well


def test_keys_travel_and_are_never_seen(
    vendor: str, server: VendorServer, update: Callable[..., Refreshed], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    update("AAPL")
    server.ail_always(status(403))
    told = str(update("AAPL", end="2024-02-28", folder="refused").failed)
    server.ail_always(None)
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()).decode("latin-1")
    assert "403" in told
    assert ("paid plan" in told) == (vendor == "finnhub")
    assert not [text for text in (told, kept, caplog.text) if "NEVERSHOWN" in text]
    sent = server.asked[0]
    places = {
        "alpaca": sent.headers.get("apca-api-key-id"),
        "finnhub": sent.headers.get("x-finnhub-token"),
        "stooq": sent.query.get("apikey"),
        "yahoo": sent.headers["user-agent"],
    }
    assert "NEVERSHOWN" in str(places[vendor]) or "Mozilla" in str(places[vendor])


def test_a_missing_key_is_named_before_anything_is_asked(
    vendor: str, server: VendorServer, update: Callable[..., Refreshed], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in KEYS:
        monkeypatch.delenv(name)
    if vendor == "yahoo":
        assert not update("AAPL").failed
        return
    with pytest.raises(ConfigError, match="_KEY"):
        update("AAPL")
    assert not server.asked


def test_the_last_bar_is_one_that_is_over(update: Callable[..., Refreshed], read: Callable[..., Any]) -> None:
    # On Friday March 1 at noon UTC the exchange has not opened; the vendor would give a bar of that day if asked.
    update("AAPL", end=None, now=pd.Timestamp("2024-03-01T12:00"))
    assert read().bars.index.get_level_values("date").max() == pd.Timestamp("2024-02-29")


@pytest.mark.parametrize("vendor", ["finnhub"])
def test_answers_with_and_without_actions_are_kept_apart(update: Callable[..., Refreshed], read: Callable[..., Any]) -> None:
    update("AAPL", end="2024-02-15")
    update("AAPL", options={"actions": False})
    bare, whole = read(actions=False), read(actions=True)
    assert bare.actions.empty
    assert "Splits and dividends were not asked for." in bare.metadata.caveats
    assert len(whole.actions) == 1
    assert whole.bars.index.get_level_values("date").max() == pd.Timestamp("2024-02-15"), "an update without actions is not one of these"


@pytest.mark.parametrize("vendor", ["stooq", "finnhub"])
def test_a_restatement_reaches_back_to_the_first_bar_known(
    vendor: str, server: VendorServer, update: Callable[..., Refreshed], read: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    update("AAPL", end="2024-02-15")
    before = read().bars["close"]
    monkeypatch.setitem(PRICES, "AAPL", PRICES["AAPL"] - 100.0)
    server.asked.clear()
    update("AAPL", start="2024-02-05")
    after = read(start=FIRST).bars["close"]
    assert (before - after.loc[before.index]).round(6).eq(100.0).all()
    assert len(after) == len(price_rows("AAPL"))


def test_what_yahoo_has_forgotten_is_not_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A split changes intraday prices as a whole; Yahoo keeps 60 days, and prices older than that would stand on another footing."""
    factor, charts = 1.0, []

    def chart(query: dict[str, str]) -> Any:
        charts.append(query["period1"])
        first, last = (pd.Timestamp(int(query[name]), unit="s") for name in ("period1", "period2"))
        opens = bar_times("XNYS", "2024-01-02", "2024-06-28", "15m") - pd.Timedelta("15min")
        inside = opens[(opens >= first) & (opens < last)]
        rows = [(f"{time}", *[factor * price for price in (10.0, 12.0, 8.0, 11.0)], 100) for time in inside]
        return yahoo_chart("AAPL", rows, meta={"dataGranularity": "15m"})

    with VendorServer({"/v8/finance/chart/{symbol}": chart}) as server:
        monkeypatch.setenv("TOUCHSTONE_YAHOO_URL", server.url)

        def bring(now: str) -> Refreshed:
            asked = {"start": "2024-01-02", "timeframe": "15m", "policy": POLICY, "now": pd.Timestamp(now)}
            return refresh("yahoo", symbols=("AAPL",), snapshots=tmp_path, credentials=tmp_path / "none", **asked)

        assert not bring("2024-02-20T22:00").failed
        assert not bring("2024-04-01T22:00").failed
        factor = 0.5
        done = bring("2024-05-20T22:00")
        assert not done.failed
        assert pd.Timestamp(int(charts[-1]), unit="s") == pd.Timestamp("2024-03-22")
        assert not bring("2024-05-21T22:00").failed
        assert pd.Timestamp(int(charts[-1]), unit="s") > pd.Timestamp("2024-05-01")
    bars = sources.load("yahoo", snapshots=str(tmp_path), timeframe="15m").bars
    assert set(bars["close"]) == {5.5}
    with pytest.raises(SourceError, match=r"only from 2024-03-22 on.*or set data.start to 2024-03-22"):
        sources.load("yahoo", snapshots=str(tmp_path), timeframe="15m", start="2024-01-02")
