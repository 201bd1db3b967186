"""The set `momentum`: what past prices say about trend, reversal, risk, liquidity and season."""

from __future__ import annotations

from touchstone.features import _kernels as kernels
from touchstone.features._feature import BENCHMARK_RETURNS, Feature, FeatureSet

__all__ = ["MOMENTUM"]


def _return(name: str, near: int, far: int) -> Feature:
    return Feature(name, ("close",), far + 1, kernels.return_between, (near, far))


# Jegadeesh (1990): short-term reversal; Jegadeesh and Titman (1993): momentum that skips the last month;
# Ang, Hodrick, Xing and Zhang (2006): idiosyncratic volatility; George and Hwang (2004): distance to the 52-week high;
# Heston and Sadka (2008): seasonality; Amihud (2002): illiquidity.
MOMENTUM = FeatureSet(
    "momentum",
    (
        _return("return_1", 0, 1),
        _return("return_5", 0, 5),
        _return("return_20", 0, 20),
        _return("return_60", 0, 60),
        _return("return_120", 0, 120),
        _return("momentum_250_20", 20, 250),
        Feature("volatility_20", ("returns",), 21, kernels.volatility, (20,)),
        Feature("volatility_60", ("returns",), 61, kernels.volatility, (60,)),
        Feature("skewness_60", ("returns",), 61, kernels.skewness, (60,)),
        Feature("drawdown_60", ("close",), 60, kernels.drawdown, (60,)),
        Feature("distance_to_high_250", ("close",), 250, kernels.distance_to_high, (250,)),
        Feature("beta_60", ("returns", BENCHMARK_RETURNS), 61, kernels.beta, (60,)),
        Feature("residual_volatility_60", ("returns", BENCHMARK_RETURNS), 61, kernels.residual_volatility, (60,)),
        Feature("seasonality_2y", ("close",), 505, kernels.seasonality, (2,)),
        Feature("range_20", ("high_low_range",), 20, kernels.window_mean, (20,)),
        Feature("volume_ratio_5_60", ("volume",), 60, kernels.ratio_of_means, (5, 60)),
        Feature("illiquidity_20", ("price_impact",), 21, kernels.window_mean, (20,)),
    ),
)
