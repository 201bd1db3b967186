"""One path: what the registered model answers over HTTP is what the pipeline scored, bit for bit, for every row of a session."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest

from touchstone.notebook import RunView, open_run
from touchstone.serving._app import create_app
from touchstone.serving._bundle import load_bundle
from touchstone.serving._watcher import AliasWatcher
from touchstone.tracking import register, resolve


@pytest.fixture(scope="module")
def registered(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("registered") / "project"
    shutil.copytree(finished_run, root, ignore=shutil.ignore_patterns("src"))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TOUCHSTONE_TRACKING", raising=False)
        register(root)
    return root


def test_served_scores_are_the_pipelines_scores(registered: Path) -> None:
    run = open_run(root=registered)
    scores, first = run.table("scores")["score"], run.table("windows")["start"].iloc[-1]
    dates = scores.index.unique("date")
    asked = dates[dates >= first][[0, len(dates[dates >= first]) // 2, -1]]
    answers = _ask(registered, [_body(run, date) for date in asked])
    for date, answer in zip(asked, answers, strict=True):
        expected = scores.xs(date, level="date")
        served = pd.Series({pair["symbol"]: pair["score"] for pair in answer["scores"]})
        assert answer["date"] == f"{date:%Y-%m-%d}"
        assert answer["run_id"] == run.run_id
        assert served.index.tolist() == expected.index.tolist()
        assert served.to_numpy().tobytes() == expected.to_numpy().tobytes()
        assert served.nunique() > 3


def _body(run: RunView, date: pd.Timestamp) -> dict[str, Any]:
    """What was known at the close of the session."""
    bars = run.table("bars")
    known = {name: run.table(name) for name in ("actions", "signals", "macro")}
    universe = run.table("universe")
    return {
        "bars": _rows(bars[bars.index.get_level_values("date") <= date].reset_index()),
        "benchmark": _rows(run.table("benchmark").loc[:date].reset_index()),
        "universe": _rows(universe[universe["start"] <= date]),
        **{name: _rows(table[table["known_at"] <= date]) for name, table in known.items()},
    }


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    plain = {name: table[name].dt.strftime("%Y-%m-%d") if table[name].dtype.kind == "M" else table[name] for name in table}
    return pd.DataFrame(plain).to_dict("records")


def _ask(root: Path, bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    app = create_app(AliasWatcher("candidate", lambda alias: resolve(alias, root=root), load_bundle), list)

    async def exchange() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
            return [await client.post("/api/v1/predict", json=body, timeout=60) for body in bodies]

    answers = asyncio.run(exchange())
    assert [answer.status_code for answer in answers] == [200] * len(bodies), answers[0].text
    return [answer.json() for answer in answers]
