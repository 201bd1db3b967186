"""Put a finished run into MLflow's registry: a view of what lies below `data/`, which can be rebuilt from it at any time."""

from __future__ import annotations

import io
import json
import logging
import math
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from touchstone.errors import LineageError
from touchstone.lineage import digest
from touchstone.root import project_root
from touchstone.tracking._ledger import Ledger
from touchstone.tracking._live import with_driver
from touchstone.tracking._registry import CANDIDATE, MODEL, ServedModel, required_url, resolve
from touchstone.tracking._run_outputs import MANIFEST, SCORECARD, TRIAL, TRIALS, VERDICT, RunOutputs, open_outputs

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

__all__ = ["open_client", "register"]

_REPORTING = "data/08_reporting/"
_BUNDLE = ("data/06_models/model.txt", "data/06_models/bundle.json")
_EVIDENCE = (VERDICT, SCORECARD, TRIAL, f"{_REPORTING}identity.json", f"{_REPORTING}metrics.json")
_RUN_TAG = "touchstone.run_id"
_LONGEST_VALUE = 6000


def register(root: Path | None = None) -> ServedModel:
    """Register the finished run below `data/` as a version of the model and move the alias `candidate` to it.

    A rejected run is registered too, tagged so. Registering the same run again only moves the alias back to it.

    Parameters
    ----------
    root : project folder (None: the one we are in).

    Raises
    ------
    LineageError
        No finished run, outputs that are not what their manifest says, or the same run id with other outputs.
    ConfigError
        Tracking is off.
    """
    home = root or project_root()
    run = open_outputs(home)
    client = open_client(home)
    version = _version_of(client, run) or _new_version(client, run, home)
    client.set_registered_model_alias(MODEL, CANDIDATE, version.version)
    ledger = Ledger.at(home)
    ledger.live().add(ledger.known())
    return resolve(CANDIDATE, root=home)


def open_client(home: Path) -> MlflowClient:
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    (home / "mlruns").mkdir(exist_ok=True)
    return MlflowClient(tracking_uri=with_driver(required_url(home)))


def _version_of(client: MlflowClient, run: RunOutputs) -> ModelVersion | None:
    found = [version for version in client.search_model_versions(f"name = '{MODEL}'") if version.tags.get("run_id") == run.run_id]
    if found and found[0].tags.get("manifest") != digest(run.body_bytes):
        raise LineageError(
            f"A run id must always give the same results, but run {run.run_id[:12]} is registered with other outputs: "
            "something outside its identity decides them; find it before registering."
        )
    return found[0] if found else None


def _new_version(client: MlflowClient, run: RunOutputs, home: Path) -> ModelVersion:
    verdict = "passed" if run.document(VERDICT)["passed"] else "rejected"
    experiment = _experiment(client, home)
    for half in client.search_runs([experiment], f"tags.`{_RUN_TAG}` = '{run.run_id}'"):
        client.delete_run(half.info.run_id)  # left by a registration that was killed
    tags = {_RUN_TAG: run.run_id, "verdict": verdict}
    parent = client.create_run(experiment, tags=tags, run_name=run.run_id[:12])
    _log(client, parent.info.run_id, _flat(run.identity.parameters), run.body["metrics"])
    _log_files(client, parent.info.run_id, run)
    _log_trials(client, experiment, parent.info.run_id, run)
    client.set_terminated(parent.info.run_id)
    if not client.search_registered_models(f"name = '{MODEL}'"):
        client.create_registered_model(MODEL)
    tags = {"run_id": run.run_id, "verdict": verdict, "manifest": digest(run.body_bytes)}
    return client.create_model_version(MODEL, source=f"{parent.info.artifact_uri}/bundle", run_id=parent.info.run_id, tags=tags)


def _experiment(client: MlflowClient, home: Path) -> str:
    known = client.get_experiment_by_name(MODEL)
    if known is not None:
        return str(known.experiment_id)
    return str(client.create_experiment(MODEL, artifact_location=(home / "mlruns" / "artifacts").resolve().as_uri()))


def _log_files(client: MlflowClient, mlflow_run: str, run: RunOutputs) -> None:
    folders = {
        "bundle": {path: run.payload(path) for path in _BUNDLE},
        "evidence": {**{path: run.payload(path) for path in _EVIDENCE}, MANIFEST: run.body_bytes},
        "report": {path: run.payload(path) for path in run.below(_REPORTING) if path.endswith((".html", ".md", ".svg"))},
    }
    with tempfile.TemporaryDirectory() as place:
        for folder, files in folders.items():
            for path, payload in files.items():
                file = Path(place, folder, Path(path).name)
                file.parent.mkdir(exist_ok=True)
                file.write_bytes(payload)
        client.log_artifacts(mlflow_run, place)


def _log_trials(client: MlflowClient, experiment: str, parent: str, run: RunOutputs) -> None:
    for trial in pd.read_parquet(io.BytesIO(run.payload(TRIALS))).to_dict("records"):
        tags = {"mlflow.parentRunId": parent, _RUN_TAG: run.run_id}
        child = client.create_run(experiment, tags=tags, run_name=f"trial {trial['number']}").info.run_id
        parameters = {"model": trial["model"], **json.loads(trial["parameters"])}
        numbers = {str(name): value for name, value in trial.items() if name not in ("number", "model", "parameters")}
        _log(client, child, _flat(parameters), numbers)
        client.set_terminated(child)


def _log(client: MlflowClient, mlflow_run: str, parameters: Mapping[str, Any], numbers: Mapping[str, Any]) -> None:
    from mlflow.entities import Metric, Param

    now = int(time.time() * 1000)
    metrics = [Metric(name, float(value), now, 0) for name, value in _flat(numbers).items() if _is_number(value)]
    params = [Param(name, str(value)[:_LONGEST_VALUE]) for name, value in parameters.items()]
    client.log_batch(mlflow_run, metrics=metrics)
    for start in range(0, len(params), 100):  # the most that MLflow takes at once
        client.log_batch(mlflow_run, params=params[start : start + 100])


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    return dict(_leaves(values, ""))


def _leaves(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
