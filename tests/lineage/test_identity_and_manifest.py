from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from touchstone.errors import LineageError
from touchstone.lineage import Identity, Manifest, canonical_json, check_chain, digest, manifest_body, run_id, task_seed

IDENTITY = Identity(parameters={"labels": {"horizon": 5}}, data={"bars": "b" * 64}, code="c" * 64, lock="d" * 64, seed=7, ledger="e" * 64)


def test_the_run_id_is_the_hash_of_its_parts() -> None:
    text = json.dumps(IDENTITY.parts(), sort_keys=True, separators=(",", ":"))
    assert IDENTITY.run_id == hashlib.sha256(text.encode()).hexdigest() == run_id(IDENTITY.parts())


@pytest.mark.parametrize(
    "change",
    [{"parameters": {}}, {"data": {"bars": "x"}}, {"code": "x"}, {"lock": "x"}, {"seed": 8}, {"ledger": "x"}],
)
def test_every_part_changes_the_run_id(change: dict[str, object]) -> None:
    assert replace(IDENTITY, **change).run_id != IDENTITY.run_id


def test_an_identity_reads_back_and_a_changed_one_is_refused() -> None:
    written = json.loads(canonical_json(IDENTITY.to_dict()))
    assert Identity.from_dict(written) == IDENTITY
    with pytest.raises(LineageError, match="must follow from its parts"):
        Identity.from_dict({**written, "seed": 8})
    with pytest.raises(LineageError, match="clock"):
        Identity.from_dict({**written, "clock": 1})


def test_the_body_knows_parts_outputs_and_rounded_metrics_only() -> None:
    outputs = {"data/b": {"size": 2, "sha256": "y", "mtime": 1}, "data/a": {"size": 1, "sha256": "x"}}
    body = manifest_body(IDENTITY, outputs=outputs, metrics={"sharpe": 1 / 3})
    assert body == {
        "run_id": IDENTITY.run_id,
        "identity": IDENTITY.to_dict(),
        "outputs": {"data/a": {"size": 1, "sha256": "x"}, "data/b": {"size": 2, "sha256": "y"}},
        "metrics": {"sharpe": 0.3333333333},
    }


def chain(length: int) -> list[Manifest]:
    records: list[Manifest] = []
    for number in range(length):
        record = Manifest(body={"run_id": str(number)}, envelope={"time": number})
        records.append(record.after(records[-1] if records else None))
    return records


def test_each_record_names_the_whole_record_before_it() -> None:
    first, second, third = chain(3)
    assert first.envelope["chain_prev"] is None
    assert second.envelope["chain_prev"] == digest(canonical_json(first.to_dict()).encode())
    check_chain([first, second, third])
    assert Manifest.from_dict(json.loads(canonical_json(third.to_dict()))) == third


def test_a_changed_or_missing_record_breaks_the_chain() -> None:
    first, second, third = chain(3)
    forged = Manifest(body={"run_id": "better"}, envelope=second.envelope)
    for broken in ([second, third], [first, third], [first, forged, third]):
        with pytest.raises(LineageError, match="hash of the one before it"):
            check_chain(broken)


def test_a_manifest_needs_both_parts() -> None:
    with pytest.raises(LineageError, match="body and an envelope"):
        Manifest.from_dict({"body": {}})


def test_task_seeds_are_pinned_and_differ_by_every_part() -> None:
    head = hashlib.sha256(b'[7,"training","fit",0]').digest()[:4]
    assert task_seed(7, "training", "fit", 0) == int.from_bytes(head, "big") & 0x7FFFFFFF
    seeds = {task_seed(7, "training", "fit", 0), task_seed(8, "training", "fit", 0), task_seed(7, "backtest", "fit", 0)}
    seeds |= {task_seed(7, "training", "tune", 0), task_seed(7, "training", "fit", 1), task_seed(7, "training", "fit", "0")}
    assert len(seeds) == 6
    assert all(0 <= task_seed(7, "p", "s", task) < 2**31 for task in range(200))
