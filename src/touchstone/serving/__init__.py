"""The registered model over HTTP: bars in, scores out, features by the same code as training."""

from __future__ import annotations

from touchstone.serving._start import start

__all__ = ["start"]
