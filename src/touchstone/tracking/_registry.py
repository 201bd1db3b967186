"""Who serves: the registry's aliases, read from its tables, so that the service need not load MLflow (3 s, 240 MB)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlparse

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from touchstone.errors import ConfigError, LineageError
from touchstone.root import project_root
from touchstone.tracking._database import tracking_url
from touchstone.tracking._live import with_driver

__all__ = ["CANDIDATE", "MODEL", "ServedModel", "find_version", "required_url", "resolve"]

MODEL = "touchstone"
CANDIDATE = "candidate"
_WORKSPACE = "default"
_DELETED = "Deleted_Internal"

_ALIASES = sa.table("registered_model_aliases", *map(sa.column, ("workspace", "name", "alias", "version")))
_VERSIONS = sa.table("model_versions", *map(sa.column, ("workspace", "name", "version", "source", "storage_location", "current_stage")))
_TAGS = sa.table("model_version_tags", *map(sa.column, ("workspace", "name", "version", "key", "value")))


@dataclass(frozen=True)
class ServedModel:
    """A version of the registered model.

    Parameters
    ----------
    version : number in the registry.
    run_id : run that made it.
    bundle : folder with the model file and bundle.json.
    verdict : "passed" or "rejected".
    """

    version: int
    run_id: str
    bundle: Path
    verdict: str

    @property
    def evidence(self) -> Path:
        """Folder with verdict.json, scorecard.json, run_trial.json, identity.json, metrics.json and manifest.json of the run."""
        return self.bundle.parent / "evidence"


def resolve(alias: str, *, root: Path | None = None) -> ServedModel:
    """The version of the model that carries an alias.

    Parameters
    ----------
    alias : "champion", "candidate" or another one that was given.
    root : project folder (None: the one we are in).

    Raises
    ------
    LineageError
        No registry, no such alias, or its files are not where the registry says.
    """
    carries = sa.select(_ALIASES.c.version).where(_ALIASES.c.workspace == _WORKSPACE, _ALIASES.c.name == MODEL, _ALIASES.c.alias == alias)
    found = _read(_VERSIONS.c.version.in_(carries), root or project_root())
    if not found:
        raise LineageError(
            f"A model must carry the alias '{alias}' to be used by it, but none does: promote a run that passed (`touchstone promote`), "
            f"or use the newest one with TOUCHSTONE_ALIAS={CANDIDATE} (`touchstone register` makes it)."
        )
    return _with_files(found[0])


def find_version(run_id: str, *, root: Path) -> ServedModel:
    """The version of the model that a run made, by the run's id or the beginning of it.

    Raises
    ------
    LineageError
        No registered run or several have an id that begins so.
    """
    tagged = sa.select(_TAGS.c.version).where(
        _TAGS.c.workspace == _WORKSPACE, _TAGS.c.name == MODEL, _TAGS.c.key == "run_id", _TAGS.c.value.startswith(run_id, autoescape=True)
    )
    found = _read(_VERSIONS.c.version.in_(tagged), root)
    if len(found) != 1:
        raise LineageError(
            f"A run id must name one registered run, but '{run_id}' names {len(found)}: run `touchstone register` after the run."
        )
    return _with_files(found[0])


def required_url(root: Path) -> str:
    """The tracking database's URL.

    Raises
    ------
    ConfigError
        Tracking is off.
    """
    url = tracking_url(root)
    if url is None:
        raise ConfigError("The registry needs tracking, but TOUCHSTONE_TRACKING is 'off': unset it.")
    return url


def _read(condition: sa.ColumnElement[bool], root: Path) -> list[ServedModel]:
    engine = sa.create_engine(with_driver(required_url(root)), poolclass=NullPool)
    database = engine.url.database
    if engine.dialect.name == "sqlite" and not (database and Path(database).is_file()):  # connecting would make an empty one
        return []
    kept = (_VERSIONS.c.workspace == _WORKSPACE, _VERSIONS.c.name == MODEL, _VERSIONS.c.current_stage != _DELETED)
    try:
        with engine.connect() as connection:
            rows = connection.execute(sa.select(_VERSIONS).where(condition, *kept)).mappings().all()
            return [_served(row, _tags(connection, row["version"])) for row in rows]
    except sa.exc.DatabaseError as error:  # no tables, no database, or nobody there
        place = engine.url.render_as_string(hide_password=True)
        raise LineageError(
            f"The registry must be readable, but {place} is not ({error.orig}): rebuild it with `touchstone register`."
        ) from None


def _tags(connection: sa.Connection, version: int) -> dict[str, str]:
    wanted = sa.select(_TAGS.c.key, _TAGS.c.value).where(_TAGS.c.workspace == _WORKSPACE, _TAGS.c.name == MODEL, _TAGS.c.version == version)
    return dict(connection.execute(wanted).tuples().all())


def _served(row: sa.RowMapping, tags: dict[str, str]) -> ServedModel:
    place = urlparse(row["storage_location"] or row["source"])
    if place.scheme not in ("file", ""):
        raise LineageError(f"A model's bundle must be a local folder, but the registry says {place.geturl()}: register it again here.")
    return ServedModel(int(row["version"]), tags.get("run_id", ""), Path(unquote(place.path)), tags.get("verdict", "rejected"))


def _with_files(model: ServedModel) -> ServedModel:
    if not (model.bundle / "bundle.json").is_file():
        raise LineageError(
            f"Version {model.version} of the model must have its files where the registry says, but they are gone or were moved: "
            "delete mlruns/ and run `touchstone register` to rebuild the registry."
        )
    return model
