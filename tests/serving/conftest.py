"""A small market, models fitted on it, and the service's application in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from fastapi import FastAPI

from touchstone import features, market, models
from touchstone.serving._app import create_app
from touchstone.serving._bundle import load_bundle
from touchstone.serving._watcher import AliasWatcher
from touchstone.sources._simulated import simulate_market
from touchstone.tracking import ServedModel

PARAMETERS: dict[str, dict[str, Any]] = {"ridge": {}, "lightgbm": {"n_trees": 20, "min_data_in_leaf": 20, "seed": 3}}


@dataclass(frozen=True, eq=False)
class Research:
    """What a run would leave: clean tables, the features of all sessions, a fitted model of each kind."""

    tables: dict[str, pd.DataFrame]
    matrix: pd.DataFrame
    fitted: dict[str, models.Forecaster]
    card: dict[str, Any]

    def body(self, date: pd.Timestamp, *, since: pd.Timestamp | None = None, shape: str = "rows") -> dict[str, Any]:
        """The request that asks for a session: what was known at its close."""
        bars = self.tables["bars"]
        dates = bars.index.get_level_values("date")
        bars = bars[(dates <= date) & (dates >= (since or dates[0]))].reset_index()
        known = {name: self.tables[name] for name in ("actions", "signals", "macro")}
        known = {name: table[table["known_at"] <= date] for name, table in known.items()}
        universe = self.tables["universe"]
        benchmark = self.tables["benchmark"].loc[:date].reset_index()
        return {
            "bars": rows(bars) if shape == "rows" else {column: plain(bars[column]) for column in bars},
            "benchmark": rows(benchmark),
            "universe": rows(universe[universe["start"] <= date]),
            **{name: rows(table) for name, table in known.items()},
        }

    def write(self, folder: Path, model: str = "ridge", **card: Any) -> ServedModel:
        """Put a bundle where a registry would."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.txt").write_bytes(self.fitted[model].dump())
        (folder / "bundle.json").write_text(json.dumps({**self.card, "model": model, **card}))
        return ServedModel(version=1, run_id="ab12" * 16, bundle=folder, verdict="passed")


def plain(values: pd.Series) -> list[Any]:
    return values.dt.strftime("%Y-%m-%d").tolist() if values.dtype.kind == "M" else values.tolist()


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    columns = {column: plain(table[column]) for column in table}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _macro(first: pd.Timestamp) -> pd.DataFrame:
    period = pd.date_range(first, periods=40, freq="ME").as_unit("us")
    values = np.random.default_rng(5).standard_normal(40)
    known = pd.DatetimeIndex(period + pd.Timedelta(days=12)).as_unit("us")
    return pd.DataFrame(
        {
            "series": pd.Series("spread", index=range(40), dtype="str"),
            "period": period,
            "value": values,
            "known_at": known,
            "expires_at": known + pd.Timedelta(days=60),
        }
    )


@pytest.fixture(scope="session")
def research() -> Research:
    raw = simulate_market(n_symbols=16, n_sessions=570, seed=2).data
    clean = market.ingest(raw)
    tables = {name: getattr(clean, name) for name in ("bars", "actions", "signals", "universe", "benchmark")}
    tables["macro"] = _macro(clean.bars.index[0][0])
    matrix = features.compute(
        tables["bars"], ("momentum",), **{name: table for name, table in tables.items() if name != "bars"}, transform="rank"
    )
    used = matrix[matrix.index.get_level_values("date") >= matrix.index.levels[0][300]]
    target = pd.Series(np.random.default_rng(1).standard_normal(len(used)), index=used.index, name="label") + used["return_5"].fillna(0.0)
    fitted = {name: models.make(name, **given).fit(used, target.astype(np.float64)) for name, given in PARAMETERS.items()}
    plan = features.plan(("momentum",), fields=tables["bars"].columns, macro_series=("spread",), signal_names=("planted",))
    card = {
        "features": {"sets": ["momentum"], "transform": "rank"},
        "columns": list(plan.columns),
        "lookback": plan.lookback,
        "needs_benchmark": plan.needs_benchmark,
        "labels": {"horizon": 5, "fill": "next_close"},
        "scored": {"start": "2011-06-01", "end": "2012-04-05"},
        "calendar": "XNYS",
        "adjustment": "none",
        "fields": list(tables["bars"].columns),
    }
    return Research(tables, matrix, fitted, card)


@pytest.fixture(scope="session")
def session(research: Research) -> pd.Timestamp:
    return research.matrix.index[-1][0]


@pytest.fixture(scope="session")
def body(research: Research, session: pd.Timestamp) -> dict[str, Any]:
    """A good request; copy before you change it."""
    return research.body(session)


@pytest.fixture
def serve() -> Callable[[ServedModel], FastAPI]:
    """An application that serves one bundle."""

    def application(served: ServedModel) -> FastAPI:
        return create_app(AliasWatcher("champion", lambda alias: served, load_bundle), list)

    return application


@pytest.fixture(scope="session")
def ask() -> Callable[..., httpx.Response]:
    """Ask an ASGI application in this process, as a client would."""

    def request(app: Any, path: str = "/api/v1/predict", *, method: str = "POST", **content: Any) -> httpx.Response:
        async def exchange() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
                return await client.request(method, path, **content)

        return asyncio.run(exchange())

    return request
