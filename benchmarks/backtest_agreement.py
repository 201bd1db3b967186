"""The same rules on the same public prices through `simulate`, vectorbt and backtesting.py: how far the equities are apart.

What is made alike, and what is not, line by line: docs/concepts/backtest.md. Printed, never a gate.

The peers need an environment of their own: ``python -m venv peer && peer/bin/pip install vectorbt backtesting pyarrow``, then ``--peer
peer/bin/python``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

N_SYMBOLS = 20
FAST, SLOW = 20, 50
FEE = 5e-4


def main() -> None:
    """Compare, or do one peer's part as a child of this script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("../shared/data/sp500_5yr"), help="one CSV a symbol")
    parser.add_argument("--peer", type=Path, required="--child" not in sys.argv)
    parser.add_argument("--child", choices=tuple(CHILDREN))
    parser.add_argument("--place", type=Path)
    given = parser.parse_args()
    if given.child:
        CHILDREN[given.child](given.place)
        return
    with tempfile.TemporaryDirectory(prefix="touchstone-agreement-") as folder:
        place = Path(folder)
        read(given.folder).to_parquet(place / "bars.parquet")
        for name in CHILDREN:
            subprocess.run([str(given.peer), __file__, "--child", name, "--place", folder], check=True, stdout=subprocess.DEVNULL)
        against_vectorbt(place)
        against_backtesting(place)


def read(folder: Path) -> pd.DataFrame:
    """Complete histories of the first symbols by name."""
    tables = [pd.read_csv(path, parse_dates=["date"]).rename(columns={"Name": "symbol"}) for path in sorted(folder.glob("A*.csv"))]
    whole = [table.dropna() for table in tables if len(table.dropna()) == max(len(every) for every in tables)][:N_SYMBOLS]
    return pd.concat(whole).astype({"date": "datetime64[us]"}).set_index(["date", "symbol"]).sort_index()


def panel(bars: pd.DataFrame, field: str) -> pd.DataFrame:
    """One column, sessions by symbols."""
    return bars[field].reset_index().pivot_table(index="date", columns="symbol", values=field)


def monthly_weights(bars: pd.DataFrame) -> pd.DataFrame:
    """Long only, 0.95 of the equity in all, every 21 sessions, at random."""
    close = panel(bars, "close")
    raw = np.random.default_rng(0).uniform(size=(len(close.index[:-1:21]), close.shape[1]))
    return pd.DataFrame(0.95 * raw / raw.sum(axis=1, keepdims=True), index=close.index[:-1:21], columns=close.columns)


def crossings(bars: pd.DataFrame) -> pd.Series:
    """Whether the fast mean is above the slow one, known at the close; NaN before both are."""
    close = bars.xs("AAL", level="symbol")["close"]
    above = close.rolling(FAST).mean() > close.rolling(SLOW).mean()
    return above.astype(float).where(close.rolling(SLOW).mean().notna())


def against_vectorbt(place: Path) -> None:
    """Twenty symbols, one cash account, fills at the close after the decision."""
    from touchstone.backtest import Costs, simulate

    bars = pd.read_parquet(place / "bars.parquet")
    for fee in (0.0, FEE):
        ours = simulate(bars, monthly_weights(bars), costs=Costs(1e4 * fee, 0.0, 0.0)).equity["equity"]
        theirs = pd.read_parquet(place / "vectorbt.parquet")[str(fee)].loc[ours.index]
        gap = float((ours / theirs - 1.0).abs().max())
        print(f"vectorbt, fee {1e4 * fee:g} bps: final equity {ours.iloc[-1]:,.2f} and {theirs.iloc[-1]:,.2f}, largest gap {gap:.1e}")


def against_backtesting(place: Path) -> None:
    """One symbol in and out at the open after a crossing, whole shares, half of the equity."""
    from touchstone.backtest import Costs, Execution, simulate

    bars = pd.read_parquet(place / "bars.parquet").query("symbol == 'AAL'")
    above = crossings(bars).dropna()
    changed = above[above.ne(above.shift(fill_value=0.0))]
    for fee in (0.0, FEE):
        # They size with the price and its commission; so do we, by a weight that is smaller by it.
        weights = pd.DataFrame({"AAL": 0.5 * changed / (1.0 + fee)}).iloc[:-1]
        result = simulate(bars, weights, fill="next_open", costs=Costs(1e4 * fee, 0.0, 0.0), execution=Execution(lot_size=1.0))
        ours, theirs = result.equity["equity"], pd.read_parquet(place / "backtesting.parquet")[str(fee)]
        gap = float((ours / theirs.loc[ours.index] - 1.0).abs().max())
        print(f"backtesting.py, fee {1e4 * fee:g} bps: {len(result.fills)} fills, final equity {ours.iloc[-1]:,.2f} and", end=" ")
        print(f"{theirs.iloc[-1]:,.2f}, largest gap {gap:.1e}")


def vectorbt(place: Path) -> None:
    """The peer: target percentages, sells first, so that the cash of a session is there for its buys."""
    import vectorbt as peer

    bars = pd.read_parquet(place / "bars.parquet")
    close = panel(bars, "close")
    size = monthly_weights(bars).reindex(close.index).shift(1)
    terms = {"size_type": "targetpercent", "group_by": True, "cash_sharing": True, "call_seq": "auto", "init_cash": 1e6}
    values = {str(fee): peer.Portfolio.from_orders(close, size=size, fees=fee, **terms).value() for fee in (0.0, FEE)}
    pd.DataFrame(values).to_parquet(place / "vectorbt.parquet")


def backtesting(place: Path) -> None:
    """The peer: decided at the close, filled at the next open."""
    from backtesting import Backtest, Strategy

    bars = pd.read_parquet(place / "bars.parquet")
    above = crossings(bars)
    table = bars.xs("AAL", level="symbol")[["open", "high", "low", "close", "volume"]].rename(columns=str.capitalize)
    changed = above.dropna()[above.dropna().ne(above.dropna().shift(fill_value=0.0))].iloc[:-1]

    class Crossing(Strategy):
        def init(self) -> None:
            pass

        def next(self) -> None:
            today = self.data.index[-1]
            if today in changed.index:
                if changed[today]:
                    self.buy(size=0.5)
                else:
                    self.position.close()

    values = {}
    for fee in (0.0, FEE):
        stats = Backtest(table, Crossing, cash=1e6, commission=fee).run()
        values[str(fee)] = stats["_equity_curve"]["Equity"]
    pd.DataFrame(values).to_parquet(place / "backtesting.parquet")


CHILDREN: dict[str, Callable[[Path], None]] = {"vectorbt": vectorbt, "backtesting": backtesting}

if __name__ == "__main__":
    main()
