"""What happens when a loop has finished: its archive, and the live ledger."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from touchstone.lineage import Scope, Trial, closure, searched_trials
from touchstone.root import project_root
from touchstone.tracking._envelope import envelope
from touchstone.tracking._ledger import Ledger
from touchstone.tracking._run_outputs import EQUITY, TRIAL, TRIALS, TUNED, RunOutputs, open_outputs
from touchstone.tracking._run_store import ArchivedRun, RunStore

__all__ = ["keep_run"]

# Kedro starts a project through these; what they load beyond the hashed code decides no result.
_STARTS = ("touchstone.settings", "touchstone.pipeline_registry")
_SIMULATED = "simulated"


def keep_run(project: Path, *, parameters: Mapping[str, Any], code: Iterable[str], seconds: float) -> ArchivedRun:
    """Archive the finished run below a project folder and tell the live ledger what was tried; a second call changes nothing.

    Trials on simulated markets stay out of the ledger: they teach nothing about real ones.

    Parameters
    ----------
    project : folder whose `data/` holds the run; a copy of the real project inside `dvc exp run --temp`.
    parameters : all resolved parameters, where-and-how-fast ones included.
    code : paths below the project of the files that make the code hash.
    seconds : how long the last command took.

    Raises
    ------
    LineageError
        As `RunStore.archive`: outputs that are not what their manifest says, or a known id with other results.
    """
    run, root, hashed = open_outputs(project), project_root(project), sorted(code)
    archived = RunStore(root).archive(
        project,
        parameters=parameters,
        code=hashed,
        wiring=sorted(set(_wiring(project / "src")) - set(hashed)),
        envelope=envelope(project, durations={"last command": round(seconds, 3)}),
    )
    _tell(Ledger.at(root), run)
    return archived


def _tell(ledger: Ledger, run: RunOutputs) -> None:
    itself = Trial.from_dict(run.document(TRIAL))
    if itself.scope.source == _SIMULATED:
        return
    equity = pd.read_parquet(io.BytesIO(run.payload(EQUITY)))["equity"]
    returns = np.asarray(equity.pct_change(fill_method=None).iloc[1:], dtype=np.float64)
    ledger.live().add((*ledger.known(), *_searched(run), itself), returns={itself.key: returns}, code=run.identity.code)


def _searched(run: RunOutputs) -> tuple[Trial, ...]:
    return searched_trials(pd.read_parquet(io.BytesIO(run.payload(TRIALS))), Scope.from_dict(run.document(TUNED)["scope"]))


def _wiring(source: Path) -> Iterator[str]:
    files = {_module(path.relative_to(source)): path for path in sorted(source.rglob("*.py"))}
    for module in closure({name: path.read_text(encoding="utf-8") for name, path in files.items()}, _STARTS):
        yield files[module].relative_to(source.parent).as_posix()


def _module(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
