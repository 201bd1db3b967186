"""What a project holds, and the first rows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from touchstone.errors import ConfigError, LineageError, nearest
from touchstone.lineage import data_hash, digest
from touchstone.notebook import open_run
from touchstone.remote import Place, Remote
from touchstone.root import DEFAULT_DATA_ROOT, data_root, project_root
from touchstone.tables import Filter, opened_table, read_table

__all__ = ["list_data", "preview"]

_TABLE = ".parquet"
# What the rows of a table are about, in time: the first of these that it has.
_DATES = ("date", "ex_date", "period", "start")


def list_data(*, root: Path | str | None = None, run_id: str | None = None, hashes: bool = True) -> pd.DataFrame:
    """List the datasets of a project, or those of an archived run.

    Parameters
    ----------
    root : path, optional
        Folder of the project; by default the one the working folder lies in.
    run_id : str, optional
        Id of a run or its beginning; None: what lies in `data/`.
    hashes : bool
        Whether to read every dataset for its hash.

    Returns
    -------
    DataFrame
        Index the dataset's name; ``layer``, ``rows``, ``symbols`` and span (``first``, ``last``, by the table's own date) where it is
        a table that has them, ``bytes``, and ``hash``: a table's data hash, as in a run's identity, or SHA-256 of another file. In the
        order of the layers.

    Raises
    ------
    ConfigError, LineageError
        No project, no such run, or nothing there yet.
    """
    project = project_root() if root is None else Path(root)
    found = {name: dataset for name, dataset in _catalog(project, run_id).items() if dataset.place.is_file()}
    if not found:
        raise LineageError("Datasets are listed once they are there, but data/ holds none yet: run `kedro run --pipelines ingestion`.")
    rows = [_facts(name, dataset, hashes=hashes) for name, dataset in found.items()]
    return pd.DataFrame(rows).set_index("name").astype({"rows": "Int64", "symbols": "Int64"})


def preview(
    name: str,
    *,
    n_rows: int = 10,
    symbol: str | None = None,
    start: str | None = None,
    end: str | None = None,
    where: Mapping[str, str] | None = None,
    root: Path | str | None = None,
    run_id: str | None = None,
) -> pd.DataFrame:
    """Read the first rows of a table that pass the filters, and no others.

    Parameters
    ----------
    name : str
        Of the catalog, such as ``bars``, ``quality``, ``raw_bars``.
    n_rows : int
        Rows at most.
    symbol : str, optional
    start, end : str, optional
        First and last day, both included, of the date the table's rows are about.
    where : mapping, optional
        Column → the value it must have, such as ``{"check": "high_low"}``.
    root, run_id : optional
        As for `list_data`.

    Raises
    ------
    ConfigError
        An unknown table or column (the nearest is named), a value that does not fit its column, or no project.
    LineageError
        The table is not there yet, or no such run.
    """
    catalog = _catalog(project_root() if root is None else Path(root), run_id)
    tables = {known: dataset.place for known, dataset in catalog.items() if dataset.is_table}
    if name not in tables:
        raise ConfigError(f"A table of the catalog is previewed, but '{name}' is none: {nearest(name, tables)}.")
    if not tables[name].is_file():
        raise LineageError(f"Table '{name}' must be there before it is read, but it is not: run the pipeline that writes it.")
    schema = opened_table(tables[name]).schema
    wanted = {**({"symbol": symbol} if symbol is not None else {}), **(where or {})}
    filters = [_equal(name, schema, column, value) for column, value in wanted.items()]
    return read_table(tables[name], filters=[*filters, *_within(name, schema, start, end)], n_rows=n_rows)


@dataclass(frozen=True)
class _Dataset:
    """Where a dataset of the catalog lies, and in which layer."""

    layer: str
    place: Place

    @property
    def is_table(self) -> bool:
        return self.place.name.endswith(_TABLE)


def _catalog(project: Path, run_id: str | None) -> dict[str, _Dataset]:
    """The datasets by name, layer after layer; of an archived run, where its outputs lie."""
    from touchstone.configuration import TouchstoneConfigLoader  # Kedro takes a second to import

    loader = TouchstoneConfigLoader(str(project / "conf"), base_env="base", default_run_env="base")
    loader["globals"] = {"data_root": DEFAULT_DATA_ROOT}
    folder = data_root(project) if run_id is None else open_run(run_id, root=project).folder
    above = f"{DEFAULT_DATA_ROOT}/"
    listed = ((str(entry.get("filepath", "")), name) for name, entry in loader["catalog"].items())
    below = sorted((path.removeprefix(above), name) for path, name in listed if path.startswith(above))
    return {name: _Dataset(path.partition("/")[0], folder / path) for path, name in below}


def _facts(name: str, dataset: _Dataset, *, hashes: bool) -> dict[str, Any]:
    place = dataset.place
    facts = {"name": name, "layer": dataset.layer, "rows": pd.NA, "symbols": pd.NA, "first": pd.NaT, "last": pd.NaT}
    if dataset.is_table:
        facts |= _extent(opened_table(place))
    told = {**facts, "bytes": _size(place)}
    if not hashes:
        return told
    return {**told, "hash": data_hash(read_table(place)) if dataset.is_table else digest(place.read_bytes())}


def _extent(dataset: pa.dataset.Dataset) -> dict[str, Any]:
    """Rows, symbols and span of a table, from the columns that say so."""
    names = dataset.schema.names
    date = next((name for name in _DATES if name in names), None)
    last = "end" if date == "start" and "end" in names else date
    keys = dataset.to_table([name for name in dict.fromkeys((date, last, "symbol")) if name in names])
    facts: dict[str, Any] = {"rows": dataset.count_rows()}
    if "symbol" in names:
        facts["symbols"] = pc.count_distinct(keys["symbol"]).as_py()
    if date is not None and keys.num_rows:
        facts |= {"first": pd.Timestamp(pc.min(keys[date]).as_py()), "last": pd.Timestamp(pc.max(keys[last]).as_py())}
    return facts


def _size(place: Place) -> int:
    if isinstance(place, Remote):
        system, path = place.opened()
        return int(system.info(path)["size"])
    return place.stat().st_size


def _equal(name: str, schema: pa.Schema, column: str, value: str) -> Filter:
    if column not in schema.names:
        raise ConfigError(f"Rows of '{name}' are chosen by its columns, but '{column}' is none: {nearest(column, schema.names)}.")
    kind = schema.field(column).type
    try:
        return column, "==", pa.scalar(str(value)).cast(kind)
    except pa.ArrowInvalid:
        raise ConfigError(f"Column '{column}' of '{name}' holds {kind}, but '{value}' is none: mend the value.") from None


def _within(name: str, schema: pa.Schema, start: str | None, end: str | None) -> list[Filter]:
    """The span as conditions on the date that the rows are about; a day counts until it is over."""
    wanted = [] if start is None else [(">=", _day(start))]
    wanted += [] if end is None else [("<", _day(end) + pd.Timedelta(days=1))]
    date = next((column for column in _DATES if column in schema.names), None)
    if wanted and date is None:
        raise ConfigError(f"Rows are chosen by date where a table has one, but '{name}' has none: leave start and end out.")
    return [(str(date), sign, bound) for sign, bound in wanted]


def _day(given: str) -> pd.Timestamp:
    try:
        return pd.Timestamp(given).normalize().as_unit("us")
    except ValueError:
        raise ConfigError(f"A date must look like 2003-01-31, but got '{given}': mend it.") from None
