"""`alpha158` against a slow reference that says each formula once, on drawn markets with gaps, ties and volumes of zero."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone import features
from touchstone.features import FeatureSet
from touchstone.features._alpha158 import ALPHA158

N_SESSIONS = 90
Window = dict[str, np.ndarray]


def _there(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]


def _std(values: np.ndarray) -> float:
    return float(_there(values).std(ddof=1)) if len(_there(values)) > 1 else np.nan


def _line(values: np.ndarray) -> tuple[float, float, float]:
    """Slope, R squared, and the last value's residual."""
    at = np.flatnonzero(np.isfinite(values))
    if len(at) < 2:
        return np.nan, np.nan, np.nan
    slope, level = np.polyfit(at, values[at], 1)
    still = _std(values) <= 2e-5
    return slope, np.nan if still else np.corrcoef(at, values[at])[0, 1] ** 2, values[-1] - level - slope * (len(values) - 1)


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    both = np.isfinite(x) & np.isfinite(y)
    if both.sum() < 2 or _std(x[both]) <= 2e-5 or _std(y[both]) <= 2e-5:
        return np.nan
    return float(np.corrcoef(x[both], y[both])[0, 1])


def _rank(values: np.ndarray) -> float:
    return float(pd.Series(values).rank(pct=True).iloc[-1])


def _first(values: np.ndarray) -> int:
    """The first greatest value; what is missing comes before all, as in `numpy.argmax`."""
    return int(np.argmax(values)) + 1


def _quantile(values: np.ndarray, level: float) -> float:
    return float(np.quantile(_there(values), level))


def _way(change: np.ndarray, sign: float) -> float:
    there = _there(change)
    return np.maximum(sign * there, 0.0).sum() / (np.abs(there).sum() + 1e-12) if len(there) else np.nan


def _flow(at: Window) -> float:
    flow = _there(np.abs(at["ratio"] - 1.0) * at["volume"])
    return _std(flow) / (flow.mean() + 1e-12) if len(flow) > 1 else np.nan


# One value from the sessions of a window, missing ones included, and the nominal length of the window.
REFERENCE: dict[str, Callable[[Window, int], float]] = {
    "MA": lambda at, n: _there(at["close"]).mean() / at["close"][-1],
    "STD": lambda at, n: _std(at["close"]) / at["close"][-1],
    "BETA": lambda at, n: _line(at["close"])[0] / at["close"][-1],
    "RSQR": lambda at, n: _line(at["close"])[1],
    "RESI": lambda at, n: _line(at["close"])[2] / at["close"][-1],
    "MAX": lambda at, n: np.nanmax(at["high"]) / at["close"][-1],
    "MIN": lambda at, n: np.nanmin(at["low"]) / at["close"][-1],
    "QTLU": lambda at, n: _quantile(at["close"], 0.8) / at["close"][-1],
    "QTLD": lambda at, n: _quantile(at["close"], 0.2) / at["close"][-1],
    "RANK": lambda at, n: _rank(at["close"]),
    "RSV": lambda at, n: (at["close"][-1] - np.nanmin(at["low"])) / (np.nanmax(at["high"]) - np.nanmin(at["low"]) + 1e-12),
    "IMAX": lambda at, n: _first(at["high"]) / n,
    "IMIN": lambda at, n: _first(-at["low"]) / n,
    "IMXD": lambda at, n: (_first(at["high"]) - _first(-at["low"])) / n,
    "CORR": lambda at, n: _correlation(at["close"], np.log(at["volume"] + 1.0)),
    "CORD": lambda at, n: _correlation(at["ratio"], at["volume_ratio"]),
    "CNTP": lambda at, n: (at["change"] > 0.0).mean(),
    "CNTN": lambda at, n: (at["change"] < 0.0).mean(),
    "CNTD": lambda at, n: (at["change"] > 0.0).mean() - (at["change"] < 0.0).mean(),
    "SUMP": lambda at, n: _way(at["change"], 1.0),
    "SUMN": lambda at, n: _way(at["change"], -1.0),
    "SUMD": lambda at, n: _way(at["change"], 1.0) - _way(at["change"], -1.0),
    "VMA": lambda at, n: _there(at["volume"]).mean() / (at["volume"][-1] + 1e-12),
    "VSTD": lambda at, n: _std(at["volume"]) / (at["volume"][-1] + 1e-12),
    "WVMA": lambda at, n: _flow(at),
    "VSUMP": lambda at, n: _way(at["volume_change"], 1.0),
    "VSUMN": lambda at, n: _way(at["volume_change"], -1.0),
    "VSUMD": lambda at, n: _way(at["volume_change"], 1.0) - _way(at["volume_change"], -1.0),
}


def _draw(seed: int, gaps: float, tick: float) -> pd.DataFrame:
    """Two symbols: one trades on every session and is there for the dates alone, the other is listed late and has gaps."""
    random = np.random.default_rng(seed)
    close = np.maximum((20.0 * np.exp(np.cumsum(random.normal(0.0, 0.02, N_SESSIONS))) / tick).round() * tick, tick)
    panels = pd.DataFrame({"close": close}, index=pd.bdate_range("2015-01-02", periods=N_SESSIONS, name="date").as_unit("us"))
    panels["open"] = close * np.exp(random.normal(0.0, 0.005, N_SESSIONS))
    panels["high"] = panels[["open", "close"]].max(axis=1) + tick * random.integers(0, 3, N_SESSIONS)
    panels["low"] = panels[["open", "close"]].min(axis=1) * np.exp(-np.abs(random.normal(0.0, 0.005, N_SESSIONS)))
    panels["volume"] = np.where(random.random(N_SESSIONS) < 0.05, 0.0, np.exp(random.normal(8.0, 0.5, N_SESSIONS)).round())
    has_bar = (random.random(N_SESSIONS) >= gaps) & (np.arange(N_SESSIONS) >= random.integers(0, 20))
    both = pd.concat({"AAA": panels, "BBB": panels[has_bar]}, names=["symbol"]).swaplevel()
    both.index = both.index.set_levels(both.index.levels[1].astype("str"), level="symbol")
    return both.sort_index()


def _life(bars: pd.DataFrame) -> Window:
    """Every session from the first bar on, NaN where there is none."""
    own = bars.xs("BBB", level="symbol")
    dates = bars.index.unique("date")
    whole = own.reindex(dates[dates >= own.index[0]])
    past = whole.shift()
    with np.errstate(all="ignore"):
        whole["volume_ratio"] = np.log(whole["volume"] / past["volume"] + 1.0)
    whole["ratio"] = whole["close"] / past["close"]
    whole["change"], whole["volume_change"] = whole["close"] - past["close"], whole["volume"] - past["volume"]
    return {name: whole[name].to_numpy() for name in whole}


@given(seed=st.integers(0, 2**31), gaps=st.sampled_from([0.0, 0.05, 0.4]), tick=st.sampled_from([0.01, 0.5]))
@settings(deadline=None, max_examples=5)
def test_every_family_on_a_market_with_gaps(seed: int, gaps: float, tick: float) -> None:
    bars = _draw(seed, gaps, tick)
    life = _life(bars)
    places = np.flatnonzero(np.isfinite(life["close"]))
    windows = [feature for feature in ALPHA158.features if feature.name.rstrip("0123456789") in REFERENCE]
    matrix = features.compute(bars, FeatureSet("windows", tuple(windows)), transform="none").xs("BBB", level="symbol")
    for name in matrix:
        family = name.rstrip("0123456789")
        n = int(name.removeprefix(family))
        expected = [REFERENCE[family]({key: values[max(0, t - n + 1) : t + 1] for key, values in life.items()}, n) for t in places]
        np.testing.assert_allclose(matrix[name], expected, rtol=1e-5, atol=1e-6, err_msg=name)


@given(seed=st.integers(0, 2**31), power=st.integers(-3, 8))
@settings(deadline=None, max_examples=3)
def test_another_currency_changes_nothing(seed: int, power: int) -> None:
    """But for the guards of denominators, of the size of rounding."""
    bars = _draw(seed, 0.05, 0.01)
    scaled = bars.assign(**{field: bars[field] * 2.0**power for field in ("open", "high", "low", "close")})
    one, other = (features.compute(given_bars, "alpha158", transform="none") for given_bars in (bars, scaled))
    np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


@given(seed=st.integers(0, 2**31), begin=st.integers(0, 600), first=st.integers(0, 500))
@settings(deadline=None, max_examples=4)
def test_no_bit_depends_on_where_history_begins_or_what_is_asked_for(seed: int, begin: int, first: int) -> None:
    random = np.random.default_rng(seed)
    panels = {name: np.exp(random.normal(0.0, 0.3, (3, 1300))) for name in ("open", "high", "low", "close", "volume", "vwap", "returns")}
    panels |= {name: random.normal(0.0, 1.0, (3, 1300)) for name in ("log_volume", "log_volume_ratio")}
    for values in panels.values():
        values[1, random.integers(0, 1300, 30)] = np.nan
    panels["age"] = np.tile(np.arange(1.0, 1301.0), (3, 1))
    part = {name: np.ascontiguousarray(values[1:, begin:]) for name, values in panels.items()}
    whole, later = np.empty((3, 1300)), np.empty((2, 1300 - begin - first))
    for feature in ALPHA158.features:
        feature.kernel(*(panels[name] for name in feature.inputs), 0, whole, *feature.windows)
        feature.kernel(*(part[name] for name in feature.inputs), first, later, *feature.windows)
        full = slice(max(0, feature.lookback - 1 - first), None)
        expected = whole[1:, begin + first :][:, full]
        assert np.array_equal(later[:, full], expected, equal_nan=True), feature.name


def test_a_window_that_stands_still_has_no_spread_to_the_last_bit() -> None:
    """Sessions after a jump by 10^4: nothing of it is carried on."""
    close = np.full((1, 400), 0.1)
    close[0, :200] = 1234.56
    out = np.empty((1, 400))
    for feature in ALPHA158.features:
        if feature.name.startswith("STD"):
            feature.kernel(close, close, 0, out, *feature.windows)
            assert (out[0, 200 + feature.lookback - 1 :] == 0.0).all(), feature.name
            assert (out[0, 200 : 200 + feature.lookback - 1] > 0.0).all(), feature.name


@pytest.mark.parametrize("name", [f"{family}{window}" for family in ("IMAX", "CNTP", "RANK") for window in (5, 60)])
def test_counts_are_exact(name: str) -> None:
    """What is a share of n is that number itself: equal counts must tie when symbols are ranked."""
    bars = _draw(7, 0.05, 0.5)
    feature = next(feature for feature in ALPHA158.features if feature.name == name)
    values = features.compute(bars, FeatureSet("one", (feature,)), transform="none")[name].dropna().unique()
    shares = {np.float32(halves / 2.0 / n) for n in range(1, feature.lookback + 1) for halves in range(2 * n + 1)}
    assert set(values) <= shares
