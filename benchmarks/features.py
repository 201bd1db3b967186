"""Alpha158 in memory to a date-major float32 frame, beside Qlib: seconds, CPU, peak memory, families, ten times the rows.

Both are measured in one sitting and in turn, each run in a process of its own; imports and reading do not count. Printed, never a gate.

The peer needs an environment of its own: ``python -m venv peer && peer/bin/pip install pyqlib==0.9.7 psutil``, then
``--peer peer/bin/python``. Without it only ours is shown.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TARGETS = {1: 25, 2: 15}
COLUMNS = {"date": "date", "symbol": "Name", "open": "open", "high": "high", "low": "low", "close": "close", "volume": "volume"}
PAGE = os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Compare, or do one part as a child of this script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("../shared/data/sp500_5yr"), help="one CSV a symbol")
    parser.add_argument("--peer", type=Path, help="python of an environment with pyqlib 0.9.7")
    parser.add_argument("--script", type=Path, default=Path("../shared/bench/qlib_alpha158.py"), help="the peer's benchmark")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--child", choices=tuple(CHILDREN))
    parser.add_argument("--bars", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(CHILDREN[given.child](given.bars, given.threads)))
        return
    with tempfile.TemporaryDirectory(prefix="touchstone-features-") as place:
        compare(given, Path(place))


def compare(given: argparse.Namespace, place: Path) -> None:
    """One table of the whole, one of the families, and what ten times the rows cost."""
    bars = place / "bars.parquet"
    print(child("read", given.folder.resolve(), bars=bars)["words"])
    cold = child("whole", bars, NUMBA_CACHE_DIR=str(place / "numba"))
    print(f"{'first call ever, kernels are compiled':42} {cold['first']:7.2f} s")
    ours = {threads: [] for threads in TARGETS}
    peers: dict[int, list[dict[str, Any]]] = {threads: [] for threads in TARGETS}
    store = qlib_store(given, place) if given.peer else None
    for _ in range(given.runs):
        for threads in TARGETS:
            ours[threads].append(child("whole", bars, threads=threads))
            if store:
                peers[threads].append(qlib(given, store, threads))
    print(f"\n{'medians of ' + str(given.runs):30} {'wall':>8} {'CPU':>8} {'peak above':>11} {'first call':>11} {'ratio':>7} {'target':>7}")
    for threads, runs in ours.items():
        report(threads, runs, peers[threads])
    families(bars)
    ten_times(bars, given.runs)


def report(threads: int, ours: list[dict[str, Any]], peers: list[dict[str, Any]]) -> None:
    """Our line, and the peer's below it."""
    wall, processor, peak, first = (statistics.median(run[key] for run in ours) for key in ("wall", "processor", "peak", "first"))
    bound = 1.5 * ours[0]["through"]
    line = f"{f'ours, threads: {threads}':30} {wall:7.3f}s {processor:7.3f}s {peak / 2**20:9.0f}MB {first:10.2f}s"
    if peers:
        theirs = statistics.median(run["wall_s"] for run in peers)
        line += f" {theirs / wall:6.1f}x {TARGETS[threads]:6}x"
    print(f"{line}   peak budget {bound / 2**20:.0f}MB")
    if peers:
        cpu, memory = (statistics.median(run[key] for run in peers) for key in ("cpu_s", "maxrss_self_mb"))
        print(f"{f'Qlib, processes: {threads}':30} {theirs:7.2f}s {cpu:7.2f}s {memory:9.0f}MB   (CPU and memory with imports)")


def families(bars: Path) -> None:
    """Milliseconds of each family alone, on one thread."""
    found = child("families", bars)
    print("\nfamily, milliseconds on one thread alone (five windows each; panels are gathered anew for each):")
    for start in range(0, len(found), 8):
        print("  " + "  ".join(f"{name} {1000 * seconds:.0f}" for name, seconds in list(found.items())[start : start + 8]))


def ten_times(bars: Path, runs: int) -> None:
    """The same on ten times the symbols."""
    once, ten = ([child(name, bars) for _ in range(max(1, runs // 2))] for name in ("whole", "tenfold"))
    few, many = (statistics.median(run["wall"] for run in part) for part in (once, ten))
    peak = statistics.median(run["peak"] / run["through"] for run in ten)
    rows = ten[0]["rows"] / once[0]["rows"]
    print(f"\n{rows:.1f} times the rows: {few:.3f} s -> {many:.2f} s, {many / few:.2f} times the time (target 11)")
    print(f"peak memory of the larger: {peak:.2f} times what goes in and comes out (target 1.5)")


def qlib_store(given: argparse.Namespace, place: Path) -> Path:
    """The files in the peer's own format."""
    store = place / "qlib"
    command = [str(given.peer), str(given.script), "dump", "--csv", str(given.folder), "--qlib", str(store)]
    subprocess.run(command, check=True, capture_output=True)
    return store


def qlib(given: argparse.Namespace, store: Path, kernels: int) -> dict[str, Any]:
    """One run of the peer."""
    command = [str(given.peer), str(given.script), "one", "--qlib", str(store), "--kernels", str(kernels)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads([line for line in done.stdout.splitlines() if line.startswith("{")][-1])


def child(name: str, source: Path, *, threads: int = 1, bars: Path | None = None, **environment: str) -> dict[str, Any]:
    """One part in a process of its own."""
    command = [sys.executable, __file__, str(source), "--child", name, "--bars", str(bars or source), "--threads", str(threads)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | environment)
    return json.loads(done.stdout.splitlines()[-1])


def read(bars: Path, _: int) -> dict[str, Any]:
    """Ingest the CSV files once, with the volume-weighted price that the peer assumes."""
    from touchstone import market, sources

    taken = market.ingest(sources.load("files", path=sys.argv[1], columns=COLUMNS, adjustment="split")).bars
    made = market.derive(taken, ("vwap_hlc3",))
    made.to_parquet(bars)
    n_symbols, n_sessions = (made.index.get_level_values(level).nunique() for level in ("symbol", "date"))
    return {"words": f"{len(made):,} rows, {n_symbols} symbols x {n_sessions:,} sessions, in memory to 158 float32 columns"}


def whole(bars: Path, threads: int) -> dict[str, Any]:
    """Seconds, CPU seconds and peak memory of a warm call, and the seconds of the first one."""
    import pandas as pd

    return measured(pd.read_parquet(bars), threads)


def tenfold(bars: Path, threads: int) -> dict[str, Any]:
    """The same on ten copies of every symbol."""
    import pandas as pd

    few = pd.read_parquet(bars)
    copies = [few.rename(index=lambda symbol, copy=copy: f"{symbol}.{copy}", level="symbol") for copy in range(10)]
    return measured(pd.concat(copies).sort_index(), threads)


def measured(frame: Any, threads: int) -> dict[str, Any]:
    """Two calls: the first loads the compiled kernels."""
    from touchstone import features

    # The peer writes its columns once; so do we, and a freed answer is not there to be filled again.
    first = timed(lambda: features.compute(frame, "alpha158", transform="none", threads=threads))
    with peak_above() as peak:
        warm = timed(lambda: features.compute(frame, "alpha158", transform="none", threads=threads))
    n_in, n_out = frame.to_numpy().nbytes, len(frame) * 158 * 4
    return {
        "first": first[0],
        "wall": warm[0],
        "processor": warm[1],
        "peak": peak[0],
        "through": n_in + n_out,
        "rows": len(frame),
    }


def by_family(bars: Path, _: int) -> dict[str, float]:
    """Best of three of each family as a set of its own."""
    import pandas as pd

    from touchstone import features
    from touchstone.features import FeatureSet
    from touchstone.features._sets import SETS

    frame = pd.read_parquet(bars)
    groups: dict[str, list[Any]] = {}
    for feature in SETS["alpha158"].features:
        stem = re.sub(r"\d+$", "", feature.name)
        groups.setdefault("candle" if len(feature.windows) == 0 or feature.lookback == 1 else stem, []).append(feature)
    sets = {name: FeatureSet(name, tuple(group), min_sessions=1) for name, group in groups.items()}
    return {
        name: min(timed(lambda given=given: features.compute(frame, given, transform="none"))[0] for _ in range(3))
        for name, given in sets.items()
    }


def timed(task: Callable[[], Any]) -> tuple[float, float]:
    """Seconds on the wall and of the processor; the answer is dropped after the clock stops."""
    wall, processor = time.perf_counter(), time.process_time()
    answer = task()
    seconds = time.perf_counter() - wall, time.process_time() - processor
    del answer
    return seconds


@contextmanager
def peak_above() -> Iterator[list[int]]:
    """Bytes of resident memory above the level on entry, sampled every two milliseconds."""
    level, found, done = resident(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.002):
            found[0] = max(found[0], resident() - level)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield found
    finally:
        done.set()
        watcher.join()


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


CHILDREN: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "read": read,
    "whole": whole,
    "tenfold": tenfold,
    "families": by_family,
}

if __name__ == "__main__":
    main()
