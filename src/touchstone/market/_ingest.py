"""From what a source handed over to tables that can be computed with; what is set aside is kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import pandas as pd

from touchstone.errors import DataError
from touchstone.market._currency import convert_currency, single_currency
from touchstone.market._data import MarketData
from touchstone.market._derive import derive
from touchstone.market._judge import judge
from touchstone.market._moments import at_bars
from touchstone.market._schemas import validate

__all__ = ["Ingested", "ingest"]


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
    """Judge raw bars, set the unsound ones aside and sort the rest; check and sort every other table; do what `declare` stated.

    No row is lost: raw rows = clean rows + quarantined rows, which is checked. The universe is the source's, or else each
    symbol's own span from its first to its last clean bar, which is known only afterwards: a source whose symbols come and go
    should say when they did. Quality is judged on what the source gave; then the dates of actions, macro and signals are set on the
    clock of the bars (`at_bars`), prices and payouts are converted into ``metadata.currency``, and ``metadata.derived`` is computed.

    Raises
    ------
    DataError
        A table that breaks its schema; no clean bar at all; a row that was lost; prices in several currencies that `declare` was
        not told to convert; as `convert_currency`.
    ConfigError
        Unknown calendar.
    """
    told = raw.metadata
    judged = judge(raw.bars, calendar=told.calendar, timeframe=told.timeframe, actions=raw.actions)
    if judged.bars.empty:
        raise DataError(_nothing_left(raw, judged.quality))
    stamps = pd.DatetimeIndex(judged.bars.index.get_level_values("date"))
    timed = partial(at_bars, stamps=stamps, calendar=told.calendar, timeframe=told.timeframe)
    assets = _sorted("assets", raw.assets, ["symbol"])
    bars, actions = _converted(
        judged.bars, timed(_sorted("actions", raw.actions, ["symbol", "ex_date", "kind", "value"])), assets, timed(raw.rates), raw
    )
    return Ingested(
        bars=_derived(bars, told.derived),
        actions=actions,
        macro=timed(_sorted("macro", raw.macro, ["series", "period", "known_at"])),
        signals=timed(_sorted("signals", raw.signals, ["name", "symbol", "period", "known_at"])),
        universe=_sorted("universe", _spans(bars) if raw.universe.empty else raw.universe, ["symbol", "start"]),
        benchmark=validate("benchmark", raw.benchmark),
        assets=assets,
        sectors=_sorted("sectors", raw.sectors, ["symbol", "start", "sector"]),
        quality=judged.quality,
        quarantine=judged.quarantine,
    )


def _converted(
    bars: pd.DataFrame, actions: pd.DataFrame, assets: pd.DataFrame, rates: pd.DataFrame, raw: MarketData
) -> tuple[pd.DataFrame, pd.DataFrame]:
    currency = raw.metadata.currency
    if not currency:
        single_currency(assets, bars.index.unique("symbol"), default="")
        return bars, actions
    done = convert_currency(bars, assets, rates, to=currency, default=currency, calendar=raw.metadata.calendar, actions=actions)
    # Checking millions of rows again that nobody touched would cost more than the work itself.
    return done.bars if done.bars is bars else validate("bars", done.bars), done.actions


def _derived(bars: pd.DataFrame, recipes: tuple[str, ...]) -> pd.DataFrame:
    return validate("bars", derive(bars, recipes)) if recipes else bars


def _sorted(name: str, table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    return validate(name, table).sort_values(keys, kind="stable", ignore_index=True)


def _spans(bars: pd.DataFrame) -> pd.DataFrame:
    dates = bars.index.get_level_values("date").to_series().groupby(bars.index.get_level_values("symbol").to_numpy())
    spans = dates.agg(start="min", end="max").rename_axis("symbol").reset_index()
    return spans.astype({"symbol": "str"})


def _nothing_left(raw: MarketData, quality: pd.DataFrame) -> str:
    if raw.bars.empty:
        return f"A source must give at least one bar, but '{raw.metadata.source}' gave none: check the span, the symbols and the path."
    counts = quality["check"].value_counts().sort_index()
    failed = ", ".join(f"{check} {count}" for check, count in counts.items())
    lost = f"all {len(raw.bars)} of '{raw.metadata.source}' were quarantined ({failed})"
    return f"At least one bar must be sound, but {lost}: mend the source."
