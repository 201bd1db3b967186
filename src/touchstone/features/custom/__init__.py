"""Factors that `touchstone factor save` has written, one module each under the factor's own name."""

from __future__ import annotations

__all__: list[str] = []
