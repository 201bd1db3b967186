"""What the platform costs over the bare work, as ratios on this machine: printed, never a gate."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd

from touchstone import backtest, features, labels, market, models, sources, splits
from touchstone.configuration import read_parameters
from touchstone.parameters import Parameters, parse
from touchstone.root import project_root


def main() -> None:
    """Measure and print, one line each."""
    root = project_root()
    parameters = parse(read_parameters(root / "params.yaml"))
    print(f"{'':58} {'ours':>9} {'bare':>9} {'ratio':>7}  budget")
    training_over_bare_fits(parameters)
    features_by_rows(parameters)
    simulate_over_numpy()
    repro_over_status(root)


def training_over_bare_fits(parameters: Parameters) -> None:
    """The walk forward of default LightGBM on the sample, against LightGBM alone on arrays that are cut already."""
    training = parameters.training
    clean = market.ingest(sources.load("sample", start=parameters.data.start, end=parameters.data.end))
    known = {"macro": clean.macro, "universe": clean.universe, "benchmark": clean.benchmark}
    matrix = features.compute(clean.bars, parameters.features.sets, transform=parameters.features.transform, **known)
    targets = labels.forward_return(clean.bars, horizon=parameters.labels.horizon, fill=parameters.labels.fill)
    target = labels.cross_sectional(targets["label"], method=training.target)
    walk = splits.PurgedWalkForward(training.n_train, training.n_test, embargo=training.embargo, expanding=training.expanding)
    make = partial(models.make, "lightgbm", seed=parameters.seed)

    def ours() -> None:
        models.fit_and_score(make, matrix, target, walk.split(targets))

    values, wanted = matrix.to_numpy(), target.to_numpy()
    usable = np.isfinite(values).any(axis=1)
    cuts = [(split.train[usable[split.train]], split.test[usable[split.test]]) for split in walk.split(targets)]
    arrays = [(np.ascontiguousarray(values[train]), wanted[train], np.ascontiguousarray(values[test])) for train, test in cuts]
    settings = _lightgbm_settings(make())

    def bare() -> None:
        for train, label, test in arrays:
            data = lightgbm.Dataset(train, label=label, params=settings)
            lightgbm.train(settings, data, num_boost_round=make().n_trees).predict(test, num_threads=1)

    report("default LightGBM walk forward / bare fits and predictions", *race(ours, bare, rounds=3), "<= 1.10")


def _lightgbm_settings(model: models.LightGBM) -> dict[str, Any]:
    """The same work for the bare fits: what the model says of itself, in LightGBM's words."""
    names = ("learning_rate", "num_leaves", "min_data_in_leaf", "feature_fraction", "bagging_fraction", "lambda_l2", "seed")
    fixed = {"objective": "regression", "bagging_freq": 1, "num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1}
    return {name: getattr(model, name) for name in names} | fixed


def features_by_rows(parameters: Parameters) -> None:
    """Ten times the rows, once as symbols and once as sessions."""
    for what, many, few in (("symbols", (500, 1260), (50, 1260)), ("sessions", (50, 12600), (50, 1260))):
        large, small = (partial(features.compute, random_bars(*shape), parameters.features.sets) for shape in (many, few))
        report(f"features, 10 times the {what}: seconds / seconds", *race(large, small, rounds=5), "<= 11")


def simulate_over_numpy() -> None:
    """Daily weights of 505 symbols over 1,259 sessions with all costs, against a loop over days that keeps the equity and nothing else."""
    bars = random_bars(505, 1259)
    dates, symbols = bars.index.levels
    prices, costs = bars["close"].to_numpy().reshape(len(dates), len(symbols)), backtest.Costs()
    raw = np.random.default_rng(1).normal(size=prices.shape)
    wanted = raw / np.abs(raw).sum(axis=1, keepdims=True)
    weights = pd.DataFrame(wanted, index=dates, columns=symbols)

    def ours() -> float:
        return float(backtest.simulate(bars, weights, costs=costs).equity["equity"].iloc[-1])

    def bare() -> float:
        cash, shares = 1e6, np.zeros(prices.shape[1])
        for day in range(1, len(prices)):
            price = prices[day]
            cash += np.minimum(shares * prices[day - 1], 0.0).sum() * costs.borrow_bps_per_year * 1e-4 / 252
            change = wanted[day - 1] * (cash + shares @ price) / price - shares
            cash -= change @ price + np.abs(change) @ price * (costs.commission_bps + costs.half_spread_bps) * 1e-4
            shares += change
        return float(cash + shares @ prices[-1])

    if not np.isclose(ours(), bare(), rtol=1e-9):
        raise SystemExit("the bare loop and simulate must end with the same equity, or the ratio compares different work")
    report("simulate 505 x 1259 daily weights / bare NumPy loop", *race(ours, bare, rounds=5), "-")


def repro_over_status(root: Path) -> None:
    """`dvc repro` when there is nothing to do, against `dvc status`."""
    dvc = shutil.which("dvc", path=str(Path(sys.executable).parent)) or "dvc"

    def call(command: str) -> str:
        return subprocess.run([dvc, command], cwd=root, check=True, capture_output=True, text=True).stdout

    if "up to date" not in call("status"):
        print("dvc repro / dvc status: not measured, as there is something to do; `make run` first")
        return
    report("dvc repro with nothing to do / dvc status", *race(partial(call, "repro"), partial(call, "status"), rounds=7), "<= 1.5")


def random_bars(n_symbols: int, n_sessions: int) -> pd.DataFrame:
    """Random walks in the shape of bars, all fields."""
    rng = np.random.default_rng(0)
    close = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, (n_sessions, n_symbols)), axis=0)).ravel()
    dates = pd.bdate_range("1975-01-01", periods=n_sessions).as_unit("us")
    index = pd.MultiIndex.from_product([dates, [f"S{number:04d}" for number in range(n_symbols)]], names=["date", "symbol"])
    volume = rng.uniform(1e5, 1e6, close.size)
    return pd.DataFrame({"open": close, "high": 1.01 * close, "low": 0.99 * close, "close": close, "volume": volume}, index=index)


def race(one: Callable[[], Any], other: Callable[[], Any], *, rounds: int) -> tuple[float, float]:
    """Best seconds of each, taken in turns after a round that does not count, so that a busy machine slows both."""
    seconds = np.array([[clock(one), clock(other)] for _ in range(rounds + 1)])[1:]
    best = seconds.min(axis=0)
    return float(best[0]), float(best[1])


def clock(task: Callable[[], Any]) -> float:
    """Seconds of one call."""
    began = time.perf_counter()
    task()
    return time.perf_counter() - began


def report(what: str, ours: float, bare: float, budget: str) -> None:
    """One line of the table."""
    print(f"{what:58} {ours:8.3f}s {bare:8.3f}s {ours / bare:7.2f}  {budget}", flush=True)


if __name__ == "__main__":
    main()
