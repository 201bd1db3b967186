"""From scores to target weights."""

from __future__ import annotations

from touchstone.portfolio._kelly import kelly_bet, kelly_fraction
from touchstone.portfolio._known import Known
from touchstone.portfolio._neutral import neutralise
from touchstone.portfolio._optimise import Optimised, optimise
from touchstone.portfolio._quantile_weights import quantile_weights
from touchstone.portfolio._registry import Portfolio, Sizing, list_portfolios, list_sizings, make, make_sizing
from touchstone.portfolio._returns import session_returns, trailing_volatility
from touchstone.portfolio._score_weights import score_weights
from touchstone.portfolio._sizing import equal_risk, fixed_fraction
from touchstone.portfolio._top_bottom import top_bottom
from touchstone.portfolio._top_k_drop_n import top_k_drop_n
from touchstone.portfolio._top_n import top_n
from touchstone.portfolio._volatility_target import volatility_target

__all__ = [
    "Known",
    "Optimised",
    "Portfolio",
    "Sizing",
    "equal_risk",
    "fixed_fraction",
    "kelly_bet",
    "kelly_fraction",
    "list_portfolios",
    "list_sizings",
    "make",
    "make_sizing",
    "neutralise",
    "optimise",
    "quantile_weights",
    "score_weights",
    "session_returns",
    "top_bottom",
    "top_k_drop_n",
    "top_n",
    "trailing_volatility",
    "volatility_target",
]
