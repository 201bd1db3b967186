"""Short names of forecasters."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from touchstone.errors import ConfigError, nearest
from touchstone.models._forecaster import Forecaster
from touchstone.models._lightgbm import LightGBM
from touchstone.models._ridge import Ridge

__all__ = ["list_models", "make", "model_class", "restore"]

_MODELS: dict[str, type[Ridge] | type[LightGBM]] = {model.name: model for model in (Ridge, LightGBM)}
_EVERYWHERE = ("seed", "threads")
_FITTED = ("feature_names", "intercept", "means", "weights", "text")


def list_models() -> tuple[str, ...]:
    """Names that `make` knows, sorted."""
    return tuple(sorted(_MODELS))


def make(name: str, **parameters: Any) -> Forecaster:
    """Make an unfitted forecaster.

    Parameters
    ----------
    name : str
        One of `list_models()`.
    **parameters
        Its parameters. Every model takes `seed` and `threads`; one that draws nothing or runs on one thread ignores them.

    Raises
    ------
    ConfigError
        An unknown model or parameter, with the nearest known one, or a value out of range.
    """
    model = model_class(name)
    own = {field.name for field in fields(model)} - set(_FITTED)
    for parameter in parameters:
        if parameter not in own and parameter not in _EVERYWHERE:
            raise ConfigError(f"Model '{name}' must be given known parameters, but got '{parameter}': {nearest(parameter, own)}.")
    return model(**{key: value for key, value in parameters.items() if key in own})


def restore(name: str, payload: bytes, *, threads: int = 1) -> Forecaster:
    """Read a fitted forecaster back from the bytes of its `dump`.

    Raises
    ------
    ConfigError
        An unknown model.
    LineageError
        Bytes that are no such model.
    """
    return model_class(name).restore(payload, threads=threads)


def model_class(name: str) -> type[Ridge] | type[LightGBM]:
    """The class behind a short name.

    Raises
    ------
    ConfigError
        An unknown name.
    """
    if name not in _MODELS:
        raise ConfigError(f"training.models must name known models, but got '{name}': {nearest(name, _MODELS)}.")
    return _MODELS[name]
