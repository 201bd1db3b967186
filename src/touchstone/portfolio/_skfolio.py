"""The optimisers of skfolio, set so that they give the same bits on every run."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import cvxpy
import numpy as np
import pandas as pd
from skfolio import RiskMeasure
from skfolio.cluster import HierarchicalClustering, LinkageMethod
from skfolio.exceptions import SkfolioError
from skfolio.moments import OAS, BaseMu, DenoiseCovariance, EmpiricalCovariance, EquilibriumMu, EWCovariance, LedoitWolf
from skfolio.optimization import ConvexOptimization, HierarchicalRiskParity, MeanRisk, ObjectiveFunction, RiskBudgeting
from skfolio.prior import BlackLitterman, EmpiricalPrior
from skfolio.seriation import HierarchicalSeriation

from touchstone.errors import OrderError, moment
from touchstone.portfolio._optimiser import Optimiser
from touchstone.portfolio._problem import Problem, Solution
from touchstone.types import FloatArray

__all__ = ["solve"]

# One thread, and the factorisation that is plain scalar code: the other one picks instructions by the processor it runs on.
_SOLVER = {"direct_solve_method": "qdldl", "max_threads": 1}
# Not every problem can be solved to the first, and those of hundreds of names may end just short of the second.
_TOLERANCES = (1e-11, 1e-9, 1e-7)
# An interior point never touches its bounds: what is closer than this to zero is zero.
_DUST = 1e-7
_BPS = 1e-4
_COVARIANCES: dict[str, Callable[[], Any]] = {
    "denoised": DenoiseCovariance,
    "exponential": EWCovariance,
    "ledoit_wolf": LedoitWolf,
    "oracle_approximating": OAS,
    "sample": EmpiricalCovariance,
}


class GivenMu(BaseMu):
    """Expected returns that come from outside, as skfolio takes them."""

    def __init__(self, mu: FloatArray) -> None:
        self.mu = mu

    def fit(self, X: Any, y: Any = None) -> GivenMu:  # noqa: ARG002 - skfolio's protocol
        """Take them."""
        self.mu_ = np.array(self.mu, dtype=np.float64)
        return self


def solve(problem: Problem, options: Optimiser) -> Solution:
    """Find the weights of one decision.

    Raises
    ------
    OrderError
        No weights meet the constraints, or the solver did not get there; with the date.
    """
    # Returns near one: a power of two changes no digit, and the solver's tolerances mean the same for any unit of return.
    scale = 2.0 ** -round(np.log2(np.median(np.std(problem.returns, axis=0))))
    frame = pd.DataFrame(problem.returns * scale, columns=_names(len(problem.names)))
    model = _MODELS[options.method](problem, options, scale)
    tolerance = next((tolerance for tolerance in _TOLERANCES if _is_solved(model, frame, tolerance)), None)
    if tolerance is None:
        raise OrderError(_failure(problem, options))
    weights = np.asarray(model.weights_, dtype=np.float64)
    weights = np.where(np.abs(weights) < _DUST, 0.0, weights)
    covariance = model.prior_estimator_.return_distribution_.covariance
    return Solution(weights, float(np.sqrt(weights @ covariance @ weights)) / scale, tolerance)


def _is_solved(model: Any, frame: pd.DataFrame, tolerance: float) -> bool:
    """Whether the solver got there; what is inaccurate, or had to be mended on the way, is no solution."""
    if isinstance(model, ConvexOptimization):
        model.set_params(solver_params={**_SOLVER, "tol_gap_abs": tolerance, "tol_gap_rel": tolerance, "tol_feas": max(tolerance, 1e-8)})
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="Solution may be inaccurate")
            warnings.filterwarnings("error", message="The covariance matrix is not positive definite")
            model.fit(frame)
    except (SkfolioError, UserWarning):
        return False
    return True


def _mean_risk(problem: Problem, options: Optimiser, scale: float, prior: Any) -> MeanRisk:
    """``max m'w - costs - risk_aversion / 2 * w'Sw``; the scale enters squared, as it does in S."""
    sides = {"budget": 1.0, "min_weights": 0.0}
    if not options.long_only:
        sides = {"budget": 0.0, "min_weights": -options.max_weight, "max_long": 0.5, "max_short": 0.5}
    return MeanRisk(
        objective_function=ObjectiveFunction.MAXIMIZE_UTILITY,
        risk_measure=RiskMeasure.VARIANCE,
        risk_aversion=options.risk_aversion / 2.0,
        prior_estimator=prior,
        max_weights=options.max_weight,
        **sides,
        **_trading(problem, options, scale),
    )


def _mean_variance(problem: Problem, options: Optimiser, scale: float) -> MeanRisk:
    return _mean_risk(problem, options, scale, _prior(options, GivenMu(problem.expected * scale**2)))


def _minimum_variance(problem: Problem, options: Optimiser, scale: float) -> MeanRisk:
    prior = _prior(options, GivenMu(np.zeros(len(problem.names))))
    if options.trades_off_cost:
        return _mean_risk(problem, options, scale, prior)
    return MeanRisk(
        risk_measure=RiskMeasure.VARIANCE,
        prior_estimator=prior,
        max_weights=options.max_weight,
        **_trading(problem, options, scale),
    )


def _black_litterman(problem: Problem, options: Optimiser, scale: float) -> MeanRisk:
    names = _names(len(problem.names))
    equilibrium = EquilibriumMu(risk_aversion=options.risk_aversion, covariance_estimator=_COVARIANCES[options.covariance]())
    prior = BlackLitterman(
        views=[f"{name} = {expected!r}" for name, expected in zip(names, (problem.expected * scale**2).tolist(), strict=True)],
        prior_estimator=_prior(options, equilibrium),
        tau=options.tau,
        view_confidences=np.full(len(names), options.confidence),
    )
    return _mean_risk(problem, options, scale, prior)


def _risk_budgeting(problem: Problem, options: Optimiser, scale: float) -> RiskBudgeting:  # noqa: ARG001 - the models share a shape
    return RiskBudgeting(
        risk_measure=RiskMeasure.VARIANCE,
        prior_estimator=_prior(options, GivenMu(np.zeros(len(problem.names)))),
        max_weights=options.max_weight,
    )


def _hierarchical(problem: Problem, options: Optimiser, scale: float) -> HierarchicalRiskParity:  # noqa: ARG001 - the models share a shape
    clustering = HierarchicalClustering(linkage_method=LinkageMethod[options.linkage.upper()])
    return HierarchicalRiskParity(
        risk_measure=RiskMeasure.VARIANCE,
        prior_estimator=_prior(options, GivenMu(np.zeros(len(problem.names)))),
        seriation_estimator=HierarchicalSeriation(hierarchical_clustering_estimator=clustering),
        max_weights=options.max_weight,
    )


_MODELS: dict[str, Callable[[Problem, Optimiser, float], Any]] = {
    "black_litterman": _black_litterman,
    "hierarchical_risk_parity": _hierarchical,
    "mean_variance": _mean_variance,
    "minimum_variance": _minimum_variance,
    "risk_budgeting": _risk_budgeting,
}


def _prior(options: Optimiser, mu: Any) -> EmpiricalPrior:
    return EmpiricalPrior(mu_estimator=mu, covariance_estimator=_COVARIANCES[options.covariance]())


def _trading(problem: Problem, options: Optimiser, scale: float) -> dict[str, Any]:
    """Costs and turnover, against what is held."""
    given: dict[str, Any] = {"previous_weights": problem.held_of_names}
    if options.trades_off_cost:
        # Paid once, earned back over the horizon: skfolio's costs are in the unit of the returns.
        given["transaction_costs"] = options.cost_bps * _BPS / options.horizon * scale**2
    if options.max_turnover is not None and problem.held is not None:
        held, left = problem.held_of_names, options.max_turnover - problem.sold_at_once
        given["add_constraints"] = lambda weights: cvxpy.norm1(weights - held) <= left
    return given


def _names(n_names: int) -> list[str]:
    """Names for skfolio, whose views are read as equations: a symbol may hold a minus or a dot."""
    return [f"a{number:05d}" for number in range(n_names)]


def _failure(problem: Problem, options: Optimiser) -> str:
    limits = f"max_weight {options.max_weight:g}"
    if options.max_turnover is not None:
        limits += f", max_turnover {options.max_turnover:g} of which {problem.sold_at_once:.4f} must be sold of names that are gone"
    return (
        f"'{options.method}' must find weights within its limits, but found none for the {len(problem.names)} names of "
        f"{moment(problem.date)} ({limits}): widen them, or look at the returns before that date."
    )
