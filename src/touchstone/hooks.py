"""Kedro hooks: what lies on disk becomes a dataset, and a finished loop is archived and told to the ledger and the tracker."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from touchstone.datasets import OutputDigests, Undo
from touchstone.root import data_root
from touchstone.stages import STAGES, code_files, persisted_outputs

__all__ = ["HOOKS"]

logger = logging.getLogger(__name__)


class LineageHook:
    """Gives `reporting` the digests of all outputs, and keeps every finished loop."""

    def __init__(self) -> None:
        self._root = Path()
        self._parameters: dict[str, Any] = {}
        self._began = 0.0

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        self._root = Path(context.project_path)
        self._parameters = context.config_loader["parameters"]

    @hook_impl
    def after_catalog_created(self, catalog: CatalogProtocol) -> None:
        written = {name for stage in STAGES for name in persisted_outputs(pipelines[stage], catalog)} - {"manifest"}
        catalog["output_digests"] = OutputDigests(catalog=catalog, names=tuple(sorted(written)), root=data_root(self._root))

    @hook_impl
    def before_pipeline_run(self) -> None:
        self._began = time.monotonic()

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline) -> None:
        if "manifest" not in pipeline.all_outputs() or os.environ.get("TOUCHSTONE_TRACKING") == "off":
            return
        from touchstone.tracking import keep_run

        keep_run(self._root, parameters=self._parameters, code=code_files(self._root), seconds=time.monotonic() - self._began)


class ProgressHook:
    """Says which step is done and how long it took."""

    def __init__(self) -> None:
        self._began = 0.0

    @hook_impl
    def before_node_run(self) -> None:
        self._began = time.monotonic()

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        logger.info("%-20s %6.1f s", node.name, time.monotonic() - self._began)


class UndoHook:
    """A run that fails leaves the outputs of the run before it."""

    def __init__(self) -> None:
        self._catalog: CatalogProtocol | None = None
        self._undo = Undo()

    @hook_impl
    def after_catalog_created(self, catalog: CatalogProtocol) -> None:
        self._catalog, self._undo = catalog, Undo()

    @hook_impl
    def before_dataset_saved(self, dataset_name: str) -> None:
        path = getattr(self._catalog.get(dataset_name), "_filepath", None) if self._catalog is not None else None
        # The ledger only grows: that something was tried stays true when the run fails.
        if path is not None and dataset_name != "known_trials":
            self._undo.keep(path)

    @hook_impl
    def on_pipeline_error(self) -> None:
        self._undo.put_back()

    @hook_impl
    def after_pipeline_run(self) -> None:
        self._undo.forget()


HOOKS: tuple[Any, ...] = (LineageHook(), ProgressHook(), UndoHook())
