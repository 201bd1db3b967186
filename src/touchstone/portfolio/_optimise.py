"""Walk the decisions, and optimise each with what was known at it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from touchstone.errors import DataError, name_few
from touchstone.portfolio._optimiser import Optimiser, optimiser
from touchstone.portfolio._problem import Panels, Problem, Solution
from touchstone.portfolio._returns import decision_rows, session_returns
from touchstone.portfolio._scores import score_panel
from touchstone.types import FloatArray, IntArray

__all__ = ["Optimised", "OptimisedWeights", "optimise"]

Solver = Callable[[Problem, Optimiser], Solution]
_FACTS = ["n_names", "n_held", "session_volatility", "turnover", "tolerance"]


@dataclass(frozen=True, eq=False)
class Optimised:
    """What optimising gave.

    Attributes
    ----------
    weights : DataFrame, (decision date) x symbols, float64
        Fractions of equity, 0 for flat.
    decisions : DataFrame, index date
        ``n_names`` to choose from, ``n_held``, ``session_volatility`` (by the optimiser's covariance), ``turnover`` (sum of
        the absolute changes, from the drifted weights; from cash at first), ``tolerance`` that the solver met (1e-11, 1e-9 or
        1e-7: of the objective, so that weights are within about its root).
    left_out : DataFrame, index (date, symbol)
        Scored names without enough history: ``n_returns`` that they had, ``needed``.
    """

    weights: pd.DataFrame
    decisions: pd.DataFrame
    left_out: pd.DataFrame


@dataclass(frozen=True)
class OptimisedWeights:
    """`optimise` with its options, as a rule."""

    options: Optimiser

    @property
    def name(self) -> str:
        """The method."""
        return self.options.method

    @property
    def needs_bars(self) -> bool:
        """An optimiser looks at returns."""
        return True

    def weights(self, scores: pd.Series, bars: pd.DataFrame | None = None) -> pd.DataFrame:
        """Weights at each decision, as `optimise` gives them."""
        return self.optimised(scores, bars).weights

    def optimised(self, scores: pd.Series, bars: pd.DataFrame | None) -> Optimised:
        """All that `optimise` gives, the names left out included."""
        if bars is None:
            raise DataError(f"'{self.name}' needs bars beside the scores, but got none: give weights(scores, bars).")
        return _optimised(scores, bars, self.options)


def optimise(scores: pd.Series, bars: pd.DataFrame, *, method: str, **options: Any) -> Optimised:
    """Choose the weights of each decision by an optimiser of skfolio, from returns known at it.

    ``mean_variance``
        ``max m'w - cost - risk_aversion / 2 * w'Sw`` (Markowitz 1952), *m* from the scores. A `risk_aversion` of 1 is full Kelly.
    ``black_litterman``
        The same on the posterior of Black and Litterman (1992): prior ``risk_aversion * S w`` with equal weights *w*, one absolute
        view for each name with the confidence of Idzorek (2007).
    ``minimum_variance``
        ``min w'Sw``; with `cost_bps` it is ``mean_variance`` with *m* = 0.
    ``risk_budgeting``
        Each name contributes the same part of the variance (Maillard, Roncalli and Teïletche 2010).
    ``hierarchical_risk_parity``
        López de Prado (2016) on variances: recursive bisection of the leaves of a tree of correlation distances. Tree by `linkage`
        (the paper's is ``single``) with skfolio's optimal order of leaves, which the paper does not have.

    Parameters
    ----------
    scores : Series, index (date, symbol), float
        Known at the close of `date`. Names with a score may be held; ``mean_variance`` and ``black_litterman`` also read its value.
    bars : DataFrame
        Bars (adjusted for splits and dividends) or returns, as `session_returns` takes them.
    method : str
        One of the above.
    lookback : int, default 252
        Returns in the window, the decision's own included.
    min_history : int, default `lookback`
        Returns that a name needs in the window. A name with fewer is left out of that decision and listed in ``left_out``;
        missing returns within the window count as 0.
    n_names : int, optional
        Only the best-scored names with enough history are handed to the optimiser; with `cost_bps` or `max_turnover` also those
        held before, as long as they have a score and enough history.
    rebalance_every : int, default 1
        Decide on every k-th scored session.
    covariance : str, default "ledoit_wolf"
        Ledoit and Wolf (2004); ``oracle_approximating`` (Chen et al. 2010), ``denoised`` (López de Prado 2020), ``exponential``
        (half-life 40 sessions), ``sample``; the last two need more returns than names.
    max_weight : float, default 1
        Size of a position at most.
    long_only : bool, default True
        Weights of at least 0 that sum to 1; otherwise net 0 and at most 0.5 a side (``mean_variance``, ``black_litterman``).
    risk_aversion : float, default 2.5
        As above; the same for any length of session.
    horizon : int, default 21
        Sessions over which a forecast is earned and a cost is earned back.
    forecast : str, default "score"
        ``score``: ``m = information_coefficient * volatility * z`` over the horizon (Grinold 1994, "Alpha is volatility times IC
        times score"), *z* the score in standard deviations from the date's mean; ``return``: the score is the expected return over
        the horizon.
    information_coefficient : float, default 0.05
        Of the scores, for ``forecast="score"``.
    tau, confidence : float, default 0.05 and 0.5
        Black-Litterman: uncertainty of the prior, and of the views (1 is certain).
    cost_bps : float, default 0
        Cost of trading one unit, in the objective, against the weights held before, which drift with the returns in between.
    max_turnover : float, optional
        Sum of the absolute changes at most, from the second decision on.
    linkage : str, default "ward"
        ``single``, ``complete``, ``average`` or ``ward``.

    Returns
    -------
    Optimised
        Weights keep their bounds and sums to 1e-6; those below 1e-7 are 0. Known at the close of the index date. The same
        bytes on every run and with any number of threads. Nothing depends on the order of the input. Other names for the same
        symbols give the same weights to 1e-5, except that ``hierarchical_risk_parity`` may cut another tree.

    Raises
    ------
    ConfigError
        An unknown method or option, one the method does not use, or a number out of its range.
    DataError
        As `session_returns`; scored names without bars; a decision on no session of the bars; names whose returns are constant
        over the window, with the date.
    OrderError
        A date with too few names with enough history, with a covariance that has no inverse, or whose limits no weights meet.
    """
    return _optimised(scores, bars, optimiser(method, **options))


def _optimised(scores: pd.Series, bars: pd.DataFrame, options: Optimiser) -> Optimised:
    # Seconds to import, and only libraries that are there already obey the limit of threads.
    from touchstone.portfolio._skfolio import solve

    panel = score_panel(scores, options.rebalance_every)
    panels = _panels(panel, session_returns(bars))
    counts = [panels.counts(decision, options) for decision in range(len(panel))]
    # Products of matrices differ in their last bits with the number of threads.
    with threadpool_limits(1):
        weights, facts = _walk(panels, options, counts, solve)
    return Optimised(
        pd.DataFrame(weights, index=panel.index, columns=panel.columns),
        pd.DataFrame(facts, index=panel.index, columns=_FACTS).astype({"n_names": "int64", "n_held": "int64"}),
        _left_out(panels, options, counts),
    )


def _panels(panel: pd.DataFrame, returns: pd.DataFrame) -> Panels:
    strangers = panel.columns.difference(returns.columns)
    if len(strangers):
        raise DataError(f"Scored names must have bars, but {name_few(strangers)} have none: bring their bars or drop their scores.")
    values = returns.reindex(columns=panel.columns).to_numpy()
    return Panels(pd.DatetimeIndex(panel.index), panel.columns, panel.to_numpy(), values, decision_rows(returns, panel.index))


def _walk(panels: Panels, options: Optimiser, counts: Iterable[IntArray], solve: Solver) -> tuple[FloatArray, list[tuple[float, ...]]]:
    weights = np.zeros_like(panels.scores)
    facts: list[tuple[float, ...]] = []
    held: FloatArray | None = None
    for decision, known in enumerate(counts):
        if held is not None:
            held = _drifted(held, panels.returns[panels.rows[decision - 1] + 1 : panels.rows[decision] + 1])
        problem = panels.problem(decision, options, counts=known, held=held)
        solution = solve(problem, options)
        weights[decision, problem.names] = solution.weights
        turnover = float(np.abs(weights[decision] - (0.0 if held is None else held)).sum())
        facts.append((len(problem.names), int(np.count_nonzero(solution.weights)), solution.volatility, turnover, solution.tolerance))
        held = weights[decision]
    return weights, facts


def _drifted(held: FloatArray, returns: FloatArray) -> FloatArray:
    """Weights after the returns since they were decided; what is not invested earns nothing."""
    growth = np.prod(1.0 + np.nan_to_num(returns), axis=0)
    worth = held * growth
    return np.asarray(worth / (1.0 + (worth - held).sum()), dtype=np.float64)


def _left_out(panels: Panels, options: Optimiser, counts: list[IntArray]) -> pd.DataFrame:
    found = np.array(counts)
    rows, columns = np.nonzero(~np.isnan(panels.scores) & (found < options.needed))
    index = pd.MultiIndex.from_arrays([panels.dates[rows], panels.symbols[columns]], names=["date", "symbol"])
    return pd.DataFrame({"n_returns": found[rows, columns], "needed": options.needed}, index=index)
