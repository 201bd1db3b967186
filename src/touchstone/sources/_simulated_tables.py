"""From grids of bars and symbols to the tables of the data contract."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.sources._simulated_actions import Actions, Lives
from touchstone.sources._simulated_errors import Injected
from touchstone.types import BoolArray, FloatArray, IntArray

__all__ = ["CURRENCY", "FIELDS", "SIGNAL", "Tables"]

FIELDS = ("open", "high", "low", "close", "volume")
SIGNAL = "planted"
CURRENCY = "USD"


@dataclass(frozen=True, eq=False)
class Tables:
    """What bar, session and symbol numbers are called, and the tables written with these names; grids are ``(n_bars, n_symbols)``.

    Listings and actions are dated by session, as vendors date them; a signal is known at the close of its bar.
    """

    dates: pd.DatetimeIndex
    sessions: pd.DatetimeIndex
    symbols: pd.Index

    @classmethod
    def of(cls, dates: pd.DatetimeIndex, sessions: pd.DatetimeIndex, n_symbols: int) -> Tables:
        width = max(3, len(str(n_symbols - 1)))
        return cls(dates, sessions, pd.Index([f"S{number:0{width}d}" for number in range(n_symbols)], dtype="str"))

    def bars(self, injected: Injected) -> pd.DataFrame:
        rows = injected.rows
        return rows[list(FIELDS)].set_axis(self._index(rows["session"].to_numpy(), rows["symbol"].to_numpy()))

    def actions(self, actions: Actions) -> pd.DataFrame:
        table = actions.table
        return pd.DataFrame(
            {
                "symbol": self.symbols[table["symbol"]],
                "ex_date": self.sessions[table["session"]],
                "kind": table["kind"],
                "value": table["value"],
                "known_at": self.sessions[table["known"]],
            }
        )

    def signals(self, signal: FloatArray, alive: BoolArray) -> pd.DataFrame:
        bar, symbol = np.nonzero(alive)
        dates = self.dates[bar]
        frame = pd.DataFrame({"symbol": self.symbols[symbol], "period": dates, "value": signal[bar, symbol], "known_at": dates})
        frame.insert(0, "name", pd.Series(SIGNAL, index=frame.index, dtype="str"))
        return frame

    def universe(self, lives: Lives) -> pd.DataFrame:
        return pd.DataFrame({"symbol": self.symbols, "start": self.sessions[lives.first], "end": self.sessions[lives.last]})

    def assets(self, calendar: str) -> pd.DataFrame:
        said = {"exchange": "simulated", "calendar": calendar, "currency": CURRENCY, "asset_class": "equity"}
        table = pd.DataFrame({"symbol": self.symbols, "name": [f"Simulated company {symbol}" for symbol in self.symbols], **said})
        return table.astype("str")

    def sectors(self, lives: Lives, sector: IntArray) -> pd.DataFrame:
        """One span a symbol: in this market nobody changes sector."""
        names = pd.Series([f"sector {number + 1}" for number in sector], dtype="str")
        spans = {"start": self.sessions[lives.first], "end": self.sessions[lives.last]}
        return pd.DataFrame({"symbol": self.symbols, "sector": names, **spans})

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
