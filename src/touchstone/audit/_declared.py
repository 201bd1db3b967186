"""What columns say of themselves, and are held to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from touchstone.errors import ConfigError, name_few, nearest

__all__ = ["Declared"]


@dataclass(frozen=True)
class Declared:
    """Declarations of the columns of one matrix.

    Attributes
    ----------
    lookback
        Sessions that each column looks at; None where nothing is declared.
    """

    per_symbol: frozenset[str]
    partial: frozenset[str]
    lookback: Mapping[str, int] | None
    all_per_symbol: bool

    @classmethod
    def of(
        cls, columns: pd.Index, *, per_symbol: Iterable[str], lookback: Mapping[str, int] | int | None, partial: Iterable[str]
    ) -> Declared:
        names = [str(column) for column in columns]
        chosen, part = frozenset(per_symbol), frozenset(partial)
        spans = dict.fromkeys(names, lookback) if isinstance(lookback, int) else lookback
        for what, declared in (("per_symbol", chosen), ("partial", part), ("lookback", frozenset(spans or {}))):
            strangers = sorted(declared - set(names))
            if strangers:
                raise ConfigError(f"What {what} declares must be computed, but '{strangers[0]}' is not: {nearest(strangers[0], names)}.")
        silent = [] if spans is None else [name for name in names if name not in spans]
        if silent:
            raise ConfigError(f"A declared lookback must cover every column, but lacks {name_few(silent)}: add them, or give one number.")
        short = [f"{name}: {span}" for name, span in (spans or {}).items() if span < 1]
        if short:
            raise ConfigError(f"A lookback counts the present session, so it is at least 1, but got {name_few(short)}: raise it.")
        return cls(chosen, part, spans, chosen == set(names))

    @property
    def longest(self) -> int:
        """Sessions that the most far-sighted column looks at; 1 where nothing is declared."""
        return max((self.lookback or {}).values(), default=1)
