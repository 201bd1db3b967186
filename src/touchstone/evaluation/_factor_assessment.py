"""What a factor report holds: numbers only, in frames."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from touchstone.evaluation._factor_clusters import Clusters

__all__ = ["FactorAssessment", "ManyTests"]


@dataclass(frozen=True)
class ManyTests:
    """How the best feature stands against the best of as many without skill.

    Attributes
    ----------
    n_tests : int
        Features whose mean rank IC was tested.
    n_effective : float
        Independent tests that they are worth, from the correlation of their daily rank ICs.
    largest_t : float
        Largest absolute t-statistic found; NaN where none was tested.
    expected_largest_t, expected_largest_t_effective : float
        Expected largest absolute t of that many independent tests of nothing, for either count.
    n_discoveries, n_discoveries_any_dependence : int
        Features with a q-value of `level` or less by Benjamini and Hochberg, and by Benjamini and Yekutieli.
    level : float
        Share of false discoveries accepted.
    """

    n_tests: int
    n_effective: float
    largest_t: float
    expected_largest_t: float
    expected_largest_t_effective: float
    n_discoveries: int
    n_discoveries_any_dependence: int
    level: float


@dataclass(frozen=True, eq=False)
class FactorAssessment:
    """Features against the returns that followed them.

    Attributes
    ----------
    leaderboard : DataFrame, index feature, the smallest p-value first
        ``coverage`` (share of rows with a value), ``n_sessions`` (with a rank IC), ``rank_ic`` (mean), ``lower``, ``upper``,
        ``icir`` (mean over standard deviation, ddof 1, not annualised), ``t``, ``p``, ``degrees``, ``q`` (Benjamini, Hochberg),
        ``q_any_dependence`` (Benjamini, Yekutieli), ``pearson_ic``, ``spread`` (mean return of the top less the bottom quantile over
        the horizon), ``spread_lower``, ``spread_upper``, ``monotonicity`` (Spearman of quantile and mean return), ``turnover_bottom``,
        ``turnover_top`` (share of the quantile's names new after a horizon), ``autocorrelation_1``, ``_5``, ``_20`` (of ranks),
        ``same_sign_years`` (share of the years whose mean rank IC has the sign of the whole), ``ic_less_liquid``,
        ``ic_more_liquid`` (NaN where liquidity is unknown), ``cluster`` (0 for none).
    coverage : DataFrame, index feature, columns year
        Share of rows with a value.
    rank_ic : DataFrame, index date, columns feature
        At the main horizon.
    spreads : DataFrame, index date, columns feature
        Return of the top less the bottom quantile over the horizon.
    decay, decay_lower, decay_upper : DataFrame, index feature, columns horizon
        Mean rank IC and its interval.
    quantiles : DataFrame, index feature, columns quantile 1 (lowest values) …
        Mean return over the horizon.
    years : DataFrame, index feature, columns year
        Mean rank IC; NaN for a year with fewer than sixty.
    clusters : Clusters
    market_wide : DataFrame, index feature
        Columns that are the same for every symbol of a session and so order nothing: ``correlation`` (Spearman over time with the
        mean return of all symbols, on sessions whose labels do not overlap) and ``n_sessions``.
    many : ManyTests
    horizon : int
    confidence : float
    first, last : Timestamp
        First and last session.
    n_rows, n_sessions, n_symbols : int
    """

    leaderboard: pd.DataFrame
    coverage: pd.DataFrame
    rank_ic: pd.DataFrame
    spreads: pd.DataFrame
    decay: pd.DataFrame
    decay_lower: pd.DataFrame
    decay_upper: pd.DataFrame
    quantiles: pd.DataFrame
    years: pd.DataFrame
    clusters: Clusters
    market_wide: pd.DataFrame
    many: ManyTests
    horizon: int
    confidence: float
    first: pd.Timestamp
    last: pd.Timestamp
    n_rows: int
    n_sessions: int
    n_symbols: int
