"""The set `alpha360`: the features of Qlib 0.9.7's Alpha360, by their names and in their order.

The last 60 sessions as they were: close, open, high, low and vwap over the present close, volume over the present volume. NaN where
the session of that lag has no bar.

Yang, Liu, Zhou, Bian and Liu (2020): Qlib, an AI-oriented quantitative investment platform.
"""

from __future__ import annotations

from touchstone.features._feature import Feature, FeatureSet
from touchstone.features._move_kernels import lag_ratio

__all__ = ["ALPHA360"]

_N_LAGS = 60


def _lags(field: str, over: str, guard: float) -> tuple[Feature, ...]:
    lags = range(_N_LAGS - 1, -1, -1)
    return tuple(Feature(f"{field.upper()}{lag}", (field, over), lag + 1, lag_ratio, (lag, guard)) for lag in lags)


ALPHA360 = FeatureSet(
    "alpha360",
    (
        *_lags("close", "close", 0.0),
        *_lags("open", "close", 0.0),
        *_lags("high", "close", 0.0),
        *_lags("low", "close", 0.0),
        *_lags("vwap", "close", 0.0),
        # A volume may be zero.
        *_lags("volume", "volume", 1e-12),
    ),
)
