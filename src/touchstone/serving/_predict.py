"""From a request to scores: the path of the pipeline, for one session."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pandas as pd
from pydantic import BaseModel

from touchstone import features, market
from touchstone.errors import DataError, moment, name_few
from touchstone.serving._bundle import Bundle, Card
from touchstone.serving._request import PredictRequest, Tables, parse_request, to_tables

__all__ = ["Prediction", "SymbolScore", "predict"]


class SymbolScore(BaseModel):
    symbol: str
    score: float


class Prediction(BaseModel):
    """Scores for a decision after the close of one session.

    Attributes
    ----------
    date
        The decision session, the last one of the bars; with intraday bars the close of the last one, in UTC.
    scores
        Higher is better; in the order of the symbols. Not rounded: they are the bits that the pipeline would give.
    unscored
        Members without a single feature: the pipeline does not score them either.
    run_id, model_version, alias, verdict
        Which model this is, and what the gate said about it.
    """

    model_config = {"protected_namespaces": ()}

    date: dt.date | dt.datetime
    scores: list[SymbolScore]
    unscored: list[str]
    run_id: str
    model_version: str
    alias: str
    verdict: str


def predict(bundle: Bundle, body: bytes, *, alias: str, at: pd.Timestamp | None = None) -> Prediction:
    """Answer one request.

    Parameters
    ----------
    bundle : Bundle
    body : bytes
    alias : str
    at : Timestamp, optional
        The moment of the request in UTC, against which the age of its bars is held where the bundle sets a limit; None asks nothing.

    Raises
    ------
    DataError
        A body that is not bars, tables that break the contract, too little for the features of this model, or bars that are too old.
    """
    request = parse_request(body)
    tables = to_tables(request)
    if at is not None:
        _require_fresh(bundle.card, tables.bars, at)
    matrix = _features(bundle, tables, request)
    # A row has features when at least one value is there: the rule of `models.fit_and_score`.
    known = matrix.notna().any(axis=1).to_numpy()
    symbols = matrix.index.get_level_values("symbol")
    scores = bundle.forecaster.predict(matrix[known])
    return Prediction(
        date=_decision(bundle.card, matrix),
        scores=[SymbolScore(symbol=symbol, score=score) for symbol, score in zip(symbols[known], scores.tolist(), strict=True)],
        unscored=symbols[~known].tolist(),
        run_id=bundle.served.run_id,
        model_version=str(bundle.served.version),
        alias=alias,
        verdict=bundle.served.verdict,
    )


def _require_fresh(card: Card, bars: pd.DataFrame, at: pd.Timestamp) -> None:
    """Scores of old bars look like scores of new ones: nobody may trade on them by mistake."""
    if card.max_age_sessions is None and card.max_age_minutes is None:
        return
    # Members without a bar on the last date are a matter of the ranking, and are asked for there.
    last = bars.index.get_level_values("date") == bars.index[-1][0]
    market.freshness(
        bars[last],
        calendar=card.calendar,
        timeframe=card.timeframe,
        expected=market.expected_bar(card.calendar, card.timeframe, at=at),
        max_age_sessions=card.max_age_sessions,
        max_age_minutes=card.max_age_minutes,
    ).raise_when_stale()


def _decision(card: Card, matrix: pd.DataFrame) -> dt.date:
    last: pd.Timestamp = matrix.index.get_level_values("date")[0]
    return last.date() if card.timeframe == "1d" else last.tz_localize("UTC").to_pydatetime()


def _timed(card: Card, tables: Tables) -> Tables:
    """Dates of the other tables on the clock of the bars, as ingestion sets them."""
    stamps = pd.DatetimeIndex(tables.bars.index.unique("date"))
    has_times = not stamps.equals(stamps.normalize())
    if has_times == (card.timeframe == "1d"):
        wanted = "a date" if has_times else f"the close of a {card.timeframe} bar in UTC, like 2020-01-02T14:35:00Z,"
        raise DataError(f"This model reads bars of {card.timeframe}: give {wanted} for each, but got {moment(stamps[-1])}.")
    dated = {name: getattr(tables, name) for name in ("actions", "macro", "signals", "universe", "sectors")}
    return replace(
        tables,
        **{
            name: market.at_bars(table, stamps, calendar=card.calendar, timeframe=card.timeframe)
            for name, table in dated.items()
            if table is not None
        },
    )


def _bars(card: Card, given: pd.DataFrame) -> pd.DataFrame:
    """The fields of the training, and those computed from them as ingestion did; without their parts they stay absent."""
    # Fields that the training did not have would only ask for a longer history.
    observed = given[[field for field in given.columns if field in card.fields]]
    return market.derive(observed, card.derived) if set(card.fields) <= set(observed.columns) else observed


def _macro(card: Card, given: pd.DataFrame | None) -> pd.DataFrame | None:
    return given if given is None or card.macro_series is None else given[given["series"].isin(card.macro_series)]


def _features(bundle: Bundle, tables: Tables, request: PredictRequest) -> pd.DataFrame:
    card = bundle.card
    # A benchmark or a series that the training did not have would only ask for a longer history.
    used = replace(
        _timed(card, tables),
        bars=_bars(card, tables.bars),
        benchmark=tables.benchmark if card.needs_benchmark else None,
        macro=_macro(card, tables.macro),
    )
    _require_tables(card, used)
    matrix = features.latest(
        used.bars,
        card.features.sets,
        symbols=request.symbols,
        macro=used.macro,
        signals=used.signals,
        universe=used.universe,
        benchmark=used.benchmark,
        actions=used.actions,
        sectors=used.sectors,
        calendar=card.calendar,
        timeframe=card.timeframe,
        transform=card.features.transform,
        base_factors=used.base_factors,
        absent=request.absent,
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
        has_sectors=tables.sectors is not None and len(tables.sectors) > 0,
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
    _require_macro(card, plan, tables)


def _require_benchmark(card: Card, tables: Tables) -> None:
    """Without its first or last sessions the features on the benchmark would go missing, and the model would score without them."""
    sessions = tables.bars.index.unique("date")[-card.lookback :]
    if tables.benchmark is None or (tables.benchmark.index[0] <= sessions[0] and tables.benchmark.index[-1] >= sessions[-1]):
        return
    span, given = (f"{moment(dates[0])} to {moment(dates[-1])}" for dates in (sessions, tables.benchmark.index))
    raise DataError(f"The benchmark must cover the sessions that the model looks at, {span}, but got {given}: add the missing rows.")


def _require_macro(card: Card, plan: features.Plan, tables: Tables) -> None:
    """A change or a score of a series whose earlier rows were not sent would go missing, and the model would score without it."""
    depth = max((plan.lookbacks[column] for column in card.columns if column.startswith("macro_")), default=1)
    if tables.macro is None or depth == 1:
        return
    first = tables.bars.index.unique("date")[-depth:][0]
    begins = tables.macro.groupby("series")["known_at"].min()
    late = begins[begins > first]
    if len(late):
        offenders = name_few(f"{series} from {moment(known)}" for series, known in late.items())
        raise DataError(
            f"Macro must be known from the first of the {depth} sessions that the model looks at, {moment(first)}, but got {offenders}: "
            "add the earlier rows."
        )


def _absent(column: str) -> str:
    kind, _, name = column.partition("_")
    return f"no row of '{name}' in {'macro' if kind == 'macro' else 'signals'}"
