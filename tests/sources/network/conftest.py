"""A Binance on loopback for the modules that bring their own `market`: what it holds, and how late it is there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from binance_market import BinanceMarket
from vendor_server import VendorServer


@pytest.fixture(scope="module")
def served(market: BinanceMarket) -> Iterator[VendorServer]:
    with market.serve() as server:
        yield server


@pytest.fixture
def server(served: VendorServer, monkeypatch: pytest.MonkeyPatch) -> VendorServer:
    """The vendor, well again, at the address that commands find."""
    served.recover()
    monkeypatch.setenv("TOUCHSTONE_BINANCE_URL", served.url)
    return served
