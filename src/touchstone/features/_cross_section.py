"""The set `cross_section`: how a symbol stands among the others of its session."""

from __future__ import annotations

from dataclasses import replace

from touchstone.features import _cross_section_kernels as across
from touchstone.features import _kernels as kernels
from touchstone.features._feature import Feature, FeatureSet

__all__ = ["CROSS_SECTION"]


def _return(sessions: int) -> Feature:
    return Feature(f"return_{sessions}", ("close",), sessions + 1, kernels.return_between, (0, sessions))


_BASES = (
    *(_return(sessions) for sessions in (1, 5, 20, 60, 120)),
    Feature("volatility_20", ("returns",), 21, kernels.volatility, (20,)),
    Feature("log_dollar_volume_20", ("traded_value",), 20, across.log_window_mean, (20,)),
)

# Ranks; z-scores with ddof 1; residuals of the sector's mean, so that a bet is on the symbol and not on its industry (Grinold and
# Kahn, 1999); values with their tails pulled in to median ± 3 scaled median absolute deviations (Leys et al., 2013), which holds in
# a cross-section of twenty as in one of thousands, where the first percentile of twenty is all but the smallest value itself.
CROSS_SECTION = FeatureSet(
    "cross_section",
    (
        *(replace(base, name=f"cs_rank_{base.name}", across=across.rank_among) for base in _BASES),
        *(replace(base, name=f"cs_zscore_{base.name}", across=kernels.zscore_sessions) for base in _BASES),
        *(replace(base, name=f"cs_neutral_{base.name}", across=across.neutral_sessions, needs_sectors=True) for base in _BASES),
        *(replace(base, name=f"cs_winsor_{base.name}", across=across.winsor_sessions) for base in _BASES),
    ),
)
