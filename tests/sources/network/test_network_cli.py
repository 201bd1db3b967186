"""`touchstone refresh` as a person runs it, and the pipeline that reads what it brought."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from binance_market import BinanceMarket, milliseconds
from click.testing import CliRunner, Result
from fred_archive import FredArchive
from vendor_server import Answer, VendorServer

from touchstone.cli import cli
from touchstone.errors import SourceError

DATA = {
    "source": "binance",
    "start": "2023-01-01",
    "end": "2024-01-31",
    "symbols": ["BTCUSDT", "ETHUSDT"],
    "calendar": "24/7",
    "macro_sources": ["fred"],
    "fred": {"series": ["GDP"], "lags": {}},
}
GDP = [("2023-07-01", "2023-10-26", "2023-11-28", "27623.5"), ("2023-07-01", "2023-11-29", "9999-12-31", "27644.5")]


@pytest.fixture(scope="module")
def binance() -> Iterator[VendorServer]:
    with BinanceMarket(["BTCUSDT", "ETHUSDT"], since="2022-01-01", now="2024-02-10T12:00").serve() as server:
        yield server


@pytest.fixture(scope="module")
def fred() -> Iterator[VendorServer]:
    with FredArchive({"GDP": ("Q", GDP)}).serve() as server:
        yield server


@pytest.fixture
def place(project: Path, binance: VendorServer, fred: VendorServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    binance.recover()
    fred.recover()
    monkeypatch.setenv("TOUCHSTONE_BINANCE_URL", binance.url)
    monkeypatch.setenv("TOUCHSTONE_FRED_URL", fred.url)
    monkeypatch.setenv("FRED_API_KEY", "a-key")
    monkeypatch.chdir(project)
    _set(project, **DATA)
    return project


def _set(project: Path, **data: Any) -> None:
    values = yaml.safe_load((project / "params.yaml").read_text())
    values["data"].update(data)
    (project / "params.yaml").write_text(yaml.safe_dump(values))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["refresh", *arguments])


def test_refresh_brings_what_the_parameters_name_and_the_pipeline_reads_it(
    place: Path, binance: VendorServer, fred: VendorServer, runner: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = run()
    assert told.exit_code == 0, told.output
    assert "binance: 4 requests, 792 new rows of 2 symbols" in told.output
    assert "fred: 2 requests, 2 new rows of 1 symbols" in told.output
    assert "792 rows clean, 0 quarantined" in told.output
    assert "last bar 2024-01-31, expected 2024-01-31" in told.output
    for name in ("BINANCE", "FRED"):
        monkeypatch.setenv(f"TOUCHSTONE_{name}_URL", "http://127.0.0.1:9")  # nobody is there
    runner(place, stages=("ingestion",), env="base")
    bars = pd.read_parquet(place / "data" / "03_primary" / "bars.parquet")
    macro = pd.read_parquet(place / "data" / "03_primary" / "macro.parquet")
    assert len(bars) == 792
    assert list(macro["value"]) == [27623.5, 27644.5]
    metadata = json.loads((place / "data" / "01_raw" / "metadata.json").read_text())
    assert metadata["source"] == "binance"


def test_a_symbol_that_fails_gives_a_summary_and_an_exit_code(place: Path) -> None:
    told = run("binance", "--symbol", "BTCUSDT", "--symbol", "NOPE", "--start", "2024-01-01")
    assert told.exit_code == 1
    assert "31 new rows of 1 symbols" in told.output
    assert "failed: NOPE: Binance must trade the symbol, but has no 'NOPE'" in told.output
    assert "1 symbols or series could not be fetched" in told.output
    assert "Traceback" not in told.output


def test_a_source_without_network_is_refused(place: Path) -> None:
    told = run("sample")
    assert told.exit_code == 1
    assert "'sample' reads no network" in told.output
    _set(place, source="sample", macro_sources=[])
    told = run()
    assert told.exit_code == 1
    assert "params.yaml names none (data.source: sample)" in told.output


def test_a_missing_key_says_where_to_put_it(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRED_API_KEY")
    told = run("fred")
    assert told.exit_code == 1
    assert "needs FRED_API_KEY" in told.output
    keys = place / "conf" / "local" / "credentials.yml"
    keys.parent.mkdir(exist_ok=True)
    keys.write_text("fred: {api_key: a-key}\n")
    assert run("fred").exit_code == 0


def test_a_run_before_any_refresh_says_what_to_do(place: Path, binance: VendorServer, runner: Callable[..., None]) -> None:
    with pytest.raises(Exception, match="run `touchstone refresh binance`") as told:
        runner(place, stages=("ingestion",), env="base")
    assert isinstance(told.value, SourceError) or isinstance(told.value.__cause__, SourceError)
    assert not binance.asked, "a run never touches the network"


def test_laggards_are_told_as_what_they_are(place: Path, binance: VendorServer) -> None:
    tables = place / "data" / "00_external" / "tables"
    assert run("binance").exit_code == 0
    _set(place, end="2024-02-05")
    told = run("binance", "--symbol", "BTCUSDT")
    assert "lag" not in told.output
    assert "end earlier" not in told.output, "what was not asked for cannot lag"
    binance.ail_always(_short)
    _set(place, end="2024-02-09")
    told = run("binance")
    assert "2 end earlier (no limit is set, a run would go on): BTCUSDT, ETHUSDT" in told.output
    _set(place, max_age_sessions=2)
    told = run("binance")
    assert "2 lag beyond the limit, a run would stop: BTCUSDT, ETHUSDT" in told.output
    (tables / "universe.csv").write_text("symbol,start,end\nBTCUSDT,2022-01-01,2024-12-31\nETHUSDT,2022-01-01,2024-01-15\n")
    assert "1 lag beyond the limit, a run would stop: BTCUSDT" in run("binance").output, "a member that left need not be fresh"


def _short(well: Answer, _: Answer | None) -> Answer:
    """Klines that end on February 5."""
    rows = json.loads(well.body)
    return replace(well, body=json.dumps([row for row in rows if row[0] <= milliseconds("2024-02-05")]).encode()) if rows[0:] else well
