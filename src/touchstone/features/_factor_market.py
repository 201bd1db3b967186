"""A small made-up market with everything that makes histories awkward, on which a factor is audited before it has seen any other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.types import FloatArray

__all__ = ["AwkwardMarket", "awkward_market"]

_SYMBOLS = ("EARLY", "FLAT", "GAPS", "HALTED", "LATE", "LEFT", "PLAIN", "SPLIT")
_END = "2024-05-16"
_SPARE = 170
# Sessions before the last two from which windows of these lengths are whole again only after the audit's last cut.
_HOLES = (2, 3, 5, 10, 20)


@dataclass(frozen=True, eq=False)
class AwkwardMarket:
    """Bars as traded, and the actions that adjust them."""

    bars: pd.DataFrame
    actions: pd.DataFrame


def awkward_market(lookback: int) -> AwkwardMarket:
    """Eight symbols with gaps, a listing, a delisting, a split, a dividend and a price that stands still; always the same.

    Parameters
    ----------
    lookback
        Sessions that a value looks at; there are more than twice as many, the last ones in the middle of a month.
    """
    sessions = pd.bdate_range(end=_END, periods=2 * lookback + _SPARE, name="date").as_unit("us")
    random = np.random.default_rng(20240516)
    close = 50.0 * np.exp(np.cumsum(random.normal(0.0003, 0.02, (len(sessions), len(_SYMBOLS))), axis=0))
    spread = np.exp(np.abs(random.normal(0.0, 0.006, (3, *close.shape))))
    volume = np.rint(np.exp(random.normal(11.0, 0.6, close.shape)) / 100.0) * 100.0
    _make_awkward(close, spread, volume, lookback)
    panels = {"open": close * spread[0] / spread[1], "high": close * spread[0] * spread[2], "low": close / spread[1] / spread[2]}
    # Prices in cents are the same on every processor, whatever the last bits of its exponential.
    cents = {name: np.maximum(np.round(panel, 2), 0.01) for name, panel in {**panels, "close": close}.items()}
    cents = {**cents, "volume": volume, "vwap": np.round((cents["high"] + cents["low"] + 2.0 * cents["close"]) / 4.0, 4)}
    index = pd.MultiIndex.from_product([sessions, pd.Index(_SYMBOLS, dtype="str")], names=["date", "symbol"])
    bars = pd.DataFrame({name: panel.ravel() for name, panel in cents.items()}, index=index)
    return AwkwardMarket(bars[bars["close"].notna()], _actions(sessions))


def _make_awkward(close: FloatArray, spread: FloatArray, volume: FloatArray, lookback: int) -> None:
    """Change the panels of prices, candle and volume in place."""
    column = {name: position for position, name in enumerate(_SYMBOLS)}
    n_sessions = len(close)
    close[:, column["FLAT"]] = 20.0
    spread[:, :, column["FLAT"]] = 1.0
    volume[::7, column["FLAT"]] = 0.0
    holes = {n_sessions - 1 - length for length in (*_HOLES, lookback)}
    close[sorted(holes), column["GAPS"]] = np.nan
    close[-40:-31, column["HALTED"]] = np.nan
    close[: n_sessions - lookback - 25, column["LATE"]] = np.nan
    close[-15:, column["LEFT"]] = np.nan
    close[-60:, column["SPLIT"]] /= 4.0


def _actions(sessions: pd.DatetimeIndex) -> pd.DataFrame:
    rows = [("EARLY", -30, "dividend", 0.8), ("SPLIT", -60, "split", 4.0)]
    return pd.DataFrame(
        {
            "symbol": pd.Series([symbol for symbol, *_ in rows], dtype="str"),
            "ex_date": sessions[[at for _, at, *_ in rows]],
            "kind": pd.Series([kind for *_, kind, _ in rows], dtype="str"),
            "value": [value for *_, value in rows],
            "known_at": sessions[[at - 5 for _, at, *_ in rows]],
        }
    )
