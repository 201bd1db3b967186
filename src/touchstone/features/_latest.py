"""The online form: the last session, by the same code and to the same bits as the batch form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from touchstone import market
from touchstone.errors import DataError, moment, name_few
from touchstone.features._blocks import DEFAULT_BUDGET
from touchstone.features._engine import Request, or_empty
from touchstone.features._sets import Sets
from touchstone.features._transform import Transform
from touchstone.types import BoolArray, IntArray

__all__ = ["latest"]


def latest(
    bars: pd.DataFrame,
    sets: Sets,
    *,
    symbols: Sequence[str] | None = None,
    macro: pd.DataFrame | None = None,
    signals: pd.DataFrame | None = None,
    universe: pd.DataFrame | None = None,
    benchmark: pd.DataFrame | None = None,
    actions: pd.DataFrame | None = None,
    sectors: pd.DataFrame | None = None,
    calendar: str | None = None,
    timeframe: str = "1d",
    transform: Transform = "none",
    threads: int = 1,
    base_factors: pd.DataFrame | None = None,
    absent: Sequence[str] = (),
) -> pd.DataFrame:
    """Compute the features of the last session of the bars, equal to the bit to what `compute` gives for it on all of history.

    Parameters
    ----------
    bars
        The recent bars of the whole universe: at least the lookback of the sets (`plan` says it), for each symbol unless it was
        listed inside them, which is where its first bar stands at the start of its first universe row. Bars from before that row
        show that it says no more than when the symbol joined.
    symbols
        Who to answer for; ``None``: every member of the session.
    base_factors
        Index symbol, columns ``price``, ``volume``: the rows of `touchstone.market.adjustment_factors` at each symbol's first bar
        given. Needed when an action lies at or before that bar.
    absent
        Members that are known to have no bar at the last session, as after a halt: the ranking is taken among the others, as the
        batch does, and they get no row.
    macro, signals, universe, benchmark, actions, sectors, calendar, timeframe, transform, threads
        As in `compute`. Without a universe every symbol of the bars is a member.

    Returns
    -------
    DataFrame
        float32, one row per symbol asked for, sorted; known at the close of the last session.

    Raises
    ------
    DataError
        What `compute` refuses; history shorter than the lookback; where symbols are compared, by a transform or a feature, a member
        without a bar at the last session that is not said to be `absent` (a smaller comparison would be another one), or one that is
        and has a bar; a symbol that is no member; actions before the bars without base factors, or known only since their first bar.
    """
    if isinstance(symbols, str):
        raise DataError(f"The symbols to answer for must be a list of names, got the text '{symbols}': write ['{symbols}'].")
    request = Request(
        bars=bars,
        sets=sets,
        macro=or_empty("macro", macro),
        signals=or_empty("signals", signals),
        universe=universe,
        benchmark=or_empty("benchmark", benchmark),
        actions=or_empty("actions", actions),
        sectors=or_empty("sectors", sectors),
        calendar=calendar,
        timeframe=timeframe,
        transform=transform,
        base_factors=base_factors,
    )
    question = _Question.of(request, symbols)
    question.require_members()
    question.require_whole(absent)
    question.require_history()
    question.require_factors()
    question.refuse_late_news()
    matrix = request.matrix(question.rows, threads=threads, memory_budget=DEFAULT_BUDGET)
    if symbols is None or not question.compares:
        return matrix
    wanted: pd.DataFrame = matrix[question.present.isin(question.asked)]
    return wanted


@dataclass(frozen=True)
class _Question:
    """Who is asked for at the last session, and whose history the answer rests on.

    Attributes
    ----------
    present
        Members with a bar at the last session, sorted.
    asked
        Symbols to answer for, sorted.
    rows
        Rows of the bars to compute: those of `present` where symbols are compared, else those of `asked`.
    compares
        Whether a value depends on other symbols.
    """

    request: Request
    present: pd.Index
    asked: pd.Index
    rows: BoolArray
    compares: bool

    @classmethod
    def of(cls, request: Request, symbols: Sequence[str] | None) -> _Question:
        grid, plan = request.grid, request.plan
        compares = request.transform != "none" or len(plan.per_symbol) < len(plan.columns)
        rows = request.members() & (grid.session_of == len(grid.sessions) - 1)
        present = grid.symbols[grid.symbol_of[rows]]
        asked = present if symbols is None else pd.Index(sorted(set(symbols)), dtype=present.dtype)
        if not compares and symbols is not None:
            rows = rows & np.isin(grid.symbol_of, grid.symbols.get_indexer(asked))
        return cls(request, present, asked, rows, compares)

    @property
    def needed(self) -> pd.Index:
        """Symbols whose history the answer rests on."""
        return self.present if self.compares else self.asked

    @property
    def _day(self) -> str:
        return moment(self.request.grid.sessions[-1])

    def require_members(self) -> None:
        strangers = self.asked.difference(self.present)
        if len(strangers):
            raise DataError(
                f"Every symbol asked for must have a bar inside the universe on {self._day}, but {name_few(strangers)} has none: ask for "
                "others."
            )

    def require_whole(self, absent: Sequence[str]) -> None:
        """A forgotten bar and one that never was look alike: the second kind must be named."""
        there = _in_order(absent, self.present)
        if there:
            raise DataError(
                f"A symbol said to be absent must have no bar on {self._day}, but {name_few(there)} has one: leave out the bar or the word."
            )
        if not self.compares:
            return
        lost = self._members().difference(self.present).difference(pd.Index(absent))
        if len(lost):
            raise DataError(
                f"Comparing symbols needs the whole cross-section of {self._day}, but {name_few(lost)} of the universe has no bar: bring "
                "the missing bars, say that there is none (absent), or end the symbol's universe row before that day."
            )

    def _members(self) -> pd.Index:
        request = self.request
        if request.universe is None:
            return request.grid.symbols
        listed = pd.Index(request.universe["symbol"].unique())
        members: pd.Index = listed[self._are_members(np.full(len(listed), len(request.grid.sessions) - 1), listed)]
        return members

    def _are_members(self, at: IntArray, symbols: pd.Index) -> BoolArray:
        """Whether each symbol is inside the universe at the session whose position is given beside it."""
        sessions = self.request.grid.sessions
        if symbols.empty:
            return np.zeros(0, dtype=np.bool_)
        # Two bars stand beside them: a stamp at midnight, alone, would be read as a session.
        dates = sessions[np.append(at, [0, len(sessions) - 1])]
        index = pd.MultiIndex.from_arrays([dates, symbols.append(symbols[[0, 0]])], names=["date", "symbol"])
        return market.Universe(cast("pd.DataFrame", self.request.universe)).mask(index)[:-2]

    def require_history(self) -> None:
        grid, lookback = self.request.grid, self.request.plan.lookback
        if grid.born.max() <= len(grid.sessions) - lookback:
            return
        codes = self._codes(self.needed)
        late = grid.born[codes] > len(grid.sessions) - lookback
        if not late.any():
            return
        short = pd.Series(grid.sessions[grid.born[codes[late]]], index=self.needed[late])
        short = short[~self._listed_by(short)]
        if len(short):
            offenders = name_few(f"{symbol} from {moment(date)}" for symbol, date in short.items())
            raise DataError(
                f"The last row needs {lookback} sessions of history for every symbol not listed since, but got {offenders}, "
                f"{len(grid.sessions)} sessions up to {self._day}: bring earlier bars, or the universe row that says when it was listed."
            )

    def _listed_by(self, first: pd.Series) -> BoolArray:
        """Whether a symbol's first bar given is that of its listing, as the universe says."""
        if self.request.universe is None:
            return np.zeros(len(first), dtype=np.bool_)
        listed = self.request.universe.groupby("symbol")["start"].min().reindex(first.index)
        # A listing is dated by its session, or set on that session's first bar; the symbol's own first bar may come later in it.
        is_moment = listed != listed.dt.normalize()
        is_listing = (listed >= first.dt.normalize()) | (is_moment & (listed > first - pd.Timedelta(days=1)))
        # Who has bars from before its row began was traded before: the row says when it joined, not when it was listed.
        began = self._are_members(self.request.grid.sessions.get_indexer(pd.DatetimeIndex(first)), first.index)
        answer: BoolArray = is_listing.to_numpy(dtype=np.bool_) & began
        return answer

    def require_factors(self) -> None:
        actions = self._old_actions()
        if actions.empty:
            return
        known = pd.Index([]) if self.request.base_factors is None else self.request.base_factors.index
        lacking = _in_order(actions["symbol"], self.needed.difference(known))
        if lacking:
            raise DataError(
                f"Actions at or before the first bar given need base_factors, but they are missing for {name_few(lacking)}: "
                "pass the rows of market.adjustment_factors at those bars, or bars from the listing on."
            )

    def refuse_late_news(self) -> None:
        """An action of before the first bar given that became known since: whether it counts depends on a bar that is not given."""
        actions = self._old_actions()
        if actions.empty:
            return
        first = self._first_bars(actions)
        late = (actions["known_at"].to_numpy() > first) & (actions["known_at"] <= self.request.grid.sessions[-1]).to_numpy()
        unsure = _in_order(actions.loc[late, "symbol"], self.needed)
        if unsure:
            raise DataError(
                f"An action that became known within the bars must have its ex-date within them, but that of {name_few(unsure)} lies at or "
                "before the first bar given: bring bars from before the ex-date, or leave out an action from before the listing."
            )

    def _old_actions(self) -> pd.DataFrame:
        """Actions of symbols given whose ex-date lies at or before the first bar given."""
        actions = self.request.actions
        if actions.empty:
            return actions
        old = (actions["ex_date"].to_numpy() <= self._first_bars(actions)) & (actions["kind"] != "delisting").to_numpy()
        return actions[old]

    def _first_bars(self, actions: pd.DataFrame) -> NDArray[np.datetime64]:
        """The first bar given of each action's symbol; NaT, which nothing precedes, where it has none."""
        grid = self.request.grid
        codes = grid.symbols.get_indexer(pd.Index(actions["symbol"]))
        sessions: NDArray[np.datetime64] = grid.sessions[grid.born[codes]].to_numpy()
        return np.where(codes >= 0, sessions, np.datetime64("NaT"))

    def _codes(self, symbols: pd.Index) -> IntArray:
        return cast("IntArray", self.request.grid.symbols.get_indexer(symbols))


def _in_order(symbols: Iterable[str], wanted: pd.Index) -> list[str]:
    return sorted(set(symbols) & set(wanted))
