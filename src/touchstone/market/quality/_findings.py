"""What a check says: rows, sizes and sentences, until they become one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.market._schemas import empty_table, validate
from touchstone.types import BoolArray, FloatArray, IntArray

__all__ = ["Found", "fields_of", "marked", "shown", "table_of"]

# What becomes of a row. Whatever is not quarantined is a warning.
_ACTIONS = {
    "not_a_session": "quarantined",
    "missing_value": "quarantined",
    "non_positive": "quarantined",
    "high_low": "quarantined",
    "close_outside_range": "quarantined",
    "duplicate": "quarantined",
    "conflicting_duplicate": "quarantined",
    "time_travel": "quarantined",
    "other_symbol": "quarantined",
    "scale_slip": "quarantined",
    "reverting_jump": "quarantined",
    "out_of_order": "repaired",
    "jump": "kept",
    "suspected_action": "kept",
    "repeated_row": "kept",
    "stale_run": "kept",
    "zero_volume_move": "kept",
    "missing_session": "kept",
}


@dataclass(frozen=True, eq=False)
class Found:
    """Findings of one check.

    Attributes
    ----------
    rows
        Row number in the raw bars; -1 for a row that is not there, which then stands in `absent`.
    observed, expected
        One sentence each.
    scores
        Size in robust deviations; nought where there is no size.
    absent
        Date and symbol of rows that are not there.
    """

    check: str
    rows: IntArray
    observed: Sequence[str]
    expected: Sequence[str]
    scores: FloatArray | None = None
    absent: pd.MultiIndex | None = None


def fields_of(raw: pd.DataFrame, names: Sequence[str]) -> dict[str, FloatArray]:
    """The columns among `names` that are there."""
    return {name: raw[name].to_numpy() for name in names if name in raw}


def shown(name: str, values: FloatArray) -> list[str]:
    """A field and its value, row by row."""
    return [f"{name} = {value:.10g}" for value in values]


def marked(found: Sequence[Found], n_rows: int) -> BoolArray:
    """Rows that any of the findings sets aside."""
    mask = np.zeros(n_rows, dtype=np.bool_)
    for findings in found:
        if _ACTIONS[findings.check] == "quarantined":
            mask[findings.rows] = True
    return mask


def table_of(raw: pd.DataFrame, found: Sequence[Found]) -> tuple[pd.DataFrame, IntArray]:
    """One table sorted by symbol, date, check and row, and the row number of each finding."""
    some = [findings for findings in found if len(findings.rows)]
    if not some:
        return empty_table("quality"), np.empty(0, dtype=np.int64)
    sizes = [len(findings.rows) for findings in some]
    at = [raw.index[findings.rows] if findings.absent is None else findings.absent for findings in some]
    checks = [findings.check for findings in some]
    actions = [_ACTIONS[check] for check in checks]
    columns = {
        "check": np.repeat(checks, sizes).tolist(),
        "severity": np.repeat(["error" if action == "quarantined" else "warning" for action in actions], sizes).tolist(),
        "observed": [text for findings in some for text in findings.observed],
        "expected": [text for findings in some for text in findings.expected],
        "action": np.repeat(actions, sizes).tolist(),
    }
    scores = [np.zeros(size) if findings.scores is None else findings.scores for findings, size in zip(some, sizes, strict=True)]
    table = pd.DataFrame(
        {
            "symbol": pd.array([name for index in at for name in index.get_level_values("symbol")], dtype="str"),
            "date": np.concatenate([index.get_level_values("date").to_numpy() for index in at]),
            **{name: pd.array(values, dtype="str") for name, values in columns.items()},
            "score": np.concatenate(scores),
            "row": np.concatenate([findings.rows for findings in some]),
        }
    ).sort_values(["symbol", "date", "check", "row"], kind="stable", ignore_index=True)
    rows = table.pop("row").to_numpy(dtype=np.int64)
    return validate("quality", table), rows
