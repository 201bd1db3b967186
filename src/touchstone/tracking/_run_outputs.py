"""The outputs of the last run as they lie below a project's data root, held against their manifest before anyone relies on them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone.errors import LineageError, name_few
from touchstone.lineage import Identity, canonical_json, digest
from touchstone.remote import Place
from touchstone.root import data_root

__all__ = [
    "DATA",
    "EQUITY",
    "MANIFEST",
    "SCORECARD",
    "TRIAL",
    "TRIALS",
    "TUNED",
    "VERDICT",
    "RunOutputs",
    "matching_payload",
    "open_outputs",
]

# What manifests call them, wherever the data root is.
DATA = "data/"
MANIFEST = "data/08_reporting/manifest.json"
VERDICT = "data/08_reporting/verdict.json"
SCORECARD = "data/08_reporting/scorecard.json"
TRIAL = "data/07_model_output/run_trial.json"
TRIALS = "data/06_models/trials.parquet"
TUNED = "data/06_models/tuned.json"
EQUITY = "data/07_model_output/equity.parquet"


@dataclass(frozen=True)
class RunOutputs:
    """A finished run of a project.

    Parameters
    ----------
    project : its folder.
    body : body of its manifest.
    """

    project: Path
    body: Mapping[str, Any]

    @property
    def run_id(self) -> str:
        """The run's id."""
        return str(self.body["run_id"])

    @property
    def identity(self) -> Identity:
        """The parts of the id, checked to make that id."""
        identity = Identity.from_dict(self.body["identity"])
        if identity.run_id != self.run_id:
            raise LineageError(
                f"A manifest must carry one run id, but got '{self.run_id}' and '{identity.run_id}': run the pipeline again."
            )
        return identity

    @property
    def body_bytes(self) -> bytes:
        """The body as its file holds it."""
        return (canonical_json(self.body) + "\n").encode()

    def payload(self, path: str) -> bytes:
        """The bytes of one output, checked against the manifest.

        Raises
        ------
        LineageError
            The manifest does not list it, it is not there, or it is not what the manifest says.
        """
        return matching_payload(data_root(self.project) / path.removeprefix(DATA), path, self.body["outputs"])

    def document(self, path: str) -> Any:
        """One JSON output, checked like `payload`."""
        return json.loads(self.payload(path))

    def below(self, folder: str) -> Iterable[str]:
        """The outputs below a folder, sorted."""
        return sorted(path for path in self.body["outputs"] if path.startswith(folder))


def open_outputs(project: Path) -> RunOutputs:
    """Open the outputs of the last finished run.

    Raises
    ------
    LineageError
        There is no manifest, or it is not one.
    """
    path = data_root(project) / MANIFEST.removeprefix(DATA)
    if not path.exists():
        raise LineageError(
            f"A finished run leaves {MANIFEST}, but {project.name}/ holds none: run `dvc repro` or `kedro run`, or `dvc pull`."
        )
    body = json.loads(path.read_bytes())
    missing = {"run_id", "identity", "outputs", "metrics"} - set(body)
    if missing:
        raise LineageError(f"{MANIFEST} must hold run_id, identity, outputs and metrics, but lacks {name_few(sorted(missing))}: run again.")
    return RunOutputs(project=project, body=body)


def matching_payload(file: Place, path: str, outputs: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Read a file that stands for an output of a manifest, and check that it is that output.

    Raises
    ------
    LineageError
        The manifest does not list it, it is not there, or it is not what the manifest says.
    """
    if path not in outputs:
        raise LineageError(f"The manifest must list '{path}', but it does not: run the pipeline again.")
    if not file.is_file():
        raise LineageError(f"The manifest lists '{path}', but the file is not there: bring it back with `dvc checkout` or run again.")
    payload = file.read_bytes()
    if digest(payload) != outputs[path]["sha256"]:
        raise LineageError(f"'{path}' must be what its manifest says, but its bytes differ: it was changed after the run; run again.")
    return payload
