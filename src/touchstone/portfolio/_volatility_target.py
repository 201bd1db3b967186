"""Scale a portfolio to a volatility."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from touchstone.errors import DataError, moment, name_few
from touchstone.portfolio._held import checked
from touchstone.portfolio._known import Known
from touchstone.portfolio._options import at_least, within
from touchstone.portfolio._returns import decision_rows, history, session_returns
from touchstone.types import FloatArray

__all__ = ["VolatilityTarget", "volatility_target"]


@dataclass(frozen=True, kw_only=True)
class VolatilityTarget:
    """`volatility_target` with its options."""

    name: ClassVar[str] = "volatility_target"
    annual_volatility: float = 0.10
    lookback: int = 60
    max_gross: float = 2.0
    periods_per_year: int = 252

    def __post_init__(self) -> None:
        within("annual_volatility", self.annual_volatility, 0.0, np.inf)
        within("max_gross", self.max_gross, 0.0, np.inf)
        at_least("lookback", self.lookback, 2)
        at_least("periods_per_year", self.periods_per_year, 1)

    def size(self, weights: pd.DataFrame, known: Known) -> pd.DataFrame:
        """Weights as `volatility_target` gives them."""
        return self.scale(weights, known.need_bars(self.name))

    def scale(self, weights: pd.DataFrame, bars: pd.DataFrame) -> pd.DataFrame:
        """Weights times one number for each date."""
        values = checked(weights)
        returns = session_returns(bars).reindex(columns=weights.columns)
        panel = returns.to_numpy()
        for row, end in enumerate(decision_rows(returns, weights.index)):
            held = np.flatnonzero(values[row])
            if len(held):
                window = history(panel, end, self.lookback)[:, held]
                self._check(window, weights, row=row, held=held)
                values[row] *= self._factor(window, values[row, held], weights.index[row])
        return pd.DataFrame(values, index=weights.index, columns=weights.columns)

    def _factor(self, window: FloatArray, held: FloatArray, date: pd.Timestamp) -> float:
        # Sums in numpy's own order: a matrix product would depend on the number of threads.
        earned = (window * held).sum(axis=1)
        volatility = float(np.std(earned, ddof=1) * np.sqrt(self.periods_per_year))
        if volatility == 0.0:
            raise DataError(
                f"A volatility target needs a portfolio that moved, but it stood still in the {self.lookback} sessions to {moment(date)}: "
                "check these names' prices."
            )
        return min(self.annual_volatility / volatility, self.max_gross / float(np.abs(held).sum()))

    def _check(self, window: FloatArray, weights: pd.DataFrame, *, row: int, held: np.ndarray) -> None:
        missing = np.isnan(window).any(axis=0) if len(window) == self.lookback else np.ones(len(held), dtype=np.bool_)
        if missing.any():
            names = name_few(weights.columns[held[missing]])
            raise DataError(
                f"A volatility target needs {self.lookback} returns of every held name, but on {moment(weights.index[row])} some "
                f"are missing for {names}: shorten lookback, decide later or leave these names out."
            )


def volatility_target(
    weights: pd.DataFrame,
    bars: pd.DataFrame,
    *,
    annual_volatility: float = 0.10,
    lookback: int = 60,
    max_gross: float = 2.0,
    periods_per_year: int = 252,
) -> pd.DataFrame:
    """Scale each decision so that its portfolio would have had the wanted volatility over the last sessions.

    ``w * min(target / s, max_gross / sum|w|)``, where *s* is the annual standard deviation (ddof 1) of what these very weights,
    held constant, earned over the last `lookback` sessions; that is ``sqrt(w' S w)`` with their sample covariance *S*. It is
    the scaling of Moreira and Muir (2017, "Volatility-managed portfolios") with a volatility in place of a variance, as in
    Harvey et al. (2018, "The impact of volatility targeting").

    Parameters
    ----------
    weights : DataFrame, (decision date) x symbols
        What is held.
    bars : DataFrame
        Bars (adjusted) or returns, as `session_returns` takes them.
    annual_volatility : float, above 0
        The target, a fraction of equity.
    lookback : int, at least 2
        Returns in the window, the decision's own included.
    max_gross : float, above 0
        Cap on leverage: sum of the sizes at most.
    periods_per_year : int
        Sessions in a year.

    Returns
    -------
    DataFrame like `weights`
        Dates without a position stay flat. Known at the close of the index date.

    Raises
    ------
    ConfigError
        A number out of its range.
    DataError
        As `session_returns`; a decision on no session of the bars; a held name without the full window, or a portfolio that did
        not move in it, with the date.
    """
    target = VolatilityTarget(
        annual_volatility=annual_volatility, lookback=lookback, max_gross=max_gross, periods_per_year=periods_per_year
    )
    return target.scale(weights, bars)
