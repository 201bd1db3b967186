"""Binance's klines read as bars."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from binance_market import BinanceMarket

from touchstone import sources
from touchstone.errors import SourceError
from touchstone.sources import SourceRequest
from touchstone.sources.network import Fetch, Policy, Unusable, refresh
from touchstone.sources.vendors._binance import Binance

# The example of Binance's own documentation of GET /api/v3/klines.
DOCUMENTED = (
    b'[[1499040000000,"0.01634790","0.80000000","0.01575800","0.01577100","148976.11427815",'
    b'1499644799999,"2434.19055334",308,"1756.87402397","28.46694368","0"]]'
)
VALUES = [0.01634790, 0.8, 0.015758, 0.015771, 148976.11427815]


def klines(timeframe: str, start: str, end: str) -> Fetch:
    request = SourceRequest(pd.Timestamp(start), pd.Timestamp(end), ("ETHBTC",), "24/7", timeframe)  # type: ignore[arg-type]
    return Binance().plan(request, {"ETHBTC": pd.Timestamp(start)})[0]


@pytest.mark.parametrize(
    ("timeframe", "stamp"), [("1d", "2017-07-03T00:00"), ("1h", "2017-07-03T01:00"), ("5m", "2017-07-03T00:05"), ("1m", "2017-07-03T00:01")]
)
def test_a_day_is_its_session_and_a_shorter_bar_its_close(timeframe: str, stamp: str) -> None:
    fetch = klines(timeframe, stamp, "2017-07-04")
    assert fetch.query["startTime"] == "1499040000000", "the bar is asked for by its open"
    page = Binance().read(fetch, DOCUMENTED)
    bars = page.tables["bars"]
    assert list(bars.index) == [(pd.Timestamp(stamp), "ETHBTC")]
    assert bars.iloc[0].tolist() == VALUES
    assert page.following is None


def test_the_bar_that_is_not_over_is_dropped() -> None:
    opened = 1499040000000 + 86_400_000
    payload = json.dumps([json.loads(DOCUMENTED)[0], [opened, "1", "1", "1", "1", "1"]]).encode()
    bars = Binance().read(klines("1d", "2017-07-03", "2017-07-03"), payload).tables["bars"]
    assert list(bars.index.get_level_values("date")) == [pd.Timestamp("2017-07-03")]


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b"{}",
        b'{"code":-1,"msg":"busy"}',
        b"[[1]]",
        b'[["a","b"]]',
        b"[[1499040000000,null,1,1,1,1]]",
        b'["x"]',
        b"null",
        b"",
        b"<html>",
    ],
)
def test_what_are_no_klines_is_unusable(payload: bytes) -> None:
    with pytest.raises(Unusable):
        Binance().read(klines("1d", "2017-07-03", "2017-07-04"), payload)


@pytest.mark.parametrize("timeframe", ["1m", "1h"])
def test_long_spans_come_in_pages_without_gap_or_overlap(timeframe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    days = {"1m": 2, "1h": 90}[timeframe]
    now = pd.Timestamp("2024-01-01") + pd.Timedelta(days=days)
    with BinanceMarket(["BTCUSDT"], since="2023-01-01", now=f"{now}").serve() as server:
        monkeypatch.setenv("TOUCHSTONE_BINANCE_URL", server.url)
        done = refresh(
            "binance",
            start="2024-01-01",
            symbols=("BTCUSDT",),
            timeframe=timeframe,  # type: ignore[arg-type]
            calendar="24/7",
            snapshots=tmp_path,
            credentials=tmp_path / "none",
            policy=Policy(requests_per_minute=60_000),
            now=now,
        )
    n_bars = days * {"1m": 1440, "1h": 24}[timeframe]
    assert done.new_rows == {"BTCUSDT": n_bars}
    assert len(server.asked) == 1 + -(-(n_bars - 1) // 999), "a page begins with the last bar of the one before"
    loaded = sources.load("binance", calendar="24/7", timeframe=timeframe, snapshots=str(tmp_path))  # type: ignore[arg-type]
    dates = loaded.bars.index.get_level_values("date")
    width = pd.Timedelta(timeframe)
    assert dates.equals(pd.date_range(pd.Timestamp("2024-01-01") + width, now, freq=width, unit="us"))
    assert done.revisions.empty


def test_the_quote_asset_is_the_currency(tmp_path: Path) -> None:
    fetch = Fetch("assets", "ETHBTC", "/api/v3/exchangeInfo", {"symbol": "ETHBTC"}, pd.Timestamp("2017-07-03"), pd.Timestamp("2017-07-03"))
    payload = b'{"symbols":[{"symbol":"ETHBTC","status":"TRADING","baseAsset":"ETH","quoteAsset":"BTC"}]}'
    assets = Binance().read(fetch, payload).tables["assets"]
    assert assets.to_dict("records") == [
        {"symbol": "ETHBTC", "name": "ETH/BTC", "exchange": "Binance", "calendar": "24/7", "currency": "BTC", "asset_class": "crypto"}
    ]


def test_other_refusals_name_the_symbol() -> None:
    with pytest.raises(SourceError, match="answers 418 for 'ETHBTC'"):
        Binance().refused(klines("1d", "2017-07-03", "2017-07-04"), 418, b"{}")
