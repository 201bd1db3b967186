"""Sources by short name, one protocol for all of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import pandas as pd

from touchstone.errors import ConfigError, SourceError, name_few, nearest
from touchstone.market import MarketData, Timeframe, refuse_held_actions, validate
from touchstone.sources._join_tables import join_tables
from touchstone.sources._tables import read_tables

__all__ = ["Source", "SourceRequest", "find", "is_network", "list_sources", "load"]

Day: TypeAlias = str | dt.date | pd.Timestamp

_GROUP = "touchstone.sources"
# Imported when asked for: the sample's library alone takes seconds.
_BUILT_IN = {
    "files": "touchstone.sources._files:FilesSource",
    "sample": "touchstone.sources._sample:SampleSource",
    "simulated": "touchstone.sources._simulated:SimulatedSource",
}
# Vendors, of which `touchstone.sources.network.NetworkSource` makes a source.
_VENDORS = {
    "alpaca": "touchstone.sources.vendors._alpaca:Alpaca",
    "binance": "touchstone.sources.vendors._binance:Binance",
    "finnhub": "touchstone.sources.vendors._finnhub:Finnhub",
    "fred": "touchstone.sources.vendors._fred:Fred",
    "stooq": "touchstone.sources.vendors._stooq:Stooq",
    "yahoo": "touchstone.sources.vendors._yahoo:Yahoo",
}


@dataclass(frozen=True)
class SourceRequest:
    """What is asked of a source.

    Parameters
    ----------
    start, end : Timestamp or None
        First and last date wanted, both included; None leaves that end to the source.
    symbols : tuple of str
        Empty: every symbol the source has.
    calendar : str
        Exchange calendar of the sessions.
    timeframe : str
        Width of a bar, ``1m`` to ``1d``.
    seed : int
        For sources that draw random numbers.
    options : mapping
        What this source alone understands.
    """

    start: pd.Timestamp | None = None
    end: pd.Timestamp | None = None
    symbols: tuple[str, ...] = ()
    calendar: str = "XNYS"
    timeframe: Timeframe = "1d"
    seed: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)

    def expect_options(self, source: str, *known: str) -> None:
        """Refuse an option that the source does not understand.

        Raises
        ------
        ConfigError
            Naming the nearest known option.
        """
        unknown = [name for name in self.options if name not in known]
        if unknown:
            hint = nearest(unknown[0], known) if known else "it takes none"
            raise ConfigError(f"Source '{source}' must be given options it knows, but got '{unknown[0]}': {hint}.")

    def choose(self, source: str, available: Sequence[str]) -> list[str]:
        """List the symbols asked for, sorted, each once; all that are available when none is asked for.

        Raises
        ------
        ConfigError
            A symbol that the source does not have.
        """
        known = set(available)
        unknown = [symbol for symbol in self.symbols if symbol not in known]
        if unknown:
            # The nearest few only: a source may have thousands of symbols.
            close = get_close_matches(unknown[0], available, n=3, cutoff=0.5) or sorted(known)[:3]
            raise ConfigError(f"Source '{source}' must have the symbols asked for, but lacks '{unknown[0]}': it has {name_few(close)}, …")
        return sorted(set(self.symbols) or known)

    def spans(self, dates: pd.Series | pd.Index) -> pd.Series:
        """Tell which dates lie in the span asked for."""
        inside = pd.Series(True, index=range(len(dates)))
        days = pd.Series(dates.to_numpy())
        if self.start is not None:
            inside &= days >= self.start
        if self.end is not None:
            inside &= days <= self.end
        return inside


class Source(Protocol):
    """What every source is: a name and a way to load."""

    name: str

    def load(self, request: SourceRequest) -> MarketData:
        """Give the raw tables: bars in the source's own row order, nothing repaired, nothing left out of the span."""
        ...


def load(
    name: str,
    *,
    start: Day | None = None,
    end: Day | None = None,
    symbols: Sequence[str] = (),
    calendar: str = "XNYS",
    timeframe: Timeframe = "1d",
    seed: int = 0,
    tables: str | Path | None = None,
    **options: Any,
) -> MarketData:
    """Load the raw tables of a source.

    Parameters
    ----------
    name : str
        One of `list_sources`.
    start, end : str, date or Timestamp, optional
        First and last date wanted, both included; by default what the source has.
    symbols : sequence of str
        Empty: every symbol.
    calendar : str
        Exchange calendar of the sessions.
    timeframe : {"1m", "5m", "15m", "30m", "1h", "1d"}
        Width of a bar.
    seed : int
        For sources that draw random numbers.
    tables : str or Path, optional
        A folder of your own tables, joined to those of the source as `join_tables` says.
    **options
        What the source alone understands, such as ``path``, ``columns`` and ``adjustment`` of ``files``.

    Returns
    -------
    MarketData
        Raw: `touchstone.market.ingest` judges it.

    Raises
    ------
    ConfigError
        Unknown source, symbol or option, or a span that ends before it starts.
    SourceError
        The source is absent or unreadable.
    DataError
        The source broke the data contract.
    """
    request = SourceRequest(_day(start), _day(end), tuple(symbols), calendar, timeframe, seed, options)
    if request.start is not None and request.end is not None and request.start > request.end:
        raise ConfigError(f"A span must start before it ends, but got {request.start:%Y-%m-%d} to {request.end:%Y-%m-%d}: swap them.")
    own = None if tables is None else read_tables(tables)
    loaded = _checked(find(name).load(request), timeframe)
    return loaded if own is None else _checked(join_tables(loaded, own), timeframe)


def list_sources() -> list[str]:
    """List the short names of all sources: the built-in ones and those installed under the entry point group touchstone.sources."""
    return sorted({*_BUILT_IN, *_VENDORS, *(point.name for point in entry_points(group=_GROUP))})


def _day(given: Day | None) -> pd.Timestamp | None:
    if given is None:
        return None
    try:
        return pd.Timestamp(given).as_unit("us")
    except ValueError:
        raise ConfigError(f"A date must look like 2003-01-31, but got '{given}'.") from None


def find(name: str) -> Source:
    """Make the source of that name.

    Raises
    ------
    ConfigError
        Unknown source.
    """
    if name in _BUILT_IN:
        built_in: Source = _named(_BUILT_IN[name])()
        return built_in
    if name in _VENDORS:
        network_source: Source = _named("touchstone.sources.network:NetworkSource")(_named(_VENDORS[name])())
        return network_source
    for point in entry_points(group=_GROUP, name=name):
        installed: Source = point.load()()
        return installed
    raise ConfigError(f"The source must be a known one, but got '{name}': {nearest(name, list_sources())}.")


def is_network(name: str) -> bool:
    """Tell whether a source is fetched by `touchstone refresh` and read from its snapshots.

    Raises
    ------
    ConfigError
        Unknown source.
    """
    return name not in _BUILT_IN and isinstance(find(name), _named("touchstone.sources.network:NetworkSource"))


def _named(path: str) -> Any:
    module, attribute = path.split(":")
    return getattr(import_module(module), attribute)


def _checked(data: MarketData, timeframe: Timeframe) -> MarketData:
    if data.metadata.timeframe != timeframe:
        raise SourceError(
            f"A source must give bars of the width asked for, but '{data.metadata.source}' gives {data.metadata.timeframe} and "
            f"data.timeframe is {timeframe}: ask for {data.metadata.timeframe} or another source."
        )
    validate("raw_bars", data.bars)
    for table in ("actions", "macro", "signals", "universe", "benchmark", "assets", "sectors", "rates"):
        validate(table, getattr(data, table))
    refuse_held_actions(data.metadata.adjustment, data.actions)
    if tuple(data.bars.columns) != data.metadata.fields:
        raise SourceError(
            f"The metadata of '{data.metadata.source}' must name the fields of its bars ({', '.join(data.bars.columns)}), "
            f"but names ({', '.join(data.metadata.fields)})."
        )
    return data
