"""Ten times the rows through a partitioned ingest: seconds, rows a second and peak memory, each size in a process of its own."""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

# Twenty years.
N_SESSIONS = 5_000
# Late listings and early deaths leave about 4,100 sessions to a symbol.
SYMBOLS_A_BLOCK = 125
SIZES = {"2.5 million": 625, "25 million": 6_250}
ERRORS_PER_KIND = 10


def main() -> None:
    """Make the raw files and measure, or do one of both as a child of this script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder when left out (4 GB)")
    parser.add_argument("--child", choices=("simulate", "ingest", "read"))
    parser.add_argument("--symbols", type=int, default=0)
    given = parser.parse_args()
    if given.child:
        children = {"simulate": partial(simulate, n_symbols=given.symbols), "ingest": ingest, "read": read}
        print(json.dumps(children[given.child](given.folder)))
        return
    with tempfile.TemporaryDirectory(prefix="touchstone-scale-") as place:
        compare(given.folder or Path(place))


def compare(folder: Path) -> None:
    """One line a size, then what ten times the rows cost."""
    names = (
        f"{'rows':>11} {'seconds':>8} {'CPU':>7} {'rows/s':>9} {'peak':>8} {'clean':>11} {'aside':>7} {'findings':>9} {'read a part':>12}"
    )
    print(f"{'':12} {names}")
    few, many = (measure(name, folder / str(n_symbols), n_symbols) for name, n_symbols in SIZES.items())
    seconds, processor = (many[key] / many["rows"] / (few[key] / few["rows"]) for key in ("seconds", "processor"))
    print(
        f"\n{many['rows'] / few['rows']:.1f} times the rows: {seconds:.2f} times the seconds a row, {processor:.2f} times the CPU seconds"
    )
    print("linear is 1; the budget of the peak is 4 GB; read a part: one symbol's closes of one year")
    print("the rows are simulated in another process; imports and compilation do not count")


def measure(name: str, place: Path, n_symbols: int) -> dict[str, Any]:
    """Simulate, ingest, read a part, and print one line."""
    child("simulate", place, n_symbols)
    found, part = child("ingest", place, n_symbols), child("read", place, n_symbols)
    speed = f"{found['seconds']:8.1f} {found['processor']:7.1f} {found['rows'] / found['seconds']:9,.0f} {found['peak'] / 1e9:6.2f}GB"
    counts = f"{found['clean']:11,} {found['aside']:7,} {found['findings']:9,}"
    print(f"{name:12} {found['rows']:11,} {speed} {counts} {part['seconds'] * 1e3:9.0f} ms", flush=True)
    shutil.rmtree(place)
    return found


def child(task: str, folder: Path, n_symbols: int) -> dict[str, Any]:
    """Run one part in a process of its own, whose peak memory is its alone."""
    command = [sys.executable, __file__, "--child", task, "--folder", str(folder), "--symbols", str(n_symbols)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]))


def simulate(folder: Path, n_symbols: int) -> dict[str, Any]:
    """Raw files: markets of a block of symbols each, with a seed of their own and errors of every kind."""
    from touchstone.lineage import task_seed
    from touchstone.sources import simulate_market

    raw = folder / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    rows = 0
    for block in range(n_symbols // SYMBOLS_A_BLOCK):
        market = simulate_market(
            n_symbols=SYMBOLS_A_BLOCK,
            n_sessions=N_SESSIONS,
            seed=task_seed(0, "benchmark", "scale", block),
            rank_ic=0.0,
            errors_per_kind=ERRORS_PER_KIND,
            start="2000-01-03",
        )
        bars = market.data.bars.reset_index()
        bars["symbol"] = f"B{block:03d}" + bars["symbol"]
        # Symbol after symbol, as vendors send it.
        bars.sort_values(["symbol", "date"]).to_parquet(raw / f"block-{block:04d}.parquet", index=False)
        rows += len(bars)
    return {"rows": rows}


def ingest(folder: Path) -> dict[str, Any]:
    """Ingest, check and write; imports and the compilation of kernels do not count."""
    from touchstone import market, sources
    from touchstone.partitions import ingest_partitioned

    market.ingest(sources.load("simulated", n_symbols=10, n_sessions=500))
    began, worked = time.perf_counter(), time.process_time()
    done = ingest_partitioned(folder / "raw", folder / "clean")
    return {
        "seconds": time.perf_counter() - began,
        "processor": time.process_time() - worked,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "rows": done.rows_in,
        "clean": done.rows_clean,
        "aside": done.rows_quarantined,
        "findings": done.n_findings,
    }


def read(folder: Path) -> dict[str, Any]:
    """One symbol's closes of one year."""
    from touchstone.partitions import read_bars

    began = time.perf_counter()
    rows = len(read_bars(folder / "clean", symbols=["B000S007"], start="2010-01-01", end="2010-12-31", columns=["close"]))
    return {"seconds": time.perf_counter() - began, "rows": rows}


if __name__ == "__main__":
    main()
