"""Transforms that learn from training rows: their own chapter, so that models need no feature set to carry them."""

from __future__ import annotations

from touchstone.transforms._fitted import FittedTransform, TransformSpecification, fitted, list_fitted, restore_fitted

__all__ = ["FittedTransform", "TransformSpecification", "fitted", "list_fitted", "restore_fitted"]
