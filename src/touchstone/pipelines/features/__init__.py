"""The features stage."""

from __future__ import annotations

from touchstone.pipelines.features.pipeline import create_pipeline

__all__ = ["create_pipeline"]
