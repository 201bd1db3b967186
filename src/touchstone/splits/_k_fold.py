"""Purged k-fold: every session is tested once, also with training after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from itertools import accumulate, pairwise

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, DataError, moment
from touchstone.splits._spans import Spans
from touchstone.splits._split import Split

__all__ = ["PurgedKFold"]


@dataclass(frozen=True)
class PurgedKFold:
    """Folds of consecutive sessions, as equal as they can be: the first ones are a session longer when they do not divide.

    Training rows lie outside the fold and carry a label whose span touches no test row's span. Training also looks at what
    comes after a fold, so it tunes; it never judges.

    Parameters
    ----------
    n_folds : int
        At least two.
    embargo : int
        Sessions after each test span that no training span may touch either, as features there still remember the test.

    Raises
    ------
    ConfigError
        A number out of range.

    References
    ----------
    M. López de Prado, Advances in Financial Machine Learning, 2018, section 7.4.
    """

    n_folds: int
    _: KW_ONLY
    embargo: int = 0

    def __post_init__(self) -> None:
        for name, value, least in (("n_folds", self.n_folds, 2), ("embargo", self.embargo, 0)):
            if value < least:
                raise ConfigError(f"{name} must be at least {least}, but got {value}: raise it.")

    def split(self, labels: pd.DataFrame) -> Iterator[Split]:
        """Row positions of every fold, in time order.

        Parameters
        ----------
        labels : DataFrame, shape (n_rows, >= 3)
            `label, start, end` on (date, symbol), date-major. Test rows include those without a label.

        Raises
        ------
        DataError
            Fewer sessions than folds, a frame that is no labels frame, or a fold without a training row.
        """
        spans = Spans.of(labels)
        if spans.n_sessions < self.n_folds:
            raise DataError(
                f"A k-fold needs at least one session per fold, but got {spans.n_sessions} sessions for {self.n_folds} folds: "
                "bring more history or lower training.n_folds."
            )
        size, longer = divmod(spans.n_sessions, self.n_folds)
        borders = accumulate((size + (fold < longer) for fold in range(self.n_folds)), initial=0)
        return (self._fold(spans, first, last) for first, last in pairwise(borders))

    def _fold(self, spans: Spans, first: int, last: int) -> Split:
        test = spans.rows(first, last)
        others = np.concatenate([spans.rows(0, first), spans.rows(last, spans.n_sessions)])
        train = spans.apart(others, test, after=self.embargo)
        if not train.size:
            raise DataError(
                f"Every fold needs a training row, but the one tested from {moment(spans.dates[first])} has none after the purge "
                f"and an embargo of {self.embargo}: bring more history, or lower the horizon, the embargo or n_folds={self.n_folds}."
            )
        return Split(train, test)
