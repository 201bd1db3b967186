"""`runs/`: every run that was made, with what it takes to make it again, and the chain of their manifests."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from touchstone.atomic import one_writer, write_whole
from touchstone.errors import LineageError, name_few, nearest
from touchstone.lineage import Manifest, canonical_json, check_chain, code_hash, digest, ledger_hash
from touchstone.tracking._ledger import Ledger
from touchstone.tracking._run_outputs import DATA, MANIFEST, RunOutputs, open_outputs
from touchstone.tracking._tar import pack

__all__ = ["ArchivedRun", "RunStore"]

_CHAIN = "manifests.jsonl"
_LOCK = "requirements.lock"
_SETTINGS = "pyproject.toml"
_RAW = "data/01_raw/"


@dataclass(frozen=True)
class ArchivedRun:
    """One archived run.

    Parameters
    ----------
    run_id : its id.
    folder : `runs/<run_id>`: code.tar, project/ (params.yaml, lock, ledger as read, project settings), outputs/ (as below `data/`, raw
        snapshot included), manifest.json.
    manifest : its whole record.
    """

    run_id: str
    folder: Path
    manifest: Manifest

    @property
    def outputs(self) -> Path:
        """Folder with the outputs, laid out as below `data/`."""
        return self.folder / "outputs"


class RunStore:
    """The archive of runs below a project's `runs/`; manifests are never deleted.

    Parameters
    ----------
    root : the real project's folder.
    """

    def __init__(self, root: Path) -> None:
        self._runs = root / "runs"

    def archive(
        self, project: Path, *, parameters: Mapping[str, Any], code: Iterable[str], wiring: Iterable[str], envelope: Mapping[str, Any]
    ) -> ArchivedRun:
        """Archive the finished run whose outputs lie below a project folder; the same run again changes nothing.

        Parameters
        ----------
        project : folder with `data/`, the code and the lock; a copy of the root inside `dvc exp run --temp`.
        parameters : all resolved parameters, where-and-how-fast ones included.
        code : paths below the project of the files that make the code hash.
        wiring : paths of files that it takes to start the pipelines, but that decide no result (project settings, hooks).
        envelope : time, place and the like, from `touchstone.tracking.envelope`.

        Raises
        ------
        LineageError
            The outputs, code, lock or ledger are not those of the manifest; or a run of this id is known with other outputs or metrics.
        """
        run = open_outputs(project)
        with one_writer(self._runs):
            known = {manifest.run_id: manifest for manifest in self.manifests()}
            if run.run_id in known:
                _refuse_other_results(known[run.run_id].body, run.body)
            self._store_files(run, _archived_files(run, parameters, sorted(code), [_SETTINGS, *wiring]))
            manifest = self._chain(Manifest(body=run.body, envelope=envelope))
            folder = self._runs / run.run_id
            write_whole(folder / "manifest.json", _line(manifest))
        return ArchivedRun(run_id=run.run_id, folder=folder, manifest=manifest)

    def manifests(self) -> tuple[Manifest, ...]:
        """Every record, oldest first, with its chain checked.

        Raises
        ------
        LineageError
            A record was changed or taken out.
        """
        path = self._runs / _CHAIN
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        records = tuple(Manifest.from_dict(json.loads(line)) for line in lines)
        check_chain(records)
        return records

    def run_ids(self) -> tuple[str, ...]:
        """The ids of all runs, oldest first."""
        return tuple(manifest.run_id for manifest in self.manifests())

    def get(self, run_id: str) -> ArchivedRun:
        """An archived run by its id or the beginning of it.

        Raises
        ------
        LineageError
            No run or several have an id that begins so, or its archive is gone.
        """
        found = [manifest for manifest in self.manifests() if manifest.run_id.startswith(run_id)]
        if len(found) != 1 or not run_id:
            known = [known[:12] for known in self.run_ids()] if not found else [manifest.run_id[:16] for manifest in found]
            raise LineageError(f"A run id must name one archived run, but '{run_id}' names {len(found)}: {nearest(run_id[:12], known)}.")
        folder = self._runs / found[0].run_id
        if not (folder / "code.tar").is_file():
            raise LineageError(
                f"The archive of run {run_id[:12]} must lie in {folder.name[:12]}…/, but it is gone: run it again to archive it anew."
            )
        return ArchivedRun(run_id=found[0].run_id, folder=folder, manifest=found[0])

    def _store_files(self, run: RunOutputs, files: Iterable[tuple[str, bytes]]) -> None:
        """Stage the whole archive beside its place and rename, so that a killed run leaves none or all of it."""
        folder = self._runs / run.run_id
        if (folder / "code.tar").is_file():
            return
        staged = self._runs / ".staged" / run.run_id
        shutil.rmtree(staged.parent, ignore_errors=True)
        for name, payload in files:
            (staged / name).parent.mkdir(parents=True, exist_ok=True)
            (staged / name).write_bytes(payload)
        shutil.rmtree(folder, ignore_errors=True)
        staged.rename(folder)

    def _chain(self, manifest: Manifest) -> Manifest:
        records = self.manifests()
        earlier = next((record for record in records if record.run_id == manifest.run_id), None)
        if earlier is not None:
            return earlier
        chained = manifest.after(records[-1] if records else None)
        write_whole(self._runs / _CHAIN, b"".join(_line(record) for record in (*records, chained)))
        return chained


def _archived_files(run: RunOutputs, parameters: Mapping[str, Any], code: list[str], wiring: list[str]) -> Iterable[tuple[str, bytes]]:
    identity, project = run.identity, run.project
    sources = {path: (project / path).read_bytes() for path in code}
    lock = (project / _LOCK).read_bytes()
    trials = Ledger.at(project).known()
    _refuse_if_changed("code", code_hash(sources), identity.code)
    _refuse_if_changed(_LOCK, digest(lock), identity.lock)
    _refuse_if_changed("ledger of known trials", ledger_hash(trials), identity.ledger)
    if not run.below(_RAW):
        raise LineageError(f"A run's archive needs its raw snapshot, but the manifest lists nothing below {_RAW}: declare it as an output.")
    yield "code.tar", pack(sources)
    yield f"project/{_LOCK}", lock
    for path in wiring:
        yield f"project/{path}", (project / path).read_bytes()
    yield "project/params.yaml", yaml.safe_dump(json.loads(json.dumps(parameters)), sort_keys=False).encode()  # as they were, also in order
    yield "project/ledger/known.jsonl", "".join(f"{canonical_json(trial.to_dict())}\n" for trial in trials).encode()
    for path in run.below(DATA):
        yield f"outputs/{path.removeprefix(DATA)}", run.payload(path)
    yield f"outputs/{MANIFEST.removeprefix(DATA)}", run.body_bytes


def _refuse_if_changed(what: str, observed: str, expected: str) -> None:
    if observed != expected:
        raise LineageError(
            f"The {what} must be what the run's identity says, but its hash is {observed[:12]}, not {expected[:12]}: "
            "it changed since the run began; run again."
        )


def _refuse_other_results(known: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """The same id stands for the same code, data and parameters: other results mean that something undeclared decides them."""
    differing = [f"{kind} '{name}'" for kind in ("metrics", "outputs") for name in _differing(known[kind], new[kind])]
    if differing:
        raise LineageError(
            f"A run id must always give the same results, but run {str(new['run_id'])[:12]} is known with other {name_few(differing)}: "
            "something outside code, data, parameters, lock, seed and ledger decides them; find it before trusting either run."
        )


def _differing(known: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in {*known, *new} if canonical_json(known.get(name)) != canonical_json(new.get(name)))


def _line(manifest: Manifest) -> bytes:
    return (canonical_json(manifest.to_dict()) + "\n").encode()
