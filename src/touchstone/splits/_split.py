"""Row positions of one window or fold."""

from __future__ import annotations

from typing import NamedTuple

from touchstone.types import IntArray

__all__ = ["Split"]


class Split(NamedTuple):
    """Row positions, ascending int64, of the labels frame that was split."""

    train: IntArray
    test: IntArray
