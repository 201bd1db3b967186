"""Where a number comes from: canonical JSON, hashes, run ids, manifests and trials (pure: nothing here reads a file)."""

from __future__ import annotations

from touchstone.lineage._canonical import canonical_json, digest, round_metrics
from touchstone.lineage._code import closure, code_hash
from touchstone.lineage._data import data_hash
from touchstone.lineage._identity import Identity, run_id
from touchstone.lineage._manifest import Manifest, check_chain, manifest_body
from touchstone.lineage._recorder import Sink, record, recorder, recording
from touchstone.lineage._seed import task_seed
from touchstone.lineage._trials import Scope, Trial, TrialCount, count_trials, ledger_hash, searched_trials, trial_key

__all__ = [
    "Identity",
    "Manifest",
    "Scope",
    "Sink",
    "Trial",
    "TrialCount",
    "canonical_json",
    "check_chain",
    "closure",
    "code_hash",
    "count_trials",
    "data_hash",
    "digest",
    "ledger_hash",
    "manifest_body",
    "record",
    "recorder",
    "recording",
    "round_metrics",
    "run_id",
    "searched_trials",
    "task_seed",
    "trial_key",
]
