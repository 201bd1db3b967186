"""Make an archived run again in a clean place, and compare every output."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from touchstone.arithmetic import PINS
from touchstone.errors import LineageError
from touchstone.lineage import canonical_json, code_hash, digest
from touchstone.root import DEFAULT_DATA_ROOT, project_root
from touchstone.tracking._run_outputs import DATA, MANIFEST, matching_payload
from touchstone.tracking._run_store import ArchivedRun, RunStore
from touchstone.tracking._tar import unpack

__all__ = ["AFTER_SNAPSHOT", "OutputCheck", "VerifyReport", "verify"]

AFTER_SNAPSHOT = (sys.executable, "-m", "kedro", "run", "--tags", "after_snapshot")
_RAW = "data/01_raw/"
_QUIET = {
    "DO_NOT_TRACK": "1",
    "KEDRO_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "BENTOML_DO_NOT_TRACK": "True",
    "TOUCHSTONE_TRACKING": "off",
    "TOUCHSTONE_DATA_ROOT": DEFAULT_DATA_ROOT,
}
# What would lead the repetition back to the project it was taken from.
_LEADING_BACK = ("DVC_ROOT", "DVC_STAGE", "TOUCHSTONE_LEDGER_URL", "KEDRO_ENV")
_LAST_LINES = 15


@dataclass(frozen=True)
class OutputCheck:
    """One output: its SHA-256 as the manifest says, and as the repetition gave it (None: it did not write it)."""

    path: str
    expected: str
    observed: str | None

    @property
    def passed(self) -> bool:
        """Whether both are the same."""
        return self.expected == self.observed


@dataclass(frozen=True)
class VerifyReport:
    """What a repetition gave: one check per output, and one for the manifest's body."""

    run_id: str
    outputs: tuple[OutputCheck, ...]

    @property
    def passed(self) -> bool:
        """Whether every output came out the same."""
        return not self.differing

    @property
    def differing(self) -> tuple[str, ...]:
        """Paths of the outputs that did not."""
        return tuple(check.path for check in self.outputs if not check.passed)

    @property
    def n_compared(self) -> int:
        """How many outputs were compared."""
        return len(self.outputs)


def verify(
    run_id: str, *, root: Path | None = None, workplace: Path | None = None, command: Sequence[str] = AFTER_SNAPSHOT
) -> VerifyReport:
    """Unpack a run's archive in a clean place, run it there from its raw snapshot, and compare every output with its manifest.

    The repetition uses the archived code, parameters, lock and ledger, a scratch copy of the latter, and touches nothing of the project.

    Parameters
    ----------
    run_id : id of an archived run, or the beginning of it.
    root : project folder (None: the one we are in).
    workplace : empty folder to work in, kept afterwards; None for a temporary one.
    command : what runs the project's pipelines from the snapshot on.

    Raises
    ------
    LineageError
        The run is unknown, its archive is damaged, or the repetition fails, with the end of what it printed.
    """
    run = RunStore(root or project_root()).get(run_id)
    if workplace is not None:
        return _verify_in(workplace, run, command)
    with tempfile.TemporaryDirectory(prefix="touchstone-verify-") as folder:
        return _verify_in(Path(folder), run, command)


def _verify_in(workplace: Path, run: ArchivedRun, command: Sequence[str]) -> VerifyReport:
    project, scratch = workplace / "project", workplace / "scratch" / "known.jsonl"
    files = _project_files(run)
    for name, payload in files.items():
        _write(project / name, payload)
    _write(scratch, files["ledger/known.jsonl"])
    _run(command, project, scratch)
    return VerifyReport(run.run_id, tuple(_checks(run, project)))


def _project_files(run: ArchivedRun) -> dict[str, bytes]:
    """The clean project by path: code, settings, parameters, lock, ledger and raw snapshot, each checked."""
    identity, outputs = run.manifest.body["identity"], run.manifest.body["outputs"]
    code = unpack((run.folder / "code.tar").read_bytes())
    if code_hash(code) != identity["code"]:
        raise LineageError(
            f"The archived code of run {run.run_id[:12]} must have its manifest's hash, but it does not: the archive is damaged."
        )
    settings = run.folder / "project"
    kept = {path.relative_to(settings).as_posix(): path.read_bytes() for path in sorted(settings.rglob("*")) if path.is_file()}
    raw = {
        path: matching_payload(run.outputs / path.removeprefix(DATA), path, outputs) for path in sorted(outputs) if path.startswith(_RAW)
    }
    return {**code, **kept, **raw}


def _write(path: Path, payload: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(payload)


def _run(command: Sequence[str], project: Path, scratch: Path) -> None:
    answer = subprocess.run(command, cwd=project, env=_environment(project, scratch), capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        said = "\n".join((answer.stdout + answer.stderr).splitlines()[-_LAST_LINES:])
        raise LineageError(f"A run must run again from its archive, but the repetition ended with exit code {answer.returncode}:\n{said}")


def _environment(project: Path, scratch: Path) -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _LEADING_BACK}
    path = os.pathsep.join([str(project / "src"), *filter(None, [kept.get("PYTHONPATH")])])
    return {
        **kept,
        **PINS,
        **_QUIET,
        "PYTHONPATH": path,
        "TOUCHSTONE_LEDGER": str(scratch),
        "NUMBA_CACHE_DIR": str(scratch.with_name("numba")),
    }


def _checks(run: ArchivedRun, project: Path) -> Iterator[OutputCheck]:
    body = run.manifest.body
    expected = {path: held["sha256"] for path, held in body["outputs"].items()}
    expected[MANIFEST] = digest((canonical_json(body) + "\n").encode())
    for path in sorted(expected):
        file = project / path
        yield OutputCheck(path, expected[path], digest(file.read_bytes()) if file.is_file() else None)
