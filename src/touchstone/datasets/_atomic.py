"""Files, here or in a store, that are there whole or not at all, with bytes that depend on the value alone."""

from __future__ import annotations

import io
import json
from abc import abstractmethod
from typing import Any, Generic, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from kedro.io import AbstractDataset

from touchstone.atomic import write_whole
from touchstone.errors import LineageError
from touchstone.lineage import canonical_json
from touchstone.remote import place

__all__ = ["BytesDataset", "JSONDataset", "TableDataset", "TextDataset"]

Value = TypeVar("Value")


class _AtomicDataset(AbstractDataset[Value, Value], Generic[Value]):
    """A run killed at any moment leaves the old file or the new one.

    Parameters
    ----------
    filepath : a path, or an address in a store (``s3://…``, ``gs://…``).
    metadata : what the catalog says beside.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = place(filepath)
        self.metadata = metadata

    def save(self, data: Value) -> None:
        write_whole(self._filepath, self._encode(data))

    def load(self) -> Value:
        if not self._filepath.exists():
            raise LineageError(
                f"'{self._filepath.name}' must be there before it is read, but {self._filepath.parent.name}/ does not hold it: "
                "run the pipeline that writes it (`dvc repro` finds out which)."
            )
        return self._decode(self._filepath.read_bytes())

    def _exists(self) -> bool:
        return self._filepath.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}

    @abstractmethod
    def _encode(self, data: Value) -> bytes:
        """The bytes of a value."""

    @abstractmethod
    def _decode(self, payload: bytes) -> Value:
        """The value of bytes."""


class TableDataset(_AtomicDataset[pd.DataFrame]):
    """A frame as Parquet (zstd); the index travels with it."""

    def _encode(self, data: pd.DataFrame) -> bytes:
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pandas(data), sink, compression="zstd")
        return sink.getvalue()

    def _decode(self, payload: bytes) -> pd.DataFrame:
        return pq.read_table(io.BytesIO(payload)).to_pandas()


class JSONDataset(_AtomicDataset[Any]):
    """Canonical JSON, one line, with a closing newline."""

    def _encode(self, data: Any) -> bytes:
        return (canonical_json(data) + "\n").encode()

    def _decode(self, payload: bytes) -> Any:
        return json.loads(payload)


class BytesDataset(_AtomicDataset[bytes]):
    """Bytes as they are."""

    def _encode(self, data: bytes) -> bytes:
        return data

    def _decode(self, payload: bytes) -> bytes:
        return payload


class TextDataset(_AtomicDataset[str]):
    """UTF-8 text."""

    def _encode(self, data: str) -> bytes:
        return data.encode()

    def _decode(self, payload: bytes) -> str:
        return payload.decode()
