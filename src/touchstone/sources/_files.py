"""Bars from CSV or Parquet: a folder of files, one a symbol, or one long table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from touchstone.errors import ConfigError, SourceError, name_few, nearest
from touchstone.market import Adjustment, MarketData, Metadata, empty_table
from touchstone.sources._registry import SourceRequest

__all__ = ["FilesSource"]

_SUFFIXES = (".csv", ".parquet")
_FIELDS = ("open", "high", "low", "close", "volume", "vwap")
_TYPES = {"date": pa.timestamp("us"), "symbol": pa.string()} | dict.fromkeys(_FIELDS, pa.float64())
_ADJUSTMENTS: dict[Adjustment, str] = {
    "none": "Prices are as traded and no splits or dividends are given: a split looks like a crash, and returns leave dividends out.",
    "split": "Prices are adjusted for splits only: returns leave dividends out.",
    "total_return": "",
}


class FilesSource:
    """A folder or file of CSV or Parquet.

    Options
    -------
    path : str
        A file, or a folder whose files are read in the order of their names.
    columns : mapping, optional
        Our field → the column in the file. Fields: ``date``, ``close`` and any of ``symbol open high low volume vwap``. Without a
        column for ``symbol`` the file's name (without its ending) is the symbol. By default the columns that bear our names.
    adjustment : {"none", "split", "total_return"}, default "none"
        What the prices are; the file cannot say.
    """

    name = "files"

    def load(self, request: SourceRequest) -> MarketData:
        """Read every file; values that are missing or make no sense are left for the quality checks.

        Raises
        ------
        ConfigError
            An unknown option, field, adjustment or symbol.
        SourceError
            A path that is not there, a file that is empty or unreadable, a missing column, a date that goes backwards.
        """
        request.expect_options(self.name, "path", "columns", "adjustment")
        adjustment = _adjustment(request.options.get("adjustment", "none"))
        paths = _list_files(request.options.get("path"))
        columns = _Columns.of(request.options.get("columns", {}), paths[0])
        tables = [columns.read(path) for path in paths]
        rows = pa.concat_tables(tables).to_pandas()
        _check_order(rows, tables, paths)
        wanted = rows["symbol"].isin(request.choose(self.name, list(rows["symbol"].unique()))) & request.spans(rows["date"])
        bars = rows[wanted].set_index(["date", "symbol"])
        return MarketData(
            bars=bars,
            actions=empty_table("actions"),
            macro=empty_table("macro"),
            signals=empty_table("signals"),
            universe=empty_table("universe"),
            benchmark=empty_table("benchmark"),
            metadata=Metadata(
                source=self.name,
                adjustment=adjustment,
                fields=tuple(bars.columns),
                calendar=request.calendar,
                caveats=_caveats(bars, adjustment),
            ),
        )


def _adjustment(given: str) -> Adjustment:
    for known in _ADJUSTMENTS:
        if given == known:
            return known
    raise ConfigError(f"data.files.adjustment must say what the prices are, but got '{given}': {nearest(given, _ADJUSTMENTS)}.")


def _list_files(given: str | Path | None) -> list[Path]:
    if given is None:
        raise ConfigError("Source 'files' must be told where the files are: give the option path (data.files.path).")
    path = Path(given)
    if not path.exists():
        raise SourceError(f"data.files.path must be a folder or file, but '{path}' does not exist: mend the path.")
    found = [path] if path.is_file() else sorted(entry for entry in path.iterdir() if entry.suffix in _SUFFIXES and entry.is_file())
    if not found or found[0].suffix not in _SUFFIXES:
        raise SourceError(f"data.files.path must hold files that end in {' or '.join(_SUFFIXES)}, but '{path}' has none.")
    return found


@dataclass(frozen=True)
class _Columns:
    """The columns to read, by our field and in our order; without a symbol the file's name is the symbol."""

    by_field: dict[str, str]

    @classmethod
    def of(cls, given: Mapping[str, str], first: Path) -> _Columns:
        """Take the mapping that was given, or the columns of the first file that bear our names."""
        unknown = [field for field in given if field not in _TYPES]
        if unknown:
            raise ConfigError(f"data.files.columns must map our fields, but got '{unknown[0]}': {nearest(unknown[0], _TYPES)}.")
        lacking = [field for field in ("date", "close") if given and field not in given]
        if lacking:
            raise ConfigError(f"data.files.columns must map date and close, but maps only {', '.join(given)}: add {name_few(lacking)}.")
        named = given or {field: field for field in (*_header(first), "date", "close")}
        return cls({field: named[field] for field in _TYPES if field in named})

    def read(self, path: Path) -> pa.Table:
        """Give the file's rows with our names and types."""
        header = _header(path)
        missing = [column for column in self.by_field.values() if column not in header]
        if missing:
            raise SourceError(f"Every file must have the column '{missing[0]}', but '{path}' lacks it: {nearest(missing[0], header)}.")
        table = _read(path, {column: _TYPES[field] for field, column in self.by_field.items()})
        table = table.rename_columns(list(self.by_field))
        if table.num_rows == 0:
            raise SourceError(f"A file of bars must have rows, but '{path}' is empty: fill or remove it.")
        if "symbol" not in self.by_field:
            table = table.add_column(1, "symbol", pa.repeat(pa.scalar(path.stem), table.num_rows))
        for key in ("date", "symbol"):
            if table[key].null_count or (key == "symbol" and pc.any(pc.equal(table[key], "")).as_py()):
                raise SourceError(f"Every row must have a {key}, but '{path}' has one without it: mend the column '{self.by_field[key]}'.")
        return table


def _header(path: Path) -> list[str]:
    try:
        schema = pyarrow.csv.open_csv(path).schema if path.suffix == ".csv" else pyarrow.parquet.read_schema(path)
    except (pa.ArrowInvalid, OSError) as problem:
        raise SourceError(_unreadable(path, problem)) from None
    return list(schema.names)


def _read(path: Path, types: Mapping[str, pa.DataType]) -> pa.Table:
    names = list(types)
    try:
        if path.suffix == ".csv":
            wanted = pyarrow.csv.ConvertOptions(column_types=types, include_columns=names)
            return pyarrow.csv.read_csv(path, convert_options=wanted)
        table = pyarrow.parquet.read_table(path, columns=names).select(names)
        if any(pa.types.is_timestamp(column.type) and column.type.tz for column in table.schema):
            raise pa.ArrowInvalid("its dates carry a time zone")
        return table.cast(pa.schema(list(types.items())))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as problem:
        raise SourceError(_unreadable(path, problem)) from None


def _unreadable(path: Path, problem: Exception) -> str:
    hint = "dates must be ISO 8601 without a zone, values numbers"
    return f"A file of bars must be readable, but '{path}' is not ({str(problem).splitlines()[0]}): {hint}."


def _check_order(rows: pd.DataFrame, tables: list[pa.Table], paths: list[Path]) -> None:
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


def _caveats(bars: pd.DataFrame, adjustment: Adjustment) -> tuple[str, ...]:
    """What the rows themselves tell a reader to beware of."""
    found = [_ADJUSTMENTS[adjustment]] if _ADJUSTMENTS[adjustment] else []
    dates = bars.index.get_level_values("date")
    last = dates.to_series().groupby(bars.index.get_level_values("symbol").to_numpy()).max()
    if len(last) > 1 and (last == dates.max()).all():
        found.append(
            f"All {len(last)} symbols last until the end of the data: this looks like a list of survivors, which flatters results. "
            "Compare with the equal-weighted universe."
        )
    return tuple(found)
