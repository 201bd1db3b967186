"""Bars of half an hour through the whole loop, from a simulated exchange to a served score."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from touchstone.errors import DataError
from touchstone.market import bar_times, session_of
from touchstone.notebook import RunView, open_run
from touchstone.serving._bundle import Bundle
from touchstone.serving._predict import predict
from touchstone.serving._rehearsal import load_rehearsed

RUN: dict[str, Any] = {
    "data": {"source": "simulated", "timeframe": "30m", "simulated": {"n_symbols": 6, "n_sessions": 58, "rank_ic": 0.2}},
    "labels": {"horizon": 4},
    "training": {"models": ["ridge"], "n_trials": 1, "n_folds": 2, "n_train": 600, "n_test": 80},
    "backtest": {"side_fraction": 0.34},
}
A_YEAR = 252 * 13


@pytest.fixture(scope="module")
def run(
    tmp_path_factory: pytest.TempPathFactory,
    new_project: Callable[[Path], Path],
    runner: Callable[..., None],
    with_short_report: Callable[[Path], Path],
) -> RunView:
    root = with_short_report(new_project(tmp_path_factory.mktemp("intraday") / "project"))
    before = os.environ.get("TOUCHSTONE_TRACKING")
    os.environ["TOUCHSTONE_TRACKING"] = "off"
    try:
        runner(root, **RUN)
    finally:
        os.environ.pop("TOUCHSTONE_TRACKING") if before is None else os.environ.update(TOUCHSTONE_TRACKING=before)
    return open_run(root=root)


def test_every_stage_has_left_its_outputs(run: RunView) -> None:
    manifest = run.record("manifest")
    assert set(manifest["stages"]) == {"ingestion", "features", "training", "backtest", "validation"}
    assert run.metadata["timeframe"] == "30m"
    bars, dates = run.table("bars"), run.table("bars").index.get_level_values("date")
    assert len(run.table("quarantine")) == 0
    assert session_of(pd.DatetimeIndex(dates), "XNYS", "30m").nunique() == 58
    assert len(bars) > 0.8 * 58 * 13 * 6
    assert run.record("audit")["passed"]
    assert run.record("audit")["n_compared"] > 0


def test_a_year_is_counted_in_bars(run: RunView) -> None:
    card = run.scorecard
    assert card["settings"]["periods_per_year"] == A_YEAR
    net = run.returns["net"].dropna()
    assert card["span"]["n_sessions"] == len(net)
    assert card["sharpe"]["net"] == pytest.approx(net.mean() / net.std(ddof=1) * np.sqrt(A_YEAR), rel=1e-8)
    assert {point["multiplier"]: point["sharpe"] for point in card["cost_curve"]}[1.0] == pytest.approx(card["sharpe"]["net"], rel=1e-8)
    assert not any(year["full"] for year in card["years"])


def test_the_borrow_fee_is_spread_over_the_bars_of_a_year(run: RunView) -> None:
    equity = run.table("equity")
    expected = equity["short_value"].abs().shift() * 50.0 * 1e-4 / A_YEAR
    np.testing.assert_allclose(equity["borrow"].iloc[1:], expected.iloc[1:], rtol=1e-9)
    assert equity["borrow"].iloc[2:].max() > 0.0


def test_labels_and_windows_count_bars_and_reach_over_the_night(run: RunView) -> None:
    labels = run.table("labels").dropna()
    stamps = run.table("bars").index.unique("date").sort_values()
    start, end = (stamps.get_indexer(pd.DatetimeIndex(labels[side])) for side in ("start", "end"))
    decided = stamps.get_indexer(pd.DatetimeIndex(labels.index.get_level_values("date")))
    assert (start == decided + 1).all()
    assert (end == start + 4).all()
    owners = (session_of(pd.DatetimeIndex(labels[side]), "XNYS", "30m") for side in ("start", "end"))
    assert 0.0 < np.mean(next(owners) != next(owners)) < 1.0
    windows = run.table("windows")
    scored = stamps[stamps >= stamps[600]]
    assert pd.Timestamp(windows["start"].iloc[0]) == scored[0]
    assert pd.Timestamp(windows["start"].iloc[1]) == scored[80]


def test_dates_of_actions_stand_on_the_clock_of_the_bars(run: RunView) -> None:
    actions = run.table("actions")
    assert len(actions) > 0
    opens = pd.DatetimeIndex(actions["ex_date"])
    firsts = bar_times("XNYS", opens.min(), opens.max(), "30m")
    assert opens.isin(firsts).all()
    assert ((opens - pd.Timedelta("30min")).strftime("%H:%M").isin(["14:30", "13:30"])).all()


def test_readers_are_told_of_bars(run: RunView) -> None:
    card = (run.folder / "08_reporting" / "model_card.md").read_text()
    assert "a ridge forecaster of the 4-bar (30m) return" in card
    assert "session return" not in card


def test_another_width_is_another_trial(run: RunView) -> None:
    from touchstone.pipelines.records import bar_width

    widths = [bar_width(SimpleNamespace(timeframe=width)) for width in ("1d", "30m")]  # type: ignore[arg-type]
    assert widths == [{}, {"timeframe": "30m"}]
    assert run.record("bundle")["timeframe"] == "30m"


def test_the_service_gives_the_scores_of_the_pipeline(run: RunView) -> None:
    at = run.table("scores")["score"].dropna().index[-1][0]
    answer = predict(_bundle(run), json.dumps(_request(run, at)).encode(), alias="champion")
    assert answer.date == at.tz_localize("UTC").to_pydatetime()
    expected = run.table("scores")["score"].loc[at]
    assert {one.symbol: one.score for one in answer.scores} == expected.dropna().to_dict()
    assert json.loads(answer.model_dump_json())["date"].endswith("Z")
    # The universe of the run is on the clock of its bars, as `market.eligible` gives it.
    timed = run.table("universe").astype(str).to_dict("records")
    assert all(len(row["start"]) > len("2010-01-04") for row in timed)
    again = predict(_bundle(run), json.dumps(_request(run, at) | {"universe": timed}).encode(), alias="champion")
    assert again.scores == answer.scores


def test_the_service_refuses_dates_where_its_model_reads_bars(run: RunView) -> None:
    body = {"bars": [{"date": "2010-01-04", "symbol": "S000", "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0, "volume": 1.0}]}
    with pytest.raises(DataError, match=r"reads bars of 30m: give the close of a 30m bar in UTC, like 2020-01-02T14:35:00Z"):
        predict(_bundle(run), json.dumps(body).encode(), alias="champion")


def _bundle(run: RunView) -> Bundle:
    served = SimpleNamespace(bundle=run.folder / "06_models", version=1, run_id=run.run_id, verdict="rejected")
    return load_rehearsed(served)  # type: ignore[arg-type]


def _request(run: RunView, at: pd.Timestamp) -> dict[str, Any]:
    """Everything up to a bar, with the raw dates of the source."""
    bars = run.table("bars").loc[:at].reset_index()
    raw = {name: pd.read_parquet(run.folder / "01_raw" / f"{name}.parquet") for name in ("actions", "universe")}
    signals = run.table("signals")
    known = signals[signals["known_at"] <= at]
    tables = {"bars": bars, "signals": known, "benchmark": run.table("benchmark").loc[:at].reset_index(), **raw}
    return {name: _rows(table) for name, table in tables.items()}


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    days = ("ex_date", "start", "end")
    plain = {
        column: table[column].dt.strftime("%Y-%m-%d" if column in days or _is_dates(table[column]) else "%Y-%m-%dT%H:%M:%SZ").tolist()
        if table[column].dtype.kind == "M"
        else table[column].tolist()
        for column in table
    }
    return [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]


def _is_dates(values: pd.Series) -> bool:
    return bool((values == values.dt.normalize()).all())
