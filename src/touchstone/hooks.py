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

from touchstone.datasets import OutputDigests
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
        catalog["output_digests"] = OutputDigests(catalog=catalog, names=tuple(sorted(written)), root=self._root)

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


HOOKS: tuple[Any, ...] = (LineageHook(), ProgressHook())
