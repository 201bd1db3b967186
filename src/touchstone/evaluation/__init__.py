"""Numbers only: what was earned, what was risked, what luck explains, and the verdict."""

from __future__ import annotations

from touchstone.evaluation._assessment import scorecard
from touchstone.evaluation._factor_assessment import FactorAssessment, ManyTests
from touchstone.evaluation._factor_clusters import Clusters, cluster_features, rank_correlation
from touchstone.evaluation._factor_inference import MeanEstimate, effective_tests, expected_maximum_t, false_discovery, mean_estimate
from touchstone.evaluation._factors import assess_factors
from touchstone.evaluation._gate import RuleOutcome, Verdict, gate
from touchstone.evaluation._luck import (
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    minimum_backtest_length,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
)
from touchstone.evaluation._performance import (
    Moments,
    annual_return,
    annual_volatility,
    conditional_value_at_risk,
    max_drawdown,
    moments,
    sharpe_ratio,
    turnover,
    value_at_risk,
)
from touchstone.evaluation._ranking import information_coefficient, quantile_returns
from touchstone.evaluation._resampling import Interval, bootstrap_interval
from touchstone.evaluation._scorecard import Scorecard

__all__ = [
    "Clusters",
    "FactorAssessment",
    "Interval",
    "ManyTests",
    "MeanEstimate",
    "Moments",
    "RuleOutcome",
    "Scorecard",
    "Verdict",
    "annual_return",
    "annual_volatility",
    "assess_factors",
    "bootstrap_interval",
    "cluster_features",
    "conditional_value_at_risk",
    "deflated_sharpe_ratio",
    "effective_tests",
    "expected_maximum_sharpe",
    "expected_maximum_t",
    "false_discovery",
    "gate",
    "information_coefficient",
    "max_drawdown",
    "mean_estimate",
    "minimum_backtest_length",
    "minimum_track_record_length",
    "moments",
    "probabilistic_sharpe_ratio",
    "quantile_returns",
    "rank_correlation",
    "scorecard",
    "sharpe_ratio",
    "turnover",
    "value_at_risk",
]
