"""What compares the symbols of a session: a feature's own step across them, then the transform of the whole matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from touchstone.features import _kernels as kernels
from touchstone.types import Float32Array, FloatArray, IntArray

__all__ = ["TRANSFORMS", "Cross", "Transform"]

Transform = Literal["rank", "zscore", "none"]
TRANSFORMS = ("rank", "zscore", "none")


@dataclass(frozen=True)
class Cross:
    """The cross-sections of a matrix: where sessions begin, and the sector of each row."""

    offsets: IntArray
    groups: IntArray

    def apply(self, across: Callable[..., None] | None, transform: Transform, column: Float32Array) -> None:
        """Change a column in place. Steps read what the features say as they are delivered, rounded to float32."""
        if across is not None:
            self._put(across, column)
        if transform in _STEPS:
            self._put(_STEPS[transform], column)

    def _put(self, step: Callable[..., None], column: Float32Array) -> None:
        values = column.astype(np.float64)
        changed = np.empty_like(values)
        step(values, self.groups, self.offsets, changed)
        column[:] = changed


def _rank(values: FloatArray, _groups: IntArray, offsets: IntArray, out: FloatArray) -> None:
    kernels.rank_sessions(values, offsets, out)


_STEPS: dict[str, Callable[..., None]] = {"rank": _rank, "zscore": kernels.zscore_sessions}
