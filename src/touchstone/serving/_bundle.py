"""A model and all that it needs to be fed as it was in training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from touchstone.errors import LineageError
from touchstone.market import Timeframe
from touchstone.models import Forecaster, restore

if TYPE_CHECKING:
    from touchstone.tracking import ServedModel

__all__ = ["Bundle", "Card", "load_bundle"]

_MODEL, _CARD = "model.txt", "bundle.json"


class _Features(BaseModel):
    sets: tuple[str, ...]
    transform: Literal["rank", "zscore", "none"]


class Card(BaseModel):
    """What `bundle.json` says and the service uses; what else stands there is for people."""

    model_config = ConfigDict(frozen=True)

    model: str
    features: _Features
    columns: tuple[str, ...]
    lookback: int
    needs_benchmark: bool
    adjustment: Literal["none", "split", "total_return"]
    fields: tuple[str, ...]
    derived: tuple[str, ...] = ()
    macro_series: tuple[str, ...] | None = None
    calendar: str
    timeframe: Timeframe = "1d"
    max_age_sessions: int | None = None
    max_age_minutes: int | None = None


@dataclass(frozen=True)
class Bundle:
    """A version of the registered model, ready to score.

    Attributes
    ----------
    served : ServedModel
        Version, run, place and verdict, as the registry says.
    card : Card
        Feature sets, transform, columns and fields of the training.
    forecaster : Forecaster
    """

    served: ServedModel
    card: Card
    forecaster: Forecaster


def load_bundle(served: ServedModel) -> Bundle:
    """Read a version's files.

    Raises
    ------
    LineageError
        A file that is missing or broken, or a model that was fitted on other columns than the card says.
    """
    try:
        card = Card.model_validate_json((served.bundle / _CARD).read_bytes())
        forecaster = restore(card.model, (served.bundle / _MODEL).read_bytes())
    except OSError as error:
        raise LineageError(
            f"A version holds {_CARD} and {_MODEL}, but {_place(served)} lacks {_name(error)}: register the run again."
        ) from None
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"])) or "its text"
        raise LineageError(
            f"{_CARD} must say what the model needs, but in {_place(served)} {where} does not fit: register the run again."
        ) from None
    if forecaster.feature_names != card.columns:
        raise LineageError(
            f"A model must be fitted on the columns of its {_CARD}, but {_place(served)} has others: register the run again."
        )
    return Bundle(served, card, forecaster)


def _place(served: ServedModel) -> str:
    return f"version {served.version} (run {served.run_id})"


def _name(error: OSError) -> str:
    return Path(str(error.filename)).name
