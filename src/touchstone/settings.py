"""Kedro's settings of this project. Loaded before anything numeric, so the pins and the telemetry switches are set here."""

from __future__ import annotations

import os

from touchstone import arithmetic

arithmetic.pin_or_restart()
for _name, _value in {
    "DO_NOT_TRACK": "1",
    "KEDRO_DISABLE_TELEMETRY": "1",
    "BENTOML_DO_NOT_TRACK": "True",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DVC_NO_ANALYTICS": "1",
}.items():
    os.environ.setdefault(_name, _value)

from touchstone.configuration import TouchstoneConfigLoader  # noqa: E402 - after the pins
from touchstone.hooks import HOOKS as HOOKS  # noqa: E402

CONFIG_LOADER_CLASS = TouchstoneConfigLoader
CONFIG_LOADER_ARGS = {"base_env": "base", "default_run_env": "base"}
# Viz and telemetry hooks watch runs and slow them; neither is wanted here.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-viz", "kedro-telemetry")
