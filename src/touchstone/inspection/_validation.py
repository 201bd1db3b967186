"""The verdict on one's own files, the same as ingestion's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from touchstone import market, sources
from touchstone.errors import ConfigError, SourceError, name_few

__all__ = ["Validation", "validate_files"]


@dataclass(frozen=True, eq=False)
class Validation:
    """The verdict on files: what ingestion would make of them.

    Parameters
    ----------
    n_rows, n_clean, n_quarantined : int
        Rows in = clean + quarantined.
    columns : mapping
        Our field → the column that was read.
    guessed : tuple of str
        Fields whose column was recognised by a name other than ours, and not told.
    unread : tuple of str
        Columns of the first file that were not read.
    metadata : Metadata
        What was said of the files, and their caveats.
    findings, quarantine : DataFrame
        As in `touchstone.market.Ingested`.
    """

    n_rows: int
    n_clean: int
    n_quarantined: int
    columns: Mapping[str, str]
    guessed: tuple[str, ...]
    unread: tuple[str, ...]
    metadata: market.Metadata = field(repr=False)
    findings: pd.DataFrame = field(repr=False)
    quarantine: pd.DataFrame = field(repr=False)

    @property
    def passed(self) -> bool:
        """Whether no row was quarantined and no finding is an error."""
        return self.n_quarantined == 0 and not bool((self.findings["severity"] == "error").any())

    @cached_property
    def by_check(self) -> pd.DataFrame:
        """Findings counted by check, as `touchstone.market.count_findings` does."""
        return market.count_findings(self.findings)

    def worst(self, n: int = 10) -> pd.DataFrame:
        """The worst findings first, as `touchstone.market.worst_first` orders them."""
        return market.worst_first(self.findings).head(n)


def validate_files(
    paths: str | Path | Sequence[str | Path],
    *,
    calendar: str = "XNYS",
    timeframe: market.Timeframe = "1d",
    adjustment: market.Adjustment = "none",
    columns: Mapping[str, str] | None = None,
    **options: Any,
) -> Validation:
    """Judge files of bars as ingestion does; nothing is written, and no project is needed.

    Parameters
    ----------
    paths : path or sequence of paths
        CSV or Parquet files, or folders of them; all have the columns of the first.
    calendar : str
        Exchange calendar of the sessions.
    timeframe : {"1m", "5m", "15m", "30m", "1h", "1d"}
        Width of a bar.
    adjustment : {"none", "split", "total_return"}
        What the prices are.
    columns : mapping, optional
        Our field → the column in the files, for those that are not recognised (see `touchstone.sources.guess_columns`).
    **options
        Further options of the source ``files``: ``timezone`` and ``stamp`` of intraday bars.

    Raises
    ------
    ConfigError
        No path, an unknown calendar, timeframe, adjustment or field, or a file without a date or close that is recognised.
    SourceError
        A path that is not there, or an unreadable file.
    DataError
        No sound row at all.
    """
    given = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    if not given:
        raise ConfigError("Files are validated, but none was given: name at least one file or folder.")
    absent = [str(path) for path in given if not path.exists()]
    if absent:
        raise SourceError(f"Files are validated where they lie, but {name_few(absent)} does not exist: mend the path.")
    told = dict(columns or {})
    guess = sources.guess_columns(given[0])
    mapping = guess.corrected(told)
    raw = sources.load("files", calendar=calendar, timeframe=timeframe, path=given, columns=mapping, adjustment=adjustment, **options)
    done = market.ingest(raw)
    return Validation(
        n_rows=len(raw.bars),
        n_clean=len(done.bars),
        n_quarantined=len(done.quarantine),
        columns=mapping,
        guessed=tuple(name for name, column in mapping.items() if name not in told and name != column),
        unread=tuple(column for column in guess.header if column not in mapping.values()),
        metadata=raw.metadata,
        findings=done.quality,
        quarantine=done.quarantine,
    )
