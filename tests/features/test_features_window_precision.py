"""Windows against extended precision, after 100,000 sessions of a price that drifts by 10^4.

The bounds are on float64 before it is rounded to float32 (6e-8): what a window of 60 values adds is far below that.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from touchstone.features._alpha158 import ALPHA158
from touchstone.features._feature import Feature

N_SESSIONS = 100_000
LONG = np.longdouble
Windows = dict[str, np.ndarray]

pytestmark = pytest.mark.skipif(np.finfo(LONG).eps > 2e-19, reason="needs a long double of 64 bits of mantissa or more")


@pytest.fixture(scope="module")
def panels() -> dict[str, np.ndarray]:
    random = np.random.default_rng(11)
    drift = np.linspace(0.0, np.log(1e4), N_SESSIONS)
    close = np.exp(drift + np.cumsum(random.normal(0.0, 1e-4, N_SESSIONS)))
    volume = np.exp(random.normal(16.0, 0.5, N_SESSIONS)).round()
    # The worst case for sums that are carried on: a quiet, cheap stretch behind prices that are high.
    close[60_000:60_300] = close[60_000] * 1e4
    close[60_300:] *= 1e-3
    before = np.concatenate(([np.nan], close[:-1]))
    rows = {
        "close": close,
        "volume": volume,
        "returns": close / before - 1.0,
        "log_volume": np.log(volume + 1.0),
        "log_volume_ratio": np.log(volume / np.concatenate(([np.nan], volume[:-1])) + 1.0),
    }
    return {name: values[None] for name, values in rows.items()}


def _spread(values: np.ndarray) -> np.longdouble:
    return np.sqrt(((values - values.mean()) ** 2).sum() / (len(values) - 1))


def _slope(values: np.ndarray) -> np.longdouble:
    at = np.arange(len(values), dtype=LONG) - LONG(len(values) - 1) / 2
    return (at * (values - values.mean())).sum() / (at * at).sum()


def _correlation(x: np.ndarray, y: np.ndarray) -> np.longdouble:
    x, y = x - x.mean(), y - y.mean()
    return (x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum())


def _rises(values: np.ndarray) -> np.longdouble:
    change = np.diff(values)
    return np.maximum(change, 0).sum() / (np.abs(change).sum() + LONG(1e-12))


def _residual(values: np.ndarray) -> np.longdouble:
    return values[-1] - values.mean() - _slope(values) * LONG(len(values) - 1) / 2


def _flow(at: Windows) -> np.longdouble:
    flow = np.abs(at["returns"][1:]) * at["volume"][1:]
    return _spread(flow) / (flow.mean() + LONG(1e-12))


# Value of a window (with the session before it where the feature looks at changes), and the bound on the error.
EXACT: dict[str, tuple[Callable[[Windows], np.longdouble], float]] = {
    "MA": (lambda at: at["close"].mean() / at["close"][-1], 1e-14),
    "STD": (lambda at: _spread(at["close"]) / at["close"][-1], 1e-14),
    "BETA": (lambda at: _slope(at["close"]) / at["close"][-1], 1e-14),
    "RSQR": (lambda at: _correlation(at["close"], np.arange(len(at["close"]), dtype=LONG)) ** 2, 1e-10),
    "RESI": (lambda at: _residual(at["close"]) / at["close"][-1], 1e-14),
    "CORR": (lambda at: _correlation(at["close"], at["log_volume"]), 1e-10),
    "CORD": (lambda at: _correlation(at["returns"][1:], at["log_volume_ratio"][1:]), 1e-12),
    "SUMP": (lambda at: _rises(at["close"]), 1e-11),
    "VMA": (lambda at: at["volume"].mean() / at["volume"][-1], 1e-13),
    "VSTD": (lambda at: _spread(at["volume"]) / at["volume"][-1], 1e-13),
    "WVMA": (_flow, 1e-12),
    "VSUMP": (lambda at: _rises(at["volume"]), 1e-13),
}


@pytest.mark.parametrize("family", EXACT)
@pytest.mark.parametrize("window", [5, 30, 60])
def test_error_bound_after_a_long_history(panels, family: str, window: int) -> None:
    exact, bound = EXACT[family]
    feature: Feature = next(feature for feature in ALPHA158.features if feature.name == f"{family}{window}")
    inputs = [panels[name] for name in feature.inputs]
    out = np.empty((1, N_SESSIONS))
    feature.kernel(*inputs, 0, out, *feature.windows)
    sampled = [*np.random.default_rng(window).integers(100, N_SESSIONS, 60), 60_010, 60_299, 60_301, 60_359, N_SESSIONS - 1]
    for t in sampled:
        at = {name: values[0, t - feature.lookback + 1 : t + 1].astype(LONG) for name, values in panels.items()}
        # Where nothing moved inside the window neither has a value that means anything.
        if not np.isnan(out[0, t]):
            # Rounding is of the size of what the window holds, which at the jump is 10^7 times its last value.
            scale = max(at["close"]) / at["close"][-1]
            assert abs(out[0, t] - exact(at)) <= bound * scale, (t, out[0, t], exact(at))
    assert np.isfinite(out[0, sampled]).mean() > 0.9


def test_what_is_high_leaves_no_trace(panels) -> None:
    """A window says the same bits behind prices 10^7 times its own and alone."""
    close = panels["close"]
    begin = 60_300
    for feature in ALPHA158.features:
        if feature.inputs in {("close",), ("close", "close")} and feature.lookback <= 60:
            whole, alone = np.empty((1, N_SESSIONS - begin)), np.empty((1, N_SESSIONS - begin))
            feature.kernel(*([close] * len(feature.inputs)), begin, whole, *feature.windows)
            feature.kernel(*([close[:, begin:].copy()] * len(feature.inputs)), 0, alone, *feature.windows)
            full = slice(feature.lookback - 1, None)
            assert np.array_equal(whole[:, full], alone[:, full], equal_nan=True), feature.name
