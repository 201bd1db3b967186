"""Labels look ahead by nature: their spans must stay out of what is tested on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from touchstone.errors import LookAheadError, moment, name_few
from touchstone.types import BoolArray, IntArray

__all__ = ["label_spans", "purged"]


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
        Row positions. A test row without a label spans from its date to the end of the data, as nobody knows yet.

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


def _test_spans(labels: pd.DataFrame, test: IntArray) -> pd.DataFrame:
    """Spans of the test rows merged into those that do not overlap, sorted."""
    dates = labels.index.get_level_values("date")
    tested = labels.iloc[test]
    starts = tested["start"].fillna(dates[test].to_series(index=tested.index))
    spans = pd.DataFrame({"start": starts, "end": tested["end"].fillna(dates.max())}).drop_duplicates().sort_values("start")
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
