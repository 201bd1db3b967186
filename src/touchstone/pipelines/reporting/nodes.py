"""Nodes of `reporting`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from touchstone.lineage import Identity, Trial, code_hash, digest, ledger_hash, manifest_body
from touchstone.pipelines.reporting.model_card import model_card

_INPUT_TABLES = ("raw_bars", "bars", "actions", "macro", "signals", "universe", "benchmark", "sectors")


def identify(*, code: dict[str, str], lock: str, known: tuple[Trial, ...], **records: dict[str, Any]) -> dict[str, Any]:
    """Who the run is: everything that decides its results, and the id that follows from it."""
    parameters: dict[str, Any] = {}
    for record in records.values():
        parameters |= record["parameters"]
    hashes = records["ingestion"]["outputs"]
    return Identity(
        parameters=parameters,
        data={name: hashes[name] for name in _INPUT_TABLES},
        code=code_hash(code),
        lock=digest(lock.encode()),
        seed=parameters["seed"],
        ledger=ledger_hash(known),
    ).to_dict()


def draw_equity(equity: pd.DataFrame, equity_gross: pd.DataFrame, reference: pd.DataFrame, metadata: dict[str, Any]) -> bytes:
    """The chart of the README: with and without costs, against benchmark and equal-weighted universe."""
    from touchstone import plots  # the other stages start without a charting library

    returns = pd.DataFrame(
        {
            "net": equity["equity"].pct_change(fill_method=None),
            "gross": equity_gross["equity"].pct_change(fill_method=None),
            "benchmark": reference["benchmark"],
            "equal_weighted": reference["equal_weighted"],
        }
    ).iloc[1:]
    labels = {"benchmark": metadata["benchmark_name"]} if metadata["benchmark_name"] else {}
    return plots.to_svg(plots.equity_curve(plots.growth(returns.dropna(axis="columns", how="all")), labels=labels))


def write_tear_sheet(identity: dict[str, Any]) -> bytes:
    """The report, bound to the run: an identity is made of every stage's record, so all that the page reads is on disk."""
    from touchstone import reports  # nbformat alone takes seconds to import, and every stage loads every pipeline

    here = Path.cwd()
    return reports.render("tear_sheet", run_id=identity["run_id"], folder=here / "notebooks" / "reports", cwd=here)


def write_model_card(
    *, identity: dict[str, Any], scorecard: dict[str, Any], verdict: dict[str, Any], bundle: dict[str, Any], metadata: dict[str, Any]
) -> str:
    """What the model is, what it was judged by, and what it must not be used for."""
    return model_card(identity["run_id"], scorecard, verdict, bundle, metadata)


def gather_manifest(
    *,
    identity: dict[str, Any],
    metrics: dict[str, Any],
    digests: dict[str, dict[str, Any]],
    tear_sheet: bytes,
    equity_chart: bytes,
    model_card: str,
    **records: dict[str, Any],
) -> dict[str, Any]:
    """The body of the run's manifest: identity, the stages' records, every output's bytes and the metrics."""
    del tear_sheet, equity_chart, model_card  # inputs so that they are on disk when the digests are read
    return {**manifest_body(Identity.from_dict(identity), outputs=digests, metrics=metrics), "stages": records}
