"""The validation stage."""

from __future__ import annotations

from touchstone.pipelines.validation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
