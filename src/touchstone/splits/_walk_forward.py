"""Walk forward: fit on the past, score the sessions after it, move on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass

import pandas as pd

from touchstone.errors import ConfigError, DataError, moment
from touchstone.splits._spans import Spans
from touchstone.splits._split import Split

__all__ = ["PurgedWalkForward"]


@dataclass(frozen=True)
class PurgedWalkForward:
    """Windows that move forward through the sessions, each tested on the sessions after its training.

    The first test session is number `n_train`, counted from 0 on the labels' dates; every later session is tested once, the
    last window may be shorter. Sessions are the distinct dates of the labels: bars, with labels on shorter ones. Training rows carry
    a label whose span touches no test row's span, so that each was known before the first test fill.

    Parameters
    ----------
    n_train, n_test : int
        Sessions of training and of test in a window.
    embargo : int
        Sessions that must lie between the end of a training span and the first test span, beyond the purge.
    expanding : bool
        Train from the first session on, instead of on the last `n_train`.

    Raises
    ------
    ConfigError
        A number of sessions out of range.

    References
    ----------
    M. López de Prado, Advances in Financial Machine Learning, 2018, ch. 7 (purging) and 12 (walk forward).
    """

    n_train: int
    n_test: int
    _: KW_ONLY
    embargo: int = 0
    expanding: bool = False

    def __post_init__(self) -> None:
        for name, value, least in (("n_train", self.n_train, 1), ("n_test", self.n_test, 1), ("embargo", self.embargo, 0)):
            if value < least:
                raise ConfigError(f"{name} counts sessions and must be at least {least}, but got {value}: raise it.")

    def split(self, labels: pd.DataFrame) -> Iterator[Split]:
        """Row positions of every window, in time order.

        Parameters
        ----------
        labels : DataFrame, shape (n_rows, >= 3)
            `label, start, end` on (date, symbol), date-major. Test rows include those without a label.

        Raises
        ------
        DataError
            Fewer sessions than `n_train` + 1, a frame that is no labels frame, or a window without a training row.
        """
        spans = self._spans(labels)
        return (self._window(spans, first) for first in range(self.n_train, spans.n_sessions, self.n_test))

    def first_test_session(self, labels: pd.DataFrame) -> pd.Timestamp:
        """Date of the first test session: what is tuned or chosen may only use labels that end before it.

        Raises
        ------
        DataError
            As `split`.
        """
        return self._spans(labels).dates[self.n_train]

    def _spans(self, labels: pd.DataFrame) -> Spans:
        spans = Spans.of(labels)
        if spans.n_sessions <= self.n_train:
            raise DataError(
                f"A walk forward with n_train={self.n_train} needs at least {self.n_train + 1} sessions, but got {spans.n_sessions}: "
                "bring more history or lower training.n_train."
            )
        return spans

    def _window(self, spans: Spans, first: int) -> Split:
        test = spans.rows(first, min(first + self.n_test, spans.n_sessions))
        candidates = spans.rows(0 if self.expanding else first - self.n_train, first)
        train = spans.apart(candidates, test, before=self.embargo)
        if not train.size:
            raise DataError(
                f"Every window needs a training row, but the one tested from {moment(spans.dates[first])} has none after the purge "
                f"and an embargo of {self.embargo}: raise n_train={self.n_train}, or lower the horizon or the embargo."
            )
        return Split(train, test)
