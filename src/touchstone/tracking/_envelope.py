"""What is true of one execution only: when, where, on what."""

from __future__ import annotations

import datetime as dt
import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

__all__ = ["envelope"]


def envelope(root: Path, *, durations: Mapping[str, float] | None = None, trackers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Describe this execution for a manifest's envelope; nothing of it may stand in an output.

    Parameters
    ----------
    root : project folder, asked for its commit.
    durations : seconds by step.
    trackers : ids that other systems gave the run.
    """
    return {
        "time": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "place": {"host": platform.node(), "folder": str(root)},
        "commit": _git(root, "rev-parse", "HEAD"),
        "clean": _git(root, "status", "--porcelain") == "",
        "environment": {
            "python": platform.python_version(),
            "system": platform.platform(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "touchstone": version("touchstone"),
        },
        "durations": dict(durations or {}),
        "trackers": dict(trackers or {}),
    }


def _git(root: Path, *arguments: str) -> str | None:
    try:
        answer = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
