"""A small market with everything that makes histories awkward: listings, gaps, splits, dividends, late news."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

N_SESSIONS = 560
SYMBOLS = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF")


def dates(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    return days.as_unit("us")


def as_bars(panels: dict[str, np.ndarray], sessions: pd.DatetimeIndex, symbols: tuple[str, ...]) -> pd.DataFrame:
    """Bars from panels of shape (n_sessions, n_symbols); rows whose close is NaN are left out."""
    index = pd.MultiIndex.from_product([sessions, pd.Index(symbols, dtype="str")], names=["date", "symbol"])
    frame = pd.DataFrame({name: panel.ravel() for name, panel in panels.items()}, index=index)
    return frame[frame["close"].notna()]


@pytest.fixture(scope="session")
def sessions() -> pd.DatetimeIndex:
    return dates(pd.bdate_range("2015-01-02", periods=N_SESSIONS, name="date"))


@pytest.fixture(scope="session")
def bars(sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """OHLCV as traded: FFF is listed at session 300, CCC misses two sessions, BBB splits two for one at session 400."""
    random = np.random.default_rng(5)
    shape = (len(sessions), len(SYMBOLS))
    close = 40.0 * np.exp(np.cumsum(random.normal(0.0, 0.02, shape), axis=0))
    close[400:, 1] /= 2.0
    close[:300, 5] = np.nan
    close[[450, 451], 2] = np.nan
    open_ = close * np.exp(random.normal(0.0, 0.005, shape))
    high = np.maximum(open_, close) * np.exp(np.abs(random.normal(0.0, 0.005, shape)))
    low = np.minimum(open_, close) * np.exp(-np.abs(random.normal(0.0, 0.005, shape)))
    volume = np.exp(random.normal(10.0, 0.5, shape)).round()
    return as_bars({"open": open_, "high": high, "low": low, "close": close, "volume": volume}, sessions, SYMBOLS)


@pytest.fixture(scope="session")
def actions(sessions: pd.DatetimeIndex) -> pd.DataFrame:
    rows = [("BBB", 400, "split", 2.0), ("DDD", 20, "split", 3.0), ("DDD", 500, "dividend", 0.7), ("EEE", 545, "dividend", 1.1)]
    return pd.DataFrame(
        {
            "symbol": pd.Series([row[0] for row in rows], dtype="str"),
            "ex_date": sessions[[row[1] for row in rows]],
            "kind": pd.Series([row[2] for row in rows], dtype="str"),
            "value": [row[3] for row in rows],
            "known_at": sessions[[row[1] - 5 for row in rows]],
        }
    )


@pytest.fixture(scope="session")
def benchmark(sessions: pd.DatetimeIndex) -> pd.DataFrame:
    random = np.random.default_rng(6)
    return pd.DataFrame({"close": 100.0 * np.exp(np.cumsum(random.normal(0.0, 0.01, len(sessions))))}, index=sessions)


@pytest.fixture(scope="session")
def universe(bars: pd.DataFrame) -> pd.DataFrame:
    spans = bars.reset_index().groupby("symbol")["date"].agg(["min", "max"]).reset_index()
    return spans.set_axis(["symbol", "start", "end"], axis=1).astype({"symbol": "str"})


@pytest.fixture(scope="session")
def macro(sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """A monthly series known twelve days after the month's end."""
    random = np.random.default_rng(7)
    periods = dates(pd.date_range("2014-11-30", periods=30, freq="ME"))
    known = dates(periods + pd.Timedelta(days=12))
    return pd.DataFrame(
        {
            "series": pd.Series(["prices"] * len(periods), dtype="str"),
            "period": periods,
            "value": random.normal(0.0, 1.0, len(periods)),
            "known_at": known,
            "expires_at": dates(known + pd.Timedelta(days=70)),
        }
    )


@pytest.fixture(scope="session")
def signals(bars: pd.DataFrame) -> pd.DataFrame:
    """Known at the close of the session that it speaks of."""
    random = np.random.default_rng(8)
    keys = bars.index.to_frame(index=False)
    return pd.DataFrame(
        {
            "name": pd.Series(["planted"] * len(keys), dtype="str"),
            "symbol": keys["symbol"],
            "period": keys["date"],
            "value": random.normal(0.0, 1.0, len(keys)),
            "known_at": keys["date"],
        }
    )


@pytest.fixture(scope="session")
def tables(bars, actions, benchmark, universe, macro, signals) -> dict[str, Any]:
    return {"bars": bars, "actions": actions, "benchmark": benchmark, "universe": universe, "macro": macro, "signals": signals}
