"""Refit per window, score out of sample, trade the scores, and remember that it was tried."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from touchstone.pipelines.backtest import bundle, nodes

__all__ = ["create_pipeline"]

CONFIGURATION = {
    "data": "params:data",
    "features": "params:features",
    "labels": "params:labels",
    "training": "params:training",
    "backtest": "params:backtest",
    "seed": "params:seed",
}
RECORDED = {
    "scores": "scores",
    "equity": "equity",
    "equity_gross": "equity_gross",
    "trades": "trades",
    "positions": "positions",
    "costs": "costs",
    "reference": "reference",
}


def create_pipeline() -> Pipeline:
    """The backtest pipeline."""
    return Pipeline(
        [
            Node(
                nodes.walk_forward,
                {
                    "training": "params:training",
                    "runtime": "params:runtime",
                    "seed": "params:seed",
                    "matrix": "features",
                    "targets": "labels",
                    "tuned": "tuned",
                },
                ["scores", "windows", "model"],
                name="walk_forward",
            ),
            Node(
                bundle.bind,
                {
                    "data": "params:data",
                    "features": "params:features",
                    "labels": "params:labels",
                    "training": "params:training",
                    "tuned": "tuned",
                    "plan": "plan",
                    "windows": "windows",
                    "metadata": "metadata",
                },
                "bundle",
                name="bind",
            ),
            Node(
                nodes.trade,
                {
                    "data": "params:data",
                    "labels": "params:labels",
                    "backtest": "params:backtest",
                    "scores": "scores",
                    "bars": "bars",
                    "actions": "actions",
                },
                ["equity", "equity_gross", "trades", "positions", "costs"],
                name="trade",
            ),
            Node(nodes.reference, ["equity", "bars", "universe", "actions", "benchmark"], "reference", name="reference"),
            Node(
                nodes.describe_trial,
                {**CONFIGURATION, "tuned": "tuned", "bars": "bars", "equity": "equity"},
                "run_trial",
                name="describe_trial",
            ),
            Node(nodes.remember, "run_trial", "known_trials", name="remember"),
            Node(nodes.record_backtest, {"backtest": "params:backtest", **RECORDED}, "backtest_record", name="record_backtest"),
        ],
        tags="after_snapshot",
    )
