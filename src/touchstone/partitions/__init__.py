"""Tables too large for one file: written block by block, read in part."""

from __future__ import annotations

from touchstone.partitions._ingest import PartitionedIngest, ingest_partitioned
from touchstone.partitions._read import read_bars
from touchstone.partitions._table import PartitionedTable, PartitionWriter

__all__ = ["PartitionWriter", "PartitionedIngest", "PartitionedTable", "ingest_partitioned", "read_bars"]
