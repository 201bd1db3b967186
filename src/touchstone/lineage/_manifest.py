"""The record of a run: a body that a repetition must reproduce, and an envelope that it cannot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from touchstone.errors import LineageError
from touchstone.lineage._canonical import canonical_json, digest, round_metrics
from touchstone.lineage._identity import Identity

__all__ = ["Manifest", "check_chain", "manifest_body"]


def manifest_body(identity: Identity, *, outputs: Mapping[str, Mapping[str, Any]], metrics: Mapping[str, Any]) -> dict[str, Any]:
    """What the last stage writes: id parts, outputs and metrics; nothing in it knows time or place.

    Parameters
    ----------
    identity : identity of the run.
    outputs : path below the project → ``{"size": bytes, "sha256": hex}``.
    metrics : numbers by name, rounded here to 10 significant digits.
    """
    return {
        "run_id": identity.run_id,
        "identity": identity.to_dict(),
        "outputs": {path: {"size": held["size"], "sha256": held["sha256"]} for path, held in sorted(outputs.items())},
        "metrics": round_metrics(metrics),
    }


@dataclass(frozen=True)
class Manifest:
    """One whole record.

    Parameters
    ----------
    body : id parts, outputs, metrics: what `verify` compares.
    envelope : time, place, commit, environment, durations, and ``chain_prev``, the hash of the record before this one (None for the first).
    """

    body: Mapping[str, Any]
    envelope: Mapping[str, Any]

    @property
    def run_id(self) -> str:
        """The run's id, as the body says it."""
        return str(self.body["run_id"])

    @property
    def record_hash(self) -> str:
        """SHA-256 of the canonical JSON of the whole record: what the next record's ``chain_prev`` holds."""
        return digest(canonical_json(self.to_dict()).encode())

    def to_dict(self) -> dict[str, Any]:
        """Body and envelope by name."""
        return {"body": dict(self.body), "envelope": dict(self.envelope)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Manifest:
        """Read what `to_dict` wrote.

        Raises
        ------
        LineageError
            No body or no envelope.
        """
        if not {"body", "envelope"} <= set(values):
            raise LineageError(f"A manifest has a body and an envelope, but got: {', '.join(sorted(values)) or 'nothing'}.")
        return cls(body=values["body"], envelope=values["envelope"])

    def after(self, previous: Manifest | None) -> Manifest:
        """The same record, chained behind another one (None: the first of its chain)."""
        link = None if previous is None else previous.record_hash
        return Manifest(body=self.body, envelope={**self.envelope, "chain_prev": link})


def check_chain(records: Iterable[Manifest]) -> None:
    """Check that each record names the hash of the one before it, so that none was changed or taken out.

    Raises
    ------
    LineageError
        The first broken link, with its position and run id.
    """
    link: str | None = None
    for position, record in enumerate(records, start=1):
        if record.envelope.get("chain_prev") != link:
            raise LineageError(
                f"Each manifest must name the hash of the one before it, but record {position} (run {record.run_id[:12]}) names "
                f"{record.envelope.get('chain_prev')} instead of {link}: an earlier record was changed or removed."
                " Bring the file back from a copy."
            )
        link = record.record_hash
