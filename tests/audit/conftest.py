"""Tables to audit on: a dozen symbols, monthly macro with a publication lag, actions, a universe that changes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

N_SESSIONS = 620
SYMBOLS = tuple(f"S{k:02d}" for k in range(8))


@pytest.fixture(scope="session")
def sessions() -> pd.DatetimeIndex:
    return pd.bdate_range("2016-01-04", periods=N_SESSIONS, name="date").as_unit("us")


@pytest.fixture(scope="session")
def bars(sessions: pd.DatetimeIndex) -> pd.DataFrame:
    random = np.random.default_rng(11)
    shape = (len(sessions), len(SYMBOLS))
    close = 30.0 * np.exp(np.cumsum(random.normal(0.0, 0.02, shape), axis=0))
    close[300:, 2] /= 3.0
    close[:250, 7] = np.nan
    close[560:, 6] = np.nan
    close[[500, 501, 530], 3] = np.nan
    high = close * np.exp(np.abs(random.normal(0.0, 0.01, shape)))
    low = close * np.exp(-np.abs(random.normal(0.0, 0.01, shape)))
    volume = np.exp(random.normal(9.0, 0.4, shape))
    open_ = low + (high - low) * random.uniform(0.1, 0.9, shape)
    panels = {"open": open_, "high": high, "low": low, "close": close, "volume": volume, "vwap": (high + low + close) / 3.0}
    index = pd.MultiIndex.from_product([sessions, pd.Index(SYMBOLS, dtype="str")], names=["date", "symbol"])
    frame = pd.DataFrame({name: panel.ravel() for name, panel in panels.items()}, index=index)
    return frame[frame["close"].notna()]


@pytest.fixture(scope="session")
def tables(bars: pd.DataFrame, sessions: pd.DatetimeIndex) -> dict[str, pd.DataFrame]:
    random = np.random.default_rng(12)
    periods = pd.date_range("2015-11-30", periods=34, freq="ME").as_unit("us")
    known = (periods + pd.Timedelta(days=15)).as_unit("us")
    spans = bars.reset_index().groupby("symbol")["date"].agg(["min", "max"]).reset_index().set_axis(["symbol", "start", "end"], axis=1)
    actions = pd.DataFrame(
        {
            "symbol": pd.Series(["S02", "S04", "S05", "S06"], dtype="str"),
            "ex_date": sessions[[300, 590, 615, 560]],
            "kind": pd.Series(["split", "dividend", "dividend", "delisting"], dtype="str"),
            "value": [3.0, 0.8, 0.5, -0.3],
            "known_at": sessions[[290, 585, 611, 560]],
        }
    )
    keys = bars.index.to_frame(index=False)
    return {
        "bars": bars,
        "actions": actions,
        "macro": pd.DataFrame(
            {
                "series": pd.Series(["prices"] * 34, dtype="str"),
                "period": periods,
                "value": random.normal(0.0, 1.0, 34),
                "known_at": known,
                "expires_at": (known + pd.Timedelta(days=60)).as_unit("us"),
            }
        ),
        "signals": pd.DataFrame(
            {
                "name": pd.Series(["planted"] * len(keys), dtype="str"),
                "symbol": keys["symbol"],
                "period": keys["date"],
                "value": random.normal(0.0, 1.0, len(keys)),
                "known_at": keys["date"],
            }
        ),
        "universe": spans.astype({"symbol": "str"}),
        "benchmark": pd.DataFrame({"close": 90.0 * np.exp(np.cumsum(random.normal(0.0, 0.01, len(sessions))))}, index=sessions),
    }


@pytest.fixture(scope="session")
def sectors(sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """S01 moves at session 250, S04 at 200 and 590; S07 is in none before session 400."""
    rows = [(name, sector, 0, 619) for name, sector in (("S00", "A"), ("S02", "A"), ("S03", "B"), ("S05", "B"), ("S06", "B"))]
    rows += [("S01", "A", 0, 249), ("S01", "B", 250, 619), ("S04", "B", 0, 199), ("S04", "A", 200, 589), ("S04", "B", 590, 619)]
    rows += [("S07", "A", 400, 619)]
    symbol, sector, start, end = (list(part) for part in zip(*sorted(rows), strict=True))
    names = {"symbol": pd.Series(symbol, dtype="str"), "sector": pd.Series(sector, dtype="str")}
    return pd.DataFrame({**names, "start": sessions[start], "end": sessions[end]})
