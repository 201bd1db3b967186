"""Ingestion of more rows than memory holds: block of symbols by block of symbols, with the verdict that all at once would get."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pandas as pd

from touchstone import market, sources
from touchstone.errors import SourceError
from touchstone.partitions._table import PartitionedTable, PartitionWriter
from touchstone.remote import Place, place

__all__ = ["PartitionedIngest", "ingest_partitioned"]


@dataclass(frozen=True)
class PartitionedIngest:
    """What was written, and how much: rows in = clean + quarantined.

    Parameters
    ----------
    bars, quality, quarantine : the tables, as `market.judge` gives them.
    rows_in, rows_clean, rows_quarantined, n_findings, n_blocks : counts.
    """

    bars: PartitionedTable
    quality: PartitionedTable
    quarantine: PartitionedTable
    rows_in: int
    rows_clean: int
    rows_quarantined: int
    n_findings: int
    n_blocks: int


def ingest_partitioned(
    source: Path,
    target: Place | str,
    *,
    columns: Mapping[str, str] | None = None,
    adjustment: market.Adjustment = "none",
    calendar: str = "XNYS",
    timeframe: market.Timeframe = "1d",
    actions: pd.DataFrame | None = None,
    block_rows: int = 1_000_000,
) -> PartitionedIngest:
    """Read a folder of files twice, a block at a time: once for what the checks must know of the whole market, once to judge and write.

    Memory holds one block and the market's context. A killed run leaves no table; run it again.

    Parameters
    ----------
    source : folder of CSV or Parquet; all rows of a symbol stand in one file.
    target : folder for `bars`, `quality` and `quarantine`, here or in a store; tables there are replaced.
    columns, adjustment : as for the source `files`.
    calendar : exchange calendar.
    timeframe : width of a bar.
    actions : corporate actions that are known, for the checks.
    block_rows : a block ends with the file that fills it.

    Raises
    ------
    SourceError
        As the source `files`; a symbol in two files.
    DataError, ConfigError
        As `market.judge`.
    """
    folder = place(target) if isinstance(target, str) else target
    load = partial(sources.load, "files", columns=dict(columns or {}), adjustment=adjustment, calendar=calendar, timeframe=timeframe)
    files = _Files(source, load, block_rows)
    judge = partial(market.judge, calendar=calendar, timeframe=timeframe, actions=actions)
    judge = partial(judge, context=market.MarketContext.build(files.blocks(), calendar=calendar, timeframe=timeframe, actions=actions))
    writers = [PartitionWriter(folder / name) for name in ("bars", "quality", "quarantine")]
    counts: list[tuple[int, int, int, int]] = []
    for block, raw in enumerate(files.blocks()):
        judged = judge(raw, first_row=sum(count[0] for count in counts))
        tables = (judged.bars.reset_index(), judged.quality, judged.quarantine)
        for writer, table in zip(writers, tables, strict=True):
            writer.add(table.sort_values(["date", "symbol"], kind="stable", ignore_index=True), block)
        counts.append((len(raw), len(judged.bars), len(judged.quarantine), len(judged.quality)))
    bars, quality, quarantine = (writer.finish() for writer in writers)
    rows_in, rows_clean, rows_quarantined, n_findings = map(sum, zip(*counts, strict=True))
    return PartitionedIngest(
        bars=bars,
        quality=quality,
        quarantine=quarantine,
        rows_in=rows_in,
        rows_clean=rows_clean,
        rows_quarantined=rows_quarantined,
        n_findings=n_findings,
        n_blocks=len(counts),
    )


@dataclass
class _Files:
    """The files of a folder, read in the order of their names, whole files to a block."""

    folder: Path
    load: Callable[..., market.MarketData]
    block_rows: int
    _homes: dict[str, str] = field(default_factory=dict)

    def blocks(self) -> Iterator[pd.DataFrame]:
        """Raw bars, as often as asked for and always the same."""
        held: list[pd.DataFrame] = []
        for path in self._paths():
            held.append(self._read(path))
            if sum(map(len, held)) >= self.block_rows:
                yield pd.concat(held)
                held = []
        if held:
            yield pd.concat(held)

    def _paths(self) -> list[Path]:
        found = sorted(path for path in self.folder.iterdir() if path.suffix in {".csv", ".parquet"} and path.is_file())
        if not found:
            raise SourceError(f"A folder to ingest must hold CSV or Parquet files, but '{self.folder}' has none: mend the path.")
        return found

    def _read(self, path: Path) -> pd.DataFrame:
        bars = self.load(path=str(path)).bars
        for symbol in bars.index.unique("symbol"):
            home = self._homes.setdefault(symbol, path.name)
            if home != path.name:
                raise SourceError(f"All rows of a symbol must stand in one file, but '{symbol}' is in {home} and {path.name}: join them.")
        return bars
