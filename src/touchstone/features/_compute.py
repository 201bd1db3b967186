"""The batch form: every row of the bars inside the universe."""

from __future__ import annotations

import pandas as pd

from touchstone.features._engine import Request, Sets, Transform, or_empty

__all__ = ["compute"]


def compute(
    bars: pd.DataFrame,
    sets: Sets,
    *,
    macro: pd.DataFrame | None = None,
    signals: pd.DataFrame | None = None,
    universe: pd.DataFrame | None = None,
    benchmark: pd.DataFrame | None = None,
    actions: pd.DataFrame | None = None,
    calendar: str | None = None,
    timeframe: str = "1d",
    transform: Transform = "rank",
    threads: int = 1,
) -> pd.DataFrame:
    """Compute feature sets over bars.

    Every value is known at the close of its session: it uses bars up to that session, actions in force by then, and macro and
    signals with ``known_at`` not after it. Prices are adjusted forward from the first session.

    Parameters
    ----------
    bars
        Index (date, symbol), date-major; ``close`` and any of ``open high low volume vwap``.
    sets
        Names of built-in sets or sets of your own. Features whose fields or benchmark are absent are left out; `plan` says which.
    macro, signals, actions, universe, benchmark
        The tables of the data contract; ``None`` or empty where there are none (an empty universe has no members).
        Without a universe every bar is a member. Bars outside the universe serve as history only.
    calendar
        Exchange calendar of the sessions; without one a session is any date with a bar.
    timeframe
        Width of the bars on that calendar. Lookbacks count bars: what is said of sessions here is said of bars of any width.
    transform
        ``rank``: per session, among members with a value, (average rank - 0.5) / n - 0.5, which lies inside (-0.5, 0.5); one
        value alone gives NaN. ``none``: values as they are. Macro and signals of the symbol ``*`` are never ranked.
    threads
        Threads over features; the bits do not depend on it.

    Returns
    -------
    DataFrame
        float32, one row for each bar inside the universe, date-major; columns as declared, then ``macro_<series>``, then
        ``signal_<name>``. NaN where a window is not full: before the lookback, or where its first or last session or more
        than a fifth of its sessions are missing inside the symbol's life.

    Raises
    ------
    DataError
        Fewer sessions than the lookback, one symbol where ranks are needed, a missing price, unsorted bars, no member.
    ConfigError
        An unknown set, transform or calendar.
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
    )
    grid = request.grid()
    return request.matrix(grid, request.members(), threads=threads)
