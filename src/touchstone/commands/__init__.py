"""Groups of commands that `touchstone` carries, one file each."""

from __future__ import annotations

from touchstone.commands._data import data
from touchstone.commands._factor import factor
from touchstone.commands._factor_report import factor_report
from touchstone.commands._factor_save import SavedFactor, factor_module, save_factor
from touchstone.commands._refresh import refresh

__all__ = ["SavedFactor", "data", "factor", "factor_module", "refresh", "save_factor"]

factor.add_command(factor_report)
