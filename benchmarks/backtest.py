"""Daily target weights of 505 symbols over 1,259 sessions through `simulate`, beside vectorbt's `from_orders`; and 3,000 x 5,000.

Both are measured in one sitting and in turn, each run in a process of its own; imports, making the tables and the first (compiling)
call do not count. Ours begins with bars in a table of one row per symbol and session; the peer is given its panel. Printed, never a gate.

The peer needs an environment of its own: ``python -m venv peer && peer/bin/pip install vectorbt pyarrow``, then ``--peer
peer/bin/python``. Without it only ours is shown.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

COMMISSION_BPS = 6.0
TARGETS = {"proportional": 3.0, "everything": 1.0}
SLIPPAGE = ("none", "spread_pct", "participation_rate", "square_root", "volume_share")
LARGE = (3_000, 5_000)


def main() -> None:
    """Compare, or do one part as a child of this script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", type=Path, help="python of an environment with vectorbt and pyarrow")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--large", action="store_true", help="also 3,000 symbols x 5,000 sessions")
    parser.add_argument("--child", choices=tuple(CHILDREN))
    parser.add_argument("--place", type=Path)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(CHILDREN[given.child](given.place)))
        return
    with tempfile.TemporaryDirectory(prefix="touchstone-backtest-") as place:
        compare(given, Path(place))


def compare(given: argparse.Namespace, place: Path) -> None:
    """Ours with and without the dear options, the peer, each slippage model, the large panel."""
    write_tables(place, 505, 1_259)
    seconds: dict[str, list[float]] = {"proportional": [], "everything": [], "vectorbt": []}
    for _ in range(given.runs):
        for name in ("proportional", "everything"):
            seconds[name].append(child(name, place)["wall"])
        if given.peer:
            seconds["vectorbt"].append(child("vectorbt", place, python=given.peer)["wall"])
    peer = statistics.median(seconds.pop("vectorbt") or [float("nan")])
    print(f"medians of {given.runs}; vectorbt from_orders with proportional costs: {1e3 * peer:.0f} ms")
    for name, found in seconds.items():
        wall = statistics.median(found)
        print(f"{name:14} {1e3 * wall:7.1f} ms   vectorbt / ours {peer / wall:5.1f} (target {TARGETS[name]:g})")
    print("slippage models, milliseconds: " + json.dumps({name: round(1e3 * wall, 1) for name, wall in child("models", place).items()}))
    print("tables, milliseconds: " + json.dumps({name: round(1e3 * wall, 1) for name, wall in child("tables", place).items()}))
    if given.large:
        large = child("large", place)
        print(f"{LARGE[0]:,} x {LARGE[1]:,}: {large['wall']:.1f} s, peak memory {large['peak_gib']:.2f} GiB in all (target 8)")


def child(name: str, place: Path, python: Path | None = None) -> dict[str, Any]:
    """One part in a process of its own, on one thread."""
    environment = os.environ | {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [str(python or sys.executable), __file__, "--child", name, "--place", str(place)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def random_bars(n_symbols: int, n_sessions: int) -> pd.DataFrame:
    """Bars with the columns that the dear options read."""
    rng = np.random.default_rng(0)
    dates = pd.bdate_range("2013-02-08", periods=n_sessions, name="date").as_unit("us")
    symbols = pd.Index([f"S{number:04d}" for number in range(n_symbols)], dtype="str", name="symbol")
    shape = n_sessions, n_symbols
    close = rng.normal(scale=0.02, size=shape)
    np.exp(np.cumsum(close, axis=0, out=close), out=close)
    columns = {"close": close, "volume": rng.lognormal(14.0, 1.0, shape), "half_spread_bps": rng.uniform(1.0, 20.0, shape)}
    columns["borrow_bps"] = rng.uniform(20.0, 500.0, shape)
    index = pd.MultiIndex.from_product([dates, symbols])
    return pd.DataFrame({name: panel.ravel() for name, panel in columns.items()}, index=index, copy=False)


def random_weights(bars: pd.DataFrame) -> pd.DataFrame:
    """Long and short, one times the equity gross, new every day."""
    dates, symbols = bars.index.levels
    raw = np.random.default_rng(1).normal(size=(len(dates), len(symbols)))
    raw /= np.abs(raw).sum(axis=1, keepdims=True)
    return pd.DataFrame(raw, index=dates, columns=symbols)


def write_tables(place: Path, n_symbols: int, n_sessions: int) -> None:
    """What every child reads."""
    bars = random_bars(n_symbols, n_sessions)
    bars.to_parquet(place / "bars.parquet")
    random_weights(bars).to_parquet(place / "weights.parquet")


def read_tables(place: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The bars and the weights."""
    return pd.read_parquet(place / "bars.parquet"), pd.read_parquet(place / "weights.parquet")


def warm(task: Callable[[], object], rounds: int = 7) -> float:
    """Median seconds of calls after the first."""
    task()
    found = []
    for _ in range(rounds):
        begun = time.perf_counter()
        task()
        found.append(time.perf_counter() - begun)
    return statistics.median(found)


def proportional(place: Path) -> dict[str, float]:
    """Commission in proportion alone, to the final equity."""
    from touchstone.backtest import Costs, simulate

    bars, weights = read_tables(place)
    costs = Costs(COMMISSION_BPS, 0.0, 0.0)
    return {"wall": warm(lambda: simulate(bars, weights, costs=costs).equity["equity"].iloc[-1])}


def dear_options() -> dict[str, Any]:
    """Half-spread and borrow by symbol and session, and a cap on the part of the volume."""
    from touchstone.backtest import Costs, Execution

    costs = Costs(COMMISSION_BPS, half_spread_column="half_spread_bps", borrow_column="borrow_bps")
    return {"costs": costs, "execution": Execution(participation_cap=0.0005)}


def everything(place: Path) -> dict[str, float]:
    """With spread, participation cap and borrow."""
    from touchstone.backtest import simulate

    bars, weights = read_tables(place)
    options = dear_options()
    return {"wall": warm(lambda: simulate(bars, weights, **options).equity["equity"].iloc[-1])}


def models(place: Path) -> dict[str, float]:
    """Each slippage model."""
    from touchstone.backtest import Costs, Slippage, simulate

    bars, weights = read_tables(place)
    given = {name: Costs(slippage=Slippage(name, 0.1)) for name in SLIPPAGE}
    return {name: warm(lambda costs=costs: simulate(bars, weights, costs=costs).equity, rounds=3) for name, costs in given.items()}


def tables(place: Path) -> dict[str, float]:
    """What each table of the result costs when it is read."""
    from touchstone.backtest import simulate

    run = simulate(*read_tables(place))
    names = ("equity", "costs", "exposures", "positions", "orders", "fills", "trades")
    return {name: warm(lambda name=name: getattr(type(run)(run.run), name), rounds=3) for name in names}


def vectorbt(place: Path) -> dict[str, float]:
    """The peer: target percentages of one cash account, filled at the close after the decision."""
    import vectorbt as peer

    bars, weights = read_tables(place)
    close = pd.DataFrame(bars["close"].to_numpy().reshape(weights.shape), index=weights.index, columns=weights.columns)
    size = weights.shift(1)
    terms = {"size_type": "targetpercent", "group_by": True, "cash_sharing": True, "fees": COMMISSION_BPS * 1e-4, "init_cash": 1e6}
    return {"wall": warm(lambda: peer.Portfolio.from_orders(close, size=size, **terms))}


def large(_: Path) -> dict[str, float]:
    """3,000 symbols x 5,000 sessions with the dear options, the tables among the memory."""
    from touchstone.backtest import simulate

    bars = random_bars(*LARGE)
    weights = random_weights(bars)
    begun = time.perf_counter()
    result = simulate(bars, weights, **dear_options())
    result.equity  # noqa: B018 - made when read
    wall = time.perf_counter() - begun
    return {"wall": wall, "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}


CHILDREN: dict[str, Callable[[Path], dict[str, float]]] = {
    "proportional": proportional,
    "everything": everything,
    "models": models,
    "tables": tables,
    "vectorbt": vectorbt,
    "large": large,
}

if __name__ == "__main__":
    main()
