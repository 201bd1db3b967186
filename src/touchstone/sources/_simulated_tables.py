"""From grids of sessions and symbols to the tables of the data contract."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.sources._simulated_actions import Actions, Lives
from touchstone.sources._simulated_errors import Injected
from touchstone.types import BoolArray, FloatArray, IntArray

__all__ = ["FIELDS", "SIGNAL", "Tables"]

FIELDS = ("open", "high", "low", "close", "volume")
SIGNAL = "planted"


@dataclass(frozen=True, eq=False)
class Tables:
    """What session and symbol numbers are called, and the tables written with these names; grids are ``(n_sessions, n_symbols)``."""

    dates: pd.DatetimeIndex
    symbols: pd.Index

    @classmethod
    def of(cls, dates: pd.DatetimeIndex, n_symbols: int) -> Tables:
        width = max(3, len(str(n_symbols - 1)))
        return cls(dates, pd.Index([f"S{number:0{width}d}" for number in range(n_symbols)], dtype="str"))

    def bars(self, injected: Injected) -> pd.DataFrame:
        rows = injected.rows
        return rows[list(FIELDS)].set_axis(self._index(rows["session"].to_numpy(), rows["symbol"].to_numpy()))

    def actions(self, actions: Actions) -> pd.DataFrame:
        table = actions.table
        return pd.DataFrame(
            {
                "symbol": self.symbols[table["symbol"]],
                "ex_date": self.dates[table["session"]],
                "kind": table["kind"],
                "value": table["value"],
                "known_at": self.dates[table["known"]],
            }
        )

    def signals(self, signal: FloatArray, alive: BoolArray) -> pd.DataFrame:
        session, symbol = np.nonzero(alive)
        dates = self.dates[session]
        frame = pd.DataFrame({"symbol": self.symbols[symbol], "period": dates, "value": signal[session, symbol], "known_at": dates})
        frame.insert(0, "name", pd.Series(SIGNAL, index=frame.index, dtype="str"))
        return frame

    def universe(self, lives: Lives) -> pd.DataFrame:
        return pd.DataFrame({"symbol": self.symbols, "start": self.dates[lives.first], "end": self.dates[lives.last]})

    def benchmark(self, closes: FloatArray) -> pd.DataFrame:
        return pd.DataFrame({"close": closes}, index=self.dates)

    def answer_key(self, injected: Injected) -> pd.DataFrame:
        key = injected.answer_key
        named = pd.DataFrame({"symbol": self.symbols[key["symbol"]], "date": self.dates[key["session"]]})
        values = {name: key[name] for name in ("kind", "field", "true", "injected")}
        return named.assign(**values, true_date=self.dates[key["own"]])

    def _index(self, session: IntArray, symbol: IntArray) -> pd.MultiIndex:
        # From codes: a quarter of a million names need not be looked up again.
        return pd.MultiIndex(levels=(self.dates, self.symbols), codes=(session, symbol), names=("date", "symbol"))  # type: ignore[arg-type]
