"""What is fitted is fitted on training rows; the house's own transforms are."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from touchstone import audit, features
from touchstone.errors import DataError, LookAheadError

TRAIN, TEST = np.arange(1000), np.arange(1050, 1400)


@pytest.fixture(scope="module")
def matrix(bars: pd.DataFrame) -> pd.DataFrame:
    random = np.random.default_rng(4)
    values = random.normal(size=(len(bars), 2)).astype(np.float32)
    values[random.random(values.shape) < 0.05] = np.nan
    return pd.DataFrame(values, index=bars.index, columns=["a", "b"])


@pytest.mark.parametrize("name", features.list_fitted())
def test_every_transform_of_the_house_passes(matrix: pd.DataFrame, name: str) -> None:
    report = audit.fitted(lambda given, train: features.fitted(name).fit(given.iloc[train]), matrix, TRAIN, TEST)
    report.raise_on_leak()
    assert {check.check for check in report.checks} == {"parameters", "training rows", "test rows"}
    assert report.n_compared > 2 * (len(TRAIN) + len(TEST))


@pytest.mark.parametrize("name", features.list_fitted())
def test_every_transform_of_the_house_is_caught_when_it_is_fitted_on_everything(matrix: pd.DataFrame, name: str) -> None:
    report = audit.fitted(lambda given, _: features.fitted(name).fit(given), matrix, TRAIN, TEST)
    assert "parameters" in set(report.findings["check"])
    with pytest.raises(
        LookAheadError, match=r"with all rows as they are and .* when rows outside the training rows .*fit on training rows only"
    ):
        report.raise_on_leak()


def test_a_value_that_only_another_test_row_tells_is_found(matrix: pd.DataFrame) -> None:
    ranks = SimpleNamespace(transform=lambda rows: rows.rank(pct=True))
    report = audit.fitted(lambda *_: ranks, matrix, TRAIN, TEST)
    assert set(report.findings["check"]) == {"test rows"}


def test_positions_and_results_that_make_no_sense_are_errors(matrix: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="must not overlap, but 10 do, first 990"):
        audit.fitted(lambda *_: len, matrix, TRAIN, np.arange(990, 1100))
    with pytest.raises(DataError, match="at least two test rows"):
        audit.fitted(lambda *_: len, matrix, TRAIN, np.array([1200]))
    with pytest.raises(DataError, match="got a int: return one"):
        audit.fitted(lambda *_: 3, matrix, TRAIN, TEST)
    with pytest.raises(DataError, match="a row for each of the 1000"):
        audit.fitted(lambda *_: lambda rows: rows.iloc[1:], matrix, TRAIN, TEST)
