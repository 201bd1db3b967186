"""No honest feature of any set is accused, on an awkward market and on a slice of a real one."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from touchstone import audit, features
from touchstone.sources._simulated import simulate_market

REAL = Path(__file__).parents[3] / "shared" / "data" / "sp500_5yr"
# Columns of this one are there with shorter bars only.
INTRADAY = {"session_clock"}
SETS = [name for name in features.list_sets() if name not in INTRADAY]
DAILY = {"calendar": None, "timeframe": "1d"}


def _audited(
    name: str, tables: dict[str, pd.DataFrame], transform: str, *, seed: int, n_cuts: int = 5, clock: dict[str, Any] = DAILY
) -> audit.LookAheadReport:
    """As the features stage does it: what the plan declares is what the audit holds the columns to."""
    compute = partial(features.compute, sets=name, transform=transform, **clock)
    plan = features.plan(
        name,
        fields=tables["bars"].columns,
        has_benchmark="benchmark" in tables,
        has_sectors="sectors" in tables,
        has_calendar=clock["calendar"] is not None,
        macro_series=tables["macro"]["series"].unique() if "macro" in tables else (),
        signal_names=tables["signals"]["name"].unique() if "signals" in tables else (),
    )
    ranked = set(plan.ranked) if transform == "rank" else set()
    return audit.look_ahead(
        compute,
        tables,
        n_cuts=n_cuts,
        seed=seed,
        per_symbol=[column for column in plan.per_symbol if column not in ranked],
        lookback=plan.lookbacks,
        partial=plan.partial,
    )


@pytest.fixture(scope="module")
def awkward(tables: dict[str, pd.DataFrame], sectors: pd.DataFrame, sessions: pd.DatetimeIndex) -> dict[str, pd.DataFrame]:
    """Beside gaps, listings, a delisting and splits: revised macro, a dividend that nobody heard of in time, changes of sector."""
    late = pd.DataFrame({"symbol": ["S00"], "ex_date": [sessions[130]], "kind": ["dividend"], "value": [0.4], "known_at": [sessions[141]]})
    actions = pd.concat([tables["actions"], late.astype(tables["actions"].dtypes)], ignore_index=True)
    macro = tables["macro"]
    revised = macro.iloc[:-1].assign(value=macro["value"] + 0.5, known_at=macro["known_at"] + pd.Timedelta(days=25))
    both = pd.concat([macro, revised]).sort_values(["period", "known_at"], ignore_index=True).astype(macro.dtypes)
    return {**tables, "actions": actions, "macro": both, "sectors": sectors}


@pytest.mark.parametrize("transform", ["none", "rank"])
@pytest.mark.parametrize("name", SETS)
def test_a_set_passes_on_an_awkward_market(awkward: dict[str, pd.DataFrame], name: str, transform: str) -> None:
    report = _audited(name, awkward, transform, seed=5)
    report.raise_on_leak()
    compared = {check.check: check.n_compared for check in report.checks}
    assert set(compared) == {"truncation", "perturbation", "warm-up", "append"}
    assert min(compared.values()) > 1000


@pytest.mark.skipif(not REAL.is_dir(), reason="needs ../shared/data/sp500_5yr, which is no part of the project")
@pytest.mark.parametrize("name", SETS)
def test_a_set_passes_on_real_prices(real: pd.DataFrame, name: str) -> None:
    benchmark = real["close"].groupby(level="date").mean().to_frame()
    tables = {"bars": real, "benchmark": benchmark, "macro": _monthly(real)}
    _audited(name, tables, "none", seed=6, n_cuts=2, clock=DAILY | {"calendar": "XNYS"}).raise_on_leak()


@pytest.mark.parametrize("name", sorted(INTRADAY))
def test_a_set_of_shorter_bars_passes(name: str) -> None:
    data = simulate_market(n_symbols=6, n_sessions=40, seed=9, rank_ic=0.0, timeframe="30m", start="2019-01-02").data
    clock = {"calendar": "XNYS", "timeframe": "30m"}
    _audited(name, {"bars": data.bars, "benchmark": data.benchmark}, "none", seed=3, n_cuts=3, clock=clock).raise_on_leak()


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    """A dozen of the 505, listed at different times, some with sessions missing."""
    names = ("A", "AAL", "AAPL", "ALLE", "APTV", "BHF", "CSRA", "DISCK", "DXC", "GOOG", "HPE", "KHC")
    rows = pd.concat([pd.read_csv(REAL / f"{name}.csv") for name in names])
    rows = rows.assign(date=pd.to_datetime(rows["date"]).astype("datetime64[us]"), symbol=rows["Name"].astype("str"))
    bars = rows.set_index(["date", "symbol"]).sort_index().drop(columns="Name").astype("float64").dropna()
    return bars.assign(vwap=(bars["high"] + bars["low"] + bars["close"]) / 3.0)


def _monthly(bars: pd.DataFrame) -> pd.DataFrame:
    periods = pd.date_range(bars.index[0][0], bars.index[-1][0], freq="ME").as_unit("us")
    known = (periods + pd.Timedelta(days=14)).as_unit("us")
    values = np.random.default_rng(8).normal(size=len(periods))
    named = pd.Series(["prices"] * len(periods), dtype="str")
    return pd.DataFrame(
        {"series": named, "period": periods, "value": values, "known_at": known, "expires_at": known + pd.Timedelta(days=60)}
    )
