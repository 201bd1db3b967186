"""Ridge regression in closed form."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, LineageError
from touchstone.lineage import canonical_json
from touchstone.models._forecaster import Range, check_columns, check_training, fitted
from touchstone.models._kernels import cross_products, solve_positive
from touchstone.types import FloatArray

__all__ = ["Ridge"]


@dataclass(frozen=True)
class Ridge:
    r"""Least squares on standardised features with a penalty on the squared weights.

    With :math:`z` the features standardised on the training rows,

    .. math:: \min_{b, w} \frac{1}{n} \sum_i (y_i - b - z_i w)^2 + \alpha \lVert w \rVert^2,

    so that `alpha` means the same for every number of rows. A missing value takes the feature's training mean, which adds
    nothing to a score; the mean of a cross-sectional rank is its centre, zero. A feature that is constant or missing on all
    training rows has no weight.

    Parameters
    ----------
    alpha : float
        Penalty, positive.

    References
    ----------
    A. E. Hoerl, R. W. Kennard, Ridge Regression: Biased Estimation for Nonorthogonal Problems, Technometrics 12, 1970.
    """

    name: ClassVar[str] = "ridge"
    space: ClassVar[tuple[Range, ...]] = (Range("alpha", 1e-3, 1e2, log=True),)

    alpha: float = 1.0
    feature_names: tuple[str, ...] = ()
    intercept: float = 0.0
    means: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.alpha > 0.0:
            raise ConfigError(f"Parameter alpha of ridge must be positive, but got {self.alpha}: give a penalty above zero.")

    def fit(self, features: pd.DataFrame, target: pd.Series) -> Ridge:
        """Fit on labelled rows; see `Forecaster`."""
        check_training(features, target)
        standardised, means, scales = _standardise(features.to_numpy(np.float64))
        y = target.to_numpy(np.float64)
        intercept = float(y.mean())
        moments = cross_products(np.column_stack([standardised, y - intercept])) / len(y)
        weights = solve_positive(moments[:-1, :-1] + self.alpha * np.eye(len(means)), moments[-1, :-1]) / scales
        return replace(
            self,
            feature_names=tuple(map(str, features.columns)),
            intercept=intercept,
            means=tuple(means.tolist()),
            weights=tuple(weights.tolist()),
        )

    def predict(self, features: pd.DataFrame) -> FloatArray:
        """Score every row; see `Forecaster`."""
        fitted(self.name, self.feature_names)
        check_columns(features, self.feature_names)
        scores = np.full(len(features), self.intercept)
        # Column by column: a matrix product could round a row differently when it stands among other rows.
        for column, (mean, weight) in enumerate(zip(self.means, self.weights, strict=True)):
            distance = features.iloc[:, column].to_numpy(np.float64) - mean
            scores += np.where(np.isnan(distance), 0.0, distance * weight)
        return scores

    def dump(self) -> bytes:
        """Canonical JSON of the fitted numbers; see `Forecaster`."""
        fitted(self.name, self.feature_names)
        return canonical_json(self).encode()

    @classmethod
    def restore(cls, payload: bytes, *, threads: int = 1) -> Ridge:  # noqa: ARG003 - part of the protocol
        """Read what `dump` wrote; `threads` is for models that use them.

        Raises
        ------
        LineageError
            Bytes that are no ridge model.
        """
        try:
            values: dict[str, Any] = json.loads(payload)
            names, means, weights = (tuple(values[key]) for key in ("feature_names", "means", "weights"))
            model = cls(alpha=values["alpha"], feature_names=names, intercept=values["intercept"], means=means, weights=weights)
        except (ValueError, KeyError, TypeError) as error:
            raise LineageError(
                f"A ridge model must be the JSON that dump wrote, but reading it gave {error!r}: restore the file."
            ) from None
        if not len(names) == len(means) == len(weights):
            raise LineageError(
                f"A ridge model must carry a mean and a weight per feature, but got {len(names)} features, {len(means)} means and "
                f"{len(weights)} weights: restore the file."
            )
        return model


def _standardise(values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Standardised columns with zeros for missing values, training means and scales; an empty or constant column becomes zeros."""
    missing = np.isnan(values)
    count = np.maximum((~missing).sum(axis=0), 1)
    means = np.where(missing, 0.0, values).sum(axis=0) / count
    centred = np.where(missing, 0.0, values - means)
    # By its extremes, not by its deviation: a constant column leaves a float residue there.
    constant = np.where(missing, -np.inf, values).max(axis=0) <= np.where(missing, np.inf, values).min(axis=0)
    scales = np.where(constant, 1.0, np.sqrt((centred * centred).sum(axis=0) / len(values)))
    return np.where(constant, 0.0, centred / scales), means, scales
