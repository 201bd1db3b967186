"""From a request to scores: the path of the pipeline, for one session."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pandas as pd
from pydantic import BaseModel

from touchstone import features
from touchstone.errors import DataError, name_few
from touchstone.serving._bundle import Bundle, Card
from touchstone.serving._request import Tables, parse_request, to_tables

__all__ = ["Prediction", "SymbolScore", "predict"]


class SymbolScore(BaseModel):
    symbol: str
    score: float


class Prediction(BaseModel):
    """Scores for a decision after the close of one session.

    Attributes
    ----------
    date
        The decision session, the last one of the bars.
    scores
        Higher is better; in the order of the symbols. Not rounded: they are the bits that the pipeline would give.
    unscored
        Members without a single feature: the pipeline does not score them either.
    run_id, model_version, alias, verdict
        Which model this is, and what the gate said about it.
    """

    model_config = {"protected_namespaces": ()}

    date: dt.date
    scores: list[SymbolScore]
    unscored: list[str]
    run_id: str
    model_version: str
    alias: str
    verdict: str


def predict(bundle: Bundle, body: bytes, *, alias: str) -> Prediction:
    """Answer one request.

    Raises
    ------
    DataError
        A body that is not bars, tables that break the contract, or too little for the features of this model.
    """
    request = parse_request(body)
    matrix = _features(bundle, to_tables(request), request.symbols)
    # A row has features when at least one value is there: the rule of `models.fit_and_score`.
    known = matrix.notna().any(axis=1).to_numpy()
    symbols = matrix.index.get_level_values("symbol")
    scores = bundle.forecaster.predict(matrix[known])
    return Prediction(
        date=matrix.index.get_level_values("date")[0].date(),
        scores=[SymbolScore(symbol=symbol, score=score) for symbol, score in zip(symbols[known], scores.tolist(), strict=True)],
        unscored=symbols[~known].tolist(),
        run_id=bundle.served.run_id,
        model_version=str(bundle.served.version),
        alias=alias,
        verdict=bundle.served.verdict,
    )


def _features(bundle: Bundle, tables: Tables, symbols: list[str] | None) -> pd.DataFrame:
    card = bundle.card
    # Fields and a benchmark that the training did not have would only ask for a longer history.
    bars = tables.bars[[field for field in tables.bars.columns if field in card.fields]]
    used = replace(tables, bars=bars, benchmark=tables.benchmark if card.needs_benchmark else None)
    _require_tables(card, used)
    matrix = features.latest(
        used.bars,
        card.features.sets,
        symbols=symbols,
        macro=used.macro,
        signals=used.signals,
        universe=used.universe,
        benchmark=used.benchmark,
        actions=used.actions,
        transform=card.features.transform,
        base_factors=used.base_factors,
    )
    return matrix[list(card.columns)]


def _require_tables(card: Card, tables: Tables) -> None:
    if card.adjustment == "none" and tables.actions is None:
        raise DataError(
            "This model was trained on prices as traded with their corporate actions, but the request gives no actions: "
            "add them, an empty list when there were none."
        )
    plan = features.plan(
        card.features.sets,
        fields=tables.bars.columns,
        has_benchmark=tables.benchmark is not None and len(tables.benchmark) > 0,
        macro_series=() if tables.macro is None else tables.macro["series"],
        signal_names=() if tables.signals is None else tables.signals["name"],
    )
    missing = [column for column in card.columns if column not in plan.columns]
    if missing:
        reasons = {left.feature: left.reason for left in plan.left_out}
        shown = name_few(f"{column} ({reasons.get(column) or _absent(column)})" for column in missing)
        raise DataError(
            f"A request must carry what the model's {len(card.columns)} features need, but {len(missing)} cannot be computed, "
            f"{shown}: add what is missing."
        )
    _require_benchmark(card, tables)


def _require_benchmark(card: Card, tables: Tables) -> None:
    """Without its first or last sessions the features on the benchmark would go missing, and the model would score without them."""
    sessions = tables.bars.index.unique("date")[-card.lookback :]
    if tables.benchmark is None or (tables.benchmark.index[0] <= sessions[0] and tables.benchmark.index[-1] >= sessions[-1]):
        return
    span, given = (f"{dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d}" for dates in (sessions, tables.benchmark.index))
    raise DataError(f"The benchmark must cover the sessions that the model looks at, {span}, but got {given}: add the missing rows.")


def _absent(column: str) -> str:
    kind, _, name = column.partition("_")
    return f"no row of '{name}' in {'macro' if kind == 'macro' else 'signals'}"
