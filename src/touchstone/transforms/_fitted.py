"""Transforms with parameters of their own: fitted on training rows, and applied to any."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from touchstone.errors import ConfigError, DataError, LineageError, name_few, nearest
from touchstone.types import FloatArray

__all__ = ["FillMedian", "FittedTransform", "Standardise", "TransformSpecification", "Winsorise", "fitted", "list_fitted", "restore_fitted"]


@dataclass(frozen=True)
class FittedTransform:
    """What `TransformSpecification.fit` gives: a transform and the parameters it learned.

    Attributes
    ----------
    name
        The short name of the transform.
    feature_names
        Columns it was fitted on, in order.
    parameters
        One number for each column, by parameter; NaN where the training rows said nothing.
    """

    name: str
    feature_names: tuple[str, ...]
    parameters: Mapping[str, tuple[float, ...]]

    def apply(self, features: pd.DataFrame) -> pd.DataFrame:
        """Transform rows, each by itself: what is known of a row when its features are is known of the result.

        Parameters
        ----------
        features
            The columns it was fitted on, in order; NaN is a missing value.

        Returns
        -------
        DataFrame
            A new one, float32, on the same index and columns. What is missing stays so, but under `fill_median`.

        Raises
        ------
        DataError
            Other columns than those it was fitted on, or another order.
        """
        names = tuple(map(str, features.columns))
        if names != self.feature_names:
            strangers = sorted(set(names) ^ set(self.feature_names))
            raise DataError(
                f"Transform '{self.name}' applies to the {len(self.feature_names)} columns it was fitted on, in their order, but got "
                f"{name_few(strangers) + ' besides' if strangers else 'another order'}: pass features[list(fitted.feature_names)]."
            )
        change = _TRANSFORMS[self.name].change
        given = features.to_numpy()
        out = np.empty((len(names), len(features)), dtype=np.float32)
        for number, column in enumerate(out):
            learned = {name: values[number] for name, values in self.parameters.items()}
            column[:] = change(given[:, number].astype(np.float64), **learned)
        return pd.DataFrame(out.T, index=features.index, columns=features.columns, copy=False)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; canonical JSON writes NaN as null, and `restore_fitted` reads it back."""
        parameters = {name: list(values) for name, values in self.parameters.items()}
        return {"name": self.name, "feature_names": list(self.feature_names), "parameters": parameters}


class TransformSpecification(ABC):
    """A transform before it is fitted: frozen, told apart by its options."""

    name: ClassVar[str]
    learns: ClassVar[tuple[str, ...]]

    def fit(self, features: pd.DataFrame) -> FittedTransform:
        """Learn the parameters, each column by itself, from its values that are not missing.

        Parameters
        ----------
        features
            The training rows and no others: whatever is learned is known only once the last of them is.

        Raises
        ------
        DataError
            No row, columns of one name, or infinite values.
        """
        given = _finite_rows(self.name, features)
        # One column at a time: sums over a whole matrix round by how it lies in memory.
        columns = (values[~np.isnan(values)].astype(np.float64) for values in given.T)
        learned = [self.learn(present) if len(present) else (math.nan,) * len(self.learns) for present in columns]
        parameters = dict(zip(self.learns, zip(*learned, strict=True), strict=True))
        return FittedTransform(self.name, tuple(map(str, features.columns)), parameters)

    @abstractmethod
    def learn(self, present: FloatArray) -> tuple[float, ...]:
        """The parameters of one column from its values; there is at least one."""

    @staticmethod
    @abstractmethod
    def change(values: FloatArray, **learned: float) -> FloatArray:
        """The values of one column, transformed."""


@dataclass(frozen=True)
class Standardise(TransformSpecification):
    """Less the training mean, over the training deviation (ddof 1); a column that did not move in training becomes zero."""

    name: ClassVar[str] = "standardise"
    learns: ClassVar[tuple[str, ...]] = ("mean", "deviation")

    def learn(self, present: FloatArray) -> tuple[float, ...]:
        """Mean and deviation; NaN for the deviation where all values are equal."""
        # By its extremes: the deviation of equal values may be a residue of rounding.
        return float(present.mean()), float(present.std(ddof=1)) if present.min() < present.max() else math.nan

    @staticmethod
    def change(values: FloatArray, **learned: float) -> FloatArray:
        """Standard scores."""
        if math.isnan(learned["deviation"]):
            return np.where(np.isnan(values), np.nan, 0.0)
        return (values - learned["mean"]) / learned["deviation"]


@dataclass(frozen=True)
class Winsorise(TransformSpecification):
    """Values beyond two quantiles of the training rows (linear interpolation) are moved to them.

    Parameters
    ----------
    low, high
        The quantiles, as fractions.
    """

    name: ClassVar[str] = "winsorise"
    learns: ClassVar[tuple[str, ...]] = ("low", "high")

    low: float = 0.01
    high: float = 0.99

    def __post_init__(self) -> None:
        if not 0.0 <= self.low < self.high <= 1.0:
            raise ConfigError(
                f"winsorise takes quantiles 0 <= low < high <= 1, but got low={self.low}, high={self.high}: give such a pair."
            )

    def learn(self, present: FloatArray) -> tuple[float, ...]:
        """The two quantiles."""
        low, high = np.quantile(present, (self.low, self.high))
        return float(low), float(high)

    @staticmethod
    def change(values: FloatArray, **learned: float) -> FloatArray:
        """Values between the quantiles; without any in training, as they are."""
        raised = np.where(values < learned["low"], learned["low"], values)
        return np.where(raised > learned["high"], learned["high"], raised)


@dataclass(frozen=True)
class FillMedian(TransformSpecification):
    """A missing value becomes the median of the column's training rows; without a value in training it stays missing."""

    name: ClassVar[str] = "fill_median"
    learns: ClassVar[tuple[str, ...]] = ("median",)

    def learn(self, present: FloatArray) -> tuple[float, ...]:
        """The median."""
        return (float(np.median(present)),)

    @staticmethod
    def change(values: FloatArray, **learned: float) -> FloatArray:
        """Values without gaps."""
        return np.where(np.isnan(values), learned["median"], values)


_TRANSFORMS: dict[str, type[TransformSpecification]] = {known.name: known for known in (FillMedian, Standardise, Winsorise)}


def list_fitted() -> tuple[str, ...]:
    """Names that `fitted` knows, sorted."""
    return tuple(sorted(_TRANSFORMS))


def fitted(name: str, **options: float) -> TransformSpecification:
    """Make a transform that is to be fitted: ``fitted(name).fit(training_rows).apply(rows)``.

    Unlike the rank of a session, which is known at its close, such a transform knows what its training rows know; `fit` must see no
    row that it is judged on, nor any whose label reaches into those.

    Parameters
    ----------
    name
        ``standardise``, ``winsorise`` (options ``low``, ``high``) or ``fill_median``.

    Raises
    ------
    ConfigError
        An unknown transform or option, with the nearest known one, or quantiles out of order.
    """
    transform = _transform(name)
    known = [field.name for field in fields(transform)]  # type: ignore[arg-type]
    for option in options:
        if option not in known:
            raise ConfigError(f"Transform '{name}' must be given known options, but got '{option}': {nearest(option, known)}.")
    return transform(**options)


def restore_fitted(state: Mapping[str, Any]) -> FittedTransform:
    """Read a fitted transform back from its `to_dict`, or from the JSON of that.

    Raises
    ------
    ConfigError
        An unknown transform.
    LineageError
        A mapping that is no such state.
    """
    try:
        name, names, parameters = state["name"], tuple(state["feature_names"]), dict(state["parameters"])
        learned = {key: tuple(math.nan if value is None else float(value) for value in values) for key, values in parameters.items()}
    except (KeyError, TypeError, ValueError) as error:
        raise LineageError(f"A fitted transform must be what to_dict wrote, but reading it gave {error!r}: restore the file.") from None
    wanted = {key: len(names) for key in _transform(name).learns}
    given = {key: len(values) for key, values in learned.items()}
    if given != wanted:
        raise LineageError(f"Transform '{name}' must carry the numbers {wanted}, but got {given}: restore the file.")
    return FittedTransform(name, names, learned)


def _transform(name: str) -> type[TransformSpecification]:
    if name not in _TRANSFORMS:
        raise ConfigError(f"training.transforms must name known transforms, but got '{name}': {nearest(name, _TRANSFORMS)}.")
    return _TRANSFORMS[name]


def _finite_rows(name: str, features: pd.DataFrame) -> NDArray[np.floating]:
    if features.empty:
        raise DataError(f"Transform '{name}' needs rows and columns to be fitted on, but got shape {features.shape}: bring more history.")
    if not features.columns.is_unique:
        twice = features.columns[features.columns.duplicated()]
        raise DataError(f"Feature names must be unique, but {name_few(twice)} stands twice: rename it.")
    values = features.to_numpy()
    infinite = np.isinf(values).any(axis=0)
    if infinite.any():
        raise DataError(f"Features must be finite or NaN, but {name_few(features.columns[infinite])} holds infinities: mend the feature.")
    return values
