"""Which columns a computation will have, and which declared features the tables cannot carry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from touchstone.errors import ConfigError, name_few, nearest
from touchstone.features._feature import Feature, FeatureSet, LeftOut, Plan
from touchstone.features._momentum import MOMENTUM

__all__ = ["list_sets", "plan", "select"]

_SETS = {known.name: known for known in (MOMENTUM,)}


def list_sets() -> tuple[str, ...]:
    """Names of the built-in feature sets, sorted."""
    return tuple(sorted(_SETS))


def plan(
    sets: str | FeatureSet | Sequence[str | FeatureSet],
    *,
    fields: Iterable[str],
    has_benchmark: bool = True,
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
    has_benchmark
        Whether there will be a benchmark with at least one row.
    macro_series, signal_names
        What the macro and signals tables hold.
    market_wide_signals
        Those of the signals whose rows speak of every symbol at once (``*``): like macro they are not ranked.

    Raises
    ------
    ConfigError
        An unknown set (with the nearest known one), two columns of one name, or no column at all.
    """
    features, left_out = select(sets, fields=fields, has_benchmark=has_benchmark)
    macros = [f"macro_{series}" for series in sorted(set(macro_series))]
    signals = [f"signal_{name}" for name in sorted(set(signal_names))]
    names = [feature.name for feature in features]
    columns = (*names, *macros, *signals)
    if not columns:
        raise ConfigError(f"A feature matrix needs at least one column, but features.sets gives none: name a set; {nearest('', _SETS)}.")
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise ConfigError(f"Every column of the feature matrix must have its own name, got twice: {name_few(twice)}; drop a set or rename.")
    return Plan(
        columns=columns,
        left_out=left_out,
        lookback=max((feature.lookback for feature in features), default=1),
        needs_benchmark=any(feature.needs_benchmark for feature in features),
        ranked=(*names, *(signal for signal in signals if signal.removeprefix("signal_") not in set(market_wide_signals))),
    )


def select(
    sets: str | FeatureSet | Sequence[str | FeatureSet], *, fields: Iterable[str], has_benchmark: bool
) -> tuple[tuple[Feature, ...], tuple[LeftOut, ...]]:
    """Split the declared features into those the tables can carry and those they cannot."""
    listed = (sets,) if isinstance(sets, str | FeatureSet) else sets
    carried = frozenset(fields)
    kept: list[Feature] = []
    left_out: list[LeftOut] = []
    for feature in (feature for given in listed for feature in _resolve(given).features):
        reason = _why_not(feature, carried, has_benchmark)
        if reason:
            left_out.append(LeftOut(feature.name, reason))
        else:
            kept.append(feature)
    return tuple(kept), tuple(left_out)


def _resolve(given: str | FeatureSet) -> FeatureSet:
    if isinstance(given, FeatureSet):
        return given
    if given not in _SETS:
        raise ConfigError(f"features.sets must name known feature sets, got '{given}': {nearest(given, _SETS)}.")
    return _SETS[given]


def _why_not(feature: Feature, fields: frozenset[str], has_benchmark: bool) -> str:
    missing = [field for field in feature.fields if field not in fields]
    if missing:
        return f"the bars do not carry {', '.join(missing)}"
    return "there is no benchmark" if feature.needs_benchmark and not has_benchmark else ""
