"""Small markets written out by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

MakeBars = Callable[..., pd.DataFrame]


@pytest.fixture
def make_bars() -> MakeBars:
    """Bars from one list of closes per symbol (None: no bar that session), opens on request."""

    def make(closes: dict[str, list[float | None]], opens: dict[str, list[float | None]] | None = None) -> pd.DataFrame:
        dates = pd.date_range("2020-01-01", periods=len(next(iter(closes.values()))), unit="us")
        index = pd.MultiIndex.from_product([dates, list(closes)], names=["date", "symbol"])
        columns = {"close": closes} if opens is None else {"open": opens, "close": closes}
        values = {name: np.array(list(table.values()), dtype=np.float64).T.ravel() for name, table in columns.items()}
        return pd.DataFrame(values, index=index).dropna()

    return make


@pytest.fixture
def make_weights() -> Callable[[dict[int, dict[str, float]]], pd.DataFrame]:
    """Target weights from {session number: {symbol: weight}}."""

    def make(decisions: dict[int, dict[str, float]]) -> pd.DataFrame:
        dates = [pd.Timestamp("2020-01-01") + pd.Timedelta(days=number) for number in decisions]
        index = pd.DatetimeIndex(dates, name="date").as_unit("us")
        return pd.DataFrame(list(decisions.values()), index=index).fillna(0.0).sort_index(axis=1)

    return make


@pytest.fixture
def make_actions() -> Callable[..., pd.DataFrame]:
    """Actions from (symbol, session number, kind, value) tuples."""

    def make(*rows: tuple[str, int, str, float]) -> pd.DataFrame:
        table = pd.DataFrame(rows, columns=["symbol", "session", "kind", "value"])
        ex_date = (pd.Timestamp("2020-01-01") + pd.to_timedelta(table["session"], unit="D")).astype("datetime64[us]")
        return table.drop(columns="session").assign(ex_date=ex_date, known_at=ex_date)

    return make
