"""A vendor that is not well: what is asked again, what is given up, and what a user is told."""

from __future__ import annotations

import asyncio
import datetime as dt
import email.utils
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from binance_market import BinanceMarket, milliseconds
from prometheus_client import REGISTRY
from vendor_server import Sickness, VendorServer, cut_off, empty, html, repeated, slow, status, truncated

from touchstone import sources
from touchstone.errors import SourceError
from touchstone.lineage import data_hash
from touchstone.sources.network import Fetch, Policy, Refreshed, Unusable, refresh, vendor_of
from touchstone.sources.network._client import Client
from touchstone.sources.network._credentials import Keys

# As the vendors' own, in milliseconds where those count seconds; four failures open the circuit.
POLICY = Policy(
    requests_per_minute=60_000, timeout_s=0.4, attempts=3, backoff_s=0.002, backoff_max_s=0.01, breaker_failures=4, breaker_reset_s=0.3
)
START, NOW = "2021-05-12", pd.Timestamp("2024-03-01T12:00")


MARKET = BinanceMarket(["BTCUSDT", "ETHUSDT"], since="2020-01-01", now="2024-03-01T12:00")
N_BARS = 1024  # two pages


@pytest.fixture(scope="module")
def market() -> BinanceMarket:
    return MARKET


@pytest.fixture(scope="module")
def well(served: VendorServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a vendor that is well gives, by content."""
    folder = tmp_path_factory.mktemp("well")
    served.recover()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOUCHSTONE_BINANCE_URL", served.url)
        refresh("binance", start=START, symbols=("BTCUSDT",), calendar="24/7", snapshots=folder, credentials=folder, now=NOW)
    return content(folder)


@pytest.fixture
def update(tmp_path: Path) -> Callable[..., Refreshed]:
    def bring(*symbols: str, **more: Any) -> Refreshed:
        asked = {"start": START, "calendar": "24/7", "policy": POLICY, "now": NOW, "snapshots": tmp_path / "snapshots", **more}
        return refresh("binance", symbols=symbols, credentials=tmp_path / "none.yml", **asked)

    return bring


def content(folder: Path) -> str:
    loaded = sources.load("binance", calendar="24/7", snapshots=str(folder))
    return data_hash(loaded.bars)


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, {"source": "binance", **labels}) or 0.0


def in_a_moment() -> str:
    return email.utils.format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=0.3), usegmt=True)


SICK: dict[str, Callable[[], Sickness]] = {
    "429 with seconds": lambda: status(429, retry_after="0"),
    "429 with a date": lambda: status(429, retry_after=in_a_moment()),
    "429 without a word": lambda: status(429),
    "500": lambda: status(500),
    "time-out": lambda: slow(0.6),
    "truncated JSON": truncated,
    "connection cut": cut_off,
    "HTML": html,
    "empty page": empty,
    "duplicated page": repeated,
}


@pytest.mark.parametrize("name", SICK)
def test_sick_once_gives_the_same_bytes(
    name: str, server: VendorServer, well: str, update: Callable[..., Refreshed], tmp_path: Path
) -> None:
    retries = sample("touchstone_source_retries_total")
    # The third request is the second page of klines: there is a page before it to repeat, and one after none.
    server.ail(lambda well, last: well, lambda well, last: well, SICK[name]())
    done = update("BTCUSDT")
    assert not done.failed
    assert len(server.asked) == 4, "what the symbol is and two pages of klines, one of which was asked for twice"
    assert sample("touchstone_source_retries_total") == retries + 1
    assert content(tmp_path / "snapshots") == well


@pytest.mark.parametrize("name", sorted({*SICK} - {"duplicated page"}))
def test_sick_for_good_is_told_by_symbol(name: str, server: VendorServer, update: Callable[..., Refreshed], tmp_path: Path) -> None:
    def only_btc(well: Any, last: Any) -> Any:
        return SICK[name]()(well, last) if server.asked[-1].query["symbol"] == "BTCUSDT" else well

    server.ail_always(only_btc)
    done = update("BTCUSDT", "ETHUSDT", policy=replace(POLICY, connections=1))
    assert list(done.failed) == ["BTCUSDT"]
    assert "'BTCUSDT'" in done.failed["BTCUSDT"]
    assert "Run `touchstone refresh binance` again later" in done.failed["BTCUSDT"]
    assert done.new_rows == {"ETHUSDT": N_BARS}
    loaded = sources.load("binance", calendar="24/7", snapshots=str(tmp_path / "snapshots"))
    assert set(loaded.bars.index.get_level_values("symbol")) == {"ETHUSDT"}


def test_pages_that_repeat_for_good_end(server: VendorServer, update: Callable[..., Refreshed]) -> None:
    first_page = str(milliseconds(START))

    def stuck(well: Any, last: Any) -> Any:
        query = server.asked[-1].query
        return replace(well, body=json.dumps(MARKET.klines({**query, "startTime": first_page})).encode()) if "startTime" in query else well

    server.ail_always(stuck)
    done = update("BTCUSDT")
    assert "from before those asked for" in done.failed["BTCUSDT"]
    assert len(server.asked) == 2 + POLICY.attempts


def test_too_many_pages_are_refused(server: VendorServer, update: Callable[..., Refreshed]) -> None:
    done = update("BTCUSDT", policy=replace(POLICY, max_pages=1))
    assert "at most 1" in done.failed["BTCUSDT"]
    assert "must come to an end" in done.failed["BTCUSDT"]


@pytest.mark.parametrize("code", [401, 403, 404, 400, 302])
def test_a_clear_no_is_not_asked_again(code: int, server: VendorServer, update: Callable[..., Refreshed]) -> None:
    server.ail(status(code))
    done = update("BTCUSDT")
    assert len(server.asked) == 1
    assert str(code) in done.failed["BTCUSDT"]
    assert "check" in done.failed["BTCUSDT"]


def test_a_symbol_that_does_not_exist_is_named_and_the_others_land(server: VendorServer, update: Callable[..., Refreshed]) -> None:
    done = update("ETHUSDT", "NOPE")
    assert done.failed == {"NOPE": "Binance must trade the symbol, but has no 'NOPE': write it like BTCUSDT."}
    assert done.new_rows == {"ETHUSDT": N_BARS}


def test_retry_after_is_waited_for_by_every_request(server: VendorServer, update: Callable[..., Refreshed]) -> None:
    server.ail(status(429, retry_after="1"))
    assert not update("BTCUSDT", "ETHUSDT", policy=replace(POLICY, connections=1)).failed
    first, *others = [asked.at for asked in server.asked]
    assert min(others) - first >= 1.0


def test_being_shut_out_is_no_answer_about_the_symbol(server: VendorServer, update: Callable[..., Refreshed]) -> None:
    server.ail(status(418, retry_after="180"))
    told = update("BTCUSDT").failed["BTCUSDT"]
    assert "asks to be left alone for 180 s" in told
    assert "check the name" not in told


def test_a_pause_beyond_the_limit_is_not_waited_for(server: VendorServer, update: Callable[..., Refreshed]) -> None:
    server.ail(status(429, retry_after="3600"))
    started = time.monotonic()
    done = update("BTCUSDT")
    assert "3600 s" in done.failed["BTCUSDT"]
    assert "120 s" in done.failed["BTCUSDT"]
    assert time.monotonic() - started < 5.0


def _fetch() -> Fetch:
    query = {"symbol": "BTCUSDT", "interval": "1d", "startTime": "1577836800000", "endTime": "1577836800000"}
    return Fetch("bars", "BTCUSDT", "/api/v3/klines", query, pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-01"))


async def _ask(client: Client, n: int = 1) -> list[str]:
    """Outcome of n requests at once: 'well' or the error's sentence."""

    async def one() -> str:
        try:
            await client.get(_fetch(), lambda fetch, payload: None)
        except SourceError as problem:
            return str(problem)
        return "well"

    return list(await asyncio.gather(*(one() for _ in range(n))))


def test_the_circuit_opens_half_opens_and_closes(server: VendorServer) -> None:
    def state() -> float:
        return sample("touchstone_source_circuit_state")

    async def story() -> None:
        vendor = vendor_of("binance")
        async with Client(vendor, Keys({}), address=server.url, policy=POLICY) as client:
            assert state() == 0.0
            server.ail_always(status(500))
            await _ask(client, 2)
            assert state() == 2.0
            n_asked = len(server.asked)
            assert "left alone for 0.3 s" in (await _ask(client))[0]
            assert len(server.asked) == n_asked, "an open circuit lets nothing through"

            await asyncio.sleep(0.35)
            server.ail_always(_watch(seen := [], slow(0.05), state))
            server.most_under_way = 0
            assert await _ask(client, 3) == ["well"] * 3
            assert seen == [1.0, 0.0, 0.0], "half open while the first request finds out, closed for the others"
            assert server.asked[n_asked].path == "/api/v3/klines"
            assert state() == 0.0

            server.ail_always(status(500))
            await _ask(client, 2)
            await asyncio.sleep(0.35)
            n_asked = len(server.asked)
            told = await _ask(client, 3)
            assert all("left alone" in sentence for sentence in told)
            assert len(server.asked) == n_asked + 1, "one request finds out that it is still sick, and opens the circuit again"
            assert state() == 2.0

    asyncio.run(story())


def _watch(seen: list[float], sickness: Sickness, state: Callable[[], float]) -> Sickness:
    def answer(well: Any, last: Any) -> Any:
        seen.append(state())
        return sickness(well, last)

    return answer


def test_429_does_not_open_the_circuit(server: VendorServer) -> None:
    async def story() -> None:
        async with Client(vendor_of("binance"), Keys({}), address=server.url, policy=POLICY) as client:
            server.ail_always(status(429, retry_after="0"))
            for _ in range(3):
                assert "fewer requests" in (await _ask(client))[0]
            assert sample("touchstone_source_circuit_state") == 0.0

    asyncio.run(story())


def test_connections_are_pooled_and_bounded(server: VendorServer) -> None:
    async def story() -> None:
        async with Client(vendor_of("binance"), Keys({}), address=server.url, policy=replace(POLICY, connections=3)) as client:
            server.ail_always(slow(0.01))
            assert await _ask(client, 30) == ["well"] * 30

    asyncio.run(story())
    assert len({asked.client for asked in server.asked}) == 3
    assert server.most_under_way == 3


def test_the_rate_is_kept(server: VendorServer) -> None:
    async def story() -> float:
        policy = replace(POLICY, requests_per_minute=1200, connections=1)
        async with Client(vendor_of("binance"), Keys({}), address=server.url, policy=policy) as client:
            started = time.monotonic()
            await _ask(client, 9)
            return time.monotonic() - started

    assert asyncio.run(story()) >= 8 * 60 / 1200 * 0.95


def test_unusable_payloads_are_kept_apart(server: VendorServer, update: Callable[..., Refreshed], tmp_path: Path) -> None:
    server.ail(lambda well, last: well, html())
    update("BTCUSDT")
    folder = tmp_path / "snapshots" / "binance"
    rejected = (folder / "rejected.jsonl").read_text()
    assert rejected.count("\n") == 1
    assert "web page" in rejected
    digest = json.loads(rejected)["sha256"]
    assert digest not in (folder / "index.jsonl").read_text()


def test_requests_are_counted_by_outcome(server: VendorServer, update: Callable[..., Refreshed]) -> None:
    before = {outcome: sample("touchstone_source_requests_total", outcome=outcome) for outcome in ("200", "500", "timeout")}
    server.ail(status(500), slow(0.6))
    done = update("BTCUSDT")
    after = {outcome: sample("touchstone_source_requests_total", outcome=outcome) - before[outcome] for outcome in before}
    assert after == {"200": 3.0, "500": 1.0, "timeout": 1.0}
    assert done.n_requests == 5


def test_failures_are_counted(server: VendorServer, update: Callable[..., Refreshed]) -> None:
    before = sample("touchstone_source_failures_total")
    update("NOPE")
    assert sample("touchstone_source_failures_total") == before + 1


def test_unusable_is_no_error_of_ours() -> None:
    assert not issubclass(Unusable, SourceError)
