"""Read-only datasets that say what is there: the code that runs, and the outputs of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, CatalogProtocol, DatasetError

from touchstone.lineage import digest
from touchstone.remote import Place
from touchstone.root import DEFAULT_DATA_ROOT
from touchstone.stages import STAGES, code_files

__all__ = ["CodeDigests", "OutputDigests"]


class _ReadOnly(AbstractDataset[None, dict[str, Any]]):
    def save(self, data: None) -> NoReturn:  # noqa: ARG002 - Kedro's signature
        raise DatasetError(f"{type(self).__name__} is read from disk and cannot be written.")

    def _describe(self) -> dict[str, Any]:
        return {}


class CodeDigests(_ReadOnly):
    """SHA-256 by path of every file that decides a result: the import closure of the stages, conf/base, notebooks/reports."""

    def __init__(self, *, filepath: str, stages: Sequence[str] = STAGES, metadata: dict[str, Any] | None = None) -> None:
        self._root = Path(filepath)
        self._stages = tuple(stages)
        self.metadata = metadata

    def load(self) -> dict[str, str]:
        return {path: digest((self._root / path).read_bytes()) for path in code_files(self._root, self._stages)}


class OutputDigests(_ReadOnly):
    """Size and SHA-256 of every persisted output of the pipelines but those of the manifest itself, by name.

    An output's name is `data/` and its path below the data root, wherever that lies: the same run, the same manifest.

    Parameters
    ----------
    catalog : catalog whose files are read when the dataset is loaded.
    names : datasets to digest.
    root : the data root.
    """

    def __init__(self, *, catalog: CatalogProtocol, names: tuple[str, ...], root: Place) -> None:
        self._catalog = catalog
        self._names = names
        self._root = root

    def load(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for name in self._names:
            path = self._catalog.get(name)._filepath
            payload = path.read_bytes()
            found[f"{DEFAULT_DATA_ROOT}/{path.relative_to(self._root).as_posix()}"] = {"size": len(payload), "sha256": digest(payload)}
        return found
