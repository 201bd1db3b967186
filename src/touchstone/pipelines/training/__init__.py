"""The training stage."""

from __future__ import annotations

from touchstone.pipelines.training.pipeline import create_pipeline

__all__ = ["create_pipeline"]
