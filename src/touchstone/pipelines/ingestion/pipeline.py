"""Raw snapshot → schema → quality verdict → gates → clean tables. What makes tables of the snapshot is tagged: a run is proved from it."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from touchstone.pipelines.ingestion import gates, nodes

__all__ = ["create_pipeline"]

RAW_TABLES = {
    "bars": "raw_bars",
    "actions": "raw_actions",
    "macro": "raw_macro",
    "signals": "raw_signals",
    "universe": "raw_universe",
    "benchmark": "raw_benchmark",
    "assets": "raw_assets",
    "sectors": "raw_sectors",
    "rates": "raw_rates",
}
RAW = [*RAW_TABLES.values(), "metadata"]
CLEAN = ["bars", "actions", "macro", "signals", "stated_universe", "benchmark", "assets", "sectors", "quality", "quarantine"]
RECORDED = {
    "raw_bars": "raw_bars",
    "bars": "bars",
    "actions": "actions",
    "macro": "macro",
    "signals": "signals",
    "universe": "universe",
    "benchmark": "benchmark",
    "assets": "assets",
    "sectors": "sectors",
    "quality": "quality",
    "quarantine": "quarantine",
}
SETTINGS = {"data": "params:data", "labels": "params:labels", "seed": "params:seed"}
AFTER = "after_snapshot"


def create_pipeline() -> Pipeline:
    """The ingestion pipeline."""
    return Pipeline(
        [
            Node(nodes.snapshot, SETTINGS, RAW, name="snapshot"),
            Node(nodes.clean, {"metadata": "metadata", **RAW_TABLES}, CLEAN, name="clean", tags=AFTER),
            # Not tagged: a run is proved from its snapshot on any later day.
            Node(
                gates.require_fresh,
                {"data": "params:data", "bars": "bars", "stated": "raw_universe", "actions": "actions"},
                None,
                name="require_fresh",
            ),
            Node(
                gates.members,
                {"data": "params:data", "seed": "params:seed", "metadata": "metadata", "bars": "bars", "stated": "stated_universe"},
                "universe",
                name="members",
                tags=AFTER,
            ),
            Node(
                nodes.record_ingestion,
                {**SETTINGS, "metadata": "metadata", **RECORDED},
                "ingestion_record",
                name="record_ingestion",
                tags=AFTER,
            ),
        ]
    )
