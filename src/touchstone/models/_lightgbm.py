"""Gradient boosted trees by LightGBM, the same bytes with any number of threads."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, DataError, LineageError, name_few
from touchstone.models._forecaster import Range, check_columns, check_training, fitted
from touchstone.types import FloatArray

__all__ = ["LightGBM"]

_HEAD = "tree\n"
# What follows the trees (importances, an echo of the parameters with the thread count) is no part of the model.
_TAIL = "\nend of trees\n"
_LIMITS: dict[str, tuple[float, float]] = {
    "n_trees": (1, np.inf),
    "learning_rate": (1e-6, 1.0),
    "num_leaves": (2, 131072),
    "min_data_in_leaf": (1, np.inf),
    "feature_fraction": (1e-6, 1.0),
    "bagging_fraction": (1e-6, 1.0),
    "lambda_l2": (0.0, np.inf),
    "threads": (1, np.inf),
}


@dataclass(frozen=True)
class LightGBM:
    """Boosted regression trees on squared error; missing values go their own way in every split.

    Parameters
    ----------
    n_trees, learning_rate, num_leaves, min_data_in_leaf, feature_fraction, bagging_fraction, lambda_l2
        As LightGBM means them; rows are drawn anew for every tree.
    seed : int
        Of the draws of rows and features.
    threads : int
        How fast, not what: no part of the bytes.

    References
    ----------
    G. Ke et al., LightGBM: A Highly Efficient Gradient Boosting Decision Tree, NeurIPS 2017.
    """

    name: ClassVar[str] = "lightgbm"
    space: ClassVar[tuple[Range, ...]] = (
        Range("n_trees", 20, 200, log=True, integer=True),
        Range("learning_rate", 0.01, 0.1, log=True),
        Range("num_leaves", 4, 31, log=True, integer=True),
        Range("min_data_in_leaf", 50, 1000, log=True, integer=True),
        Range("feature_fraction", 0.3, 1.0),
        Range("lambda_l2", 1e-2, 1e2, log=True),
    )

    n_trees: int = 100
    learning_rate: float = 0.03
    num_leaves: int = 8
    min_data_in_leaf: int = 200
    feature_fraction: float = 0.6
    bagging_fraction: float = 0.7
    lambda_l2: float = 1.0
    seed: int = 0
    threads: int = field(default=1, compare=False)
    text: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        for name, (low, high) in _LIMITS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ConfigError(f"Parameter {name} of lightgbm must lie in [{low:g}, {high:g}], but got {value}: bring it inside.")

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """Columns it was fitted on, in order; empty before `fit`."""
        return tuple(self._booster.feature_name()) if self.text else ()

    def fit(self, features: pd.DataFrame, target: pd.Series) -> LightGBM:
        """Fit on labelled rows; see `Forecaster`.

        Raises
        ------
        DataError
            What cannot be fitted, or a feature name that LightGBM's text cannot hold.
        """
        import lightgbm  # takes seconds and hundreds of megabytes: only those who fit or score pay

        check_training(features, target)
        names = list(map(str, features.columns))
        unfit = [name for name in names if not name.isprintable() or any(sign in name for sign in ' ,:[]{}"')]
        if unfit:
            raise DataError(f'Feature names must do without blanks and ,:[]{{}}" for lightgbm, but got {name_few(unfit)}: rename them.')
        settings = self._settings()
        matrix = np.ascontiguousarray(features.to_numpy(np.float32))
        data = lightgbm.Dataset(matrix, label=target.to_numpy(np.float64), feature_name=names, params=settings)
        text = str(lightgbm.train(settings, data, num_boost_round=self.n_trees).model_to_string())
        return replace(self, text=text[: text.index(_TAIL) + len(_TAIL)])

    def predict(self, features: pd.DataFrame) -> FloatArray:
        """Score every row; see `Forecaster`."""
        fitted(self.name, self.feature_names)
        check_columns(features, self.feature_names)
        if features.empty:
            return np.empty(0)
        matrix = np.ascontiguousarray(features.to_numpy(np.float32))
        return np.asarray(self._booster.predict(matrix, num_threads=self.threads), dtype=np.float64)

    def dump(self) -> bytes:
        """LightGBM's text of the trees, without the echo of its parameters; see `Forecaster`."""
        fitted(self.name, self.feature_names)
        return self.text.encode()

    @classmethod
    def restore(cls, payload: bytes, *, threads: int = 1) -> LightGBM:
        """Read what `dump` wrote; the text holds the trees only, so a new `fit` of it would take the default parameters.

        Raises
        ------
        LineageError
            Bytes that are no such text.
        """
        text = payload.decode(errors="replace")
        # LightGBM reads past the end of a text that was cut short.
        if not (text.startswith(_HEAD) and text.endswith(_TAIL)):
            raise LineageError(f"A lightgbm model must run from 'tree' to 'end of trees', but got {len(payload)} other bytes: restore it.")
        model = cls(text=text, threads=threads)
        fitted(cls.name, model.feature_names)
        return model

    @cached_property
    def _booster(self) -> Any:
        """The trees as read from their text, so that a fitted model and a restored one score by the same numbers."""
        import lightgbm  # as in fit

        try:
            return lightgbm.Booster(model_str=self.text)
        except lightgbm.basic.LightGBMError as error:
            raise LineageError(f"A lightgbm model must be LightGBM's text, but it says '{error}': restore the file.") from None

    def _settings(self) -> dict[str, Any]:
        return {
            "objective": "regression",
            "learning_rate": self.learning_rate,
            "num_leaves": self.num_leaves,
            "min_data_in_leaf": self.min_data_in_leaf,
            "feature_fraction": self.feature_fraction,
            "bagging_fraction": self.bagging_fraction,
            "bagging_freq": 1,
            "lambda_l2": self.lambda_l2,
            "seed": self.seed,
            "num_threads": self.threads,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }
