"""Files with known errors, and a project that has ingested them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from touchstone import sources

SYMBOL, TWICE = "S003", "S005"


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of CSV, one file a symbol: a price off by a factor of 100, a row twice, a session without a row."""
    bars = sources.load("simulated", start="2015-01-02", n_symbols=8, n_sessions=160, seed=3).bars.reset_index()
    folder = tmp_path_factory.mktemp("files")
    for symbol, rows in bars.groupby("symbol"):
        rows = rows.rename(columns={"symbol": "Name"}).reset_index(drop=True)
        if symbol == SYMBOL:
            prices = ["open", "high", "low", "close"]
            rows.loc[80, prices] = rows.loc[80, prices] * 100.0
            rows = rows.drop(index=40)
        if symbol == TWICE:
            rows = rows.loc[sorted([*rows.index, 100])]
        rows.to_csv(folder / f"{symbol}.csv", index=False)
    return folder


@pytest.fixture(scope="session")
def ingested(
    files: Path, tmp_path_factory: pytest.TempPathFactory, new_project: Callable[[Path], Path], runner: Callable[..., None]
) -> Path:
    """A project whose ingestion has read the files; for reading only."""
    root = new_project(tmp_path_factory.mktemp("ingested") / "project")
    settings = {"source": "files", "start": "2000-01-01", "files": {"path": str(files), "adjustment": "none"}}
    runner(root, stages=("ingestion",), env="base", data=settings)
    return root
