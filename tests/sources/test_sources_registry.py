"""Sources by name, and what happens to a name or a request that does not fit."""

from __future__ import annotations

import dataclasses
import datetime as dt
from importlib.metadata import EntryPoint

import pandas as pd
import pytest

from touchstone.errors import ConfigError, DataError, SourceError
from touchstone.market import MarketData, Metadata, empty_table
from touchstone.sources import SourceRequest, _registry, list_sources, load

DATES = pd.to_datetime(["2020-01-02", "2020-01-03"]).as_unit("us")
SEEN: list[SourceRequest] = []


class Installed:
    """A source of a third party: says what it was asked, gives one symbol."""

    name = "installed"

    def load(self, request: SourceRequest) -> MarketData:
        SEEN.append(request)
        index = pd.MultiIndex.from_product([DATES, ["A"]], names=["date", "symbol"])
        tables = {name: empty_table(name) for name in ("actions", "macro", "signals", "universe", "benchmark")}
        metadata = Metadata(source=self.name, adjustment="none", fields=("close",), calendar=request.calendar)
        return MarketData(bars=pd.DataFrame({"close": [1.0, 2.0]}, index=index), **tables, metadata=metadata)


class WrongFields(Installed):
    def load(self, request: SourceRequest) -> MarketData:
        data = super().load(request)
        return dataclasses.replace(data, metadata=data.metadata.model_copy(update={"fields": ("open", "close")}))


class WrongTypes(Installed):
    def load(self, request: SourceRequest) -> MarketData:
        data = super().load(request)
        return dataclasses.replace(data, bars=data.bars.astype("float32"))


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [EntryPoint(cls.__name__, f"{__name__}:{cls.__name__}", "touchstone.sources") for cls in (Installed, WrongFields, WrongTypes)]
    points.append(EntryPoint("sample", f"{__name__}:Installed", "touchstone.sources"))
    monkeypatch.setattr(
        _registry,
        "entry_points",
        lambda group, name=None: [point for point in points if point.group == group and name in (None, point.name)],
    )
    monkeypatch.setattr(EntryPoint, "load", lambda self: globals()[self.attr])
    SEEN.clear()


def test_the_built_in_sources() -> None:
    assert {"files", "sample", "simulated"} <= set(list_sources())
    assert list_sources() == sorted(list_sources())


def test_an_unknown_source_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"got 'simulate': did you mean 'simulated'"):
        load("simulate")


def test_a_third_party_source_gets_the_request_as_it_was_made(installed: None) -> None:
    assert "Installed" in list_sources()
    data = load("Installed", start="2020-01-01", end=dt.date(2020, 1, 31), symbols=["A"], calendar="XLON", seed=3, colour="red")
    assert data.metadata.source == "installed"
    start, end = pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-31")
    assert SEEN.pop() == SourceRequest(start, end, ("A",), calendar="XLON", seed=3, options={"colour": "red"})
    assert not SEEN


def test_a_third_party_cannot_take_a_built_in_name(installed: None) -> None:
    assert list_sources().count("sample") == 1
    with pytest.raises(ConfigError, match=r"Source 'sample'"):
        load("sample", symbols=["NO SUCH"])
    assert not SEEN


def test_a_source_that_breaks_the_contract_is_refused(installed: None) -> None:
    with pytest.raises(SourceError, match=r"fields of its bars \(close\).*names \(open, close\)"):
        load("WrongFields")
    with pytest.raises(DataError, match=r"must be float64, but is float32"):
        load("WrongTypes")


def test_a_span_that_ends_before_it_starts_or_is_no_date() -> None:
    with pytest.raises(ConfigError, match=r"2021-01-01 to 2020-01-01"):
        load("sample", start="2021-01-01", end="2020-01-01")
    with pytest.raises(ConfigError, match=r"must look like 2003-01-31, but got 'yesterday-ish'"):
        load("sample", start="yesterday-ish")


def test_a_request_knows_its_options_and_symbols() -> None:
    SourceRequest(options={"path": "x"}).expect_options("files", "path", "columns")
    with pytest.raises(ConfigError, match=r"got 'pth': did you mean 'path'"):
        SourceRequest(options={"pth": "x"}).expect_options("files", "path", "columns")
    with pytest.raises(ConfigError, match=r"it takes none"):
        SourceRequest(options={"pth": "x"}).expect_options("sample")
    assert SourceRequest().choose("sample", ["B", "A"]) == ["A", "B"]
    assert SourceRequest(symbols=("B", "B")).choose("sample", ["B", "A"]) == ["B"]
    with pytest.raises(ConfigError, match=r"lacks 'APPL': it has AAPL"):
        SourceRequest(symbols=("APPL",)).choose("sample", ["AAPL", "XOM"])
    with pytest.raises(ConfigError, match=r"lacks '999': it has AAPL, XOM"):
        SourceRequest(symbols=("999",)).choose("sample", ["XOM", "AAPL"])


def test_a_request_keeps_both_ends_of_its_span() -> None:
    dates = pd.Series(pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04"]))
    assert SourceRequest().spans(dates).all()
    between = SourceRequest(start=dates[1], end=dates[2])
    assert between.spans(dates).tolist() == [False, True, True, False]
