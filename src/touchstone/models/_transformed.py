"""A forecaster behind transforms that are fitted with it, on its own training rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pandas as pd

from touchstone import transforms as known_transforms
from touchstone.errors import LineageError
from touchstone.lineage import canonical_json
from touchstone.models import _registry
from touchstone.models._forecaster import Forecaster, Range, check_columns, check_training, fitted
from touchstone.transforms import FittedTransform, TransformSpecification
from touchstone.types import FloatArray

__all__ = ["Transformed", "make_transformed", "restore"]

# No model's bytes begin so.
_HEAD = b"transforms "


@dataclass(frozen=True)
class Transformed:
    """Fits its transforms one after the other on the rows that it is given, and its forecaster on what they make of them.

    Parameters
    ----------
    forecaster : Forecaster
    transforms : tuple of TransformSpecification
        In the order in which they are fitted and applied; none in one that was restored.
    steps : tuple of FittedTransform
        The same, fitted; empty before `fit`.
    """

    name: ClassVar[str] = "transformed"
    space: ClassVar[tuple[Range, ...]] = ()

    forecaster: Forecaster
    transforms: tuple[TransformSpecification, ...] = ()
    steps: tuple[FittedTransform, ...] = ()

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Columns it was fitted on, in order; empty before `fit`."""
        return self.forecaster.feature_names

    def fit(self, features: pd.DataFrame, target: pd.Series) -> Transformed:
        """Fit on labelled rows; see `Forecaster`."""
        check_training(features, target)
        steps: list[FittedTransform] = []
        for transform in self.transforms:
            steps.append(transform.fit(features))
            features = steps[-1].apply(features)
        return replace(self, forecaster=self.forecaster.fit(features, target), steps=tuple(steps))

    def predict(self, features: pd.DataFrame) -> FloatArray:
        """Score every row; see `Forecaster`."""
        fitted(self.forecaster.name, self.feature_names)
        check_columns(features, self.feature_names)
        for step in self.steps:
            features = step.apply(features)
        return self.forecaster.predict(features)

    def dump(self) -> bytes:
        """A line of canonical JSON, the model's name and what the transforms learned, then the model; see `Forecaster`."""
        payload = self.forecaster.dump()
        head = {"model": self.forecaster.name, "transforms": [step.to_dict() for step in self.steps]}
        return _HEAD + canonical_json(head).encode() + b"\n" + payload

    @classmethod
    def restore(cls, payload: bytes, *, threads: int = 1) -> Transformed:
        """Read what `dump` wrote.

        Raises
        ------
        LineageError
            Bytes that are no such model.
        """
        line, _, model = payload.removeprefix(_HEAD).partition(b"\n")
        try:
            head: dict[str, Any] = json.loads(line)
            name, states = head["model"], tuple(head["transforms"])
        except (ValueError, KeyError, TypeError) as error:
            raise LineageError(
                f"A transformed model must begin with the line that dump wrote, but reading it gave {error!r}: restore the file."
            ) from None
        steps = tuple(known_transforms.restore_fitted(state) for state in states)
        inner = _registry.restore(name, model, threads=threads)
        if any(step.feature_names != inner.feature_names for step in steps):
            raise LineageError(f"Transforms and model '{name}' must share their columns, but these do not: restore the file.")
        return cls(inner, steps=steps)


def make_transformed(name: str, transforms: Sequence[str], /, **parameters: Any) -> Forecaster:
    """Make an unfitted forecaster behind transforms; without any it is what `make` gives.

    Parameters
    ----------
    name : str
        One of `list_models()`.
    transforms : sequence of str
        Names of `touchstone.features.list_fitted()`, in the order in which they are applied.
    **parameters
        As `make` takes them.

    Raises
    ------
    ConfigError
        An unknown model, parameter or transform, with the nearest known one.
    """
    forecaster = _registry.make(name, **parameters)
    return Transformed(forecaster, tuple(known_transforms.fitted(transform) for transform in transforms)) if transforms else forecaster


def restore(name: str, payload: bytes, *, threads: int = 1) -> Forecaster:
    """Read a fitted forecaster back from the bytes of its `dump`, with the transforms that were fitted with it.

    Raises
    ------
    ConfigError
        An unknown model.
    LineageError
        Bytes that are no such model.
    """
    if not payload.startswith(_HEAD):
        return _registry.restore(name, payload, threads=threads)
    model = Transformed.restore(payload, threads=threads)
    if model.forecaster.name != name:
        raise LineageError(f"These bytes must hold the model '{name}', but hold '{model.forecaster.name}': restore the file.")
    return model
