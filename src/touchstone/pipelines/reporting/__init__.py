"""The reporting stage."""

from __future__ import annotations

from touchstone.pipelines.reporting.pipeline import create_pipeline

__all__ = ["create_pipeline"]
