"""Labels look ahead by nature: their spans must stay out of what is tested on."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from touchstone.errors import DataError, LookAheadError, moment, name_few
from touchstone.types import BoolArray, IntArray

__all__ = ["label_spans", "purged", "splits"]


def label_spans(labels: pd.DataFrame, *, before: pd.Timestamp | str) -> None:
    """Check that every label's span ends before a session, as those used for tuning must end before the first backtest session.

    Parameters
    ----------
    labels
        ``label, start, end`` on (date, symbol); rows without a label are passed over.
    before
        First session that must not be touched.

    Raises
    ------
    LookAheadError
        Names symbols, dates and the ends of the spans that reach too far.
    """
    limit = pd.Timestamp(before)
    late = labels[labels["label"].notna().to_numpy() & ~(labels["end"] < limit).to_numpy()]
    if len(late):
        raise LookAheadError(
            f"Labels used before {moment(limit)} must end before it, but {len(late)} do not: {_name_spans(late)}; drop those rows."
        )


def purged(labels: pd.DataFrame, train: IntArray, test: IntArray) -> None:
    """Check that no training row's span touches the span of a test row, whatever the symbol.

    Parameters
    ----------
    labels
        ``label, start, end`` on (date, symbol).
    train, test
        Row positions. A test row without a label spans from its date as far as the longest label does, within the data.

    Raises
    ------
    LookAheadError
        A training row without a label, or one whose span touches a test row's.
    """
    trained = labels.iloc[train]
    unknown = trained[trained["label"].isna()]
    if len(unknown):
        raise LookAheadError(
            f"Training rows must have a label that is known, but {len(unknown)} have none: {_name_spans(unknown)}; drop them."
        )
    touching = trained[_touches(trained, _test_spans(labels, test))]
    if len(touching):
        raise LookAheadError(
            f"No training label may touch the span of a test label, but {len(touching)} of {len(trained)} do: {_name_spans(touching)}; "
            "purge them, or split with touchstone.splits."
        )


def splits(splits: Iterable[tuple[IntArray, IntArray]], labels: pd.DataFrame) -> int:
    """Check every split of a splitter as `purged` does.

    Parameters
    ----------
    splits
        Pairs of row positions: what to train on, what to test on.
    labels
        ``label, start, end`` on (date, symbol).

    Returns
    -------
    int
        How many splits were checked.

    Raises
    ------
    LookAheadError
        Names the split, the symbols, dates and spans of the first that trains on what it tests.
    DataError
        No split at all.
    """
    number = 0
    for number, (train, test) in enumerate(splits, start=1):
        try:
            purged(labels, train, test)
        except LookAheadError as error:
            raise LookAheadError(f"Split {number}: {error}") from error
    if not number:
        raise DataError("An audit of splits needs at least one, but got none: pass splitter.split(labels), not one that is used up.")
    return number


def _test_spans(labels: pd.DataFrame, test: IntArray) -> pd.DataFrame:
    """Spans of the test rows merged into those that do not overlap, sorted."""
    sessions = pd.DatetimeIndex(labels.index.get_level_values("date").unique()).sort_values()
    at = sessions.searchsorted(labels.index.get_level_values("date"))
    # As splits have it: a label that is not known may yet reach as far as the longest that is.
    reach = (sessions.searchsorted(labels["end"]) - at)[labels["end"].notna().to_numpy()].max(initial=0) or len(sessions)
    latest = sessions[np.minimum(at[test] + reach, len(sessions) - 1)]
    tested = labels.iloc[test]
    starts = tested["start"].fillna(sessions[at[test]].to_series(index=tested.index))
    ends = tested["end"].fillna(latest.to_series(index=tested.index))
    spans = pd.DataFrame({"start": starts, "end": ends}).drop_duplicates().sort_values("start")
    begins_anew = (spans["start"] > spans["end"].cummax().shift()).to_numpy()
    return spans.groupby(np.cumsum(begins_anew)).agg({"start": "min", "end": "max"})


def _touches(trained: pd.DataFrame, spans: pd.DataFrame) -> BoolArray:
    """Both ends belong to a span: equal sessions touch."""
    if spans.empty:
        return np.zeros(len(trained), dtype=np.bool_)
    # The last span that starts at or before the end of the training label is the only one that can reach back to its start.
    before = spans["start"].searchsorted(trained["end"].to_numpy(), side="right") - 1
    reach = spans["end"].to_numpy()[np.maximum(before, 0)]
    return np.asarray((before >= 0) & (reach >= trained["start"].to_numpy()))


def _name_spans(rows: pd.DataFrame) -> str:
    spans = zip(rows.index, rows["start"], rows["end"], strict=True)
    return name_few(f"{symbol} on {moment(date)} (from {_day(start)} to {_day(end)})" for (date, symbol), start, end in spans)


def _day(date: pd.Timestamp) -> str:
    return "unknown" if pd.isna(date) else moment(date)
