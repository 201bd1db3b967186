"""A small project with one finished run: the files of the catalog, in its layouts, over a market that is easy to read."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from touchstone import backtest, evaluation, labels, market

RUN_ID = hashlib.sha256(b"one run").hexdigest()
HORIZON = 5
GATE = {
    "no_look_ahead": (0.0, True),
    "rank_ic_lower": (0.0, True),
    "deflated_sharpe": (0.95, True),
    "net_sharpe_lower": (0.0, True),
    "sharpe_at_double_costs": (0.0, True),
    "positive_years": (0.6, True),
    "sharpe_above_equal_weighted": (0.0, False),
}
PARAMETERS: dict[str, Any] = {
    "seed": 7,
    "data": {"source": "sample", "start": "2010-01-04", "end": "2013-12-31", "symbols": [], "calendar": "XNYS", "derive": []},
    "features": {"sets": ["momentum"], "transform": "rank", "audit_cuts": 4},
    "labels": {"horizon": HORIZON, "fill": "next_close"},
    "backtest": {"fill": "next_close", "side_fraction": 0.2, "rebalance_every": None, "commission_bps": 1.0, "half_spread_bps": 5.0},
    "validation": {"confidence": 0.95, "gate": {name: {"threshold": rule[0], "required": rule[1]} for name, rule in GATE.items()}},
}


def write_run(root: Path, *, benchmark: bool = True) -> None:
    """Write `data/` of a finished run below the root, with a `params.yaml` that makes it a project."""
    bars, scores = _market()
    targets = labels.forward_return(bars, horizon=HORIZON)
    weights = backtest_weights(scores)
    runs = {multiple: backtest.simulate(bars, weights, costs=backtest.Costs().scaled(multiple)) for multiple in (0.0, 1.0, 2.0, 3.0)}
    gross, net = runs[0.0], runs[1.0]
    reference = _reference(bars, net.equity.index, benchmark=benchmark)
    card = evaluation.scorecard(
        scores=scores,
        labels=targets,
        returns_net=net.returns,
        returns_gross=gross.returns,
        benchmark_returns=reference["benchmark"] if benchmark else None,
        equal_weighted_returns=reference["equal_weighted"],
        n_trials=21,
        ledger_variance=0.0021,
        audit_findings=0,
        horizon=HORIZON,
        cost_curve={multiple: evaluation.sharpe_ratio(run.returns) for multiple, run in runs.items()},
        n_resamples=100,
    )
    tables = {
        "02_intermediate/quality": market.empty_table("quality"),
        "02_intermediate/quarantine": bars.iloc[:3],
        "03_primary/bars": bars,
        "05_model_input/labels": targets,
        "07_model_output/scores": scores.to_frame(),
        "07_model_output/equity": net.equity,
        "07_model_output/equity_gross": gross.equity,
        "07_model_output/trades": net.fills,
        "07_model_output/positions": net.positions,
        "07_model_output/reference": reference,
    }
    for name, table in tables.items():
        path = root / "data" / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_parquet(path)
    for name, record in _records(card, benchmark=benchmark).items():
        path = root / "data" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record))
    (root / "params.yaml").write_text("seed: 7\n")


def backtest_weights(scores: pd.Series) -> pd.DataFrame:
    """Half the book long the best two, half short the worst two, every fifth session."""
    wide = scores.unstack()  # noqa: PD010 - one value a cell
    ranks = wide.iloc[::HORIZON].rank(axis=1)
    return (ranks >= 9).astype("float64") / 4 - (ranks <= 2).astype("float64") / 4


def _market() -> tuple[pd.DataFrame, pd.Series]:
    """Ten symbols, 900 sessions, and scores that know a little of the next fill-to-fill return."""
    rng = np.random.default_rng(11)
    dates = market.sessions("XNYS", "2010-01-04", "2013-07-31")
    symbols = [f"S{place:02d}" for place in range(10)]
    returns = 0.0004 + 0.007 * rng.standard_normal((len(dates), 1)) + 0.012 * rng.standard_normal((len(dates), 10))
    index = pd.MultiIndex.from_product([dates, symbols], names=["date", "symbol"])
    bars = pd.DataFrame({"close": (50 * np.cumprod(1 + returns, axis=0)).ravel()}, index=index)
    ahead = np.vstack([returns[2:], np.zeros((2, 10))])
    scores = pd.Series((0.1 * ahead / 0.012 + rng.standard_normal(ahead.shape)).ravel(), index=index, name="score")
    return bars, scores[scores.index.get_level_values("date") >= dates[250]]


def _reference(bars: pd.DataFrame, sessions: pd.DatetimeIndex, *, benchmark: bool) -> pd.DataFrame:
    even = market.equal_weighted(bars).reindex(sessions[1:])
    return pd.DataFrame({"benchmark": 0.9 * even if benchmark else np.nan, "equal_weighted": even}, index=sessions[1:])


def _records(card: evaluation.Scorecard, *, benchmark: bool) -> dict[str, Any]:
    digests = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("code", "lock", "ledger", "bars", "actions", "macro")}
    identity = {name: digests[name] for name in ("code", "lock", "ledger")}
    data = {name: digests[name] for name in ("bars", "actions", "macro")}
    caveats = ["The 20 names are those that survived to 2022: returns of the universe are too good.", "The benchmark is a price index."]
    return {
        "01_raw/metadata": {
            "source": "sample",
            "adjustment": "total_return",
            "fields": ["close"],
            "calendar": "XNYS",
            "timeframe": "1d",
            "currency": "USD",
            "benchmark_name": "S&P 500 (price only)" if benchmark else "",
            "caveats": caveats,
            "derived": [],
        },
        "04_feature/plan": {
            "columns": [f"return_{window}" for window in (1, 5, 20, 60, 120)] + ["volatility_20", "macro_vix"],
            "left_out": [{"feature": "amihud_20", "reason": "needs volume, which the source does not carry"}],
            "lookback": 252,
        },
        "04_feature/audit": {"passed": True, "n_compared": 123456, "n_findings": 0, "findings": []},
        "06_models/tuned": {"model": "ridge", "parameters": {"alpha": 31.6}, "value": 0.0213},
        "08_reporting/scorecard": card.to_dict(),
        "08_reporting/verdict": evaluation.gate(card, GATE).to_dict(),
        "08_reporting/identity": {"run_id": RUN_ID, "parameters": PARAMETERS, "data": data, "seed": 7, **identity},
    }
