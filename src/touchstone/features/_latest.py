"""The online form: the last session, by the same code and to the same bits as the batch form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from touchstone import market
from touchstone.errors import DataError, moment, name_few
from touchstone.features._engine import Request, Sets, Transform, or_empty
from touchstone.features._panel import Grid

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
    calendar: str | None = None,
    timeframe: str = "1d",
    transform: Transform = "rank",
    threads: int = 1,
    base_factors: pd.DataFrame | None = None,
    absent: Sequence[str] = (),
) -> pd.DataFrame:
    """Compute the features of the last session of the bars, equal to the bit to what `compute` gives for it on all of history.

    Parameters
    ----------
    bars
        The recent bars of the whole universe: at least the lookback of the sets (`plan` says it), for each symbol unless it was
        listed, which is where its universe row starts, inside them.
    symbols
        Who to answer for; ``None``: every member of the session.
    base_factors
        Index symbol, columns ``price``, ``volume``: the rows of `touchstone.market.adjustment_factors` at each symbol's first bar
        given. Needed when an action lies at or before that bar.
    absent
        Members that are known to have no bar at the last session, as after a halt: the ranking is taken among the others, as the
        batch does, and they get no row.
    macro, signals, universe, benchmark, actions, calendar, timeframe, transform, threads
        As in `compute`. Without a universe every symbol of the bars is a member.

    Returns
    -------
    DataFrame
        float32, one row per symbol asked for, sorted; known at the close of the last session.

    Raises
    ------
    DataError
        What `compute` refuses; history shorter than the lookback; under ``rank`` a member without a bar at the last session that is not
        said to be `absent` (a smaller ranking would be another ranking), or one that is and has a bar; a symbol that is no member;
        actions before the bars without base factors, or known only since their first bar.
    """
    request = Request(
        bars=bars,
        sets=sets,
        macro=or_empty("macro", macro),
        signals=or_empty("signals", signals),
        universe=universe,
        benchmark=or_empty("benchmark", benchmark),
        actions=or_empty("actions", actions),
        calendar=calendar,
        timeframe=timeframe,
        transform=transform,
        base_factors=base_factors,
    )
    grid = request.grid()
    rows = request.members() & (grid.session_of == len(grid.sessions) - 1)
    present = grid.symbols[grid.symbol_of[rows]]
    asked = present if symbols is None else pd.Index(sorted(set(symbols)), dtype=present.dtype)
    _require_members(grid, present, asked)
    _require_whole(request, grid, present, absent)
    _require_history(request, grid, present if transform == "rank" else asked)
    _require_factors(request, grid, present if transform == "rank" else asked)
    _refuse_late_news(request, grid, present if transform == "rank" else asked)
    matrix = request.matrix(grid, rows, threads=threads)
    wanted: pd.DataFrame = matrix[present.isin(asked)]
    return wanted


def _require_members(grid: Grid, present: pd.Index, asked: pd.Index) -> None:
    day = moment(grid.sessions[-1])
    strangers = asked.difference(present)
    if len(strangers):
        raise DataError(
            f"Every symbol asked for must have a bar inside the universe on {day}, but {name_few(strangers)} has none: ask for others."
        )


def _require_whole(request: Request, grid: Grid, present: pd.Index, absent: Sequence[str]) -> None:
    """A forgotten bar and one that never was look alike: the second kind must be named."""
    day = moment(grid.sessions[-1])
    there = _in_order(absent, present)
    if there:
        raise DataError(
            f"A symbol said to be absent must have no bar on {day}, but {name_few(there)} has one: leave out the bar or the word."
        )
    lost = _members(request, grid).difference(present).difference(pd.Index(absent))
    if request.transform == "rank" and len(lost):
        raise DataError(
            f"A rank needs the whole cross-section of {day}, but {name_few(lost)} of the universe has no bar: bring the missing bars, "
            "say that there is none (absent), or end the symbol's universe row before that day."
        )


def _members(request: Request, grid: Grid) -> pd.Index:
    if request.universe is None:
        return grid.symbols
    listed = pd.Index(request.universe["symbol"].unique())
    # The bar before it stands beside it: a stamp at midnight, alone, would be read as a session.
    now = pd.MultiIndex.from_product([grid.sessions[-2:], listed], names=["date", "symbol"])
    members: pd.Index = listed[market.Universe(request.universe).mask(now)[-len(listed) :]]
    return members


def _require_history(request: Request, grid: Grid, needed: pd.Index) -> None:
    lookback = request.plan().lookback
    start = grid.sessions[-lookback]
    first = _first_bars(grid).loc[needed]
    short = first[first > start]
    if request.universe is not None:
        listed = request.universe.groupby("symbol")["start"].min().reindex(short.index)
        # A listing is dated by its session, or set on that session's first bar; the symbol's own first bar may come later in it.
        is_moment = listed != listed.dt.normalize()
        short = short[~((listed >= short.dt.normalize()) | (is_moment & (listed > short - pd.Timedelta(days=1))))]
    if len(short):
        offenders = name_few(f"{symbol} from {moment(date)}" for symbol, date in short.items())
        raise DataError(
            f"The last row needs {lookback} sessions of history, from {moment(start)}, for every symbol not listed since, "
            f"but got {offenders}: bring earlier bars, or the universe row that says when it was listed."
        )


def _require_factors(request: Request, grid: Grid, needed: pd.Index) -> None:
    first = _first_bars(grid).reindex(request.actions["symbol"]).to_numpy()
    early = (request.actions["ex_date"].to_numpy() <= first) & (request.actions["kind"] != "delisting").to_numpy()
    known = pd.Index([]) if request.base_factors is None else request.base_factors.index
    lacking = _in_order(request.actions.loc[early, "symbol"], needed.difference(known))
    if lacking:
        raise DataError(
            f"Actions at or before the first bar given need base_factors, but they are missing for {name_few(lacking)}: "
            "pass the rows of market.adjustment_factors at those bars, or bars from the listing on."
        )


def _refuse_late_news(request: Request, grid: Grid, needed: pd.Index) -> None:
    """An action of before the first bar given that became known since: whether it counts depends on a bar that is not given."""
    first = _first_bars(grid).reindex(request.actions["symbol"]).to_numpy()
    actions = request.actions
    old = (actions["ex_date"].to_numpy() <= first) & (actions["kind"] != "delisting").to_numpy()
    late = (actions["known_at"].to_numpy() > first) & (actions["known_at"] <= grid.sessions[-1]).to_numpy()
    unsure = _in_order(actions.loc[old & late, "symbol"], needed)
    if unsure:
        raise DataError(
            f"An action that became known within the bars must have its ex-date within them, but that of {name_few(unsure)} lies at or "
            "before the first bar given: bring bars from before the ex-date, or leave out an action from before the listing."
        )


def _first_bars(grid: Grid) -> pd.Series:
    _, rows = np.unique(grid.symbol_of, return_index=True)
    return pd.Series(grid.sessions[grid.session_of[rows]], index=grid.symbols)


def _in_order(symbols: Iterable[str], wanted: pd.Index) -> list[str]:
    return sorted(set(symbols) & set(wanted))
