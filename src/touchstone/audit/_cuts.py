"""Where history is cut: last and first rows, gaps, actions, month ends, and by chance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, zip_longest

import numpy as np

from touchstone.audit._matrix import Axes, Matrix
from touchstone.audit._tables import Tables, stamps
from touchstone.errors import ConfigError, DataError
from touchstone.types import BoolArray, IntArray

__all__ = ["Calendar"]

# Cuts of single symbols in all, and passes at most.
_CUTS, _PASSES = 60, 10


@dataclass(frozen=True)
class Calendar:
    """What is special about the sessions of a matrix.

    Attributes
    ----------
    begun
        First session, a position, by which every column has had a value and a full lookback lies behind it: earlier cuts would
        compare NaN with NaN, or leave too little history to compute on.
    """

    whole: Matrix
    tables: Tables
    begun: int
    seed: int

    @property
    def axes(self) -> Axes:
        return self.whole.axes

    def common(self, n_cuts: int) -> IntArray:
        """Cuts for all symbols, sorted positions: the last session but one, an action, gap or change of membership, a month end, the
        first session that says something, one before news of the whole market, then sessions at random.

        Raises
        ------
        ConfigError
            Fewer cuts than one.
        DataError
            Fewer than two sessions.
        """
        if n_cuts < 1:
            raise ConfigError(f"The audit needs at least one cut, got {n_cuts}: raise features.audit_cuts.")
        sessions = np.flatnonzero(self.whole.present.any(axis=1))
        if len(sessions) < 2:
            raise DataError(f"The audit needs at least two sessions to tell past from future, got {len(sessions)}: bring more history.")
        candidates = sessions[:-1][sessions[:-1] >= min(self.begun, sessions[-2])]
        random = np.random.default_rng(self.seed)
        events, months, news = (
            random.permutation(candidates[np.isin(candidates, kind)])[:1] for kind in (self._events, self._month_ends, self._news)
        )
        order = chain(candidates[-1:], events, months, candidates[:1], news, random.permutation(candidates))
        return np.sort(np.array(list(dict.fromkeys(map(int, order)))[:n_cuts], dtype=np.int64))

    def of_symbols(self) -> Iterator[IntArray]:
        """Cuts of each symbol, positions, pass by pass: its gaps, actions, first and last rows, month ends, and some at random.

        With many symbols there is one pass, in which the kinds are dealt around.
        """
        n_symbols = self.axes.shape[1]
        n_passes = min(max(1, _CUTS // max(n_symbols, 1)), _PASSES)
        dealt = np.array([self._of_symbol(symbol, n_passes) for symbol in range(n_symbols)], dtype=np.int64)
        for cuts in dealt.T:
            longest = int(np.argmax(self._rows_of.sum(axis=1)))
            # Someone must carry enough history for anything to be computed at all.
            if cuts.max() < self.begun:
                cuts[longest] = max(self._last[longest] - 1, 0)
            yield cuts

    def _of_symbol(self, symbol: int, n: int) -> list[int]:
        rows = np.flatnonzero(self._rows_of[symbol])
        if not len(rows):
            return [len(self.axes.sessions) - 1] * n
        random = np.random.default_rng([self.seed, symbol])
        told = rows[:-1][rows[:-1] >= rows[0] + self.begun] if len(rows) > self.begun + 1 else rows
        kinds: list[Callable[[], IntArray]] = [
            lambda: np.flatnonzero(self._eves_of_gaps[symbol]),
            lambda: random.permutation(self._actions.get(symbol, rows[:0])),
            lambda: random.permutation(told[np.isin(told, self._month_ends)])[:n],
            lambda: np.flatnonzero(self._ends_of_gaps[symbol]),
            lambda: rows[-2:-1],
            lambda: rows[:1],
            lambda: random.choice(told, n),
        ]
        turned = [kinds[(number + symbol) % len(kinds)] for number in range(len(kinds))]
        return _dealt(turned, n, random.choice(told, n).tolist())

    @cached_property
    def _rows_of(self) -> BoolArray:
        """Shape (n_symbols, n_sessions)."""
        return np.ascontiguousarray(self.whole.present.T)

    @cached_property
    def _last(self) -> IntArray:
        present = self._rows_of
        return np.where(present.any(axis=1), present.shape[1] - 1 - present[:, ::-1].argmax(axis=1), -1)

    @cached_property
    def _eves_of_gaps(self) -> BoolArray:
        eves = self._rows_of.copy()
        eves[:, :-1] &= ~self._rows_of[:, 1:]
        eves[np.arange(len(eves)), self._last] = False
        return eves

    @cached_property
    def _ends_of_gaps(self) -> BoolArray:
        ends = self._rows_of.copy()
        ends[:, 1:] &= ~self._rows_of[:, :-1]
        ends[np.arange(len(ends)), self._rows_of.argmax(axis=1)] = False
        return ends

    @cached_property
    def _month_ends(self) -> IntArray:
        months = self.axes.sessions.astype("datetime64[us]").astype("datetime64[M]")
        return np.flatnonzero(np.diff(months).astype(np.int64) != 0)

    @cached_property
    def _actions(self) -> dict[int, IntArray]:
        """Sessions of ex-dates, of news of them and of changes of membership, and the sessions before, by symbol."""
        found = [
            (table.owner, self.axes.sessions.searchsorted(stamps(table.frame[column])))
            for table in self.tables.each
            if table.name == "actions" or table.rule == "spans"
            for column in ("ex_date", "known_at", "start", "end")
            if column in table.frame.columns
        ]
        if not found:
            return {}
        owner, at = (np.concatenate(parts) for parts in zip(*found, strict=True))
        pairs = np.unique(np.concatenate([np.array([owner, at]), np.array([owner, at - 1])], axis=1), axis=1)
        owner, at = pairs[:, (pairs[0] >= 0) & (pairs[1] >= 0) & (pairs[1] < len(self.axes.sessions) - 1)]
        borders = np.flatnonzero(np.diff(owner)) + 1
        parts = zip(np.split(owner, borders), np.split(at, borders), strict=True)
        return {int(owners[0]): sessions for owners, sessions in parts if len(owners)}

    @property
    def _news(self) -> IntArray:
        """Sessions before those on which market-wide tables say something new, where that is not every session."""
        told = [np.unique(table.known[table.owner < 0]) for table in self.tables.each if table.rule in {"news", "history"}]
        eves = [self.axes.sessions.searchsorted(known) - 1 for known in told if len(known) < len(self.axes.sessions) // 2]
        return np.unique(np.concatenate([*eves, np.empty(0, dtype=np.int64)]))

    @property
    def _events(self) -> IntArray:
        gaps = np.flatnonzero((self._eves_of_gaps | self._ends_of_gaps).any(axis=0))
        return np.unique(np.concatenate([gaps, *self._actions.values()]))


def _dealt(kinds: list[Callable[[], IntArray]], n: int, spare: list[int]) -> list[int]:
    """One of each kind in turn, until there are enough."""
    first: list[list[int]] = []
    for kind in kinds:
        first.append(kind().tolist())
        if sum(map(bool, first)) >= n:
            break
    rounds = zip_longest(*first)
    dealt = dict.fromkeys(cut for turn in rounds for cut in turn if cut is not None)
    return [*dealt, *spare][:n]
