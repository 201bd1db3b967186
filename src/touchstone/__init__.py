"""Touchstone: from a notebook cell to a served model, refusing what cannot be reproduced, audited or deflated."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
