"""The contract of a source, held against our own sources and against a third party's, sound and broken."""

from __future__ import annotations

import dataclasses
import importlib
import socket
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest

from touchstone import sources
from touchstone.errors import ConfigError, DataError
from touchstone.market import MarketData, Metadata, empty_table
from touchstone.sources import SourceRequest
from touchstone.sources._files import FilesSource
from touchstone.sources._sample import SampleSource
from touchstone.sources._simulated import SimulatedSource
from touchstone.sources.network import NetworkSource, Policy, refresh
from touchstone.sources.testing import SourceContract
from touchstone.sources.vendors._stooq import Stooq
from touchstone.stages import code_files

CHECKS = sorted(name for name in vars(SourceContract) if name.startswith("test_"))
_FOLDER: dict[str, Path] = {}


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Two files of prices, one of them with a row that stands twice and one that is nonsense."""
    path = tmp_path_factory.mktemp("prices")
    days = ["2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07", "2020-01-08", "2020-01-09"]
    for symbol, extra in (("A", ["2020-01-09,9,10,8,9,7"]), ("B", ["2020-01-10,9,1,8,9,7"])):
        rows = [f"{day},{9 + n},{11 + n},{8 + n},{10 + n},{100 + n}" for n, day in enumerate(days)]
        (path / f"{symbol}.csv").write_text("\n".join(["date,open,high,low,close,volume", *rows, *extra]))
    _FOLDER["files"] = path


class TestFiles(SourceContract):
    def source(self) -> FilesSource:
        return FilesSource()

    def request(self) -> SourceRequest:
        return SourceRequest(options={"path": str(_FOLDER["files"]), "adjustment": "split"})


class TestSample(SourceContract):
    def source(self) -> SampleSource:
        return SampleSource()

    def request(self) -> SourceRequest:
        return SourceRequest(pd.Timestamp("2010-01-04"), pd.Timestamp("2010-06-30"), ("AAPL", "XOM"))


class TestSimulated(SourceContract):
    makes_its_own_span = True

    def source(self) -> SimulatedSource:
        return SimulatedSource()

    def request(self) -> SourceRequest:
        return SourceRequest(seed=3, options={"n_symbols": 8, "n_sessions": 150, "errors_per_kind": 2})


class TestNetwork(SourceContract):
    """What `touchstone refresh` kept, with the server gone."""

    @pytest.fixture(scope="class", autouse=True)
    def fetched(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        sys.path.append(str(Path(__file__).parent / "network"))
        from vendor_server import VendorServer

        rows = "".join(f"2024-01-{day:02d},9,11,8,10,{100 + day}\r\n" for day in (2, 3, 4, 5, 8, 9, 10, 11, 12))
        path = tmp_path_factory.mktemp("fetched")
        with (
            VendorServer({"/q/d/l/": lambda query: f"Date,Open,High,Low,Close,Volume\r\n{rows}"}) as server,
            pytest.MonkeyPatch.context() as patch,
        ):
            patch.setenv("TOUCHSTONE_STOOQ_URL", server.url)
            patch.setenv("STOOQ_API_KEY", "k")
            asked = {"start": "2024-01-02", "end": "2024-01-12", "policy": Policy(60_000), "now": pd.Timestamp("2024-02-01")}
            refresh("stooq", symbols=("AAPL", "MSFT"), snapshots=path, credentials=path / "none.yml", **asked)
        _FOLDER["network"] = path

    def source(self) -> NetworkSource:
        return NetworkSource(Stooq())

    def request(self) -> SourceRequest:
        return SourceRequest(pd.Timestamp("2024-01-02"), pd.Timestamp("2024-01-12"), options={"snapshots": str(_FOLDER["network"])})


DAYS = pd.to_datetime(["2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07", "2020-01-08", "2020-01-09"]).as_unit("us")


class Sound:
    """A third party's source that keeps the contract; each of the others breaks it in one way."""

    name = "theirs"
    n_loads: ClassVar[int] = 0
    known_at: ClassVar[pd.Timestamp] = DAYS[1]
    adjustment: ClassVar[Any] = "none"

    def load(self, request: SourceRequest) -> MarketData:
        request.expect_options(self.name, "colour")
        index = pd.MultiIndex.from_product([DAYS, request.choose(self.name, ["A", "B"])], names=["date", "symbol"])
        index = index.set_levels(index.levels[1].astype("str"), level=1)
        bars = pd.DataFrame({"close": [10.0 + n for n in range(len(index))]}, index=index)
        bars["close"] = 10.0 + bars.index.get_level_values("date").day + 5.0 * (bars.index.get_level_values("symbol") == "B")
        actions = pd.DataFrame({"symbol": ["A"], "ex_date": [DAYS[1]], "kind": ["dividend"], "value": [0.1], "known_at": [self.known_at]})
        types = {"symbol": "str", "kind": "str", "ex_date": "datetime64[us]", "known_at": "datetime64[us]"}
        tables = {name: empty_table(name) for name in ("macro", "signals", "universe", "benchmark")}
        return self.changed(
            MarketData(
                bars=bars[request.spans(bars.index.get_level_values("date")).to_numpy()],
                actions=actions[actions["symbol"].isin(request.symbols or ("A", "B"))].astype(types),
                **tables,
                metadata=Metadata(source=self.name, adjustment=self.adjustment, fields=("close",), calendar=request.calendar),
            ),
            request,
        )

    def changed(self, data: MarketData, request: SourceRequest) -> MarketData:
        return data


class CallsItselfByAnotherName(Sound):
    def changed(self, data: MarketData, request: SourceRequest) -> MarketData:
        return dataclasses.replace(data, metadata=data.metadata.model_copy(update={"source": "others"}))


class NamedByASentence(Sound):
    name = "Our Source"


class WrongType(Sound):
    def changed(self, data: MarketData, request: SourceRequest) -> MarketData:
        return dataclasses.replace(data, bars=data.bars.astype("float32"))


class WithoutBars(Sound):
    def changed(self, data: MarketData, request: SourceRequest) -> MarketData:
        return dataclasses.replace(data, bars=data.bars[:0])


class DifferentEveryTime(Sound):
    def changed(self, data: MarketData, request: SourceRequest) -> MarketData:
        type(self).n_loads += 1
        return dataclasses.replace(data, bars=data.bars + type(self).n_loads)


class WritesIntoOptions(Sound):
    def changed(self, data: MarketData, request: SourceRequest) -> MarketData:
        dict.__setitem__(request.options, "colour", "blue")  # type: ignore[arg-type]
        return data


class GivesAllSymbols(Sound):
    def load(self, request: SourceRequest) -> MarketData:
        request.choose(self.name, ["A", "B"])
        return super().load(dataclasses.replace(request, symbols=()))


class GivesActionsOfOthers(Sound):
    def changed(self, data: MarketData, request: SourceRequest) -> MarketData:
        return dataclasses.replace(data, actions=data.actions.assign(symbol=pd.Series(["C"] * len(data.actions), dtype="str")))


class GivesTheWholeSpan(Sound):
    def load(self, request: SourceRequest) -> MarketData:
        return super().load(dataclasses.replace(request, start=None, end=None))


class ScalesByTheLastPrice(Sound):
    def changed(self, data: MarketData, request: SourceRequest) -> MarketData:
        return dataclasses.replace(data, bars=data.bars / data.bars["close"].iloc[-1])


class ForgivesUnknownSymbols(Sound):
    def load(self, request: SourceRequest) -> MarketData:
        return super().load(dataclasses.replace(request, symbols=tuple(name for name in request.symbols if name in "AB")))


class ForgivesUnknownOptions(Sound):
    def load(self, request: SourceRequest) -> MarketData:
        return super().load(dataclasses.replace(request, options={}))


class RefusesWithoutAHint(Sound):
    def load(self, request: SourceRequest) -> MarketData:
        for name in request.options:
            if name != "colour":
                raise ConfigError(f"No {name}.")
        return super().load(request)


class StampsWithTheClose(Sound):
    def changed(self, data: MarketData, request: SourceRequest) -> MarketData:
        moved = data.bars.index.levels[0] + pd.Timedelta(hours=21)
        return dataclasses.replace(data, bars=data.bars.set_axis(data.bars.index.set_levels(moved, level=0)))


class StampsSundays(Sound):
    def changed(self, data: MarketData, request: SourceRequest) -> MarketData:
        sundays = pd.date_range("2020-01-05", periods=len(data.bars.index.levels[0]), freq="7D").as_unit("us")
        return dataclasses.replace(data, bars=data.bars.set_axis(data.bars.index.set_levels(sundays, level=0)))


class KnowsTheFuture(Sound):
    known_at = pd.Timestamp("2018-01-02")


class GivesWhatThePricesHold(Sound):
    adjustment = "total_return"


class GivesNonsenseOnly(Sound):
    def changed(self, data: MarketData, request: SourceRequest) -> MarketData:
        return dataclasses.replace(data, bars=data.bars * -1.0)


class AsksTheNetwork(Sound):
    def changed(self, data: MarketData, request: SourceRequest) -> MarketData:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as line:
            line.settimeout(1.0)
            line.connect_ex(("127.0.0.1", 9))
        return data


def failures(kind: type[Sound]) -> set[str]:
    """The checks of the contract that a source fails."""

    class Contract(SourceContract):
        def source(self) -> Sound:
            return kind()

        def request(self) -> SourceRequest:
            return SourceRequest(options={"colour": "red"})

    failed = set()
    for check in CHECKS:
        try:
            getattr(Contract(), check)()
        except (AssertionError, DataError):
            failed.add(check.removeprefix("test_"))
    return failed


def test_a_sound_source_passes_every_check() -> None:
    assert len(CHECKS) == 13
    assert failures(Sound) == set()


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        (CallsItselfByAnotherName, "metadata_match_the_tables_and_the_request"),
        (NamedByASentence, "it_has_a_name"),
        (WrongType, "tables_obey_their_schemas"),
        (WithoutBars, "tables_obey_their_schemas"),
        (DifferentEveryTime, "the_same_bytes_twice"),
        (WritesIntoOptions, "the_request_is_left_as_it_is"),
        (GivesAllSymbols, "only_the_symbols_asked_for"),
        (GivesActionsOfOthers, "only_the_symbols_asked_for"),
        (GivesTheWholeSpan, "only_the_span_asked_for"),
        (ScalesByTheLastPrice, "only_the_span_asked_for"),
        (ForgivesUnknownSymbols, "an_unknown_symbol_is_an_error"),
        (ForgivesUnknownOptions, "an_unknown_option_is_an_error"),
        (RefusesWithoutAHint, "an_unknown_option_is_an_error"),
        (StampsWithTheClose, "stamps_are_those_of_the_timeframe"),
        (StampsSundays, "stamps_are_those_of_the_timeframe"),
        (KnowsTheFuture, "actions_are_known_when_they_can_be"),
        (GivesWhatThePricesHold, "metadata_match_the_tables_and_the_request"),
        (GivesNonsenseOnly, "ingestion_loses_no_row"),
        (AsksTheNetwork, "loading_asks_no_network"),
    ],
)
def test_a_broken_source_fails_the_check_that_is_meant_for_it(kind: type[Sound], check: str) -> None:
    contract = type(
        "Contract", (SourceContract,), {"source": lambda _: kind(), "request": lambda _: SourceRequest(options={"colour": "red"})}
    )
    with pytest.raises((AssertionError, DataError)):
        getattr(contract(), f"test_{check}")()


def test_sockets_work_again_after_the_check() -> None:
    before = socket.socket.connect
    assert "loading_asks_no_network" in failures(AsksTheNetwork)
    assert socket.socket.connect is before


def test_the_contract_is_no_part_of_the_code_that_decides_results() -> None:
    root = Path(__file__).parents[2]
    files = code_files(root, ("ingestion",))
    assert "src/touchstone/sources/vendors/_yahoo.py" in files
    assert "src/touchstone/sources/testing.py" not in files


PACKAGE = '''
"""A source as a third party writes it."""

import itertools

import pandas as pd

from touchstone.market import MarketData, Metadata, empty_table

LOADS = itertools.count()
DAYS = pd.to_datetime(["2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07"]).as_unit("us")


class Theirs:
    name = "theirs"

    def load(self, request):
        request.expect_options(self.name)
        rows = [(day, symbol) for symbol in request.choose(self.name, ["A", "B"]) for day in DAYS]
        index = pd.MultiIndex.from_tuples(rows, names=["date", "symbol"])
        index = index.set_levels([index.levels[0].as_unit("us"), index.levels[1].astype("str")])
        bars = pd.DataFrame({"close": [float(day.day) for day, _ in rows]}, index=index)
        bars = bars[request.spans(bars.index.get_level_values("date")).to_numpy()]
        tables = {name: empty_table(name) for name in ("actions", "macro", "signals", "universe", "benchmark")}
        told = Metadata(source=self.name, adjustment="none", fields=("close",), calendar=request.calendar)
        return MarketData(bars=bars, **tables, metadata=told)


class Broken(Theirs):
    name = "broken"

    def load(self, request):
        data = super().load(request)
        data.bars["close"] += next(LOADS)
        return data
'''
SUITE = """
from theirs import Broken, Theirs
from touchstone.sources import SourceRequest
from touchstone.sources.testing import SourceContract


class TestTheirs(SourceContract):
    def source(self):
        return {kind}()

    def request(self):
        return SourceRequest()
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A distribution with an entry point, as pip would lay it out."""
    site = tmp_path / "site"
    (site / "theirs-1.0.dist-info").mkdir(parents=True)
    (site / "theirs.py").write_text(PACKAGE)
    (site / "theirs-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (site / "theirs-1.0.dist-info" / "entry_points.txt").write_text(
        "[touchstone.sources]\ntheirs = theirs:Theirs\nbroken = theirs:Broken\n"
    )
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    yield site
    sys.modules.pop("theirs", None)


def test_an_installed_package_is_a_source_by_its_name(installed: Path) -> None:
    assert {"theirs", "broken"} <= set(sources.list_sources())
    data = sources.load("theirs", symbols=["B"], end="2020-01-06")
    assert data.bars.index.get_level_values("symbol").unique().tolist() == ["B"]
    assert len(data.bars) == 3
    with pytest.raises(ConfigError, match="lacks 'C': it has"):
        sources.load("theirs", symbols=["C"])


class Outcomes:
    """Counts what a run of pytest found."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.failed: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            (self.passed if report.passed else self.failed).append(report.nodeid.rpartition("::")[2])


@pytest.mark.parametrize(("kind", "failed"), [("Theirs", []), ("Broken", ["test_the_same_bytes_twice"])])
def test_their_own_suite_runs_the_contract(kind: str, failed: list[str], installed: Path, capfd: pytest.CaptureFixture[str]) -> None:
    suite = installed / f"test_{kind.lower()}_contract.py"
    suite.write_text(textwrap.dedent(SUITE.format(kind=kind)))
    outcomes = Outcomes()
    code = pytest.main(["-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", str(installed), str(suite)], plugins=[outcomes])
    said = capfd.readouterr().out
    assert (code == 0) == (not failed), said
    assert set(failed) <= set(outcomes.failed)
    assert sorted(outcomes.passed + outcomes.failed) == CHECKS
    assert failed or not outcomes.failed
