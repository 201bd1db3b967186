"""Which columns a computation will have, and which declared features the tables cannot carry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from touchstone.errors import ConfigError, name_few, nearest
from touchstone.features._feature import Column, FeatureSet, LeftOut, Plan, SessionFeature
from touchstone.features._sets import SETS, Sets, resolve

__all__ = ["Carried", "plan", "select"]


@dataclass(frozen=True)
class Carried:
    """What the tables of a computation carry."""

    fields: tuple[str, ...]
    has_benchmark: bool = True
    has_sectors: bool = True
    has_calendar: bool = True
    macro_series: tuple[str, ...] = ()
    signal_names: tuple[str, ...] = ()
    market_wide_signals: tuple[str, ...] = ()

    def why_not(self, column: Column) -> str:
        """The reason for which a column cannot be computed; empty when it can."""
        missing = [field for field in column.fields if field not in self.fields]
        if missing:
            return f"the bars do not carry {', '.join(missing)}"
        if column.needs_benchmark and not self.has_benchmark:
            return "there is no benchmark"
        if column.needs_sectors and not self.has_sectors:
            return "there are no sectors"
        return "no calendar is named" if isinstance(column, SessionFeature) and column.needs_calendar and not self.has_calendar else ""


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
    carried = Carried(
        fields=tuple(fields),
        has_benchmark=has_benchmark,
        has_sectors=has_sectors,
        has_calendar=has_calendar,
        macro_series=tuple(sorted(set(macro_series))),
        signal_names=tuple(sorted(set(signal_names))),
        market_wide_signals=tuple(market_wide_signals),
    )
    return select(sets, carried)[1]


def select(sets: Sets, carried: Carried) -> tuple[tuple[Column, ...], Plan]:
    """The declared columns that the tables can carry, and the plan of the whole matrix."""
    return _selected(resolve(sets), carried)


# A service asks the same again and again, and a set may have hundreds of columns.
@lru_cache(maxsize=32)
def _selected(sets: tuple[FeatureSet, ...], carried: Carried) -> tuple[tuple[Column, ...], Plan]:
    declared = tuple(column for given in sets for column in _columns_of(given, carried))
    judged = [(column, carried.why_not(column)) for column in declared]
    chosen = tuple(column for column, reason in judged if not reason)
    joined = (*(f"macro_{series}" for series in carried.macro_series), *(f"signal_{name}" for name in carried.signal_names))
    shared = {*(f"macro_{series}" for series in carried.macro_series), *(f"signal_{name}" for name in carried.market_wide_signals)}
    left_out = (
        *(LeftOut(column.name, reason) for column, reason in judged if reason),
        *(LeftOut(given.name, "there is no macro series") for given in sets if given.of_series and not carried.macro_series),
    )
    _require_columns([*(column.name for column in chosen), *joined], left_out)
    return chosen, Plan(
        columns=(*(column.name for column in chosen), *joined),
        left_out=left_out,
        lookback=max((column.history for column in chosen), default=1),
        lookbacks={**{column.name: column.history for column in chosen}, **dict.fromkeys(joined, 1)},
        min_sessions=max((_min_sessions(given, chosen) for given in sets), default=1),
        needs_benchmark=any(column.needs_benchmark for column in chosen),
        needs_sectors=any(column.needs_sectors for column in chosen),
        ranked=(
            *(column.name for column in chosen if not isinstance(column, SessionFeature)),
            *(name for name in joined if name not in shared),
        ),
        per_symbol=(*(column.name for column in chosen if not column.cross_sectional), *joined),
        partial=tuple(column.name for column in chosen if column.partial_windows),
    )


def _columns_of(given: FeatureSet, carried: Carried) -> tuple[Column, ...]:
    of_series = given.of_series or (lambda _: ())
    return (*given.features, *(column for series in carried.macro_series for column in of_series(series)))


def _min_sessions(given: FeatureSet, chosen: tuple[Column, ...]) -> int:
    if given.min_sessions is not None:
        return given.min_sessions
    used = set(chosen)
    return max((column.lookback for column in given.features if column in used), default=1)


def _require_columns(names: list[str], left_out: tuple[LeftOut, ...]) -> None:
    if not names and left_out:
        reasons = name_few(f"{left.feature} ({left.reason})" for left in left_out)
        raise ConfigError(
            f"A feature matrix needs at least one column, but all of features.sets are left out: {reasons}. Bring what is missing, or name "
            "another set."
        )
    if not names:
        raise ConfigError(f"A feature matrix needs at least one column, but features.sets gives none: name a set; {nearest('', SETS)}.")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ConfigError(f"Every column of the feature matrix must have its own name, got twice: {name_few(twice)}; drop a set or rename.")
