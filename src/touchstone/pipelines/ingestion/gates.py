"""Who belongs, and whether the bars are young enough to go on with."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import pandas as pd

from touchstone import audit, market
from touchstone.errors import DataError
from touchstone.lineage import task_seed
from touchstone.parameters import DataParameters

__all__ = ["describe", "members", "require_fresh"]

logger = logging.getLogger(__name__)
Narrow: TypeAlias = Callable[..., pd.DataFrame]


def describe(loaded: market.MarketData) -> dict[str, Any]:
    """The source's metadata, with what must be said where nobody states who belonged when or how a symbol ended."""
    more = market.membership_caveats(loaded.bars, loaded.universe, loaded.actions)
    metadata = loaded.metadata.model_copy(update={"caveats": (*loaded.metadata.caveats, *more)})
    return metadata.model_dump(mode="json")


def members(*, data: DataParameters, seed: int, metadata: dict[str, Any], bars: pd.DataFrame, stated: pd.DataFrame) -> pd.DataFrame:
    """The stated membership, narrowed by the rules; rules that look ahead stop the run."""
    rules: dict[str, Any] = data.universe.model_dump()
    about: dict[str, Any] = {name: metadata[name] for name in ("calendar", "timeframe", "adjustment")}
    narrow: Narrow = partial(market.eligible, **rules, **about)
    universe = narrow(bars, stated)
    if universe is stated:
        return stated
    if universe.empty:
        raise DataError(
            f"The rules of data.universe must leave a member, but {data.universe} leaves none of {len(stated)} spans: ease them."
        )
    audit.look_ahead(
        partial(_belongs, narrow),
        {"bars": bars, "universe": stated},
        seed=task_seed(seed, "ingestion", "audit", 0),
        per_symbol=["member"],
    ).raise_on_leak()
    return universe


def require_fresh(*, data: DataParameters, bars: pd.DataFrame, stated: pd.DataFrame, actions: pd.DataFrame) -> None:
    """Stop the run when bars are older than the parameters allow; the one step that looks at the clock, and it writes nothing."""
    if data.max_age_sessions is None and data.max_age_minutes is None:
        return
    end = None if data.end is None else pd.Timestamp(data.end)
    expected = market.expected_bar(data.calendar, data.timeframe, at=pd.Timestamp.now("UTC"), end=end)
    found = market.freshness(
        bars,
        calendar=data.calendar,
        timeframe=data.timeframe,
        expected=expected,
        max_age_sessions=data.max_age_sessions,
        max_age_minutes=data.max_age_minutes,
        universe=stated,
        actions=actions,
        symbols=data.symbols,
    )
    found.raise_when_stale()
    logger.info("Bars are fresh: last seen %s, expected %s, %d symbols checked", found.last_seen, expected, found.n_checked)


def _belongs(narrow: Narrow, *, bars: pd.DataFrame, universe: pd.DataFrame) -> pd.DataFrame:
    """Membership by row, in the form that the audit compares."""
    inside = market.Universe(narrow(bars, universe)).mask(bars.index)
    return pd.DataFrame({"member": inside.astype("float64")}, index=bars.index)
