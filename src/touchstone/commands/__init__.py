"""Groups of commands that `touchstone` carries, one file each."""

from __future__ import annotations

from touchstone.commands._data import data
from touchstone.commands._refresh import refresh

__all__ = ["data", "refresh"]
