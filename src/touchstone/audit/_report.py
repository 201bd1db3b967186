"""What an audit saw."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import pandas as pd

from touchstone.errors import LookAheadError, moment, name_few
from touchstone.types import IntArray

__all__ = ["LISTED", "CheckCount", "LookAheadReport", "Outcome", "listing", "report"]

# Findings listed for each feature, cut and check; all are counted.
LISTED = 100
_COLUMNS = ("feature", "symbol", "date", "check", "cut", "expected", "observed")
_WHEN = {
    "truncation": "everything after {cut} is cut off",
    "perturbation": "everything after {cut} is changed",
    "append": "sessions are added after {cut}",
    "warm-up": "nothing before {cut} is given",
    "training rows": "rows outside the training rows are changed",
    "parameters": "rows outside the training rows are changed",
    "test rows": "other test rows are changed or left out",
}
_CURE = "let it look at earlier rows only, and join by known_at"
_CURES = {
    "warm-up": "with its declared lookback a value must be the same, with less NaN; declare the lookback that it has, or partial windows",
    "span": "fill after the decision, and close after the fill",
    "training rows": "fit on training rows only",
    "parameters": "fit on training rows only",
    "test rows": "transform each row by itself, with parameters from training rows",
}


@dataclass(frozen=True)
class CheckCount:
    """One check: how often it computed, and what it saw."""

    check: str
    n_passes: int
    n_compared: int
    n_findings: int


@dataclass(frozen=True)
class Outcome:
    """One pass of one check; where it cut the future off or changed it, in microseconds."""

    check: str
    n_compared: int
    n_findings: int
    found: tuple[pd.DataFrame, ...] = ()
    cuts: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class LookAheadReport:
    """What the audit saw.

    Attributes
    ----------
    n_compared
        Values compared, over all checks.
    n_findings
        Values that differed.
    cuts
        Sessions at which history was cut.
    findings
        ``feature symbol date check cut expected observed``: the value on the whole history against the one that knew nothing
        after ``cut`` (``truncation``), another future (``perturbation``), added sessions (``append``) or nothing before ``cut``
        (``warm-up``); sorted by date, feature, symbol. The first 100 of each feature, pass and check are listed. A row that is
        absent counts as NaN.
    checks
        The same counts for each check that was made.
    """

    n_compared: int
    n_findings: int
    cuts: tuple[pd.Timestamp, ...]
    findings: pd.DataFrame
    checks: tuple[CheckCount, ...] = ()

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
        raise LookAheadError(
            f"A value may use only what was known at its date, but {_told(first)} "
            f"({self.n_findings} of {self.n_compared} values differ, in {name_few(sorted(self.findings['feature'].unique()))}): "
            f"{_CURES.get(first['check'], _CURE)}."
        )


def listing(
    *, feature: str, check: str, symbol: pd.Index, date: IntArray, cut: IntArray, expected: object, observed: object
) -> pd.DataFrame:
    """Findings of one feature; dates in microseconds."""
    columns = (feature, symbol, date.astype("datetime64[us]"), check, cut.astype("datetime64[us]"), expected, observed)
    return pd.DataFrame(dict(zip(_COLUMNS, columns, strict=True)))


def report(outcomes: Iterable[Outcome]) -> LookAheadReport:
    """Add up the passes of all checks."""
    done = list(outcomes)
    found = [table for outcome in done for table in outcome.found] or [pd.DataFrame(columns=list(_COLUMNS))]
    findings = pd.concat(found, ignore_index=True).sort_values(["date", "feature", "symbol", "cut"], kind="stable", ignore_index=True)
    cuts = np.unique(np.concatenate([outcome.cuts for outcome in done])).astype("datetime64[us]")
    names = list(dict.fromkeys(outcome.check for outcome in done))
    ordered = sorted(done, key=lambda outcome: names.index(outcome.check))
    checks = tuple(_added_up(name, list(passes)) for name, passes in groupby(ordered, key=lambda outcome: outcome.check))
    return LookAheadReport(
        sum(check.n_compared for check in checks),
        sum(check.n_findings for check in checks),
        tuple(pd.DatetimeIndex(cuts)),
        findings,
        checks,
    )


def _added_up(name: str, passes: list[Outcome]) -> CheckCount:
    return CheckCount(name, len(passes), sum(outcome.n_compared for outcome in passes), sum(outcome.n_findings for outcome in passes))


def _told(finding: pd.Series) -> str:
    who = f"'{finding['feature']}'" + (f" of {finding['symbol']}" if finding["symbol"] != "" else "")
    on = "" if pd.isna(finding["date"]) else f" on {moment(finding['date'])}"
    expected, observed = (_number(finding[name]) for name in ("expected", "observed"))
    if finding["check"] == "span":
        return f"{who}{on} is {observed}, while the decision allows {expected} at the earliest"
    cut = "" if pd.isna(finding["cut"]) else moment(finding["cut"])
    when = _WHEN[finding["check"]].format(cut=cut)
    where = "on the whole history" if cut else "with all rows as they are"
    return f"{who}{on} is {expected} {where} and {observed} when {when}"


def _number(value: object) -> str:
    # NaT is a timestamp too, and says no more than NaN.
    return moment(value) if isinstance(value, pd.Timestamp) and not pd.isna(value) else repr(float(str(value).replace("NaT", "nan")))
