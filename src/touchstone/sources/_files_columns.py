"""The columns of a file by our names, and only the rows that were asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet

from touchstone.errors import ConfigError, SourceError, name_few, nearest
from touchstone.sources._files_layout import Layout
from touchstone.sources._files_times import Stamps
from touchstone.sources._registry import SourceRequest

__all__ = ["Columns", "Wanted", "read_header"]

_FIELDS = ("open", "high", "low", "close", "volume", "vwap")
_TYPES = {"date": pa.timestamp("us"), "symbol": pa.string()} | dict.fromkeys(_FIELDS, pa.float64())
# A local day may begin a day before or after the one in UTC; what is read too much is left out later.
_SLACK = pd.Timedelta(days=2)


@dataclass(frozen=True)
class Wanted:
    """What a reader of Parquet may pass over: other symbols, and dates well outside the span."""

    symbols: tuple[str, ...]
    start: pd.Timestamp | None
    end: pd.Timestamp | None

    @classmethod
    def of(cls, request: SourceRequest) -> Wanted:
        """What the request asks for."""
        start = None if request.start is None else request.start - _SLACK
        end = None if request.end is None else request.end + _SLACK
        return cls(request.symbols, start, end)

    def filters(self, symbol: pa.Field | None, date: pa.Field | None) -> pc.Expression | None:
        """Conditions on the columns as they are stored; None when every row is wanted or the types do not lend themselves."""
        conditions = []
        if self.symbols and symbol is not None and (pa.types.is_string(symbol.type) or pa.types.is_large_string(symbol.type)):
            conditions.append(pc.field(symbol.name).isin(list(self.symbols)))
        if date is not None and pa.types.is_timestamp(date.type):
            bounds = {">=": self.start, "<=": self.end}
            for sign, bound in bounds.items():
                if bound is not None:
                    at = pa.scalar(bound.to_pydatetime(), type=pa.timestamp("us")).cast(pa.timestamp(date.type.unit, date.type.tz))
                    conditions.append(pc.field(date.name) >= at if sign == ">=" else pc.field(date.name) <= at)
        return reduce(and_, conditions) if conditions else None


@dataclass(frozen=True)
class Columns:
    """The columns to read, by our field and in our order; without a symbol the file's name is the symbol."""

    by_field: dict[str, str]
    layout: Layout

    @classmethod
    def of(cls, given: Mapping[str, str], layout: Layout) -> Columns:
        """Take the mapping that was given, or the columns of the first file that bear our names."""
        unknown = [field for field in given if field not in _TYPES]
        if unknown:
            raise ConfigError(f"data.files.columns must map our fields, but got '{unknown[0]}': {nearest(unknown[0], _TYPES)}.")
        lacking = [field for field in ("date", "close") if given and field not in given]
        if lacking:
            raise ConfigError(f"data.files.columns must map date and close, but maps only {', '.join(given)}: add {name_few(lacking)}.")
        named = given or {field: field for field in (*read_header(layout.paths[0]), *layout.keys, "date", "close")}
        return cls({field: named[field] for field in _TYPES if field in named}, layout)

    def may_hold(self, path: Path, wanted: Wanted) -> bool:
        """Whether a file can hold rows of the symbols asked for, by its name or the folders above it."""
        if not wanted.symbols:
            return True
        if "symbol" not in self.by_field:
            return path.stem in wanted.symbols
        stated = self.layout.values(path).get(self.by_field["symbol"])
        return stated is None or stated in wanted.symbols

    def symbols(self, path: Path) -> list[str]:
        """Every symbol of a file, whatever was asked for."""
        if "symbol" not in self.by_field:
            return [path.stem]
        stated = self.layout.values(path).get(self.by_field["symbol"])
        if stated is not None:
            return [stated]
        return [str(name) for name in self._take(path, ["symbol"], Wanted((), None, None), None)["symbol"].unique().to_pylist()]

    def read(self, path: Path, wanted: Wanted, stamps: Stamps) -> pa.Table:
        """Give the file's rows with our names and types, times in UTC."""
        table = self._take(path, list(self.by_field), wanted, stamps)
        if "symbol" not in self.by_field:
            table = table.add_column(1, "symbol", pa.repeat(pa.scalar(path.stem), table.num_rows))
        for key in ("date", "symbol"):
            if table[key].null_count or (key == "symbol" and pc.any(pc.equal(table[key], "")).as_py()):
                raise SourceError(f"Every row must have a {key}, but '{path}' has one without it: mend the column '{self.by_field[key]}'.")
        return table

    def _take(self, path: Path, fields: list[str], wanted: Wanted, stamps: Stamps | None) -> pa.Table:
        names = {field: self.by_field[field] for field in fields}
        stated = self.layout.values(path)
        stored = {field: column for field, column in names.items() if column not in stated}
        read: Callable[[Path, dict[str, str], Wanted], pa.Table] = _read_csv if path.suffix == ".csv" else _read_parquet
        try:
            table = read(path, stored, wanted)
            for place, (field, column) in enumerate(names.items()):
                if column in stated:
                    table = table.add_column(place, field, pa.repeat(pa.scalar(stated[column]), table.num_rows))
            if stamps is not None:
                table = table.set_column(0, "date", stamps.in_utc(table["date"]))
            return table.cast(pa.schema([(field, _TYPES[field]) for field in names]))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as problem:
            raise SourceError(_unreadable(path, problem)) from None


def read_header(path: Path) -> list[str]:
    """The names of a file's columns; a SourceError when it cannot be read."""
    try:
        schema = pyarrow.csv.open_csv(path).schema if path.suffix == ".csv" else pyarrow.parquet.read_schema(path)
    except (pa.ArrowInvalid, OSError) as problem:
        raise SourceError(_unreadable(path, problem)) from None
    return list(schema.names)


def _read_csv(path: Path, stored: dict[str, str], _: Wanted) -> pa.Table:
    types = {column: _TYPES[field] for field, column in stored.items()}
    try:
        table = _parse(path, types)
    except pa.ArrowKeyError:
        _require_columns(path, stored, read_header(path))
        raise
    except pa.ArrowInvalid as problem:
        # Times with a zone ask for another type; a file has them in every row or in none.
        if "zone" not in str(problem):
            raise
        table = _parse(path, types | {stored["date"]: pa.timestamp("us", tz="UTC")})
    _require_rows(path, table.num_rows)
    return table.rename_columns(list(stored))


def _parse(path: Path, types: Mapping[str, pa.DataType]) -> pa.Table:
    wanted = pyarrow.csv.ConvertOptions(column_types=types, include_columns=list(types))
    # One thread a file: the files themselves are read beside each other.
    return pyarrow.csv.read_csv(path, read_options=pyarrow.csv.ReadOptions(use_threads=False), convert_options=wanted)


def _read_parquet(path: Path, stored: dict[str, str], wanted: Wanted) -> pa.Table:
    file = pyarrow.parquet.ParquetFile(path)
    _require_columns(path, stored, file.schema_arrow.names)
    _require_rows(path, file.metadata.num_rows)
    kinds = {field: file.schema_arrow.field(column) for field, column in stored.items()}
    rows = wanted.filters(kinds.get("symbol"), kinds.get("date"))
    source = pyarrow.dataset.dataset(path, format="parquet", schema=pa.schema(list(kinds.values())))
    table = source.to_table(columns=list(stored.values()), filter=rows, use_threads=False)
    return table.rename_columns(list(stored))


def _require_columns(path: Path, stored: Mapping[str, str], header: list[str]) -> None:
    missing = [column for column in stored.values() if column not in header]
    if missing:
        raise SourceError(
            f"Every file must have the column '{missing[0]}', but '{path}' lacks it: {nearest(missing[0], header)}; say in "
            "data.files.columns (a notebook: columns=) which column is which, and leave symbol out where the file's name is the symbol."
        )


def _require_rows(path: Path, n_rows: int) -> None:
    if n_rows == 0:
        raise SourceError(f"A file of bars must have rows, but '{path}' is empty: fill or remove it.")


def _unreadable(path: Path, problem: Exception) -> str:
    hint = "dates must be ISO 8601 without a zone (intraday times may have one), values numbers"
    return f"A file of bars must be readable, but '{path}' is not ({str(problem).splitlines()[0]}): {hint}."
