"""A table of dated rows in many Parquet files, by year and by block of symbols, here or in a store."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from touchstone.atomic import write_whole
from touchstone.errors import LineageError
from touchstone.partitions._filter import Day, rows_wanted
from touchstone.remote import Place, Remote

__all__ = ["PartitionWriter", "PartitionedTable"]

_INDEX = "_metadata"
_YEAR = "year"
# A month or two of a thousand symbols: what a read by date can skip within a year.
_GROUP_ROWS = 32_768


@dataclass(frozen=True)
class PartitionedTable:
    """A table in a folder: ``year=2013/block-0007.parquet``, each file sorted by date and symbol, and `_metadata`, which names the files
    with the span of dates and symbols of every row group. Files that `_metadata` does not name do not belong to it.

    Parameters
    ----------
    place : the folder.
    """

    place: Place

    def read(
        self, *, symbols: Sequence[str] = (), start: Day | None = None, end: Day | None = None, columns: Sequence[str] = ()
    ) -> pd.DataFrame:
        """Read the rows asked for, and of the files no more than their row groups and columns.

        Parameters
        ----------
        symbols : those wanted; empty: all.
        start, end : first and last day wanted, both included; None: from the first, to the last.
        columns : those wanted, `date` and `symbol` always; empty: all.

        Returns
        -------
        DataFrame
            Sorted by date and symbol, with a new range index.

        Raises
        ------
        LineageError
            The folder holds no finished table, or no such column.
        """
        dataset = self._dataset()
        names = [name for name in dataset.schema.names if name != _YEAR]
        unknown = [name for name in columns if name not in names]
        if unknown:
            raise LineageError(f"A table is read by its columns, but has no '{unknown[0]}': it has {', '.join(names)}.")
        kept = [name for name in names if not columns or name in {"date", "symbol", *columns}]
        found = dataset.to_table(columns=kept, filter=rows_wanted(symbols, start, end, year=_YEAR))
        return found.to_pandas().sort_values(["date", "symbol"], ignore_index=True)

    def row_groups(self, *, symbols: Sequence[str] = (), start: Day | None = None, end: Day | None = None) -> dict[str, list[int]]:
        """Numbers of the row groups by file that `read` would read for the same question."""
        wanted = rows_wanted(symbols, start, end, year=_YEAR)
        dataset = self._dataset()
        fragments = (
            dataset.get_fragments()
            if wanted is None
            else (part.subset(wanted, schema=dataset.schema) for part in dataset.get_fragments(wanted))
        )
        return {part.path: [group.id for group in part.row_groups] for part in fragments if part.row_groups}

    @property
    def n_rows(self) -> int:
        """How many rows it has, without reading them."""
        return int(self._dataset().count_rows())

    def _dataset(self) -> ds.Dataset:
        index = self.place / _INDEX
        if not index.is_file():
            raise LineageError(f"A partitioned table ends with {_INDEX}, but '{self.place.name}' has none: it was not written to its end.")
        hive = ds.partitioning(pa.schema([(_YEAR, pa.int32())]), flavor="hive")
        if isinstance(index, Remote):
            system, path = index.opened()
            return ds.parquet_dataset(path, filesystem=system, partitioning=hive)
        return ds.parquet_dataset(str(index), partitioning=hive)


class PartitionWriter:
    """Writes a partitioned table block by block; it is none until `finish`, and what stood there before is none any more.

    Parameters
    ----------
    place : the folder; files of an earlier table in it go.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._schema: pa.Schema | None = None
        self._written: list[pq.FileMetaData] = []
        _clear(place)

    def add(self, frame: pd.DataFrame, block: int) -> None:
        """Write a block of symbols: rows with the columns `date` and `symbol`, sorted by date; all blocks have the same columns."""
        table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
        self._schema = self._schema or table.schema
        for year, first, last in _years(frame["date"]):
            name = f"{_YEAR}={year}/block-{block:04d}.parquet"
            sink = io.BytesIO()
            pq.write_table(table[first:last], sink, compression="zstd", row_group_size=_GROUP_ROWS, metadata_collector=self._written)
            self._written[-1].set_file_path(name)
            write_whole(self._place / name, sink.getvalue())

    def finish(self) -> PartitionedTable:
        """Say which files make the table.

        Raises
        ------
        LineageError
            No block was added.
        """
        if self._schema is None:
            raise LineageError(f"A partitioned table has at least one block, but '{self._place.name}' was given none: add one, even empty.")
        sink = io.BytesIO()
        pq.ParquetWriter(sink, self._schema).close()
        whole = pq.read_metadata(io.BytesIO(sink.getvalue()))
        for part in self._written:
            whole.append_row_groups(part)
        sink = io.BytesIO()
        whole.write_metadata_file(sink)
        write_whole(self._place / _INDEX, sink.getvalue())
        return PartitionedTable(self._place)


def _clear(place: Place) -> None:
    """The index first: from then on there is no table, and so never half an old one."""
    index = place / _INDEX
    if not index.is_file():
        return
    whole = pq.read_metadata(io.BytesIO(index.read_bytes()))
    names = dict.fromkeys(whole.row_group(number).column(0).file_path for number in range(whole.num_row_groups))
    index.unlink()
    for name in names:
        (place / name).unlink(missing_ok=True)


def _years(dates: pd.Series[Any]) -> Iterator[tuple[int, int, int]]:
    """Each year with its first row and the one after its last."""
    years = dates.dt.year.to_numpy()
    for year in np.unique(years):
        yield int(year), int(np.searchsorted(years, year, "left")), int(np.searchsorted(years, year, "right"))
