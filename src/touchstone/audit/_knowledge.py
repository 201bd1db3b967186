"""When each row of a table was known, and the same table with its future cut off or changed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, nearest
from touchstone.types import BoolArray

__all__ = ["perturb", "truncate"]

_DROPPED = 0.2
_DAY = np.timedelta64(1, "D")


def truncate(inputs: Mapping[str, pd.DataFrame], cut: pd.Timestamp, knowledge: Mapping[str, str | None]) -> dict[str, pd.DataFrame]:
    """Keep of every table what was known at the close of the cut."""
    return {name: _truncated(name, table, cut, knowledge) for name, table in inputs.items()}


def perturb(
    inputs: Mapping[str, pd.DataFrame], cut: pd.Timestamp, knowledge: Mapping[str, str | None], *, seed: int
) -> dict[str, pd.DataFrame]:
    """Change of every table all that became known after the cut: every number, and whether the row is there at all."""
    names = sorted(inputs)
    return {
        name: _perturbed(name, table, cut, knowledge, np.random.default_rng([seed, int(cut.value), names.index(name)]))
        for name, table in inputs.items()
    }


def _truncated(name: str, table: pd.DataFrame, cut: pd.Timestamp, knowledge: Mapping[str, str | None]) -> pd.DataFrame:
    kept = table[~_is_later(name, table, cut, knowledge)]
    # A span that is still open at the cut has no known end.
    return kept.assign(end=kept["end"].mask(kept["end"] > cut, cut)) if _is_spans(name, knowledge) else kept


def _perturbed(
    name: str, table: pd.DataFrame, cut: pd.Timestamp, knowledge: Mapping[str, str | None], random: np.random.Generator
) -> pd.DataFrame:
    later = _is_later(name, table, cut, knowledge)
    changed = table
    if _is_spans(name, knowledge):
        open_at_cut = (table["end"] > cut).to_numpy()
        ends = table["end"].to_numpy().copy()
        ends[open_at_cut] = np.datetime64(cut) + random.integers(1, 500, open_at_cut.sum()) * _DAY
        changed = table.assign(end=np.maximum(ends, table["start"].to_numpy()))
    # Levels grow while amounts that are announced (a dividend, a loss on delisting) shrink, so that they stay possible together.
    bounds = (1.2, 2.5) if _knowledge_of(name, table, knowledge) == "date" else (0.4, 0.9)
    for column in table.columns[[pd.api.types.is_float_dtype(kind) for kind in table.dtypes]]:
        values = table[column].to_numpy().copy()
        noise = random.uniform(*bounds, int(later.sum()))
        values[later] = np.where(values[later] == 0.0, noise, values[later] * noise)
        changed = changed.assign(**{column: values})
    return changed[~later | (random.random(len(table)) >= _DROPPED)]


def _is_later(name: str, table: pd.DataFrame, cut: pd.Timestamp, knowledge: Mapping[str, str | None]) -> BoolArray:
    known_at = _knowledge_of(name, table, knowledge)
    if known_at is None:
        return np.zeros(len(table), dtype=np.bool_)
    known = table[known_at] if known_at in table.columns else table.index.get_level_values(known_at)
    # A row without a date was never known.
    return ~(known <= cut).to_numpy(dtype=np.bool_) if isinstance(known, pd.Series) else ~np.asarray(known <= cut, dtype=np.bool_)


def _is_spans(name: str, knowledge: Mapping[str, str | None]) -> bool:
    return name == "universe" and name not in knowledge


def _knowledge_of(name: str, table: pd.DataFrame, knowledge: Mapping[str, str | None]) -> str | None:
    if name in knowledge:
        column = knowledge[name]
        options = [*map(str, table.columns), *map(str, table.index.names)]
        if column is not None and column not in options:
            raise ConfigError(
                f"The audit must find when '{name}' was known, got no column or level '{column}': {nearest(column, options)}."
            )
        return column
    if name == "universe":
        return "start"
    for column in ("known_at", "date"):
        if column in table.columns or column in table.index.names:
            return column
    raise ConfigError(
        f"The audit must know when each row of '{name}' was known, but it has no known_at and no date: "
        f"pass knowledge={{'{name}': column}}, or None for what was known all along."
    )
