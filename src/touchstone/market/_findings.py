"""Findings put in order: the worst first, neighbours together, and counted by check."""

from __future__ import annotations

import numpy as np
import pandas as pd

from touchstone.types import BoolArray, IntArray

__all__ = ["count_findings", "episodes", "worst_first"]

_SEVERITIES = ("error", "warning")
_ACTIONS = ("quarantined", "repaired", "kept")


def worst_first(findings: pd.DataFrame) -> pd.DataFrame:
    """Order findings for a reader with little time: by score, the largest first.

    Among equals errors come before warnings, then what was set aside before what was repaired or kept; then the checks take turns, so
    that a check with a thousand findings hides no other. A table without scores, as earlier runs wrote it, is ordered by these alone.

    Parameters
    ----------
    findings : DataFrame
        A ``quality`` table.

    Returns
    -------
    DataFrame
        The same rows and columns in the new order, numbered anew. Ties keep the order of the table.
    """
    size = -findings["score"].to_numpy(dtype=np.float64) if "score" in findings else np.zeros(len(findings))
    severity = findings["severity"].map(_places(_SEVERITIES)).to_numpy(dtype=np.int64)
    action = findings["action"].map(_places(_ACTIONS)).to_numpy(dtype=np.int64)
    turn = findings.groupby("check").cumcount().to_numpy(dtype=np.int64)
    return findings.iloc[np.lexsort((turn, action, severity, size))].reset_index(drop=True)


def count_findings(findings: pd.DataFrame) -> pd.DataFrame:
    """Count findings by check, the worst check first.

    Returns
    -------
    DataFrame
        ``check, severity, findings, quarantined, repaired, kept, symbols, first, last``: how many there are, what became of them, on
        how many symbols, and the first and last date.
    """
    by_action = {action: findings["action"] == action for action in _ACTIONS}
    groups = findings.assign(**by_action).groupby(["check", "severity"], sort=True)
    counts = groups[list(_ACTIONS)].sum().astype("int64")
    counts.insert(0, "findings", groups.size().astype("int64"))
    spans = groups.agg(symbols=("symbol", "nunique"), first=("date", "min"), last=("date", "max"))
    table = counts.join(spans).reset_index()
    order = np.lexsort((table["check"], -table["findings"], -table["quarantined"], table["severity"].map(_places(_SEVERITIES))))
    return table.iloc[order].reset_index(drop=True)


def episodes(findings: pd.DataFrame, times: pd.DatetimeIndex) -> IntArray:
    """Number the stretches of neighbouring bars of one symbol that have findings, the stretch of the first finding first.

    Parameters
    ----------
    findings : DataFrame
        A ``quality`` table in any order, such as that of `worst_first`.
    times : DatetimeIndex
        Dates of all bars, sorted: two findings are neighbours when no other of these lies between them.

    Returns
    -------
    array (n_findings,)
        Number of the stretch of each finding, from 0, in order of first appearance.
    """
    place = np.searchsorted(times.to_numpy(), findings["date"].to_numpy())
    codes = pd.factorize(findings["symbol"])[0]
    order = np.lexsort((place, codes))
    opens = _changed(codes[order], by=0) | _changed(place[order], by=1)
    numbers = np.empty(len(findings), dtype=np.int64)
    numbers[order] = np.cumsum(opens)
    return pd.factorize(numbers)[0].astype(np.int64)


def _places(names: tuple[str, ...]) -> dict[str, int]:
    return {name: place for place, name in enumerate(names)}


def _changed(values: IntArray, *, by: int) -> BoolArray:
    """Where a value differs from the one before by more than so much; the first one does."""
    return np.concatenate([[True], np.abs(np.diff(values)) > by])[: len(values)]
