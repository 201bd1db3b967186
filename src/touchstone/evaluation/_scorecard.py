"""The records of a scorecard: what a verdict rests on, as numbers."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import asdict, dataclass
from typing import Any

__all__ = [
    "CostPoint",
    "Luck",
    "Performance",
    "PositiveYears",
    "QuantileReturn",
    "RankIC",
    "Scorecard",
    "Settings",
    "SharpeComparison",
    "Span",
    "YearOutcome",
]


@dataclass(frozen=True)
class Span:
    """First and last day with a net return, and how many returns there are; a session here is a bar of the run's width."""

    first: dt.date
    last: dt.date
    n_sessions: int


@dataclass(frozen=True)
class RankIC:
    """Rank IC over dates whose labels do not overlap: every horizon-th scored date.

    `lower` and `upper` bound the mean (stationary bootstrap); `icir` is mean over deviation (ddof 1), not annualised;
    `n` counts the dates with an IC.
    """

    mean: float
    lower: float
    upper: float
    icir: float
    n: int
    block_length: float


@dataclass(frozen=True)
class SharpeComparison:
    """Annual Sharpe ratios. The differences are taken on the sessions that both series have."""

    net: float
    net_lower: float
    net_upper: float
    block_length: float
    gross: float
    benchmark: float
    equal_weighted: float
    net_minus_benchmark: float
    net_minus_equal_weighted: float


@dataclass(frozen=True)
class Performance:
    """Of the net returns; fractions, losses negative; the value at risk is that of one session in twenty."""

    annual_return: float
    annual_volatility: float
    max_drawdown: float
    value_at_risk: float
    conditional_value_at_risk: float
    annual_return_gross: float


@dataclass(frozen=True)
class Luck:
    """Net Sharpe ratio per session, against chance and against the number of trials.

    `trials_variance` = min(`ledger_variance`, `sampling_variance`), with sampling_variance = 1/(n_observations - 1).
    """

    sharpe_per_session: float
    n_observations: int
    skewness: float
    kurtosis: float
    probabilistic_sharpe: float
    deflated_sharpe: float
    expected_maximum_sharpe: float
    n_trials: int
    trials_variance: float
    ledger_variance: float
    sampling_variance: float
    minimum_track_record_length: float


@dataclass(frozen=True)
class YearOutcome:
    """Net return (compounded) and annual Sharpe ratio of one calendar year."""

    year: int
    net_return: float
    sharpe: float
    n_sessions: int
    full: bool


@dataclass(frozen=True)
class PositiveYears:
    """Share of the full years with a positive net return; NaN without full years."""

    share: float
    n_full: int


@dataclass(frozen=True)
class CostPoint:
    """Annual net Sharpe ratio at a multiple of the costs."""

    multiplier: float
    sharpe: float


@dataclass(frozen=True)
class QuantileReturn:
    """Mean label of a score quantile, 1 the lowest; over all scored dates, so spans overlap: a mean, not a test."""

    quantile: int
    mean_return: float
    n_dates: int


@dataclass(frozen=True)
class Settings:
    """What the numbers were made with."""

    horizon: int
    confidence: float
    n_resamples: int
    seed: int
    periods_per_year: int


@dataclass(frozen=True)
class Scorecard:
    """The numbers of a run; NaN for undefined. `to_dict` is JSON-ready."""

    span: Span
    rank_ic: RankIC
    sharpe: SharpeComparison
    performance: Performance
    luck: Luck
    years: tuple[YearOutcome, ...]
    positive_years: PositiveYears
    cost_curve: tuple[CostPoint, ...]
    quantile_returns: tuple[QuantileReturn, ...]
    audit_findings: int
    settings: Settings

    def to_dict(self) -> dict[str, Any]:
        """The same, nested, as plain JSON values: dates ISO, None for NaN and infinite."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
