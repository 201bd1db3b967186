"""`ledger/known.jsonl`: the trials this laboratory has made, in git."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from touchstone.atomic import one_writer, write_whole
from touchstone.errors import LineageError
from touchstone.lineage import Trial, canonical_json
from touchstone.root import enclosing_project

__all__ = ["add_known", "read_known"]


def read_known(path: Path | str) -> tuple[Trial, ...]:
    """Read the known trials, sorted by key; a file that is not there holds none.

    Raises
    ------
    LineageError
        A line that is no trial, with its number.
    """
    path = Path(path)
    if not path.exists():
        return ()
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    trials = [_trial(line, f"{path.name}, line {number}") for number, line in lines if line.strip()]
    return tuple(sorted(trials, key=lambda trial: trial.key))


def add_known(path: Path | str, trials: Iterable[Trial]) -> int:
    """Add the trials whose key the file lacks; what it holds is never changed, and adding twice adds nothing.

    Inside a copy of the project (`dvc exp run --temp`, where ``DVC_ROOT`` names the real one) the real project's file gets them too, and
    the copy's file becomes the union of both, so that no experiment is forgotten or left uncounted.

    Parameters
    ----------
    path : the ledger's file; lines of canonical JSON, sorted by key, replaced as a whole.
    trials : trials to add.

    Returns
    -------
    How many of the trials were missing from the file.
    """
    path, offered = Path(path), tuple(trials)
    real = _real_file(path)
    from_real = () if real is None else _merge(real, offered)
    missing = {trial.key for trial in offered} - {trial.key for trial in read_known(path)}
    _merge(path, (*offered, *from_real))
    return len(missing)


def _merge(path: Path, offered: Iterable[Trial]) -> tuple[Trial, ...]:
    with one_writer(path.parent):
        held = {trial.key: trial for trial in read_known(path)}
        merged = {**{trial.key: trial for trial in offered}, **held}
        ordered = tuple(merged[key] for key in sorted(merged))
        if len(merged) > len(held):
            write_whole(path, "".join(f"{canonical_json(trial.to_dict())}\n" for trial in ordered).encode())
    return ordered


def _real_file(path: Path) -> Path | None:
    named, here = os.environ.get("DVC_ROOT"), enclosing_project(path.parent)
    if not named or here is None or Path(named).resolve() == here:
        return None
    return Path(named).resolve() / path.resolve().relative_to(here)


def _trial(line: str, where: str) -> Trial:
    try:
        return Trial.from_dict(json.loads(line))
    except (json.JSONDecodeError, KeyError, TypeError, ValueError, LineageError) as error:
        raise LineageError(f"Each line of the ledger must be one trial, but {where} is not ({error}): restore the file from git.") from None
