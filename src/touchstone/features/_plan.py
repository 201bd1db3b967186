"""Which columns a computation will have, and which declared features the tables cannot carry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from touchstone.errors import ConfigError, name_few, nearest
from touchstone.features._feature import Column, Feature, LeftOut, Plan, SessionFeature
from touchstone.features._sets import SETS, Sets, resolve

__all__ = ["list_sets", "plan", "select"]


def list_sets() -> tuple[str, ...]:
    """Names of the built-in feature sets, sorted."""
    return tuple(sorted(SETS))


def plan(
    sets: Sets,
    *,
    fields: Iterable[str],
    has_benchmark: bool = True,
    has_sectors: bool = True,
    has_calendar: bool = True,
    macro_series: Iterable[str] = (),
    signal_names: Iterable[str] = (),
    market_wide_signals: Iterable[str] = (),
) -> Plan:
    """Say which columns the tables can carry, before anything is computed.

    Parameters
    ----------
    sets
        Names of built-in sets, or sets of your own, in the order of their columns.
    fields
        Columns of the bars.
    has_benchmark, has_sectors
        Whether there will be a benchmark, and sectors, with at least one row.
    has_calendar
        Whether an exchange calendar will be named.
    macro_series, signal_names
        What the macro and signals tables hold.
    market_wide_signals
        Those of the signals whose rows speak of every symbol at once (``*``): like macro they are not ranked.

    Raises
    ------
    ConfigError
        An unknown set (with the nearest known one), two columns of one name, or no column at all.
    """
    macro_series = sorted(set(macro_series))
    chosen, left_out = select(
        sets, fields=fields, has_benchmark=has_benchmark, has_sectors=has_sectors, has_calendar=has_calendar, macro_series=macro_series
    )
    macros = [f"macro_{series}" for series in macro_series]
    signals = [f"signal_{name}" for name in sorted(set(signal_names))]
    columns = (*(column.name for column in chosen), *macros, *signals)
    _require_columns(columns)
    return Plan(
        columns=columns,
        left_out=left_out,
        lookback=max((column.lookback for column in chosen), default=1),
        lookbacks={**dict.fromkeys(columns, 1), **{column.name: column.lookback for column in chosen}},
        needs_benchmark=any(column.needs_benchmark for column in chosen),
        needs_sectors=any(column.needs_sectors for column in chosen),
        ranked=(
            *(column.name for column in chosen if not isinstance(column, SessionFeature)),
            *(signal for signal in signals if signal.removeprefix("signal_") not in set(market_wide_signals)),
        ),
        per_symbol=(*(column.name for column in chosen if not column.cross_sectional), *macros, *signals),
        partial=tuple(column.name for column in chosen if column.partial_windows),
    )


def select(
    sets: Sets,
    *,
    fields: Iterable[str],
    has_benchmark: bool,
    has_sectors: bool,
    has_calendar: bool,
    macro_series: Iterable[str],
) -> tuple[tuple[Column, ...], tuple[LeftOut, ...]]:
    """Split the declared features into those the tables can carry and those they cannot."""
    carried = frozenset(fields)
    kept: list[Column] = []
    left_out: list[LeftOut] = []
    for column in _declared(sets, sorted(macro_series)):
        reason = _why_not(column, carried, has_benchmark, has_sectors, has_calendar)
        if reason:
            left_out.append(LeftOut(column.name, reason))
        else:
            kept.append(column)
    return tuple(kept), tuple(left_out)


def _declared(sets: Sets, macro_series: Iterable[str]) -> Iterable[Column]:
    for given in resolve(sets):
        yield from given.features
        if given.of_series is not None:
            for series in macro_series:
                yield from given.of_series(series)


def _require_columns(columns: tuple[str, ...]) -> None:
    if not columns:
        raise ConfigError(f"A feature matrix needs at least one column, but features.sets gives none: name a set; {nearest('', SETS)}.")
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise ConfigError(f"Every column of the feature matrix must have its own name, got twice: {name_few(twice)}; drop a set or rename.")


def _why_not(column: Column, fields: frozenset[str], has_benchmark: bool, has_sectors: bool, has_calendar: bool) -> str:
    missing = [field for field in column.fields if field not in fields]
    if missing:
        return f"the bars do not carry {', '.join(missing)}"
    if column.needs_benchmark and not has_benchmark:
        return "there is no benchmark"
    if column.needs_sectors and not has_sectors:
        return "there are no sectors"
    return "no calendar is named" if isinstance(column, SessionFeature) and column.needs_calendar and not has_calendar else ""
