"""From what a source handed over to tables that can be computed with; what is set aside is kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import pandas as pd

from touchstone.errors import DataError, moment, name_few
from touchstone.market._calendar import DAILY, session_of
from touchstone.market._currency import benchmark_currency, convert_benchmark, convert_currency, single_currency
from touchstone.market._data import MarketData, Metadata
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
    should say when they did. Quality is judged on what the source gave; then the dates of actions, macro, signals, universe and
    sectors are set on the clock of the bars (`at_bars`), prices, payouts and a benchmark that says what it is in are converted into
    ``metadata.currency``, and ``metadata.derived`` is computed.

    Raises
    ------
    DataError
        A table that breaks its schema; no clean bar at all; a row that was lost; prices in several currencies that `declare` was
        not told to convert; a split that stands twice; a benchmark on none of the bars' dates; as `convert_currency` and `at_bars`.
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
    rates = timed(_sorted("rates", raw.rates, ["base", "quote", "date", "known_at"]))
    actions = timed(_once(_sorted("actions", raw.actions, ["symbol", "ex_date", "kind", "value"])))
    currency = told.currency or single_currency(assets, judged.bars.index.unique("symbol"))
    bars, actions = _converted(judged.bars, actions, assets, rates, currency=currency, calendar=told.calendar)
    return Ingested(
        bars=_derived(bars, told.derived),
        actions=actions,
        macro=timed(_sorted("macro", raw.macro, ["series", "period", "known_at"])),
        signals=timed(_sorted("signals", raw.signals, ["name", "symbol", "period", "known_at"])),
        universe=timed(_sorted("universe", _spans(bars, told) if raw.universe.empty else raw.universe, ["symbol", "start"])),
        benchmark=_benchmark(raw, assets, rates, stamps=stamps, currency=currency),
        assets=assets,
        sectors=timed(_sorted("sectors", raw.sectors, ["symbol", "start", "sector"])),
        quality=judged.quality,
        quarantine=judged.quarantine,
    )


def _converted(
    bars: pd.DataFrame, actions: pd.DataFrame, assets: pd.DataFrame, rates: pd.DataFrame, *, currency: str, calendar: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    if not currency:
        return bars, actions
    done = convert_currency(bars, assets, rates, to=currency, default=currency, calendar=calendar, actions=actions)
    # Checking millions of rows again that nobody touched would cost more than the work itself.
    return done.bars if done.bars is bars else validate("bars", done.bars), done.actions


def _benchmark(raw: MarketData, assets: pd.DataFrame, rates: pd.DataFrame, *, stamps: pd.DatetimeIndex, currency: str) -> pd.DataFrame:
    """The benchmark in the currency of the prices, where it says what it is in; it must stand beside some of the bars."""
    given, told = validate("benchmark", raw.benchmark), raw.metadata
    if given.empty:
        return given
    if not given.index.isin(stamps).any():
        raise DataError(
            f"A benchmark must have closes of the bars' dates, but none of its {len(given)} rows, {moment(given.index[0])} to "
            f"{moment(given.index[-1])}, is one: date it as the bars are dated, or leave it out."
        )
    stated = benchmark_currency(assets, told.benchmark_name)
    if not currency or not stated:
        return given
    return convert_benchmark(given, rates, base=stated, to=currency, stamps=stamps, calendar=told.calendar)


def _derived(bars: pd.DataFrame, recipes: tuple[str, ...]) -> pd.DataFrame:
    return validate("bars", derive(bars, recipes)) if recipes else bars


def _sorted(name: str, table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    return validate(name, table).sort_values(keys, kind="stable", ignore_index=True)


def _once(actions: pd.DataFrame) -> pd.DataFrame:
    """Payouts of one day add up; a split told twice would be two splits."""
    keys = ["symbol", "ex_date", "kind"]
    twice = actions[actions.duplicated(keys) & actions["kind"].isin(["split", "delisting"])]
    if len(twice):
        shown = name_few(f"{row.symbol} {row.kind} {row.ex_date:%Y-%m-%d}" for row in twice.itertuples())
        raise DataError(f"A symbol may have one split and one delisting on an ex-date, but these stand twice: {shown}; keep one row.")
    return actions


def _spans(bars: pd.DataFrame, told: Metadata) -> pd.DataFrame:
    """First and last session of every symbol."""
    dates = bars.index.get_level_values("date").to_series().groupby(bars.index.get_level_values("symbol").to_numpy())
    spans = dates.agg(start="min", end="max").rename_axis("symbol").reset_index()
    if told.timeframe != DAILY:
        ends = {name: session_of(pd.DatetimeIndex(spans[name]), told.calendar, told.timeframe) for name in ("start", "end")}
        spans = spans.assign(**ends)
    return spans.astype({"symbol": "str"})


def _nothing_left(raw: MarketData, quality: pd.DataFrame) -> str:
    if raw.bars.empty:
        return f"A source must give at least one bar, but '{raw.metadata.source}' gave none: check the span, the symbols and the path."
    counts = quality["check"].value_counts().sort_index()
    failed = ", ".join(f"{check} {count}" for check, count in counts.items())
    lost = f"all {len(raw.bars)} of '{raw.metadata.source}' were quarantined ({failed})"
    if (quality["check"] == "not_a_session").sum() > len(raw.bars) // 2:
        stated = f"{raw.metadata.timeframe} bars of the calendar {raw.metadata.calendar}"
        return f"At least one bar must be sound, but {lost}: they are no {stated}; set data.timeframe and data.calendar to what they are."
    return f"At least one bar must be sound, but {lost}: mend the source."
