"""Every indicator of `technical` against TA-Lib, on real and on drawn prices; and that it depends on its lookback only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone import audit, features, market
from touchstone.features._feature import Feature
from touchstone.features._technical import TECHNICAL
from touchstone.features._technical_lines import Line
from touchstone.sources import load

talib = pytest.importorskip("talib", reason="needs TA-Lib, the public implementation that the set is checked against")

REAL = Path(__file__).parents[3] / "shared" / "data" / "sp500_5yr"
COLUMNS = {name: name for name in ("date", "open", "high", "low", "close", "volume")} | {"symbol": "Name"}
# Giants, a stock that lost most of its price (CHK), and one that was listed within the years (NAVI, 2014).
SYMBOLS = ["AAPL", "CHK", "JPM", "NAVI", "XOM"]
NAMES = [feature.name for feature in TECHNICAL.features]
BY_NAME = {feature.name: feature for feature in TECHNICAL.features}
Series = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _over_twenty(line: np.ndarray, volume: np.ndarray) -> np.ndarray:
    """Change of a line that adds up, over twenty sessions and their volume."""
    return (line - np.append(np.full(20, np.nan), line[:-20])) / talib.SUM(volume, 20)


def _bollinger(close: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    upper, middle, lower = talib.BBANDS(close, 20, 2.0, 2.0)
    return (close - lower) / (upper - lower), (upper - lower) / middle


REFERENCES: dict[str, Callable[..., np.ndarray]] = {
    "rsi_14": lambda h, lo, c, v: talib.RSI(c, 14),
    "stochastic_rsi_14": lambda h, lo, c, v: talib.STOCHRSI(c, 14, 14, 3)[0],
    "macd_12_26": lambda h, lo, c, v: talib.MACD(c, 12, 26, 9)[0] / c,
    "macd_signal_12_26_9": lambda h, lo, c, v: talib.MACD(c, 12, 26, 9)[1] / c,
    "macd_histogram_12_26_9": lambda h, lo, c, v: talib.MACD(c, 12, 26, 9)[2] / c,
    "trix_15": lambda h, lo, c, v: talib.TRIX(c, 15) / 100.0,
    "roc_10": lambda h, lo, c, v: talib.ROCP(c, 10),
    "sma_distance_50": lambda h, lo, c, v: c / talib.SMA(c, 50) - 1.0,
    "sma_distance_200": lambda h, lo, c, v: c / talib.SMA(c, 200) - 1.0,
    "ema_distance_20": lambda h, lo, c, v: c / talib.EMA(c, 20) - 1.0,
    "bollinger_position_20": lambda h, lo, c, v: _bollinger(c)[0],
    "bollinger_width_20": lambda h, lo, c, v: _bollinger(c)[1],
    "true_range": lambda h, lo, c, v: talib.TRANGE(h, lo, c) / c,
    "atr_14": lambda h, lo, c, v: talib.NATR(h, lo, c, 14) / 100.0,
    "stochastic_k_5": lambda h, lo, c, v: talib.STOCHF(h, lo, c, 5, 1)[0],
    "stochastic_slow_k_5_3": lambda h, lo, c, v: talib.STOCHF(h, lo, c, 5, 3)[1],
    "stochastic_slow_d_5_3_3": lambda h, lo, c, v: talib.STOCH(h, lo, c, 5, 3, 0, 3, 0)[1],
    "williams_r_14": lambda h, lo, c, v: talib.WILLR(h, lo, c, 14),
    "cci_20": lambda h, lo, c, v: talib.CCI(h, lo, c, 20),
    "plus_di_14": lambda h, lo, c, v: talib.PLUS_DI(h, lo, c, 14),
    "minus_di_14": lambda h, lo, c, v: talib.MINUS_DI(h, lo, c, 14),
    "adx_14": lambda h, lo, c, v: talib.ADX(h, lo, c, 14),
    "aroon_up_25": lambda h, lo, c, v: talib.AROON(h, lo, 25)[1],
    "aroon_down_25": lambda h, lo, c, v: talib.AROON(h, lo, 25)[0],
    "aroon_oscillator_25": lambda h, lo, c, v: talib.AROONOSC(h, lo, 25),
    "ultimate_7_14_28": lambda h, lo, c, v: talib.ULTOSC(h, lo, c, 7, 14, 28),
    "mfi_14": lambda h, lo, c, v: talib.MFI(h, lo, c, v, 14),
    "obv_change_20": lambda h, lo, c, v: _over_twenty(talib.OBV(c, v), v),
    "ad_change_20": lambda h, lo, c, v: _over_twenty(talib.AD(h, lo, c, v), v),
    "ad_oscillator_3_10": lambda h, lo, c, v: talib.ADOSC(h, lo, c, v, 3, 10) / talib.SMA(v, 10),
}
# TA-Lib answers for several lines at once, so it waits for the slowest; a sum of twenty changes is there before the change of a sum.
EARLIER = {"stochastic_rsi_14": 2, "macd_12_26": 8, "ad_change_20": 1}


@pytest.fixture(scope="module", params=["drawn", "real"])
def prices(request: pytest.FixtureRequest, bars: pd.DataFrame) -> pd.DataFrame:
    """Bars with a listing inside them; without CCC, whose gap has tests of its own."""
    if request.param == "drawn":
        return bars.drop("CCC", level="symbol")
    if not REAL.is_dir():
        pytest.skip("needs ../shared/data/sp500_5yr, which is not part of the project")
    return load("files", path=REAL, columns=COLUMNS, adjustment="split", symbols=SYMBOLS).bars.dropna().sort_index()


@pytest.fixture(scope="module")
def computed(prices: pd.DataFrame) -> pd.DataFrame:
    return features.compute(prices, "technical", transform="none")


def test_every_column_has_a_reference() -> None:
    assert features.plan("technical", fields=["open", "high", "low", "close", "volume"]).columns == tuple(REFERENCES)


@pytest.mark.parametrize("name", NAMES)
def test_indicator_equals_ta_lib(name: str, prices: pd.DataFrame, computed: pd.DataFrame) -> None:
    """From TA-Lib's first value on, which is seeded with the symbol's first bars, to float32's own precision.

    What an exponential mean forgets is 1e-9 of its weight: at most 1e-7 of the size of a value. float32 keeps 6e-8 of it.
    """
    for symbol in prices.index.unique("symbol"):
        own = prices.xs(symbol, level="symbol")
        expected = REFERENCES[name](*(own[field].to_numpy() for field in ("high", "low", "close", "volume")))
        got = computed[name].xs(symbol, level="symbol").to_numpy()
        size = np.nanmax(np.abs(expected))
        there = ~np.isnan(expected)
        np.testing.assert_allclose(got[there], expected[there], rtol=2e-7, atol=1.5e-7 * size, err_msg=symbol)
        begins = int(np.flatnonzero(there)[0])
        assert np.flatnonzero(~np.isnan(got))[0] == begins - EARLIER.get(name, 0)
        assert there.sum() > 50


@pytest.mark.parametrize("name", NAMES)
def test_declared_lookback_is_what_the_formula_needs(name: str) -> None:
    """The bars that a value looks at, and a quarter more for sessions that are missing."""
    feature, panels = BY_NAME[name], _panels(seed=1, n_sessions=600)
    line = feature.kernel.formula(*(Line(panels[field]) for field in feature.inputs[:-1]))
    assert feature.lookback == -(-5 * (line.settled + 1) // 4)
    assert line.begins <= line.settled


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), end=st.integers(480, 1100), missing=st.sampled_from([0.0, 0.02, 0.15]))
def test_values_depend_on_the_lookback_only(seed: int, end: int, missing: float) -> None:
    """A panel that begins with the window gives the same bits as one with all of history, which is seeded elsewhere."""
    panels = _panels(seed, missing=missing)
    for feature in TECHNICAL.features:
        whole = _run(feature, panels)[:, end]
        window = {name: np.ascontiguousarray(panel[:, max(end - feature.lookback + 1, 0) : end + 1]) for name, panel in panels.items()}
        alone = _run(feature, window, first=window["close"].shape[1] - 1)[:, 0]
        assert alone.tobytes() == whole.tobytes(), feature.name


def test_a_long_history_changes_no_bit_of_a_value() -> None:
    """100,000 sessions of a price that grew ten thousand times: running sums would have drifted."""
    once = _panels(seed=10, n_symbols=1, n_sessions=1000)
    growth = np.exp(np.linspace(0.0, np.log(1e4), 100_000))
    long = {name: np.tile(panel, 100) * (growth if name in {"open", "high", "low", "close"} else 1.0) for name, panel in once.items()}
    long["age"] = np.arange(1.0, 100_001.0)[None, :]
    for feature in TECHNICAL.features:
        short = {name: np.ascontiguousarray(panel[:, -feature.lookback :]) for name, panel in long.items()}
        expected = _run(feature, short, first=feature.lookback - 1)[:, -1]
        assert _run(feature, long)[:, -1].tobytes() == expected.tobytes(), feature.name


@pytest.mark.parametrize("first", [1, 300, 559])
def test_only_what_is_asked_for_is_answered(first: int) -> None:
    panels = _panels(seed=2, n_sessions=560, missing=0.05)
    for feature in TECHNICAL.features:
        np.testing.assert_array_equal(_run(feature, panels, first=first), _run(feature, panels)[:, first:], err_msg=feature.name)


@pytest.mark.parametrize("name", NAMES)
def test_sessions_without_a_bar_are_passed_over(name: str) -> None:
    """With a tenth of the sessions missing the values are those of a market that never held them."""
    feature, panels = BY_NAME[name], _panels(seed=3, n_sessions=700)
    kept = np.sort(np.random.default_rng(4).permutation(700)[:630])
    gappy = {field: np.full_like(panel, np.nan) for field, panel in panels.items()} | {"age": panels["age"]}
    for field in ("open", "high", "low", "close", "volume"):
        gappy[field][:, kept] = panels[field][:, kept]
    dense = {field: np.ascontiguousarray(panel[:, kept]) for field, panel in panels.items()} | {"age": panels["age"][:, :630].copy()}
    got = _run(feature, gappy)
    expected = _run(feature, dense)
    there = ~np.isnan(got[:, kept])
    np.testing.assert_array_equal(got[:, kept][there], expected[there])
    assert there[:, -1].all()
    assert np.isnan(np.delete(got, kept, axis=1)).all()


@pytest.mark.parametrize("field", ["high", "low"])
@pytest.mark.parametrize("name", NAMES)
def test_a_bar_without_its_range_is_passed_over_by_what_needs_the_range(name: str, field: str) -> None:
    """Not remembered as missing for as long as a mean remembers."""
    feature = BY_NAME[name]
    if field not in feature.inputs:
        return
    panels = _panels(seed=11)
    panels[field][:, [700, 1050]] = np.nan
    passed_over = {key: panel if key == "age" else np.where(np.isnan(panels[field]), np.nan, panel) for key, panel in panels.items()}
    got = _run(feature, panels)
    np.testing.assert_array_equal(got, _run(feature, passed_over))
    assert np.isnan(got[:, 600:]).sum() == 2 * len(got)


def test_more_than_a_fifth_missing_is_too_much() -> None:
    """%R over 14 bars looks at 18 sessions: four may be missing, five may not."""
    for n_missing, has_value in ((4, True), (5, False)):
        panels = _panels(seed=5, n_sessions=80)
        for field in ("high", "low", "close"):
            panels[field][:, 60 : 60 + n_missing] = np.nan
        assert np.isnan(_run(BY_NAME["williams_r_14"], panels)[:, 70]).all() != has_value


def test_before_the_lookback_is_full_bars_of_a_short_life_are_enough() -> None:
    """Listed on session 500: RSI has a value with the fifteenth bar, as TA-Lib on a history that starts there."""
    panels = _panels(seed=6, n_sessions=560)
    listed = {field: panel.copy() for field, panel in panels.items()}
    for field in ("open", "high", "low", "close", "volume"):
        listed[field][:, :500] = np.nan
    listed["age"] = np.maximum(np.tile(np.arange(560.0) - 499.0, (len(panels["close"]), 1)), 0.0)
    got = _run(BY_NAME["rsi_14"], listed)
    assert np.isnan(got[:, :514]).all()
    np.testing.assert_allclose(got[0, 500:], talib.RSI(np.ascontiguousarray(panels["close"][0, 500:]), 14), rtol=1e-9)


def test_still_prices_have_no_strength_and_no_direction() -> None:
    still = _panels(seed=7, n_sessions=600)
    for field in ("open", "high", "low", "close"):
        still[field][:] = 7.3
    values = {name: _run(feature, still)[:, -1] for name, feature in BY_NAME.items()}
    nothing = ["rsi_14", "stochastic_rsi_14", "bollinger_position_20", "stochastic_k_5", "williams_r_14", "cci_20", "mfi_14"]
    assert all(np.isnan(values[name]).all() for name in nothing)
    zero = ["plus_di_14", "minus_di_14", "adx_14", "atr_14", "true_range", "obv_change_20", "ad_change_20", "ad_oscillator_3_10"]
    assert all((values[name] == 0.0).all() for name in zero)
    level = ["macd_12_26", "macd_signal_12_26_9", "macd_histogram_12_26_9", "trix_15", "ema_distance_20", "bollinger_width_20"]
    assert all(np.abs(values[name]).max() < 1e-12 for name in level)


def test_symbols_of_any_price_and_volume_compare() -> None:
    panels = _panels(seed=8, n_sessions=600)
    dear = {name: panel * (1000.0 if name in {"open", "high", "low", "close"} else 1.0) for name, panel in panels.items()}
    dear["volume"] = panels["volume"] * 0.01
    for feature in TECHNICAL.features:
        np.testing.assert_allclose(_run(feature, dear)[:, 500:], _run(feature, panels)[:, 500:], rtol=1e-7, atol=1e-9, err_msg=feature.name)


def test_no_column_only_repeats_the_order_of_another() -> None:
    """MOM, CMO and PPO rank as ROC, RSI and MACD do, and are left out for that."""
    panels = _panels(seed=9, n_sessions=560, n_symbols=60)
    last = pd.DataFrame({feature.name: _run(feature, panels, first=559)[:, 0] for feature in TECHNICAL.features})
    correlation = last.corr(method="spearman").abs().to_numpy()
    assert np.tril(correlation, -1).max() < 0.999


def test_without_volume_four_columns_are_left_out() -> None:
    plan = features.plan("technical", fields=["high", "low", "close"])
    assert {out.feature for out in plan.left_out} == {"mfi_14", "obv_change_20", "ad_change_20", "ad_oscillator_3_10"}
    assert {out.reason for out in plan.left_out} == {"the bars do not carry volume"}


def test_the_audit_finds_no_future(bars: pd.DataFrame, actions: pd.DataFrame, universe: pd.DataFrame) -> None:
    plan = features.plan("technical", fields=bars.columns)
    report = audit.look_ahead(
        lambda bars, **tables: features.compute(bars, "technical", transform="none", **tables),
        {"bars": bars, "actions": actions, "universe": universe},
        per_symbol=plan.per_symbol,
        lookback=plan.lookbacks,
        partial=plan.partial,
        seed=1,
    )
    report.raise_on_leak()
    assert report.n_compared > 100_000


def test_a_split_changes_no_indicator(bars: pd.DataFrame, actions: pd.DataFrame) -> None:
    """Prices as traded with the split's action give what the split's adjusted prices give."""
    split = actions.iloc[:1]
    adjusted = market.adjust(bars, split)
    with_action = features.compute(bars, "technical", actions=split, transform="none")
    pd.testing.assert_frame_equal(with_action, features.compute(adjusted, "technical", transform="none"))


def _panels(seed: int, *, n_sessions: int = 1101, n_symbols: int = 4, missing: float = 0.0) -> dict[str, np.ndarray]:
    """Prices that drift apart, with sessions missing at random."""
    random = np.random.default_rng(seed)
    shape = (n_symbols, n_sessions)
    close = 40.0 * np.exp(np.cumsum(random.normal(0.0, 0.02, shape) + random.normal(0.0, 0.002, (n_symbols, 1)), axis=1))
    open_ = close * np.exp(random.normal(0.0, 0.005, shape))
    high = np.maximum(open_, close) * np.exp(np.abs(random.normal(0.0, 0.005, shape)))
    low = np.minimum(open_, close) * np.exp(-np.abs(random.normal(0.0, 0.005, shape)))
    volume = np.exp(random.normal(10.0, 0.5, shape)).round()
    panels = {"open": open_, "high": high, "low": low, "close": close, "volume": volume}
    gone = random.random(shape) < missing
    gone[:, 0] = False
    for panel in panels.values():
        panel[gone] = np.nan
    return {**panels, "age": np.tile(np.arange(1.0, n_sessions + 1.0), (n_symbols, 1))}


def _run(feature: Feature, panels: dict[str, np.ndarray], first: int = 0) -> np.ndarray:
    inputs = [panels[name] for name in feature.inputs]
    out = np.empty((inputs[0].shape[0], inputs[0].shape[1] - first))
    feature.kernel(*inputs, first, out, *feature.windows)
    return out
