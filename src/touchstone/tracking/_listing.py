"""What the registry holds, read from its tables: the service need not load MLflow for a list."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy.pool import NullPool

from touchstone.errors import LineageError
from touchstone.tracking._database import tracking_url
from touchstone.tracking._live import with_driver
from touchstone.tracking._registry import MODEL

__all__ = ["RegisteredModel", "registered_models"]

_KEYS = ("workspace", "name", "version")
_VERSIONS = sa.table("model_versions", *map(sa.column, (*_KEYS, "current_stage")))
_TAGS = sa.table("model_version_tags", *map(sa.column, (*_KEYS, "key", "value")))
_ALIASES = sa.table("registered_model_aliases", *map(sa.column, (*_KEYS, "alias")))


class RegisteredModel(BaseModel):
    """One version: which run made it, what the gate said about it, and the aliases it carries."""

    version: str
    run_id: str
    verdict: str
    aliases: list[str]


def registered_models(root: Path) -> list[RegisteredModel]:
    """Every version of the registered model, newest first.

    Raises
    ------
    LineageError
        The registry cannot be read.
    """
    url = sa.make_url(with_driver(tracking_url(root) or "sqlite://"))
    if url.get_backend_name() == "sqlite" and not (url.database and Path(url.database).is_file()):  # connecting would make an empty one
        raise LineageError("The registry must be readable, but there is none: make it with `touchstone register`.")
    engine = sa.create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            kept = _ours(_VERSIONS, "version").where(_VERSIONS.c.current_stage != "Deleted_Internal")
            versions, tags, aliases = map(
                connection.execute, (kept, _ours(_TAGS, "version", "key", "value"), _ours(_ALIASES, "version", "alias"))
            )
            return _models([int(row.version) for row in versions], list(tags), list(aliases))
    except (sa.exc.OperationalError, sa.exc.ProgrammingError):
        raise LineageError("The registry must be readable, but it is not: rebuild it with `touchstone register`.") from None


def _ours(table: sa.TableClause, *columns: str) -> sa.Select[Any]:
    return sa.select(*(table.c[column] for column in columns)).where(table.c.workspace == "default", table.c.name == MODEL)


def _models(versions: list[int], tags: Iterable[sa.Row[Any]], aliases: Iterable[sa.Row[Any]]) -> list[RegisteredModel]:
    told = {(int(tag.version), tag.key): str(tag.value) for tag in tags}
    carried = sorted((int(carrier.version), str(carrier.alias)) for carrier in aliases)
    return [
        RegisteredModel(
            version=str(version),
            run_id=told.get((version, "run_id"), ""),
            verdict=told.get((version, "verdict"), "rejected"),
            aliases=[alias for carrier, alias in carried if carrier == version],
        )
        for version in sorted(versions, reverse=True)
    ]
