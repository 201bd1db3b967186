"""Served scores are the pipeline's scores, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from fastapi import FastAPI

from touchstone import market, models

Ask = Callable[..., httpx.Response]
Serve = Callable[[Any], FastAPI]


def batch_scores(research: Any, model: str, date: pd.Timestamp) -> pd.Series:
    """What the pipeline says: the features of all sessions at once, all rows scored at once."""
    scores = pd.Series(research.fitted[model].predict(research.matrix), index=research.matrix.index)
    return scores.xs(date, level="date")


def served_scores(answer: httpx.Response) -> pd.Series:
    assert answer.status_code == 200, answer.text
    given = answer.json()["scores"]
    return pd.Series([pair["score"] for pair in given], index=[pair["symbol"] for pair in given])


@pytest.mark.parametrize("model", ["ridge", "lightgbm"])
@pytest.mark.parametrize("back", [1, 2, 30])
def test_every_row_of_a_session_is_equal_to_the_bit(research: Any, tmp_path: Path, serve: Serve, ask: Ask, model: str, back: int) -> None:
    date = research.matrix.index.levels[0][-back]
    answer = ask(serve(research.write(tmp_path, model)), json=research.body(date))
    expected = batch_scores(research, model, date)
    served = served_scores(answer)
    assert served.index.tolist() == expected.index.tolist()
    assert served.to_numpy().tobytes() == expected.to_numpy().tobytes()
    assert len(set(served)) > 3
    assert answer.json()["date"] == f"{date:%Y-%m-%d}"


def test_the_answer_says_which_model_gave_it(research: Any, body: dict[str, Any], tmp_path: Path, serve: Serve, ask: Ask) -> None:
    answer = ask(serve(research.write(tmp_path)), json=body).json()
    told = {key: answer[key] for key in ("run_id", "model_version", "alias", "verdict", "unscored")}
    assert told == {"run_id": "ab12" * 16, "model_version": "1", "alias": "champion", "verdict": "passed", "unscored": []}


def test_bars_may_come_as_columns_and_in_any_order(research: Any, session: pd.Timestamp, tmp_path: Path, serve: Serve, ask: Ask) -> None:
    body = research.body(session, shape="columns")
    body["bars"] = {column: values[::-1] for column, values in body["bars"].items()}
    served = served_scores(ask(serve(research.write(tmp_path)), json=body))
    assert served.to_numpy().tobytes() == batch_scores(research, "ridge", session).to_numpy().tobytes()


def test_a_subset_gets_the_scores_it_has_in_the_whole(
    research: Any, body: dict[str, Any], session: pd.Timestamp, tmp_path: Path, serve: Serve, ask: Ask
) -> None:
    expected = batch_scores(research, "ridge", session)
    wanted = expected.index[[5, 2]].tolist()
    served = served_scores(ask(serve(research.write(tmp_path)), json={**body, "symbols": wanted}))
    assert served.to_dict() == expected[sorted(wanted)].to_dict()


def test_a_late_start_with_its_factors_gives_the_same_bits(
    research: Any, session: pd.Timestamp, tmp_path: Path, serve: Serve, ask: Ask
) -> None:
    tables = research.tables
    since = tables["bars"].index.levels[0][-research.card["lookback"]]
    factors = market.adjustment_factors(tables["bars"], tables["actions"])
    first = factors[factors.index.get_level_values("date") >= since].groupby("symbol").head(1).droplevel("date")
    assert (first["price"] != 1.0).any()
    body = research.body(session, since=since)
    table = [{"symbol": symbol, **row} for symbol, row in first.to_dict("index").items()]
    served = served_scores(ask(serve(research.write(tmp_path)), json={**body, "base_factors": table}))
    assert served.to_numpy().tobytes() == batch_scores(research, "ridge", session).to_numpy().tobytes()
    refused = ask(serve(research.write(tmp_path)), json=body)
    assert refused.status_code == 422
    assert "base_factors" in refused.json()["error"]


def test_what_the_model_does_not_use_changes_nothing(
    research: Any, body: dict[str, Any], session: pd.Timestamp, tmp_path: Path, serve: Serve, ask: Ask
) -> None:
    more = [{**row, "vwap": row["close"]} for row in body["bars"]]
    other = [{**row, "series": "other"} for row in body["macro"]]
    served = served_scores(ask(serve(research.write(tmp_path)), json={**body, "bars": more, "macro": body["macro"] + other}))
    assert served.to_numpy().tobytes() == batch_scores(research, "ridge", session).to_numpy().tobytes()


def test_a_member_without_features_is_named_and_not_scored(
    research: Any, body: dict[str, Any], session: pd.Timestamp, tmp_path: Path, serve: Serve, ask: Ask
) -> None:
    # Macro has a value for every row: this model does without, so that a symbol listed today has nothing to be scored by.
    columns = [column for column in research.card["columns"] if not column.startswith(("macro", "signal"))]
    matrix = research.matrix[columns].tail(1000)
    lean = replace(research, fitted={"ridge": models.make("ridge").fit(matrix, matrix["return_1"].astype("float64").fillna(0.0))})
    young, today = "S001", f"{session:%Y-%m-%d}"
    asked = {
        **body,
        "bars": [row for row in body["bars"] if row["symbol"] != young or row["date"] == today],
        "universe": [{**row, "start": today} if row["symbol"] == young else row for row in body["universe"]],
    }
    answer = ask(serve(lean.write(tmp_path, columns=columns)), json=asked)
    assert answer.json()["unscored"] == [young]
    assert young not in served_scores(answer)
    assert len(served_scores(answer)) == len(batch_scores(research, "ridge", session)) - 1
