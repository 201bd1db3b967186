"""From what a source handed over to tables that can be computed with; what is set aside is kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.errors import DataError
from touchstone.market._data import MarketData, Timeframe
from touchstone.market._quality import Examination, MarketContext, examine
from touchstone.market._schemas import validate

__all__ = ["Ingested", "JudgedBars", "ingest", "judge"]


@dataclass(frozen=True, eq=False)
class JudgedBars:
    """The rows that stay, what was found, and the rows that were set aside.

    Parameters
    ----------
    bars, quality : DataFrame
        As `validate` describes them; bars may be empty.
    quarantine : DataFrame
        As in `Ingested`.
    """

    bars: pd.DataFrame
    quality: pd.DataFrame
    quarantine: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Ingested:
    """Clean tables, the findings, and the rows that were set aside.

    Parameters
    ----------
    bars, actions, macro, signals, universe, benchmark, assets, sectors, quality : DataFrame
        As `validate` describes them.
    quarantine : DataFrame
        ``row`` (number in the raw bars), ``date, symbol``, the raw fields and ``checks`` (those it failed, comma-separated).
    """

    bars: pd.DataFrame
    actions: pd.DataFrame
    macro: pd.DataFrame
    signals: pd.DataFrame
    universe: pd.DataFrame
    benchmark: pd.DataFrame
    assets: pd.DataFrame
    sectors: pd.DataFrame
    quality: pd.DataFrame
    quarantine: pd.DataFrame


def ingest(raw: MarketData) -> Ingested:
    """Judge raw bars, set the unsound ones aside and sort the rest; check and sort every other table.

    No row is lost: raw rows = clean rows + quarantined rows, which is checked. The universe is the source's, or else each
    symbol's own span from its first to its last clean bar, which is known only afterwards: a source whose symbols come and go
    should say when they did.

    Raises
    ------
    DataError
        A table that breaks its schema; no clean bar at all; a row that was lost.
    ConfigError
        Unknown calendar.
    """
    judged = judge(raw.bars, calendar=raw.metadata.calendar, timeframe=raw.metadata.timeframe, actions=raw.actions)
    bars = judged.bars
    if bars.empty:
        raise DataError(_nothing_left(raw, judged.quality))
    return Ingested(
        bars=bars,
        actions=_sorted("actions", raw.actions, ["symbol", "ex_date", "kind", "value"]),
        macro=_sorted("macro", raw.macro, ["series", "period", "known_at"]),
        signals=_sorted("signals", raw.signals, ["name", "symbol", "period", "known_at"]),
        universe=_sorted("universe", _spans(bars) if raw.universe.empty else raw.universe, ["symbol", "start"]),
        benchmark=validate("benchmark", raw.benchmark),
        assets=_sorted("assets", raw.assets, ["symbol"]),
        sectors=_sorted("sectors", raw.sectors, ["symbol", "start", "sector"]),
        quality=judged.quality,
        quarantine=judged.quarantine,
    )


def judge(
    raw: pd.DataFrame,
    *,
    calendar: str,
    timeframe: Timeframe = "1d",
    actions: pd.DataFrame | None = None,
    context: MarketContext | None = None,
    first_row: int = 0,
) -> JudgedBars:
    """Judge raw bars, or one block of symbols of them, set the unsound ones aside and sort the rest.

    Parameters
    ----------
    raw : DataFrame, index (date, symbol)
        Raw bars in the source's row order; all rows of its symbols.
    calendar, timeframe, actions
        As `check` takes them.
    context : MarketContext, optional
        What all symbols together say, when the rows are one block of them.
    first_row : int
        Number that the block's first row has in all of the raw bars.

    Raises
    ------
    DataError
        Not raw bars, or a row that was lost.
    ConfigError
        Unknown calendar.
    """
    validate("raw_bars", raw)
    examined = examine(raw, calendar, timeframe=timeframe, actions=actions, context=context)
    bars = raw[~examined.quarantined].sort_index()
    quarantine = _quarantine(raw, examined, first_row)
    _account(len(raw), len(bars), len(quarantine))
    return JudgedBars(validate("bars", bars), examined.findings, quarantine)


def _sorted(name: str, table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    return validate(name, table).sort_values(keys, kind="stable", ignore_index=True)


def _spans(bars: pd.DataFrame) -> pd.DataFrame:
    dates = bars.index.get_level_values("date").to_series().groupby(bars.index.get_level_values("symbol").to_numpy())
    spans = dates.agg(start="min", end="max").rename_axis("symbol").reset_index()
    return spans.astype({"symbol": "str"})


def _quarantine(raw: pd.DataFrame, examined: Examination, first_row: int) -> pd.DataFrame:
    rows = np.flatnonzero(examined.quarantined)
    aside = examined.findings["action"].to_numpy() == "quarantined"
    failed = pd.Series(examined.findings["check"].to_numpy()[aside], index=examined.rows[aside])
    checks = failed.groupby(level=0).agg(lambda names: ",".join(dict.fromkeys(names))).reindex(rows)
    kept = raw.iloc[rows].reset_index()
    kept.insert(0, "row", first_row + rows)
    return kept.assign(checks=pd.array(checks.to_list(), dtype="str"))


def _account(n_raw: int, n_clean: int, n_quarantined: int) -> None:
    if n_raw != n_clean + n_quarantined:
        raise DataError(f"Raw rows must be clean or quarantined, but {n_raw} came in, {n_clean} are clean and {n_quarantined} quarantined.")


def _nothing_left(raw: MarketData, quality: pd.DataFrame) -> str:
    if raw.bars.empty:
        return f"A source must give at least one bar, but '{raw.metadata.source}' gave none: check the span, the symbols and the path."
    counts = quality["check"].value_counts().sort_index()
    failed = ", ".join(f"{check} {count}" for check, count in counts.items())
    lost = f"all {len(raw.bars)} of '{raw.metadata.source}' were quarantined ({failed})"
    return f"At least one bar must be sound, but {lost}: mend the source."
