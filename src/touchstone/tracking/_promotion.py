"""The only way to become champion: obey the verdict, and count every trial that is known by then."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from touchstone.errors import ConfigError, GateError, name_few
from touchstone.lineage import Scope, count_trials
from touchstone.root import project_root
from touchstone.tracking._ledger import Ledger
from touchstone.tracking._registration import open_client
from touchstone.tracking._registry import CANDIDATE, MODEL, ServedModel, find_version, resolve
from touchstone.tracking._run_outputs import MANIFEST, SCORECARD, TRIAL, VERDICT, matching_payload

__all__ = ["promote"]


def promote(root: Path | None = None, run_id: str | None = None, *, alias: str = "champion") -> ServedModel:
    """Move an alias to the model of a run whose verdict passed.

    Parameters
    ----------
    root : project folder (None: the one we are in).
    run_id : registered run, or the beginning of its id (None: the candidate's).
    alias : alias to move.

    Raises
    ------
    GateError
        A required rule of the gate failed or did not apply (the first five are named), or the ledgers know more overlapping trials by now
        than the verdict counted.
    LineageError
        The run is not registered, or what was registered with it has been changed since.
    ConfigError
        An alias that cannot be given.
    """
    _check_alias(alias)
    home = root or project_root()
    model = resolve(CANDIDATE, root=home) if run_id is None else find_version(run_id, root=home)
    _obey_verdict(model)
    _obey_ledger(model, home)
    open_client(home).set_registered_model_alias(MODEL, alias, str(model.version))
    return resolve(alias, root=home)


def _check_alias(alias: str) -> None:
    if alias in (CANDIDATE, "latest") or not re.fullmatch(r"[a-z][a-z0-9_-]*", alias) or re.fullmatch(r"v\d+", alias):
        raise ConfigError(
            f"Promotion moves an alias of lower-case letters, digits, - and _ (not candidate, latest, v1), but got '{alias}': use champion."
        )


def _obey_verdict(model: ServedModel) -> None:
    verdict = _evidence(model, VERDICT)
    if verdict["passed"]:
        return
    failed = [_outcome(rule) for rule in verdict["rules"] if rule["required"] and rule["outcome"] != "passed"]
    raise GateError(
        f"Only a run that passed its gate may be promoted, but run {model.run_id[:12]} was rejected by {len(failed)} rules: "
        f"{name_few(failed)}. Find a better alpha, not a softer gate."
    )


def _outcome(rule: Mapping[str, Any]) -> str:
    said = f"observed {rule['observed']}, threshold {rule['threshold']}" if rule["outcome"] == "failed" else rule["reason"]
    return f"{rule['name']} {str(rule['outcome']).replace('_', ' ')} ({said})"


def _obey_ledger(model: ServedModel, home: Path) -> None:
    scope = Scope.from_dict(_evidence(model, TRIAL)["scope"])
    counted, ledger = _evidence(model, SCORECARD)["luck"]["n_trials"], Ledger.at(home)
    known = count_trials(ledger.known(), ledger.live().trials(), scope)
    if known.n > counted:
        raise GateError(
            f"A verdict must have counted every trial that is known, but run {model.run_id[:12]} counted {counted} and "
            f"the ledgers know {known.n} by now: run it again, so that its Sharpe ratio is deflated by all of them."
        )


def _evidence(model: ServedModel, path: str) -> Any:
    outputs = json.loads((model.evidence / Path(MANIFEST).name).read_bytes())["outputs"]
    return json.loads(matching_payload(model.evidence / Path(path).name, path, outputs))
