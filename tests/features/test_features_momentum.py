"""Every feature of `momentum` against a reference written with pandas, and against values worked out by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from touchstone import features, market
from touchstone.features._momentum import MOMENTUM

Panels = dict[str, pd.DataFrame]


def _skewness(window: np.ndarray) -> float:
    deviations = window - window.mean()
    return float((deviations**3).mean() / (deviations**2).mean() ** 1.5)


def _drawdown(window: np.ndarray) -> float:
    return float((window / np.maximum.accumulate(window)).min() - 1.0)


def _regression(panels: Panels) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Slopes and residual deviations by numpy's least squares, window by window."""
    returns, market_returns = panels["returns"], panels["market"].iloc[:, 0]
    slopes, residuals = returns * np.nan, returns * np.nan
    for t in range(60, len(returns)):
        x = market_returns.iloc[t - 59 : t + 1].to_numpy()
        for s in range(returns.shape[1]):
            y = returns.iloc[t - 59 : t + 1, s].to_numpy()
            if np.isfinite(y).all():
                design = np.column_stack([np.ones(60), x])
                solution, squares, _, _ = np.linalg.lstsq(design, y, rcond=None)
                slopes.iloc[t, s] = solution[1]
                residuals.iloc[t, s] = np.sqrt(squares[0] / 58)
    return slopes, residuals


REFERENCES: dict[str, Callable[[Panels], pd.DataFrame]] = {
    "return_1": lambda p: p["close"] / p["close"].shift(1) - 1,
    "return_5": lambda p: p["close"] / p["close"].shift(5) - 1,
    "return_20": lambda p: p["close"] / p["close"].shift(20) - 1,
    "return_60": lambda p: p["close"] / p["close"].shift(60) - 1,
    "return_120": lambda p: p["close"] / p["close"].shift(120) - 1,
    "momentum_250_20": lambda p: p["close"].shift(20) / p["close"].shift(250) - 1,
    "volatility_20": lambda p: p["returns"].rolling(20).std(),
    "volatility_60": lambda p: p["returns"].rolling(60).std(),
    "skewness_60": lambda p: p["returns"].rolling(60).apply(_skewness, raw=True),
    "drawdown_60": lambda p: p["close"].rolling(60).apply(_drawdown, raw=True),
    "distance_to_high_250": lambda p: p["close"] / p["close"].rolling(250).max() - 1,
    "beta_60": lambda p: _regression(p)[0],
    "residual_volatility_60": lambda p: _regression(p)[1],
    "seasonality_2y": lambda p: sum((p["close"].shift(k * 252 - 21) / p["close"].shift(k * 252) - 1) for k in (1, 2)) / 2,
    "range_20": lambda p: (p["high"] / p["low"] - 1).rolling(20).mean(),
    "volume_ratio_5_60": lambda p: p["volume"].rolling(5).mean() / p["volume"].rolling(60).mean() - 1,
    "illiquidity_20": lambda p: (p["returns"].abs() / p["traded"]).rolling(20).mean(),
}


def _wide(values: pd.Series) -> pd.DataFrame:
    return values.reset_index().pivot_table(index="date", columns="symbol", values=values.name or 0, dropna=False)


@pytest.fixture(scope="module")
def panels(bars, actions, benchmark) -> Panels:
    """Adjusted prices without CCC, whose gap has tests of its own."""
    kept = bars[bars.index.get_level_values("symbol") != "CCC"]
    adjusted = market.adjust(kept, actions)
    found = {name: _wide(adjusted[name]) for name in adjusted.columns}
    found["returns"] = found["close"].pct_change(fill_method=None)
    found["traded"] = _wide(kept["close"] * kept["volume"])
    found["market"] = benchmark.pct_change()
    return found


@pytest.fixture(scope="module")
def raw_features(bars, actions, benchmark) -> pd.DataFrame:
    kept = bars[bars.index.get_level_values("symbol") != "CCC"]
    return features.compute(kept, "momentum", actions=actions, benchmark=benchmark, transform="none")


def test_every_feature_has_a_reference() -> None:
    planned = features.plan("momentum", fields=("open", "high", "low", "close", "volume"))
    assert planned.columns == tuple(REFERENCES)


@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_feature_equals_its_reference(name: str, panels: Panels, raw_features: pd.DataFrame) -> None:
    expected = REFERENCES[name](panels)
    got = _wide(raw_features[name])
    np.testing.assert_allclose(got, expected, rtol=3e-6, atol=3e-8 if name != "illiquidity_20" else 0.0)
    assert raw_features[name].notna().sum() > 50


@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_first_value_comes_with_the_lookback(name: str, raw_features: pd.DataFrame) -> None:
    only = features.FeatureSet("one", tuple(f for f in _declared() if f.name == name))
    values = raw_features[name].xs("AAA", level="symbol").to_numpy()
    assert np.flatnonzero(~np.isnan(values))[0] == only.lookback - 1


def _declared() -> tuple[features.Feature, ...]:
    return MOMENTUM.features


def _compute_one(name: str, closes: list[float], **tables: pd.DataFrame) -> np.ndarray:
    """One feature of a symbol with these closes, in a market whose other symbol has a bar on every session."""
    sessions = pd.bdate_range("2020-01-01", periods=len(closes)).as_unit("us")
    index = pd.MultiIndex.from_product([sessions, ["ONE", "TWO"]], names=["date", "symbol"])
    bars = pd.DataFrame({"close": np.column_stack([closes, np.ones(len(closes))]).ravel()}, index=index)
    only = features.FeatureSet("one", tuple(f for f in _declared() if f.name == name))
    return features.compute(bars[bars["close"].notna()], only, transform="none", **tables)[name].xs("ONE", level="symbol").to_numpy()


def test_drawdown_by_hand() -> None:
    closes = [100.0] * 30 + [120.0, 90.0, 110.0] + [115.0] * 27
    assert _compute_one("drawdown_60", closes)[-1] == np.float32(90.0 / 120.0 - 1.0)


def test_still_prices_have_no_skewness_and_no_volatility() -> None:
    assert np.isnan(_compute_one("skewness_60", [7.3] * 70)).all()
    assert (_compute_one("volatility_60", [7.3] * 70)[60:] == 0.0).all()


def test_steady_growth_has_no_skewness_for_its_moves_are_rounding() -> None:
    closes = list(3.0 * 1.001 ** np.arange(70))
    assert np.isnan(_compute_one("skewness_60", closes)).all()


def test_a_still_benchmark_gives_no_beta() -> None:
    closes = list(10.0 + np.sin(np.arange(80)))
    still = pd.DataFrame({"close": 50.0}, index=pd.bdate_range("2020-01-01", periods=80, name="date").as_unit("us"))
    assert np.isnan(_compute_one("beta_60", closes, benchmark=still)).all()
    assert np.isnan(_compute_one("residual_volatility_60", closes, benchmark=still)).all()


def test_a_gap_costs_its_own_returns_and_no_more() -> None:
    closes = list(10.0 + np.sin(np.arange(70)))
    closes[40] = np.nan
    volatility = _compute_one("volatility_20", closes)
    sessions = np.delete(np.arange(70), 40)
    returns = pd.Series(closes).pct_change(fill_method=None)
    # Windows that end or begin with a missing return have no value; those with two missing inside use the eighteen others.
    expected = returns.rolling(20, min_periods=16).std()
    expected[[20 - 1, 41, 40 + 19, 41 + 19]] = np.nan
    expected[:20] = np.nan
    np.testing.assert_allclose(volatility, expected[sessions], rtol=1e-6)


def test_a_window_with_more_than_a_fifth_missing_has_no_value() -> None:
    closes = list(10.0 + np.sin(np.arange(70)))
    for session in (40, 42, 44):
        closes[session] = np.nan
    volatility = _compute_one("volatility_20", closes)
    missing_returns = 6
    assert 5 * (20 - missing_returns) < 4 * 20
    position = [session for session in range(70) if session not in (40, 42, 44)].index(50)
    assert np.isnan(volatility[position])


def test_values_stay_exact_on_a_price_that_grew_ten_thousand_times() -> None:
    random = np.random.default_rng(3)
    closes = 10.0 * np.exp(np.linspace(0.0, np.log(1e4), 3000) + np.cumsum(random.normal(0.0, 0.01, 3000)))
    got = _compute_one("volatility_60", list(closes))
    precise = closes.astype(np.longdouble)
    window = (precise[1:] / precise[:-1] - 1)[-60:]
    expected = np.sqrt(((window - window.mean()) ** 2).sum() / 59)
    assert got[-1] == np.float32(expected)


def test_a_split_changes_no_feature(bars, actions, benchmark) -> None:
    """Prices as traded with the split's action give what the same prices without a split give."""
    is_bbb = np.asarray(bars.index.get_level_values("symbol") == "BBB")
    after = np.asarray(bars.index.get_level_values("date") >= actions["ex_date"].iloc[0])
    unsplit = bars.copy()
    for field in ("open", "high", "low", "close"):
        unsplit.loc[is_bbb & after, field] *= 2.0
    unsplit.loc[is_bbb & after, "volume"] /= 2.0
    only_split = actions.iloc[:1]
    with_action = features.compute(bars, "momentum", actions=only_split, benchmark=benchmark, transform="none")
    without = features.compute(unsplit, "momentum", benchmark=benchmark, transform="none")
    pd.testing.assert_frame_equal(with_action, without)
