"""What makes a run the run it is, and the id that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from touchstone.errors import LineageError, name_few
from touchstone.lineage._canonical import canonical_json, digest

__all__ = ["Identity", "run_id"]

_PARTS = ("code", "data", "ledger", "lock", "parameters", "seed")


def run_id(parts: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON of the parts of an identity."""
    return digest(canonical_json(dict(parts)).encode())


@dataclass(frozen=True)
class Identity:
    """The parts of a run's id; metrics are not among them: the same id with other metrics is a fault.

    Parameters
    ----------
    parameters : resolved parameters without where-and-how-fast ones, JSON-ready.
    data : name → data hash of each input table.
    code : code hash.
    lock : SHA-256 of `requirements.lock`.
    seed : the run's seed.
    ledger : hash of the ledger of known trials as read.
    """

    parameters: Mapping[str, Any]
    data: Mapping[str, str]
    code: str
    lock: str
    seed: int
    ledger: str

    @property
    def run_id(self) -> str:
        """SHA-256 of the canonical JSON of all parts."""
        return run_id(self.parts())

    def parts(self) -> dict[str, Any]:
        """The parts by name."""
        return {name: getattr(self, name) for name in _PARTS}

    def to_dict(self) -> dict[str, Any]:
        """The parts with the run id beside them, as `identity.json` holds them."""
        return {"run_id": self.run_id, **self.parts()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Identity:
        """Read what `to_dict` wrote.

        Raises
        ------
        LineageError
            A part is missing or unknown, or the run id does not follow from the parts.
        """
        odd = sorted(set(values) ^ {"run_id", *_PARTS})
        if odd:
            raise LineageError(f"An identity has exactly the parts run_id, {', '.join(_PARTS)}, but odd here: {name_few(odd)}.")
        identity = cls(**{name: values[name] for name in _PARTS})
        if identity.run_id != values["run_id"]:
            raise LineageError(
                f"A run id must follow from its parts, but '{values['run_id']}' was given where the parts make '{identity.run_id}': "
                "the identity was changed after the run; run it again."
            )
        return identity
