"""A small panel whose first feature foretells the target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest


@dataclass(frozen=True)
class Panel:
    features: pd.DataFrame
    target: pd.Series


def make_panel(n_sessions: int = 60, n_symbols: int = 12, n_features: int = 4, seed: int = 0) -> Panel:
    rng = np.random.default_rng(seed)
    dates = pd.bdate_range("2020-01-01", periods=n_sessions).as_unit("us")
    index = pd.MultiIndex.from_product([dates, [f"S{k:02d}" for k in range(n_symbols)]], names=["date", "symbol"])
    values = rng.uniform(-0.5, 0.5, (len(index), n_features)).astype(np.float32)
    target = 0.5 * values[:, 0] - 0.25 * values[:, 1] + 0.1 * rng.standard_normal(len(index))
    values[rng.random(values.shape) < 0.05] = np.nan
    columns = [f"feature_{k}" for k in range(n_features)]
    return Panel(pd.DataFrame(values, index=index, columns=columns), pd.Series(target, index=index, name="label"))


@pytest.fixture(scope="session")
def panel() -> Panel:
    return make_panel()
