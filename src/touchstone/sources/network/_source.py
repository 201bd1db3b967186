"""A source that was fetched before: what lies in the snapshots, and never the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import pandas as pd

from touchstone.errors import SourceError, name_few
from touchstone.market import MarketData, empty_table
from touchstone.root import project_root
from touchstone.sources._registry import SourceRequest
from touchstone.sources.network._assemble import assemble
from touchstone.sources.network._lane import lane_of
from touchstone.sources.network._reading import read_kept
from touchstone.sources.network._snapshots import Entry, SnapshotStore, current
from touchstone.sources.network._span import covered, first_bar, inside
from touchstone.sources.network._vendor import Vendor

__all__ = ["NetworkSource"]

_SNAPSHOTS = Path("data") / "01_raw" / "snapshots"
Span = tuple[pd.Timestamp, pd.Timestamp]
_TABLES = ("bars", "actions", "assets", "macro")


class NetworkSource:
    """What `touchstone refresh` fetched from a vendor.

    Parameters
    ----------
    vendor : Vendor
    """

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.name = vendor.name

    def load(self, request: SourceRequest) -> MarketData:
        """Put the kept payloads together; the same payloads give the same bytes.

        Options
        -------
        snapshots : str, default the project's `data/01_raw/snapshots`
            The folder that `touchstone refresh` wrote to.

        Raises
        ------
        ConfigError
            An option that the vendor does not understand.
        SourceError
            A symbol or the start of the span was never fetched, or a payload is gone or was changed.
        """
        request.expect_options(self.name, "snapshots", *self.vendor.options)
        folder = Path(request.options["snapshots"]) if "snapshots" in request.options else project_root() / _SNAPSHOTS
        own = replace(request, options={name: value for name, value in request.options.items() if name != "snapshots"})
        store = SnapshotStore(folder, self.name)
        entries = store.entries(lane_of(self.vendor, own))
        wanted = self._fetched(own, entries, store.folder)
        known = assemble(partial(read_kept, self.vendor, store), [entry for entry in entries if entry.symbol in wanted])
        tables = {name: _within(name, table, own) for name, table in self.vendor.finish(own, known.tables).items()}
        metadata = self.vendor.metadata(own, tables)
        caveats = (*metadata.caveats, *_revised(known.revisions, self.name))
        return MarketData(
            **{name: tables[name] for name in _TABLES},
            signals=empty_table("signals"),
            universe=empty_table("universe"),
            benchmark=empty_table("benchmark"),
            metadata=metadata.model_copy(update={"caveats": caveats, "fields": tuple(tables["bars"].columns)}),
        )

    def _fetched(self, request: SourceRequest, entries: list[Entry], folder: Path) -> set[str]:
        """The symbols wanted, all of which must have been fetched from the start of the span on, without a hole."""
        by_symbol: dict[str, list[Entry]] = {}
        for entry in current(entries):
            by_symbol.setdefault(entry.symbol, []).append(entry)
        wanted = set(self.vendor.symbols(request)) or set(by_symbol)
        absent = sorted(wanted - set(by_symbol))
        if absent or not wanted:
            raise SourceError(
                f"A run reads what was fetched, but {folder} has no {request.timeframe} data of {name_few(absent) or 'any symbol'}: "
                f"run `touchstone refresh {self.name}`."
            )
        self._check_reach(request, {symbol: covered(by_symbol[symbol]) for symbol in wanted})
        return wanted

    def _check_reach(self, request: SourceRequest, spans: Mapping[str, list[Span]]) -> None:
        start = None if request.start is None else first_bar(request.calendar, request.timeframe, request.start)
        late = sorted(symbol for symbol, held in spans.items() if start is not None and held[0][0] > start)
        if late:
            since = spans[late[0]][0][0]
            raise SourceError(
                f"A run reads what was fetched, but {name_few(late)} of '{self.name}' only from {since:%Y-%m-%d} on, and "
                f"{start:%Y-%m-%d} is asked for: run `touchstone refresh {self.name} --start {start:%Y-%m-%d}`, or set data.start to "
                f"{since:%Y-%m-%d} where the vendor keeps no more."
            )
        torn = {symbol: holes for symbol, held in sorted(spans.items()) if (holes := _holes(held, start, request.end))}
        if torn:
            symbol, (after, before) = next((symbol, holes[0]) for symbol, holes in torn.items())
            raise SourceError(
                f"A run reads what was fetched without a hole, but of {name_few(torn)} of '{self.name}' nothing was asked for between "
                f"{after:%Y-%m-%d} and {before:%Y-%m-%d}: run `touchstone refresh {self.name} --symbol {symbol} --start {after:%Y-%m-%d}`."
            )


def _holes(held: Sequence[Span], start: pd.Timestamp | None, end: pd.Timestamp | None) -> list[Span]:
    """Where a span asked for falls between those that were fetched."""
    gaps = [(one[1], other[0]) for one, other in pairwise(held)]
    return [gap for gap in gaps if (start is None or gap[1] > start) and (end is None or gap[0].normalize() < end)]


def _within(name: str, table: pd.DataFrame, request: SourceRequest) -> pd.DataFrame:
    """Bars and actions of the span; macro rows that were known and not too old on some day of it."""
    if name == "bars":
        return table[inside(pd.DatetimeIndex(table.index.get_level_values("date")), request).to_numpy()]
    if name == "actions":
        return table[request.spans(table["ex_date"]).to_numpy()].reset_index(drop=True)
    if name == "macro":
        started = request.end is None or table["known_at"] <= request.end
        lasting = request.start is None or table["expires_at"] >= request.start
        return table[pd.Series(started, index=table.index) & lasting].reset_index(drop=True)
    return table


def _revised(revisions: pd.DataFrame, source: str) -> tuple[str, ...]:
    if revisions.empty:
        return ()
    caveat = (
        f"'{source}' changed {len(revisions)} values after they had first been fetched: the later ones stand here, "
        "which were not those known at the time (revisions.jsonl in its snapshots lists them)."
    )
    return (caveat,)
