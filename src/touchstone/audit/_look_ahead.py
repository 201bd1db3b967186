"""Recompute on cut and on changed futures: a value that moves has seen what it could not know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.audit._knowledge import perturb, truncate
from touchstone.errors import ConfigError, DataError, LookAheadError, moment
from touchstone.types import BoolArray, IntArray

__all__ = ["LookAheadReport", "look_ahead"]

# Findings listed for each feature, cut and check; all are counted.
_LISTED = 100
_COLUMNS = ("feature", "symbol", "date", "check", "cut", "expected", "observed")


@dataclass(frozen=True, eq=False)
class LookAheadReport:
    """What the audit saw.

    Attributes
    ----------
    n_compared
        Values compared, over all cuts and both checks.
    n_findings
        Values that differed.
    cuts
        Sessions at which history was cut.
    findings
        ``feature symbol date check cut expected observed``: the value on the whole history against the one that knew nothing
        after ``cut`` (``truncation``) or another future (``perturbation``); sorted by date, feature, symbol. The first 100 of each
        feature, cut and check are listed. A row that is absent counts as NaN.
    """

    n_compared: int
    n_findings: int
    cuts: tuple[pd.Timestamp, ...]
    findings: pd.DataFrame

    @property
    def passed(self) -> bool:
        """Whether no value differed."""
        return self.n_findings == 0

    def raise_on_leak(self) -> None:
        """Stop on the earliest finding.

        Raises
        ------
        LookAheadError
            Names feature, symbol, date and both values.
        """
        if self.passed:
            return
        first = self.findings.iloc[0]
        whole, known = float(first["expected"]), float(first["observed"])
        change = "cut off" if first["check"] == "truncation" else "changed"
        raise LookAheadError(
            f"A value may use only what was known at its date, but '{first['feature']}' of {first['symbol']} on {moment(first['date'])} is "
            f"{whole!r} on the whole history and {known!r} when everything after {moment(first['cut'])} is {change} "
            f"({self.n_findings} of {self.n_compared} values differ, in {', '.join(sorted(self.findings['feature'].unique())[:5])}): "
            "let it look at earlier rows only, and join by known_at."
        )


def look_ahead(
    compute: Callable[..., pd.DataFrame],
    inputs: Mapping[str, pd.DataFrame],
    *,
    n_cuts: int = 4,
    seed: int = 0,
    knowledge: Mapping[str, str | None] | None = None,
) -> LookAheadReport:
    """Audit anything that is computed from dated tables.

    At each cut the tables are truncated to what was known by then, and once more kept but changed in everything that became
    known later; every value dated at or before the cut must come out the same, bit for bit (NaN equals NaN).

    Parameters
    ----------
    compute
        Called as ``compute(**inputs)``; gives a numeric frame on an index (date, symbol).
    inputs
        Tables by name. A row is known at ``known_at``, where the table has it, or else at ``date``; a row of ``universe`` at its
        ``start``, with its ``end`` known once it has passed.
    n_cuts
        Cuts: the last session but one, a month end, then sessions at random, all from where every column has begun.
    seed
        Decides the cuts and the changed futures.
    knowledge
        Other rules: table to the column or index level that says when a row was known, or to None when it always was.

    Raises
    ------
    ConfigError
        A table of which nobody knows when it was known, or fewer cuts than one.
    DataError
        Fewer than two sessions, or an index other than (date, symbol).
    """
    rules = knowledge or {}
    whole = compute(**inputs)
    cuts = _choose_cuts(whole, n_cuts, seed)
    n_compared = 0
    n_findings = 0
    listed = [pd.DataFrame(columns=list(_COLUMNS))]
    for cut in cuts:
        for check in ("truncation", "perturbation"):
            changed = truncate(inputs, cut, rules) if check == "truncation" else perturb(inputs, cut, rules, seed=seed)
            expected, observed = _aligned(_until(whole, cut), _until(compute(**changed), cut))
            differing = {column: np.flatnonzero(_differs(expected[column], observed[column])) for column in expected.columns}
            n_compared += expected.size
            n_findings += sum(len(rows) for rows in differing.values())
            listed += [
                _findings(expected[name], observed[name], rows[:_LISTED], check, cut) for name, rows in differing.items() if len(rows)
            ]
    findings = pd.concat(listed[1:] or listed, ignore_index=True).sort_values(["date", "feature", "symbol", "cut"], kind="stable")
    return LookAheadReport(n_compared, n_findings, cuts, findings.reset_index(drop=True))


def _choose_cuts(whole: pd.DataFrame, n_cuts: int, seed: int) -> tuple[pd.Timestamp, ...]:
    if n_cuts < 1:
        raise ConfigError(f"The audit needs at least one cut, got {n_cuts}: raise features.audit_cuts.")
    if list(whole.index.names) != ["date", "symbol"]:
        raise DataError(f"The audit compares frames on an index (date, symbol), got {list(whole.index.names)}: set the index.")
    sessions = pd.DatetimeIndex(whole.index.get_level_values("date").unique()).sort_values()
    if len(sessions) < 2:
        raise DataError(f"The audit needs at least two sessions to tell past from future, got {len(sessions)}: bring more history.")
    begun = sessions.searchsorted(_all_begun(whole, sessions))
    candidates = np.arange(min(int(begun), len(sessions) - 2), len(sessions) - 1)
    random = np.random.default_rng(seed)
    month_ends = candidates[sessions.month[candidates] != sessions.month[candidates + 1]]
    chosen = [int(candidates[-1]), *random.permutation(month_ends)[:1].tolist(), *random.permutation(candidates).tolist()]
    return tuple(sessions[sorted(list(dict.fromkeys(chosen))[:n_cuts])])


def _all_begun(whole: pd.DataFrame, sessions: pd.DatetimeIndex) -> pd.Timestamp:
    """First session by which every column with a value at all has had one: earlier cuts would compare NaN with NaN."""
    present = whole.notna().to_numpy()
    dates = whole.index.get_level_values("date")
    firsts = [dates[present[:, column]].min() for column in range(present.shape[1]) if present[:, column].any()]
    return max(firsts, default=sessions[0])


def _until(frame: pd.DataFrame, cut: pd.Timestamp) -> pd.DataFrame:
    return frame[np.asarray(frame.index.get_level_values("date") <= cut)]


def _aligned(expected: pd.DataFrame, observed: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both on the rows and columns that either has, NaN where one lacks them."""
    if expected.index.equals(observed.index) and expected.columns.equals(observed.columns):
        return expected, observed
    index = expected.index.union(observed.index)
    columns = expected.columns.append(observed.columns.difference(expected.columns))
    return expected.reindex(index=index, columns=columns), observed.reindex(index=index, columns=columns)


def _differs(expected: pd.Series, observed: pd.Series) -> BoolArray:
    left, right = (np.ascontiguousarray(values.to_numpy(np.float64)) for values in (expected, observed))
    both_missing = np.isnan(left) & np.isnan(right)
    return np.asarray((left.view(np.int64) != right.view(np.int64)) & ~both_missing)


def _findings(expected: pd.Series, observed: pd.Series, rows: IntArray, check: str, cut: pd.Timestamp) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "feature": str(expected.name),
            "symbol": expected.index.get_level_values("symbol")[rows],
            "date": expected.index.get_level_values("date")[rows],
            "check": check,
            "cut": cut,
            "expected": expected.to_numpy(np.float64)[rows],
            "observed": observed.to_numpy(np.float64)[rows],
        }
    )
