"""Ingest of a folder of CSV files, cold and warm, beside a bare pyarrow read of the same files: printed, never a gate.

Three states: nothing compiled (the first run ever on a machine), a fresh process when libraries and kernels were compiled before, and a
process that has done it before.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

BUDGET = 3.0
COLUMNS = {"date": "date", "symbol": "Name", "open": "open", "high": "high", "low": "low", "close": "close", "volume": "volume"}


def main() -> None:
    """One line a part; each but the first run ever is the best of several."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("../shared/data/sp500_5yr"), help="one CSV a symbol")
    parser.add_argument("--once", action="store_true", help="one ingest in this process, and no more")
    given = parser.parse_args()
    if given.once:
        print(*once(given.folder))
        return
    folder = given.folder.resolve()
    bare = best(bare_read, folder)
    with tempfile.TemporaryDirectory() as compiled:
        ever, *later = (fresh(folder, compiled) for _ in range(4))
    print(f"{int(ever[2]):,} rows of {folder.name}, budget {BUDGET:.0f} s for load and ingest")
    print(f"{'bare pyarrow read':34} {bare:6.2f} s")
    report("first ever, kernels are compiled", ever[0], ever[1], bare)
    loading, judging, _ = min(later, key=lambda parts: parts[0] + parts[1])
    report("fresh process, libraries load", loading, judging, bare)
    loading, judging, _ = min((once(folder) for _ in range(4)), key=lambda parts: parts[0] + parts[1])
    report("warm", loading, judging, bare)


def fresh(folder: Path, compiled: str) -> tuple[float, ...]:
    """The same in a process of its own, which finds what earlier ones compiled in a folder: Python's bytecode and numba's kernels."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    caches = {"PYTHONPYCACHEPREFIX": f"{compiled}/python", "NUMBA_CACHE_DIR": f"{compiled}/numba"}
    command = [sys.executable, __file__, str(folder), "--once"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=kept | caches)
    return tuple(map(float, done.stdout.split()))


def once(folder: Path) -> tuple[float, float, int]:
    """Seconds to load and to ingest, and the rows that came in."""
    from touchstone import market, sources

    began = time.perf_counter()
    raw = sources.load("files", path=str(folder), columns=COLUMNS, adjustment="split")
    loaded = time.perf_counter()
    market.ingest(raw)
    return loaded - began, time.perf_counter() - loaded, len(raw.bars)


def bare_read(folder: Path) -> None:
    """What no loader can be quicker than: every file parsed, nothing looked at."""
    import pyarrow as pa
    import pyarrow.csv

    pa.concat_tables([pyarrow.csv.read_csv(path) for path in sorted(folder.glob("*.csv"))])


def best(task: Callable[..., Any], *arguments: Any) -> float:
    """Best seconds of three calls."""
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        task(*arguments)
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def report(what: str, loading: float, judging: float, bare: float) -> None:
    """One line of the table."""
    whole = loading + judging
    print(f"{what:34} {whole:6.2f} s  load {loading:5.2f}, ingest {judging:5.2f}  {whole / bare:5.1f} times the bare read", flush=True)


if __name__ == "__main__":
    main()
