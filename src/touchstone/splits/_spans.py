"""The spans of labels in session numbers, and which of them touch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.errors import DataError, moment, name_few
from touchstone.types import BoolArray, IntArray

__all__ = ["Spans"]


@dataclass(frozen=True)
class Spans:
    """Rows of a labels frame in session numbers; sessions are the frame's distinct dates.

    Attributes
    ----------
    dates : DatetimeIndex, shape (n_sessions,)
    first_row : int64, shape (n_sessions + 1,)
        Position of the first row of each session, and the number of rows at the end.
    start, end : int64, shape (n_rows,)
        First and last session a row looks at; n_sessions for one that lies after the frame.
        A row without a label spans from its date over the longest stretch that any label reaches, within the frame:
        its label, when it comes to be known, may depend on all of it.
    labelled : bool, shape (n_rows,)
    """

    dates: pd.DatetimeIndex
    first_row: IntArray
    start: IntArray
    end: IntArray
    labelled: BoolArray

    @classmethod
    def of(cls, labels: pd.DataFrame) -> Spans:
        """Read a labels frame.

        Raises
        ------
        DataError
            Missing columns, dates that go backwards, a label without its span, or a span that ends before it starts.
        """
        session, dates = _sessions(labels)
        labelled = labels["label"].notna().to_numpy()
        _check_spans(labels, labelled)
        start = _session_numbers(dates, labels["start"])
        end = _session_numbers(dates, labels["end"])
        longest = int((end - session)[labelled].max()) if labelled.any() else len(dates)
        return cls(
            dates=dates,
            first_row=np.searchsorted(session, np.arange(len(dates) + 1)).astype(np.int64),
            start=np.where(labelled, start, session),
            end=np.where(labelled, end, np.minimum(session + longest, len(dates) - 1)),
            labelled=labelled,
        )

    @property
    def n_sessions(self) -> int:
        return len(self.dates)

    def rows(self, first: int, last: int) -> IntArray:
        """Positions of the rows of sessions `first` (inclusive) to `last` (exclusive)."""
        return np.arange(self.first_row[first], self.first_row[last], dtype=np.int64)

    def apart(self, candidates: IntArray, test: IntArray, *, before: int = 0, after: int = 0) -> IntArray:
        """The labelled candidates whose span touches no test row's span, widened by `before` and `after` sessions."""
        reach = np.full(self.n_sessions + 1, -1, dtype=np.int64)
        np.maximum.at(reach, np.maximum(self.start[test] - before, 0), self.end[test] + after)
        # Of the test spans that start no later than a row's span ends, does one end no earlier than it starts?
        reach = np.maximum.accumulate(reach)
        touched = reach[self.end[candidates]] >= self.start[candidates]
        return candidates[self.labelled[candidates] & ~touched]


def _sessions(labels: pd.DataFrame) -> tuple[IntArray, pd.DatetimeIndex]:
    missing = [column for column in ("label", "start", "end") if column not in labels.columns]
    if missing:
        raise DataError(
            f"A labels frame must carry label, start and end, but {', '.join(missing)} is missing: make it with labels.forward_return."
        )
    session, dates = pd.factorize(labels.index.get_level_values("date"), sort=True)
    backwards = np.flatnonzero(np.diff(session) < 0)
    if backwards.size:
        where = name_few(moment(dates[number]) for number in session[backwards + 1])
        raise DataError(f"Labels must be sorted by date, but the date goes backwards at {where}: sort them date-major.")
    return session.astype(np.int64), pd.DatetimeIndex(dates)


def _check_spans(labels: pd.DataFrame, labelled: BoolArray) -> None:
    start, end = labels["start"], labels["end"]
    bad = labelled & ~(start <= end).to_numpy()  # NaT compares false
    if bad.any():
        raise DataError(
            f"Every label must carry a span with start <= end, but {name_few(labels.index[bad])} does not: give each label both sessions."
        )


def _session_numbers(dates: pd.DatetimeIndex, moments: pd.Series) -> IntArray:
    return dates.searchsorted(pd.DatetimeIndex(moments), side="left").astype(np.int64)
