"""What a user of `touchstone refresh` sees when a vendor is not well: Binance on loopback, sick once and sick for good in each of the ways.

Waits are shorter than the vendor's own (0.5 s for an answer, 3 tries); nothing else differs.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import yaml
from click.testing import CliRunner

from touchstone import sources
from touchstone.cli import cli
from touchstone.sources.vendors._binance import Binance

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "sources" / "network"))

from binance_market import BinanceMarket  # noqa: E402 - the tests' own server
from vendor_server import Answer, Sickness, VendorServer, changed, cut_off, empty, html, repeated, slow, status, truncated  # noqa: E402

SICK: dict[str, Callable[[], Sickness]] = {
    "429 with Retry-After: 1": lambda: status(429, retry_after="1"),
    "429 with Retry-After: 3600": lambda: status(429, retry_after="3600"),
    "500": lambda: status(500),
    "time-out": lambda: slow(0.7),
    "truncated JSON": truncated,
    "connection cut in the middle": cut_off,
    "HTML instead of JSON": html,
    "an empty page": empty,
    "a duplicated page": repeated,
    "403": lambda: status(403),
}


def well(answer: Answer, _: Answer | None) -> Answer:
    """No sickness at all."""
    return answer


def project(folder: Path) -> Path:
    """A project with nothing in it but parameters."""
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    span = {"start": "2021-05-12", "end": "2024-02-29"}
    values["data"].update(source="binance", symbols=["BTCUSDT"], calendar="24/7", **span)
    folder.mkdir()
    (folder / "params.yaml").write_text(yaml.safe_dump(values))
    return folder


def told(place: Path, *arguments: str) -> None:
    os.chdir(place)
    print(f"$ touchstone refresh {' '.join(arguments)}".rstrip())
    answer = CliRunner().invoke(cli, ["refresh", *arguments])
    for line in answer.output.splitlines():
        if not line.startswith("binance ━"):  # the progress bar
            print(f"  {line}")
    print(f"  exit code {answer.exit_code}\n")


def sick(server: VendorServer, name: str, folder: Path) -> None:
    print(f"== {name}, once, on the second of two pages")
    server.recover()
    server.ail(well, well, SICK[name]())
    told(project(folder / "once"))
    print(f"== {name}, for good")
    server.recover()
    server.ail(well, well)
    server.ail_always(SICK[name]())
    told(project(folder / "for-good"))


def others(server: VendorServer, folder: Path) -> None:
    print("== a symbol that does not exist")
    server.recover()
    place = project(folder / "other")
    told(place, "--symbol", "BTCUSDT", "--symbol", "NOPE", "--start", "2024-01-01")
    print("== a changed last digit")
    close = sources.load("binance", calendar="24/7", snapshots=str(place / "data" / "01_raw" / "snapshots")).bars["close"].iloc[-2]
    server.ail(changed(f'"{close:.8f}"', f'"{close + 1e-8:.8f}"'))
    told(place, "--start", "2024-01-01")
    print("== five symbols and a vendor that is down: the circuit opens after eight failures")
    server.ail_always(status(500))
    told(place, *(f"--symbol={base}USDT" for base in ("ADA", "BNB", "BTC", "ETH", "SOL")), "--start=2024-01-01")
    print("== nobody at the address")
    os.environ["TOUCHSTONE_BINANCE_URL"] = "http://127.0.0.1:9"
    told(place, "--start", "2024-01-01")


def main() -> None:
    Binance.policy = replace(Binance.policy, timeout_s=0.5, attempts=3, backoff_s=0.02, backoff_max_s=0.1)
    market = BinanceMarket(["BTCUSDT"], since="2020-01-01", now="2024-03-01T12:00")
    with market.serve() as server, tempfile.TemporaryDirectory() as folder:
        os.environ["TOUCHSTONE_BINANCE_URL"] = server.url
        for number, name in enumerate(SICK):
            place = Path(folder) / str(number)
            place.mkdir()
            sick(server, name, place)
        others(server, Path(folder))
        os.chdir(ROOT)


if __name__ == "__main__":
    main()
