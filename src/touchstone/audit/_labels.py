"""Functions that make labels: each may look ahead as far as its own span says, and no further."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from touchstone.audit._changes import limits_of, perturb, truncate
from touchstone.audit._compare import Scope, compare
from touchstone.audit._cuts import Calendar
from touchstone.audit._matrix import Axes, Matrix
from touchstone.audit._report import LISTED, LookAheadReport, Outcome, listing, report
from touchstone.audit._tables import Tables, coded
from touchstone.errors import ConfigError, DataError, nearest
from touchstone.types import IntArray

__all__ = ["labels"]

_FILLS = {"next_open": 1, "next_close": 1, "same_close": 0}
_COLUMNS = ["label", "start", "end"]
Compute = Callable[..., pd.DataFrame]


def labels(
    compute: Compute,
    inputs: Mapping[str, pd.DataFrame],
    *,
    fill: str = "next_close",
    n_cuts: int = 6,
    seed: int = 0,
    knowledge: Mapping[str, str | None] | None = None,
) -> LookAheadReport:
    """Audit a function that makes labels.

    - ``span``: a position starts after the session it is decided on (with ``same_close``, on it), and ends no earlier than it starts.
    - ``truncation``: with history cut at a session, labels that end by then are there and equal, label and span; all others are NaN.
    - ``perturbation``, ``append``: what comes after a label's end changes neither the label nor its span.

    Parameters
    ----------
    compute
        Called as ``compute(**inputs)``; gives ``label, start, end`` on (date, symbol), the date being that of the decision.
    inputs, n_cuts, seed
        As in `look_ahead`.
    fill
        What the labels claim: ``next_open``, ``next_close`` or ``same_close``.
    knowledge
        As in `look_ahead`. A label is an outcome: corporate actions count at their ``ex_date``, whenever they were announced, unless
        this says otherwise.

    Raises
    ------
    ConfigError
        An unknown fill, and what `look_ahead` raises.
    DataError
        A frame that is no labels frame, and what `look_ahead` raises.
    """
    if fill not in _FILLS:
        raise ConfigError(f"labels.fill must name a known fill, but got '{fill}': {nearest(fill, _FILLS)}.")
    whole = _require(compute(**inputs))
    places = [coded(frame, "symbol") for frame in (whole, *inputs.values())]
    symbols = pd.Index(sorted({name for place in places if place is not None for name in place.labels} - {"*"}), dtype="str")
    outcomes = {"actions": "ex_date"} if "ex_date" in inputs.get("actions", pd.DataFrame()).columns else {}
    tables = Tables.read(inputs, symbols, {**outcomes, **(knowledge or {})})
    dates = pd.DatetimeIndex(whole.index.unique("date")).as_unit("us").asi8
    run = _Audit(compute, tables, whole, Axes(np.union1d(tables.sessions, dates), symbols), seed)
    return report(run.outcomes(_FILLS[fill], n_cuts))


@dataclass(frozen=True)
class _Audit:
    compute: Compute
    tables: Tables
    whole: pd.DataFrame
    axes: Axes
    seed: int

    def outcomes(self, lag: int, n_cuts: int) -> Iterator[Outcome]:
        whole = self._matrix(_numbers(self.whole))
        yield _spans(whole, lag)
        cuts = Calendar(whole, self.tables, len(self.axes.sessions) // 10, self.seed).common(n_cuts)
        for cut in cuts.tolist():
            yield from self._other_futures(int(self.axes.sessions[cut]))

    def _other_futures(self, cut: int) -> Iterator[Outcome]:
        limits = limits_of(cut, self.tables)
        until = np.full(len(self.axes.symbols), self.axes.sessions.searchsorted(cut), dtype=np.int64)
        ended = _ended(self.whole, cut)
        for check in ("truncation", "perturbation", "append"):
            if check == "truncation":
                observed = _numbers(_require(self.compute(**truncate(self.tables, limits))))
            else:
                dropped = 0.2 if check == "perturbation" else 0.0
                observed = _ended(_require(self.compute(**perturb(self.tables, limits, seed=self.seed, dropped=dropped))), cut)
            scope = Scope(check, until=until, cut=np.full_like(until, cut))
            outcome = compare(self._matrix(ended), self._matrix(observed), scope)
            yield replace(outcome, found=tuple(_dated(table) for table in outcome.found))

    def _matrix(self, frame: pd.DataFrame) -> Matrix:
        return Matrix.of(frame, self.axes)


def _require(frame: pd.DataFrame) -> pd.DataFrame:
    missing = [name for name in _COLUMNS if name not in frame.columns]
    if missing or list(frame.index.names) != ["date", "symbol"]:
        raise DataError(
            f"A labels frame must carry label, start and end on (date, symbol), but got {', '.join(map(str, frame.columns))} on "
            f"{list(frame.index.names)}: make it as labels.forward_return does."
        )
    return frame


def _numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """Label and span as float64, dates in microseconds; NaN, all three, where there is no label."""
    label = frame["label"].to_numpy(np.float64)
    columns = {"label": label}
    for name in ("start", "end"):
        moments = pd.DatetimeIndex(frame[name]).as_unit("us")
        columns[name] = np.where(np.isnan(label) | moments.isna(), np.nan, moments.asi8.astype(np.float64))
    return pd.DataFrame(columns, index=frame.index)


def _ended(frame: pd.DataFrame, cut: int) -> pd.DataFrame:
    """Labels whose span has ended by the cut, as numbers; the others are NaN."""
    numbers = _numbers(frame)
    return numbers.where(pd.concat([numbers["end"] <= cut] * len(_COLUMNS), axis=1, keys=_COLUMNS))


def _spans(whole: Matrix, lag: int) -> Outcome:
    label, start, end = whole.numbers
    sessions = whole.axes.sessions
    earliest = np.append(sessions.astype(np.float64), np.nan)[whole.session + lag]
    found = []
    # NaN compares false: a label without its span is a finding too.
    early = {"start": (start, earliest), "end": (end, start)}
    wrong = {name: np.flatnonzero(~np.isnan(label) & ~(given >= least)) for name, (given, least) in early.items()}
    for name, rows in wrong.items():
        given, least = (_dates(values[rows[:LISTED]]) for values in early[name])
        where: IntArray = rows[:LISTED]
        found.append(
            listing(
                feature=name,
                check="span",
                symbol=whole.axes.symbols[whole.symbol[where]],
                date=sessions[whole.session[where]],
                cut=sessions[whole.session[where]],
                expected=least,
                observed=given,
            )
        )
    n_labels = int((~np.isnan(label)).sum())
    return Outcome("span", 2 * n_labels, sum(map(len, wrong.values())), tuple(table for table in found if len(table)))


def _dated(found: pd.DataFrame) -> pd.DataFrame:
    """Findings of spans show dates, not microseconds."""
    if found.empty or found["feature"].iloc[0] == "label":
        return found
    return found.assign(**{name: _dates(found[name].to_numpy()) for name in ("expected", "observed")})


def _dates(moments: np.ndarray) -> pd.Series:
    known = ~np.isnan(moments)
    return pd.Series(np.where(known, moments, 0.0).astype(np.int64).astype("datetime64[us]")).where(known).astype(object)
