"""The batch form: every row of the bars inside the universe."""

from __future__ import annotations

import pandas as pd

from touchstone.features._blocks import DEFAULT_BUDGET
from touchstone.features._engine import Request, or_empty
from touchstone.features._sets import Sets
from touchstone.features._transform import Transform

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
    sectors: pd.DataFrame | None = None,
    calendar: str | None = None,
    timeframe: str = "1d",
    transform: Transform = "none",
    threads: int = 1,
    memory_budget: int = DEFAULT_BUDGET,
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
    macro, signals, actions, universe, benchmark, sectors
        The tables of the data contract; ``None`` or empty where there are none (an empty universe has no members).
        Without a universe every bar is a member. Bars outside the universe serve as history only.
    calendar
        Exchange calendar of the sessions; without one a session is any date with a bar.
    timeframe
        Width of the bars on that calendar. Lookbacks count bars: what is said of sessions here is said of bars of any width.
    transform
        ``none``: values as they are. ``rank``: per session, among members with a value, (average rank - 0.5) / n - 0.5, which
        lies inside (-0.5, 0.5); one value alone gives NaN. ``zscore``: less the session's mean, over its standard deviation
        (ddof 1); NaN where nothing differs. Macro, calendar and signals of the symbol ``*`` stay as they are.
    threads
        Threads over blocks of symbols; the bits do not depend on it.
    memory_budget
        Megabytes that the panels in work may take; a larger history is taken a block at a time, to the same bits.

    Returns
    -------
    DataFrame
        float32, one row for each bar inside the universe, date-major; columns as declared, then ``macro_<series>``, then
        ``signal_<name>``. NaN where a window is not full: before the lookback, unless the feature takes partial windows, or where
        sessions are missing inside the symbol's life (which, each set says).

    Raises
    ------
    DataError
        Fewer sessions than the sets must have, one symbol where ranks are needed, a missing price, unsorted bars, no member.
    ConfigError
        An unknown set, transform or calendar, or a memory budget that does not hold one symbol.
    """
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
    )
    return request.matrix(request.members(), threads=threads, memory_budget=memory_budget)
