"""Bars from CSV or Parquet: a folder of files, one a symbol, one long table, or a partitioned one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from touchstone import parallel
from touchstone.errors import ConfigError, SourceError, nearest
from touchstone.market import Adjustment, MarketData, Metadata, empty_table
from touchstone.sources._files_columns import Columns, Wanted
from touchstone.sources._files_layout import Layout
from touchstone.sources._files_times import Stamps
from touchstone.sources._price_caveats import price_caveats
from touchstone.sources._registry import SourceRequest

__all__ = ["FilesSource"]

_ADJUSTMENTS: tuple[Adjustment, ...] = ("none", "split", "total_return")


class FilesSource:
    """A folder or file of CSV or Parquet.

    Options
    -------
    path : str
        A file; a folder whose files are read in the order of their names; or a folder of Parquet partitioned as ``key=value``, of
        which only the parts, rows and columns asked for are read. Or several plain files and folders, read in the order given.
    columns : mapping, optional
        Our field → the column in the file. Fields: ``date``, ``close`` and any of ``symbol open high low volume vwap``. Without a
        column for ``symbol`` the file's name (without its ending) is the symbol. By default the columns that bear our names.
    adjustment : {"none", "split", "total_return"}, default "none"
        What the prices are; the file cannot say.
    timezone : str, default "UTC"
        Of intraday times without a zone, such as ``America/New_York``.
    stamp : {"close", "open"}, default "close"
        Whether intraday bars are stamped with the end or the beginning of what they cover.
    """

    name = "files"

    def load(self, request: SourceRequest) -> MarketData:
        """Read every file; values that are missing or make no sense are left for the quality checks.

        Raises
        ------
        ConfigError
            An unknown option, field, adjustment, time zone, stamp or symbol.
        SourceError
            A path that is not there, a file that is empty or unreadable, a missing column, a date that goes backwards.
        """
        request.expect_options(self.name, "path", "columns", "adjustment", "timezone", "stamp")
        adjustment = _adjustment(request.options.get("adjustment", "none"))
        stamps = Stamps.of(request)
        layout = Layout.of(request.options.get("path"))
        columns = Columns.of(request.options.get("columns", {}), layout)
        wanted = Wanted.of(request)
        paths = [path for path in layout.paths if columns.may_hold(path, wanted)] or list(layout.paths[:1])
        tables = _read_all(columns, paths, wanted, stamps)
        rows = pa.concat_tables(tables).to_pandas()
        _check_order(rows, tables, paths)
        chosen = request.choose(self.name, _available(rows, columns, layout, request))
        rows["date"] = stamps.closes(rows["date"])
        kept = rows["symbol"].isin(chosen).to_numpy() & stamps.inside(rows["date"], request)
        bars = rows[kept].set_index(["date", "symbol"])
        return _data(request, bars, adjustment)


def _read_all(columns: Columns, paths: Sequence[Path], wanted: Wanted, stamps: Stamps) -> list[pa.Table]:
    """Read side by side; of several broken files the first is named, whichever was met first."""

    def attempt(path: Path) -> pa.Table | SourceError:
        try:
            return columns.read(path, wanted, stamps)
        except SourceError as problem:
            return problem

    tables = []
    for outcome in parallel.map_tasks(attempt, paths, workers=pa.cpu_count()):
        if isinstance(outcome, SourceError):
            raise outcome
        tables.append(outcome)
    return tables


def _data(request: SourceRequest, bars: pd.DataFrame, adjustment: Adjustment) -> MarketData:
    actions = empty_table("actions")
    return MarketData(
        bars=bars,
        actions=actions,
        macro=empty_table("macro"),
        signals=empty_table("signals"),
        universe=empty_table("universe"),
        benchmark=empty_table("benchmark"),
        metadata=Metadata(
            source=FilesSource.name,
            adjustment=adjustment,
            fields=tuple(bars.columns),
            calendar=request.calendar,
            timeframe=request.timeframe,
            caveats=(*price_caveats(adjustment, actions), *_survivors(bars)),
        ),
    )


def _adjustment(given: str) -> Adjustment:
    for known in _ADJUSTMENTS:
        if given == known:
            return known
    raise ConfigError(f"data.files.adjustment must say what the prices are, but got '{given}': {nearest(given, _ADJUSTMENTS)}.")


def _available(rows: pd.DataFrame, columns: Columns, layout: Layout, request: SourceRequest) -> list[str]:
    """Every symbol of the files; those that were read will do unless one that was asked for is not among them."""
    read = list(rows["symbol"].unique())
    if set(request.symbols) <= set(read):
        return read
    everything = parallel.map_tasks(columns.symbols, layout.paths, workers=pa.cpu_count())
    return sorted({symbol for symbols in everything for symbol in symbols})


def _check_order(rows: pd.DataFrame, tables: list[pa.Table], paths: Sequence[Path]) -> None:
    """Refuse a symbol whose dates go backwards: the rows may be anybody's."""
    codes = pd.factorize(rows["symbol"])[0]
    dates = rows["date"].to_numpy()
    order = np.argsort(codes, kind="stable")
    before, after = order[:-1], order[1:]
    back = after[(codes[before] == codes[after]) & (dates[after] < dates[before])]
    if not len(back):
        return
    row = int(back.min())
    ends = np.cumsum([table.num_rows for table in tables])
    file = int(np.searchsorted(ends, row, side="right"))
    number = row - int(ends[file] - tables[file].num_rows) + 1
    where = f"row {number} of '{paths[file]}' ({rows['symbol'].iloc[row]}, {rows['date'].iloc[row]:%Y-%m-%d})"
    raise SourceError(f"The dates of a symbol must not go backwards, but {where} stands after a later date: sort the rows by date.")


def _survivors(bars: pd.DataFrame) -> tuple[str, ...]:
    """Say so when the rows themselves look like a list of those that lived."""
    dates = bars.index.get_level_values("date")
    last = dates.to_series().groupby(bars.index.get_level_values("symbol").to_numpy()).max()
    if len(last) < 2 or not (last == dates.max()).all():
        return ()
    looks = f"All {len(last)} symbols last until the end of the data: this looks like a list of survivors, which flatters results."
    return (f"{looks} Compare with the equal-weighted universe.",)
