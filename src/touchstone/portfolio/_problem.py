"""What a solver is handed at one decision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.errors import DataError, OrderError, moment, name_few
from touchstone.portfolio._optimiser import UNSHRUNK, Optimiser
from touchstone.portfolio._returns import history
from touchstone.types import FloatArray, IntArray

__all__ = ["Panels", "Problem", "Solution"]


@dataclass(frozen=True, eq=False)
class Problem:
    """Names of one decision, and what is known of them.

    Attributes
    ----------
    date : when it is decided.
    names : columns of the panels, in their order.
    returns : (n_returns, n_names), no NaN.
    expected : forecast return of each name per session, (n_names,).
    held : weights of all columns before the decision, drifted; None when nothing was held yet.
    """

    date: pd.Timestamp
    names: IntArray
    returns: FloatArray
    expected: FloatArray
    held: FloatArray | None

    @property
    def held_of_names(self) -> FloatArray:
        """Weights of the names before the decision."""
        return np.zeros(len(self.names)) if self.held is None else self.held[self.names]

    @property
    def sold_at_once(self) -> float:
        """Weight that must be sold because its names are no longer to choose from."""
        return 0.0 if self.held is None else float(np.abs(np.delete(self.held, self.names)).sum())


@dataclass(frozen=True, eq=False)
class Solution:
    """Weights of a problem's names, the volatility per session that the optimiser's covariance gives them, and the solver's tolerance."""

    weights: FloatArray
    volatility: float
    tolerance: float


@dataclass(frozen=True, eq=False)
class Panels:
    """Scores by decision and returns by session, on the same symbols.

    Attributes
    ----------
    scores : (n_decisions, n_symbols)
    returns : (n_sessions, n_symbols)
    rows : session of each decision, (n_decisions,)
    """

    dates: pd.DatetimeIndex
    symbols: pd.Index
    scores: FloatArray
    returns: FloatArray
    rows: IntArray

    def counts(self, decision: int, options: Optimiser) -> IntArray:
        """Returns of each symbol in the window of a decision."""
        window = history(self.returns, int(self.rows[decision]), options.lookback)
        return np.asarray(np.count_nonzero(~np.isnan(window), axis=0), dtype=np.int64)

    def problem(self, decision: int, options: Optimiser, *, counts: IntArray, held: FloatArray | None) -> Problem:
        """What the solver is handed: scored names with enough history, the best of them where only some are wanted."""
        date, scores = self.dates[decision], self.scores[decision]
        able = np.flatnonzero(~np.isnan(scores) & (counts >= options.needed))
        window = history(self.returns, int(self.rows[decision]), options.lookback)[:, able]
        # A missing return is a session on which nothing is known to have moved; min_history bounds how many there are.
        window = np.where(np.isnan(window), 0.0, window)
        self._check(window, able, date)
        expected = _expected(scores[able], window, options)
        best = np.sort(np.argsort(-scores[able], kind="stable")[: options.n_names])
        if held is not None and options.weighs_trading:
            # To sell what is held is for the optimiser to decide, where it has to count what that costs.
            best = np.union1d(best, np.flatnonzero(held[able]))
        self._check_number(best, options, date)
        self._check_rank(len(window), len(best), options, date)
        return Problem(date, able[best], np.ascontiguousarray(window[:, best]), expected[best], held)

    def _check(self, window: FloatArray, able: IntArray, date: pd.Timestamp) -> None:
        still = (window == window[:1]).all(axis=0)
        if still.any():
            raise DataError(
                f"An optimiser needs returns that vary, but in the {len(window)} sessions to {moment(date)} they are constant for "
                f"{name_few(self.symbols[able[still]])}: drop these names' scores or mend their prices."
            )

    def _check_rank(self, n_returns: int, n_names: int, options: Optimiser, date: pd.Timestamp) -> None:
        if options.covariance in UNSHRUNK and n_names >= n_returns:
            raise OrderError(
                f"A covariance must be invertible, but the '{options.covariance}' one of {n_names} names from {n_returns} returns is not, "
                f"on {moment(date)}: take a shrunk one (ledoit_wolf), set n_names below {n_returns} or look back further."
            )

    def _check_number(self, best: IntArray, options: Optimiser, date: pd.Timestamp) -> None:
        least = max(2, int(np.ceil(1.0 / options.max_weight - 1e-9)) if options.long_only else 2)
        if len(best) < least:
            raise OrderError(
                f"'{options.method}' needs at least {least} names with {options.needed} returns (max_weight {options.max_weight:g}), but "
                f"{len(best)} are to choose from on {moment(date)}: decide later, shorten lookback, score more names or raise max_weight."
            )


def _expected(scores: FloatArray, window: FloatArray, options: Optimiser) -> FloatArray:
    if options.forecast == "return":
        return scores / options.horizon
    if len(scores) < 2 or (spread := float(np.std(scores, ddof=1))) == 0.0:
        return np.zeros_like(scores)
    volatility = np.std(window, axis=0, ddof=1)
    grade = (scores - scores.mean()) / spread
    return np.asarray(options.information_coefficient * volatility * grade / np.sqrt(options.horizon), dtype=np.float64)
