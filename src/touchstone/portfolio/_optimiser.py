"""What an optimiser is told."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from touchstone.errors import ConfigError, nearest
from touchstone.portfolio._options import at_least, known, within

__all__ = ["COVARIANCES", "LINKAGES", "METHODS", "UNSHRUNK", "Optimiser", "optimiser"]

COVARIANCES = ("denoised", "exponential", "ledoit_wolf", "oracle_approximating", "sample")
UNSHRUNK = ("exponential", "sample")
LINKAGES = ("average", "complete", "single", "ward")
_FORECASTS = ("return", "score")
_TRADING = frozenset({"cost_bps", "max_turnover", "risk_aversion", "horizon"})
_FORECASTING = _TRADING | {"long_only", "forecast", "information_coefficient"}
# The options that mean something to each method, beside those that mean something to all.
METHODS = {
    "black_litterman": _FORECASTING | {"tau", "confidence"},
    "hierarchical_risk_parity": frozenset({"linkage"}),
    "mean_variance": _FORECASTING,
    "minimum_variance": _TRADING,
    "risk_budgeting": frozenset[str](),
}
_EVERYWHERE = frozenset({"method", "lookback", "min_history", "n_names", "rebalance_every", "covariance", "max_weight"})


@dataclass(frozen=True, kw_only=True)
class Optimiser:
    """The options of `touchstone.portfolio.optimise`, which says what each means."""

    method: str
    lookback: int = 252
    min_history: int | None = None
    n_names: int | None = None
    rebalance_every: int = 1
    covariance: str = "ledoit_wolf"
    max_weight: float = 1.0
    long_only: bool = True
    risk_aversion: float = 2.5
    horizon: int = 21
    forecast: str = "score"
    information_coefficient: float = 0.05
    tau: float = 0.05
    confidence: float = 0.5
    cost_bps: float = 0.0
    max_turnover: float | None = None
    linkage: str = "ward"

    def __post_init__(self) -> None:
        known("method", self.method, METHODS)
        known("covariance", self.covariance, COVARIANCES)
        known("forecast", self.forecast, _FORECASTS)
        known("linkage", self.linkage, LINKAGES)
        self._check_numbers()
        self._check_used()

    @property
    def needed(self) -> int:
        """Returns that a symbol needs in the window."""
        return self.lookback if self.min_history is None else self.min_history

    @property
    def trades_off_cost(self) -> bool:
        """Whether the objective counts what trading costs."""
        return self.cost_bps > 0.0

    @property
    def weighs_trading(self) -> bool:
        """Whether the weights held before matter."""
        return self.trades_off_cost or self.max_turnover is not None

    def _check_numbers(self) -> None:
        at_least("lookback", self.lookback, 3)
        at_least("min_history", self.needed, 3)
        at_least("n_names", 2 if self.n_names is None else self.n_names, 2)
        at_least("rebalance_every", self.rebalance_every, 1)
        at_least("horizon", self.horizon, 1)
        at_least("cost_bps", self.cost_bps, 0.0)
        within("max_weight", self.max_weight, 0.0, 1.0)
        within("risk_aversion", self.risk_aversion, 0.0, np.inf)
        within("information_coefficient", self.information_coefficient, 0.0, 1.0)
        within("tau", self.tau, 0.0, np.inf)
        within("confidence", self.confidence, 0.0, 1.0)
        within("max_turnover", np.inf if self.max_turnover is None else self.max_turnover, 0.0, np.inf)
        if self.needed > self.lookback:
            raise ConfigError(
                f"min_history must be at most lookback, but got {self.needed} and {self.lookback}: lower it or look back further."
            )

    def _check_used(self) -> None:
        """An option that the method would not look at is a misunderstanding."""
        used = METHODS[self.method] | _EVERYWHERE
        idle = [field.name for field in fields(self) if field.name not in used and getattr(self, field.name) != field.default]
        if idle:
            raise ConfigError(f"'{self.method}' must be given options that it uses, but got {', '.join(idle)}: {', '.join(sorted(used))}.")


def optimiser(method: str, **options: Any) -> Optimiser:
    """Make an optimiser; an unknown option is an error that names the nearest known one."""
    names = {field.name for field in fields(Optimiser)}
    for option in options:
        if option not in names:
            raise ConfigError(f"'{method}' must be given known options, but got '{option}': {nearest(option, names)}.")
    return Optimiser(method=method, **options)
