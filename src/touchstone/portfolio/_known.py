"""What a sizing may look at beside the weights."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from touchstone.errors import ConfigError
from touchstone.market import Sectors

__all__ = ["Known"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Known:
    """Tables that sizings read, each at the decision's date or before.

    Parameters
    ----------
    bars : DataFrame
        Bars or returns, as `session_returns` takes them.
    sectors : Sectors
        Dated sectors.
    betas : DataFrame, (decision date) x symbols
        Betas known at the decision.
    expected_returns : DataFrame, (decision date) x symbols
        A year's expected return, known at the decision.
    """

    bars: pd.DataFrame | None = None
    sectors: Sectors | None = None
    betas: pd.DataFrame | None = None
    expected_returns: pd.DataFrame | None = None

    def need_bars(self, name: str) -> pd.DataFrame:
        """The bars, or an error that says who needs them."""
        return self._need(self.bars, name, "bars")

    def need_betas(self, name: str) -> pd.DataFrame:
        """The betas, or an error that says who needs them."""
        return self._need(self.betas, name, "betas")

    def need_expected_returns(self, name: str) -> pd.DataFrame:
        """The expected returns, or an error that says who needs them."""
        return self._need(self.expected_returns, name, "expected_returns")

    def need_sectors(self, name: str) -> Sectors:
        """The sectors, or an error that says who needs them."""
        if self.sectors is None:
            raise ConfigError(f"'{name}' needs sectors, but got none: give known=Known(sectors=…).")
        return self.sectors

    def _need(self, frame: pd.DataFrame | None, name: str, what: str) -> pd.DataFrame:
        if frame is None:
            raise ConfigError(f"'{name}' needs {what}, but got none: give known=Known({what}=…).")
        return frame
