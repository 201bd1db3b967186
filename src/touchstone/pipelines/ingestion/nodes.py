"""Nodes of `ingestion`."""

from __future__ import annotations

from typing import Any

import pandas as pd

from touchstone import market, sources
from touchstone.lineage import data_hash
from touchstone.parameters import DataParameters, LabelsParameters, identity
from touchstone.pipelines.ingestion import fetched, gates
from touchstone.pipelines.records import stage_record
from touchstone.root import project_root


def snapshot(*, data: DataParameters, labels: LabelsParameters, seed: int) -> tuple[Any, ...]:
    """Ask the source for everything it has; the simulated one plants its signal against the label of the run."""
    market.sessions(data.calendar, str(data.start), str(data.start))  # an unknown calendar stops the run before anything is written
    options: dict[str, Any] = {}
    if data.source == "files":
        options = {**data.files.model_dump(), "path": str(project_root() / data.files.path)}
    if data.source == "simulated":
        options = {**data.simulated.model_dump(), "horizon": labels.horizon, "fill": labels.fill}
    if sources.is_network(data.source):
        options = fetched.options(data, data.source)
    loaded = sources.load(
        data.source,
        start=data.start,
        end=data.end,
        symbols=data.symbols,
        calendar=data.calendar,
        timeframe=data.timeframe,
        seed=seed,
        **options,
    )
    loaded = fetched.join_macro(loaded, data)
    loaded = sources.join_tables(loaded, sources.read_tables(project_root() / data.tables))
    loaded = market.declare(loaded, currency=data.currency, derived=data.derive)
    tables = (loaded.bars, loaded.actions, loaded.macro, loaded.signals, loaded.universe, loaded.benchmark)
    return (*tables, loaded.assets, loaded.sectors, loaded.rates, gates.describe(loaded))


def clean(*, metadata: dict[str, Any], **tables: pd.DataFrame) -> tuple[pd.DataFrame, ...]:
    """Check every table; what fails is kept apart, never dropped."""
    done = market.ingest(market.MarketData(**tables, metadata=market.Metadata.model_validate(metadata)))
    checked = (done.bars, done.actions, done.macro, done.signals, done.universe, done.benchmark, done.assets, done.sectors)
    return (*checked, done.quality, done.quarantine)


def record_ingestion(
    *, data: DataParameters, labels: LabelsParameters, seed: int, metadata: dict[str, Any], **tables: pd.DataFrame
) -> dict[str, Any]:
    """What the stage read and wrote, by content."""
    return stage_record(
        parameters={"data": identity(data), "labels": identity(labels), "seed": seed},
        outputs={name: data_hash(table) for name, table in tables.items()},
        facts={
            "rows_in": len(tables["raw_bars"]),
            "rows_clean": len(tables["bars"]),
            "rows_quarantined": len(tables["quarantine"]),
            "n_symbols": int(tables["bars"].index.get_level_values("symbol").nunique()),
            "source": metadata,
        },
    )
