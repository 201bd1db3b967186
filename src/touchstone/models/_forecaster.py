"""What every forecaster can do, and what it may be fitted on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import pandas as pd

from touchstone.errors import DataError, LineageError, name_few
from touchstone.types import FloatArray

__all__ = ["Forecaster", "Range", "check_columns", "check_training", "fitted"]


@dataclass(frozen=True)
class Range:
    """The values a parameter is tuned over, both ends included.

    Parameters
    ----------
    name : str
        The parameter, as `make` takes it.
    low, high : float
        Whole numbers where `integer`.
    log : bool
        Search on a logarithmic scale.
    integer : bool
        Take whole numbers only.
    """

    name: str
    low: float
    high: float
    log: bool = False
    integer: bool = False


class Forecaster(Protocol):
    """Scores symbols; higher is better. Immutable: `fit` returns a new, fitted one.

    Attributes
    ----------
    name : str
        The short name `make` and `restore` know it by.
    space : tuple of Range
        What tuning searches.
    feature_names : tuple of str
        Columns it was fitted on, in order; empty before `fit`.
    """

    name: ClassVar[str]
    space: ClassVar[tuple[Range, ...]]

    @property
    def feature_names(self) -> tuple[str, ...]: ...

    def fit(self, features: pd.DataFrame, target: pd.Series) -> Forecaster:
        """Fit on labelled rows.

        Parameters
        ----------
        features : DataFrame, shape (n_rows, n_features)
            On (date, symbol); NaN is a missing value, infinities are not allowed.
        target : Series, shape (n_rows,)
            On the same index, finite.
        """
        ...

    def predict(self, features: pd.DataFrame) -> FloatArray:
        """Score every row, float64, shape (n_rows,); a row's score depends on that row alone, to the bit."""
        ...

    def dump(self) -> bytes:
        """The fitted model as canonical bytes, free of thread counts and times."""
        ...

    @classmethod
    def restore(cls, payload: bytes, *, threads: int = 1) -> Forecaster:
        """The forecaster that `dump` wrote down; its scores are equal to the bit."""
        ...


def check_training(features: pd.DataFrame, target: pd.Series) -> None:
    """Refuse what cannot be fitted.

    Raises
    ------
    DataError
        No row or column, duplicate columns, another index on the target, a target that is not finite, or infinite features.
    """
    if features.empty:
        raise DataError(f"A forecaster needs rows and features, but got shape {features.shape}: bring more history or features.")
    if not features.columns.is_unique:
        twice = features.columns[features.columns.duplicated()]
        raise DataError(f"Feature names must be unique, but {name_few(twice)} stands twice: rename it.")
    if not features.index.equals(target.index):
        raise DataError(
            f"Features and target must share their index, but got {len(features)} and {len(target)} rows that differ: align them."
        )
    if not np.isfinite(target.to_numpy(np.float64)).all():
        bad = target.index[~np.isfinite(target.to_numpy(np.float64))]
        raise DataError(f"A training target must be finite, but {len(bad)} rows are not, as {name_few(bad)}: drop rows without a label.")
    infinite = np.isinf(features.to_numpy()).any(axis=0)
    if infinite.any():
        raise DataError(f"Features must be finite or NaN, but {name_few(features.columns[infinite])} holds infinities: mend the feature.")


def check_columns(features: pd.DataFrame, expected: tuple[str, ...]) -> None:
    """Refuse other columns than those a model was fitted on, or another order.

    Raises
    ------
    DataError
        Missing, unknown or misordered columns.
    """
    given = tuple(map(str, features.columns))
    if given == expected:
        return
    missing = [name for name in expected if name not in given]
    unknown = [name for name in given if name not in expected]
    parts = [f"{name_few(names)} {what}" for names, what in ((missing, "is missing"), (unknown, "is unknown to it")) if names]
    raise DataError(
        f"A model scores the {len(expected)} columns it was fitted on, in their order, but {' and '.join(parts) or 'the order differs'}: "
        "pass features[list(model.feature_names)]."
    )


def fitted(name: str, feature_names: tuple[str, ...]) -> None:
    """Refuse a forecaster that was not fitted.

    Raises
    ------
    LineageError
        It carries no model yet.
    """
    if not feature_names:
        raise LineageError(f"Model '{name}' must be fitted before it scores or is written, but was not: call fit, which returns a new one.")
