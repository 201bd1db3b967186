"""What was tried: scopes, keys, and how many trials a claim has to be deflated by."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from touchstone.errors import LineageError
from touchstone.lineage._canonical import canonical_json, digest, round_metrics

__all__ = ["Scope", "Trial", "TrialCount", "count_trials", "ledger_hash", "searched_trials", "trial_key"]

_NUMBERS = ("sharpe", "skewness", "kurtosis")


@dataclass(frozen=True)
class Scope:
    """What a trial looked at.

    Parameters
    ----------
    source : short name of the source.
    symbols : symbols; kept sorted and unique.
    start, end : first and last session, ISO dates, both inclusive.
    """

    source: str
    symbols: tuple[str, ...]
    start: str
    end: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "symbols", tuple(sorted(set(self.symbols))))
        if self.start > self.end:
            raise LineageError(f"A trial's scope must not end before it starts, but got {self.start} to {self.end}: swap the dates.")

    def overlaps(self, other: Scope) -> bool:
        """Whether both share a symbol and a session, whatever their sources and snapshots."""
        return self.start <= other.end and other.start <= self.end and not set(self.symbols).isdisjoint(other.symbols)

    def to_dict(self) -> dict[str, Any]:
        """The fields by name."""
        return {"source": self.source, "symbols": list(self.symbols), "start": self.start, "end": self.end}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Scope:
        """Read what `to_dict` wrote."""
        return cls(source=values["source"], symbols=tuple(values["symbols"]), start=values["start"], end=values["end"])


def trial_key(scope: Scope, configuration: Mapping[str, Any]) -> str:
    """SHA-256 of scope and resolved configuration (features, labels, splits, model, portfolio, costs, seed): equal trials, equal keys."""
    return digest(canonical_json({"scope": scope.to_dict(), "configuration": configuration}).encode())


@dataclass(frozen=True)
class Trial:
    """One configuration that was tried, and what came of it.

    Parameters
    ----------
    key : from `trial_key`.
    scope : what it looked at.
    sharpe : Sharpe ratio per period, not annual; NaN where it is undefined.
    n : number of returns behind it.
    skewness, kurtosis : third and fourth standardised moments (3 for a normal); NaN where undefined.

    Numbers are kept to 10 significant digits, as metrics are when written, so that a trial equals the one read back from the ledger.
    """

    key: str
    scope: Scope
    sharpe: float
    n: int
    skewness: float
    kurtosis: float

    def __post_init__(self) -> None:
        for name in _NUMBERS:
            value = round_metrics(float(getattr(self, name)))
            object.__setattr__(self, name, value if math.isfinite(value) else math.nan)

    def to_dict(self) -> dict[str, Any]:
        """The fields by name; what is undefined is None."""
        return {**asdict(self), "scope": self.scope.to_dict(), **{name: _or_none(getattr(self, name)) for name in _NUMBERS}}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Trial:
        """Read what `to_dict` wrote.

        Raises
        ------
        LineageError
            A field is missing.
        """
        missing = sorted({"key", "scope", "n", *_NUMBERS} - set(values))
        if missing:
            raise LineageError(f"A trial needs key, scope, sharpe, n, skewness and kurtosis, but it lacks {', '.join(missing)}.")
        numbers = {name: math.nan if values[name] is None else float(values[name]) for name in _NUMBERS}
        return cls(key=values["key"], scope=Scope.from_dict(values["scope"]), n=int(values["n"]), **numbers)


@dataclass(frozen=True)
class TrialCount:
    """How many trials stand behind a claim.

    Parameters
    ----------
    n : distinct keys with a common symbol and an overlapping span.
    variance : variance (ddof 1) of their defined per-period Sharpe ratios; 0 when ``n`` ≤ 1, as nothing was chosen; NaN when there are
        more trials but fewer than two defined ratios, as their dispersion is then unknown (fall back on 1/(n_observations - 1)).
    scope : the scope they were counted for.
    """

    n: int
    variance: float
    scope: Scope

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, JSON-ready; an unknown variance is None."""
        return {"n": self.n, "variance": _or_none(self.variance), "scope": self.scope.to_dict()}


def count_trials(known: Iterable[Trial], own: Iterable[Trial], scope: Scope) -> TrialCount:
    """Count the distinct trials, known and own, that overlap a scope; of the same key, the run's own numbers count.

    Parameters
    ----------
    known : the laboratory's trials, from `ledger/known.jsonl`.
    own : the run's own trials.
    scope : scope of the claim.
    """
    distinct = {trial.key: trial for trial in (*known, *own) if trial.scope.overlaps(scope)}
    sharpes = np.array([distinct[key].sharpe for key in sorted(distinct)], dtype=np.float64)
    defined = sharpes[np.isfinite(sharpes)]
    if len(distinct) <= 1:
        return TrialCount(n=len(distinct), variance=0.0, scope=scope)
    return TrialCount(n=len(distinct), variance=float(np.var(defined, ddof=1)) if len(defined) > 1 else math.nan, scope=scope)


def searched_trials(table: pd.DataFrame, scope: Scope) -> tuple[Trial, ...]:
    """The trials of a search, from its table.

    Parameters
    ----------
    table : DataFrame with the columns key, sharpe, n_observations, skewness, kurtosis.
    scope : what the search looked at.
    """
    return tuple(
        Trial(str(row["key"]), scope, row["sharpe"], n=int(row["n_observations"]), skewness=row["skewness"], kurtosis=row["kurtosis"])
        for row in table.to_dict("records")
    )


def ledger_hash(trials: Iterable[Trial]) -> str:
    """SHA-256 of the canonical JSON of the trials, sorted by key: the ledger's part of a run's identity."""
    return digest(canonical_json([trial.to_dict() for trial in sorted(trials, key=lambda trial: trial.key)]).encode())


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
