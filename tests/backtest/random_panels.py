"""Random markets with gaps, endings, actions and every option of the simulator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from touchstone.backtest import Costs, Execution, Limits, Slippage

MODELS = ("none", "spread_pct", "participation_rate", "square_root", "volume_share")


@dataclass(frozen=True)
class Case:
    """What `simulate` takes: tables, and options by name."""

    bars: pd.DataFrame
    weights: pd.DataFrame
    options: dict[str, Any]


def random_case(seed: int, *, n_sessions: int = 12, n_symbols: int = 5, gaps: bool = True) -> Case:
    """A market of a few symbols, decisions on most sessions, and options drawn at random."""
    rng = np.random.default_rng(seed)
    dates = pd.date_range("2021-03-01", periods=n_sessions, unit="us")
    symbols = [f"S{number}" for number in range(n_symbols)]
    close = 20.0 * np.exp(np.cumsum(rng.normal(scale=0.03, size=(n_sessions, n_symbols)), axis=0))
    columns = {
        "open": close * np.exp(rng.normal(scale=0.01, size=close.shape)),
        "close": close,
        "volume": np.round(rng.lognormal(12.5, 0.8, size=close.shape)) * (rng.random(close.shape) > 0.05),
        "half_spread": rng.uniform(1.0, 30.0, size=close.shape),
        "fee": rng.uniform(0.0, 2000.0, size=close.shape),
        "sigma": rng.uniform(0.01, 0.05, size=close.shape),
    }
    present = rng.random(close.shape) > (0.15 if gaps else -1.0)
    present[0], present[:, 0] = True, True
    if gaps:
        present[int(rng.integers(3, n_sessions)) :, -1] = False
    index = pd.MultiIndex.from_product([dates, symbols], names=["date", "symbol"])
    bars = pd.DataFrame({name: panel.ravel() for name, panel in columns.items()}, index=index)[present.ravel()]
    decided = np.flatnonzero(rng.random(n_sessions - 1) < 0.7)
    decided = decided if len(decided) else np.array([0])
    raw = rng.uniform(-0.4, 0.4, size=(len(decided), n_symbols)) * (rng.random((len(decided), n_symbols)) < 0.8)
    weights = pd.DataFrame(raw, index=pd.DatetimeIndex(dates[decided], name="date"), columns=symbols)
    return Case(bars, weights, random_options(rng) | {"actions": random_actions(rng, dates, symbols)})


def random_options(rng: np.random.Generator) -> dict[str, Any]:
    """Costs, execution and limits, each on or off."""

    def sometimes(value: Any, otherwise: Any) -> Any:
        return value if rng.random() < 0.5 else otherwise

    slippage = Slippage(str(rng.choice(MODELS)), coefficient=float(rng.uniform(0.0, 0.5)), volatility_column="sigma")
    costs = Costs(
        commission_bps=float(rng.uniform(0.0, 10.0)),
        half_spread_bps=float(rng.uniform(0.0, 10.0)),
        borrow_bps_per_year=float(rng.uniform(0.0, 900.0)),
        commission_per_share=sometimes(0.005, 0.0),
        commission_minimum=sometimes(1.0, 0.0),
        slippage=slippage,
        margin_bps_per_year=sometimes(700.0, 0.0),
        cash_bps_per_year=sometimes(300.0, 0.0),
        half_spread_column=sometimes("half_spread", None),
        borrow_column=sometimes("fee", None),
    )
    execution = Execution(
        participation_cap=sometimes(float(rng.uniform(0.005, 0.1)), None),
        unfilled=sometimes("carry", "cancel"),
        lot_size=sometimes(float(rng.choice([1.0, 100.0])), 0.0),
    )
    limits = Limits(gross=sometimes(0.9, None), turnover=sometimes(0.6, None), leverage=sometimes(0.8, None), on_violation="clip")
    fill = str(rng.choice(["next_close", "next_open"]))
    return {"costs": costs, "execution": execution, "limits": limits, "fill": fill}


def random_actions(rng: np.random.Generator, dates: pd.DatetimeIndex, symbols: list[str]) -> pd.DataFrame:
    """Splits and dividends on some sessions, and sometimes a delisting of the last symbol.

    Prices do not follow the splits, so that they are small: an account that is short must not be ruined by them.
    """
    rows = []
    for symbol in symbols:
        for date in dates[1:]:
            if rng.random() < 0.05:
                rows.append((symbol, date, "split", float(rng.choice([1.25, 0.8, 1.1]))))
            if rng.random() < 0.08:
                rows.append((symbol, date, "dividend", float(rng.uniform(0.0, 1.0))))
    if rng.random() < 0.5:
        rows.append((symbols[-1], dates[int(rng.integers(3, len(dates)))], "delisting", float(rng.uniform(-1.0, 0.2))))
    return pd.DataFrame(rows, columns=["symbol", "ex_date", "kind", "value"]).astype({"ex_date": "datetime64[us]"})
