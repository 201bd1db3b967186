"""A person's own tables: one CSV or Parquet each, in one folder, read for whatever source gives the bars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from touchstone.errors import DataError, SourceError, name_few, nearest
from touchstone.market import validate
from touchstone.sources._table_columns import TABLE_COLUMNS, TableColumns, read_columns
from touchstone.sources._table_defaults import COMPLETE, Completed

__all__ = ["UserTables", "read_tables"]

_SUFFIXES = (".csv", ".parquet")


@dataclass(frozen=True, eq=False)
class UserTables:
    """What a folder of tables holds.

    Parameters
    ----------
    folder : Path
    tables : mapping of str to DataFrame
        By name, as `touchstone.market.validate` describes them.
    caveats : tuple of str
        What was assumed where a table did not say.
    undated_sectors : str
        The day of which undated sectors are; empty when sectors are dated or not given.
    benchmark_name : str
        The column ``name`` of the benchmark, or its file's name.
    """

    folder: Path
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    caveats: tuple[str, ...] = ()
    undated_sectors: str = ""
    benchmark_name: str = ""


def read_tables(folder: str | Path) -> UserTables:
    """Read and check every table of a folder.

    Each file is named by what it holds: ``actions universe assets sectors rates macro signals benchmark``, as CSV or Parquet. Columns
    are those of the data contract; which may be left out, and what stands in for them, is told in ``docs/sources/files.md``. Times
    with a zone are converted to UTC, times without one are UTC. Notes (``README*``) and hidden files are passed over.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    UserTables

    Raises
    ------
    SourceError
        A folder that is not there, a file of another name or kind, a table that stands twice, a file that cannot be read.
    DataError
        A column that is missing or unknown, a value of another kind, a table that breaks the data contract; file and column are named.
    """
    given = Path(folder)
    if not given.is_dir():
        raise SourceError(f"data.tables must be a folder of tables, but '{given}' is none: make it, or mend the path.")
    tables: dict[str, pd.DataFrame] = {}
    caveats: list[str] = []
    undated = title = ""
    for path in _list_tables(given):
        done = _read_table(path)
        tables[path.stem] = done.frame
        caveats += done.caveats
        undated, title = done.as_of or undated, done.title or title
    return UserTables(given, tables, tuple(caveats), undated, title)


def _list_tables(folder: Path) -> list[Path]:
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "README")):
            continue
        if path.stem not in TABLE_COLUMNS or path.suffix not in _SUFFIXES or not path.is_file():
            rule = f"A file of data.tables must be named by what it holds and end in {' or '.join(_SUFFIXES)}"
            raise SourceError(f"{rule}, but '{path}' is not: {nearest(path.stem, TABLE_COLUMNS)}; rename or move it.")
        if path.stem in found:
            raise SourceError(f"A table must be given once, but '{found[path.stem]}' and '{path}' both hold {path.stem}: keep one.")
        found[path.stem] = path
    return list(found.values())


def _read_table(path: Path) -> Completed:
    name = path.stem
    columns: TableColumns = TABLE_COLUMNS[name]
    done = COMPLETE[name](path, read_columns(path, columns))
    keys = [key for key in columns.keys if key in done.frame.columns or key in done.frame.index.names]
    try:
        validate(name, done.frame)
    except DataError as problem:
        raise DataError(f"'{path}' breaks the data contract. {problem}") from None
    flat = done.frame.reset_index()
    twice = flat[flat.duplicated(keys)]
    if len(twice):
        shown = name_few(" ".join(str(value) for value in row) for row in twice[keys].itertuples(index=False))
        way_out = "keep one row, with the sum where they are two payouts" if name == "actions" else "keep one row"
        raise DataError(f"'{path}' must have each ({', '.join(keys)}) once, but these stand twice: {shown}; {way_out}.")
    return done
