"""Where the tracking database is."""

from __future__ import annotations

import os
from pathlib import Path

from touchstone.errors import ConfigError

__all__ = ["tracking_url"]


def tracking_url(root: Path) -> str | None:
    """The tracking database: SQLite below `mlruns/`, or the database that ``TOUCHSTONE_TRACKING`` names; None when that says ``off``.

    Raises
    ------
    ConfigError
        The setting is neither ``off`` nor the URL of a database.
    """
    setting = os.environ.get("TOUCHSTONE_TRACKING", "")
    if setting == "off":
        return None
    if setting and not setting.startswith(("sqlite:", "postgresql")):
        raise ConfigError(f"TOUCHSTONE_TRACKING must be 'off' or a sqlite: or postgresql: URL, but got '{setting}': unset it for SQLite.")
    return setting or f"sqlite:///{root / 'mlruns' / 'mlflow.db'}"
