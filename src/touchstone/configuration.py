"""Kedro's configuration with the parameters taken from `params.yaml` at the root, where DVC looks for them too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from kedro.config import OmegaConfigLoader

from touchstone.errors import ConfigError
from touchstone.parameters import parse
from touchstone.root import data_address

__all__ = ["TouchstoneConfigLoader", "merge", "read_parameters"]


def read_parameters(path: Path) -> dict[str, Any]:
    """The raw parameters of a YAML file; an unreadable one is a ConfigError that says where."""
    try:
        values = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise ConfigError(f"A project has a params.yaml, but {path.parent.name}/ holds none: run in the project's folder.") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path.name} must be YAML, but it cannot be read: {str(error).splitlines()[-1].strip()}.") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path.name} must hold sections, but got {type(values).__name__}: start from the committed file.")
    return values


def merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """A new mapping in which `over` wins, section by section; neither argument is changed."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


class TouchstoneConfigLoader(OmegaConfigLoader):
    """`params.yaml`, then the environment's `parameters.yml`, then the run's own; checked before anything runs.

    Kedro's own patterns cannot read a file above `conf/` below a hidden folder, where `dvc exp run --temp` works.
    """

    def __getitem__(self, key: str) -> dict[str, Any]:
        if key == "globals":
            return self._globals_of_this_machine()
        if key != "parameters":
            return dict(super().__getitem__(key))
        root = Path(self.conf_source).parent
        values = read_parameters(root / "params.yaml")
        environment = Path(self.conf_source) / (self.env or self.default_run_env) / "parameters.yml"
        if environment.exists():
            values = merge(values, read_parameters(environment))
        return parse(merge(values, self.runtime_params or {})).model_dump(mode="json")

    def _globals_of_this_machine(self) -> dict[str, Any]:
        """Kedro's globals, with the data root that every command finds, whatever environment it was started in."""
        environment = Path(self.conf_source) / (self.env or self.default_run_env) / "globals.yml"
        if self.env not in (None, "base", "local") and environment.exists() and "data_root" in read_parameters(environment):
            raise ConfigError(
                f"The data root must be found by every command, but conf/{self.env}/globals.yml names one for its environment alone: "
                "say it in conf/local/globals.yml or in TOUCHSTONE_DATA_ROOT."
            )
        return {**super().__getitem__("globals"), "data_root": data_address(Path(self.conf_source).parent)}
