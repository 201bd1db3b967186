"""Recompute with another future and with less of a past: a value that moves has seen what it could not know."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from touchstone.audit._changes import limits_of, perturb, since, truncate
from touchstone.audit._compare import Scope, compare
from touchstone.audit._cuts import Calendar
from touchstone.audit._declared import Declared
from touchstone.audit._matrix import Axes, Matrix
from touchstone.audit._report import LookAheadReport, Outcome, report
from touchstone.audit._tables import NEVER, Tables, coded
from touchstone.types import BoolArray, IntArray

__all__ = ["look_ahead"]

# Sessions that the check of appending adds, and those that are compared beyond a lookback.
_ADDED, _BEYOND = 25, 40
# Symbols at least that are computed at a time where each has a cut of its own.
_BLOCK = 64
Compute = Callable[..., pd.DataFrame]


def look_ahead(
    compute: Compute,
    inputs: Mapping[str, pd.DataFrame],
    *,
    n_cuts: int = 6,
    seed: int = 0,
    knowledge: Mapping[str, str | None] | None = None,
    per_symbol: Iterable[str] = (),
    lookback: Mapping[str, int] | int | None = None,
    partial: Iterable[str] = (),
    whole: pd.DataFrame | None = None,
) -> LookAheadReport:
    """Audit anything that is computed from dated tables.

    Every value is compared bit for bit, NaN with NaN, with the one that comes out when

    - ``truncation``: the tables are cut to what was known by a session at or after the value's own;
    - ``perturbation``: all that became known after such a session is changed: every number, which rows are there, and rows that
      were not;
    - ``append``: sessions are added to a history that ended before them;
    - ``warm-up``, where `lookback` is declared: bars before some session are withheld. With its full lookback a value must be
      equal, with less it must be NaN or equal; columns in `partial` are compared on full lookback only.

    Columns in `per_symbol` are cut at another session for each symbol in one pass: at its gaps, actions, month ends, first and last
    rows, and by chance. That one of them looks at another symbol is found as well. All columns are cut at common sessions where one
    is not per symbol, or where a table speaks of no single symbol, as macro and a benchmark do. Many symbols are computed in blocks where
    each has a cut of its own; where no column looks at more than one symbol, all else is checked on one block.

    Parameters
    ----------
    compute
        Called as ``compute(**inputs)``; gives a numeric frame on an index (date, symbol).
    inputs
        Tables by name. A row is known at ``known_at``, where the table has it, or else at ``date``; a row of spans (``universe``,
        ``sectors``: ``start, end``) at its ``start``, with its ``end`` known once it has passed.
    n_cuts
        Common sessions at which history is cut: the last but one, one with an action or gap, a month end, the first by which every
        column has begun and enough history is there, one before news, then some at random.
    seed
        Decides the cuts and the changed futures.
    knowledge
        Other rules: table to the column or index level that says when a row was known, or to None when it always was.
    per_symbol
        Columns whose values depend on one symbol and on market-wide tables only.
    lookback
        Sessions, the present one included, that a value looks at: one number, or one for each column.
    partial
        Columns that give values before their lookback is full.
    whole
        ``compute(**inputs)``, where it is there already.

    Raises
    ------
    ConfigError
        A table of which nobody knows when it was known, fewer cuts than one, or a declared column that is not computed.
    DataError
        Fewer than two sessions, an index other than (date, symbol), or a row twice.
    """
    given = compute(**inputs) if whole is None else whole
    declared = Declared.of(given.columns, per_symbol=per_symbol, lookback=lookback, partial=partial)
    run = _Audit.on(compute, inputs, given, declared, seed=seed, knowledge=knowledge or {})
    return report(run.outcomes(n_cuts))


@dataclass(frozen=True)
class _Audit:
    """The whole computation, and what it is compared with."""

    compute: Compute
    tables: Tables
    whole: Matrix
    declared: Declared
    seed: int
    calendar: Calendar

    @classmethod
    def on(
        cls,
        compute: Compute,
        inputs: Mapping[str, pd.DataFrame],
        given: pd.DataFrame,
        declared: Declared,
        *,
        seed: int,
        knowledge: Mapping[str, str | None],
    ) -> _Audit:
        tables = Tables.read(inputs, _symbols(given, inputs), knowledge)
        place = coded(given, "date")
        dates = np.empty(0, dtype=np.int64) if place is None else pd.DatetimeIndex(place.labels).as_unit("us").asi8
        whole = Matrix.of(given, Axes(np.union1d(tables.sessions, dates), tables.symbols))
        # Where nobody says how much history a computation needs, it is not asked for a value on the first sessions.
        least = len(whole.axes.sessions) // 10 if declared.lookback is None else declared.longest - 1
        begun = max([*whole.begins().tolist(), least])
        return cls(compute, tables, whole, declared, seed, Calendar(whole, tables, begun, seed))

    @property
    def axes(self) -> Axes:
        return self.whole.axes

    def outcomes(self, n_cuts: int) -> Iterator[Outcome]:
        """All checks, one after the other."""
        common = self.calendar.common(n_cuts).tolist()
        if self.declared.per_symbol:
            for cuts in self.calendar.of_symbols():
                yield from self._cut_apart(cuts)
        if not self.declared.all_per_symbol or self._is_market_wide():
            for cut in common:
                yield from self._cut_together(cut)
        yield from self._shorter_histories()

    def _is_market_wide(self) -> bool:
        return any(len(table.frame) and table.rule in {"history", "news"} and (table.owner < 0).any() for table in self.tables.each)

    def _cut_apart(self, cuts: IntArray) -> Iterator[Outcome]:
        """One cut for each symbol; a block of symbols at a time, so that no second matrix of the size of the first is made."""
        at = self.axes.sessions[cuts]
        for chosen in self._blocks(cuts):
            limits = np.append(np.where(chosen, at, 0), NEVER)
            scope = Scope("", until=np.where(chosen, cuts, -1), cut=at, columns=self.declared.per_symbol)
            yield from self._other_futures(self._tables_of(chosen), limits, scope)

    def _cut_together(self, cut: int) -> Iterator[Outcome]:
        chosen, at = self._sample(), int(self.axes.sessions[cut])
        until = np.where(chosen, cut, -1)
        scope = Scope("", until=until, cut=np.full_like(until, at))
        yield from self._other_futures(self._tables_of(chosen), limits_of(at, self.tables), scope)

    def _other_futures(self, tables: Tables, limits: IntArray, scope: Scope) -> Iterator[Outcome]:
        known = self._matrix(truncate(tables, limits))
        first = compare(self.whole, known, replace(scope, check="truncation"))
        yield first
        # What is equal can stand for the whole, and rows that lie side by side are compared faster; but two large ones are enough.
        base = known if not first.n_findings and tables is not self.tables else self.whole
        del known
        yield compare(base, self._matrix(perturb(tables, limits, seed=self.seed)), replace(scope, check="perturbation"))

    def _blocks(self, cuts: IntArray) -> list[BoolArray]:
        """Symbols in blocks, or all in one where a block would not have every session, or too few of them."""
        n_symbols = self.axes.shape[1]
        n_blocks = n_symbols // _BLOCK
        number = np.arange(n_symbols) * n_blocks // max(n_symbols, 1)
        blocks = [number == block for block in range(n_blocks)] if n_blocks > 1 else []
        told = [table for table in self.tables.each if table.rule == "history" and table.has_symbols]
        for chosen in blocks:
            there = [
                np.bincount(table.position[np.append(chosen, False)[table.owner]], minlength=len(table.sessions)) > 0 for table in told
            ]
            if cuts[chosen].max() < self.calendar.begun or not all(every.all() for every in there):
                return [np.ones(n_symbols, dtype=np.bool_)]
        return blocks or [np.ones(n_symbols, dtype=np.bool_)]

    def _shorter_histories(self) -> Iterator[Outcome]:
        """Warm-up and append share the last stretch of history, where a lookback says how long that must be."""
        longest, n_sessions = self.declared.longest, len(self.tables.sessions)
        start = n_sessions - longest - _BEYOND - _ADDED
        if self.declared.lookback is None or start < 1:
            yield from self._appended(self.tables)
            return
        chosen = self._sample()
        tables, base = self._tables_of(chosen), self.whole
        if any(table.name == "actions" and len(table.frame) for table in tables.each):
            # Prices are adjusted from the first bar given: another one would change their last bits, so both go without.
            tables = since(tables.without_actions(), self.tables.sessions[max(0, start - longest)])
            base = self._matrix(tables.frames())
        else:
            early = int(np.random.default_rng(self.seed).integers(max(start // 2, 1), start + 1))
            yield self._warmed(tables, base, early, chosen)
        yield self._warmed(tables, base, start, chosen)
        yield from self._appended(since(tables, self.tables.sessions[start]))

    def _sample(self) -> BoolArray:
        """A block of symbols, where no column looks at more than one: what the whole market shares, it shares with any."""
        everyone = np.full(self.axes.shape[1], len(self.axes.sessions))
        blocks = self._blocks(everyone) if self.declared.all_per_symbol else [everyone > 0]
        return blocks[int(np.random.default_rng(self.seed).integers(len(blocks)))]

    def _tables_of(self, chosen: BoolArray) -> Tables:
        return self.tables if chosen.all() else self.tables.of_symbols(chosen)

    def _warmed(self, tables: Tables, base: Matrix, start: int, chosen: BoolArray) -> Outcome:
        at = int(self.tables.sessions[start])
        everywhere = np.where(chosen, len(self.axes.sessions), -1)
        scope = Scope(
            "warm-up",
            until=everywhere,
            cut=np.full_like(everywhere, at),
            start=int(self.axes.sessions.searchsorted(at)),
            lookback=self.declared.lookback,
            partial=self.declared.partial,
        )
        return compare(base, self._matrix(since(tables, at).frames()), scope)

    def _appended(self, tables: Tables) -> Iterator[Outcome]:
        """Sessions come back, changed, to a history that was held back from them."""
        sessions = tables.sessions
        kept = len(sessions) - 1 - min(_ADDED, (len(sessions) - 1) // 4)
        if kept < max(self.declared.longest, 1):
            kept = len(sessions) - 2
        cut = int(sessions[kept])
        limits = limits_of(cut, tables)
        until = np.full(self.axes.shape[1], self.axes.sessions.searchsorted(cut), dtype=np.int64)
        base = self._matrix(truncate(tables, limits))
        added = perturb(tables, limits, seed=self.seed, dropped=0.0)
        yield compare(base, self._matrix(added), Scope("append", until=until, cut=np.full_like(until, cut)))

    def _matrix(self, inputs: Mapping[str, pd.DataFrame]) -> Matrix:
        return Matrix.of(self.compute(**inputs), self.axes)


def _symbols(given: pd.DataFrame, inputs: Mapping[str, pd.DataFrame]) -> pd.Index:
    """Every symbol that a computed row or a table on symbols has, sorted."""
    places = [coded(frame, "symbol") for frame in (given, *inputs.values())]
    names = {name for place in places if place is not None for name in place.labels}
    named: pd.Index = pd.Index(sorted(names - {"*"}), dtype="str")
    return named
