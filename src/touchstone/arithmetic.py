"""The same bits on every x86-64 processor with AVX2: settings that numeric libraries read when they load."""

from __future__ import annotations

import os
import sys

__all__ = ["PINS", "is_pinned", "pin", "pin_or_restart"]

# numpy's log, exp and pow, and OpenBLAS's products, differ between AVX-512 and AVX2 machines unless told which to use.
PINS = {
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_CBWR": "AVX2",
}
_COMMANDS = ("kedro", "touchstone")


def is_pinned() -> bool:
    """Whether the environment carries every pin."""
    return all(os.environ.get(name) == value for name, value in PINS.items())


def pin() -> None:
    """Set the pins; they hold for libraries that load afterwards and for child processes."""
    os.environ.update(PINS)


def pin_or_restart() -> None:
    """Pin a command line; when numpy came first, start the same command again with the pins set."""
    if is_pinned():
        return
    late = "numpy" in sys.modules
    pin()
    if late and os.path.basename(sys.argv[0]) in _COMMANDS:  # noqa: PTH119 - pathlib is not needed for one name
        os.execv(sys.executable, sys.orig_argv)
