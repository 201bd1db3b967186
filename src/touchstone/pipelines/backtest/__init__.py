"""The backtest stage."""

from __future__ import annotations

from touchstone.pipelines.backtest.pipeline import create_pipeline

__all__ = ["create_pipeline"]
