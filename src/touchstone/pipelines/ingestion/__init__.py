"""The ingestion stage."""

from __future__ import annotations

from touchstone.pipelines.ingestion.pipeline import create_pipeline

__all__ = ["create_pipeline"]
