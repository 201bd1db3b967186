"""The live ledger: every trial with its return series, in SQLite or PostgreSQL."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.pool import NullPool

from touchstone.errors import LineageError
from touchstone.lineage import Scope, Trial, canonical_json
from touchstone.types import FloatArray

__all__ = ["LiveLedger", "with_driver"]

_METADATA = sa.MetaData()
# Optuna calls a table of its own `trials`; both may share one database.
_TRIALS = sa.Table(
    "ledger_trials",
    _METADATA,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("code", sa.String(64), primary_key=True),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("sharpe", sa.Double),
    sa.Column("n", sa.BigInteger, nullable=False),
    sa.Column("skewness", sa.Double),
    sa.Column("kurtosis", sa.Double),
)
_RETURNS = sa.Table(
    "ledger_returns",
    _METADATA,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("code", sa.String(64), primary_key=True),
    sa.Column("returns", sa.LargeBinary, nullable=False),
)
_CREATION_LOCK = 0x70756368  # any number, the same for everyone


class LiveLedger:
    """Everything that was ever tried; filled idempotently, never emptied.

    Parameters
    ----------
    url : ``sqlite:///path`` or ``postgresql://…``; tables are created when missing.

    Raises
    ------
    LineageError
        The database does not answer.
    """

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(with_driver(url), poolclass=NullPool)
        if self._engine.dialect.name == "sqlite" and self._engine.url.database:
            Path(self._engine.url.database).parent.mkdir(parents=True, exist_ok=True)
        try:
            self._create_tables()
        except sa.exc.OperationalError as error:
            place = self._engine.url.render_as_string(hide_password=True)
            raise LineageError(
                f"The live ledger must be reachable, but {place} is not ({error.orig}): start it or unset its URL."
            ) from None

    def add(self, trials: Iterable[Trial], *, returns: Mapping[str, FloatArray] | None = None, code: str = "") -> int:
        """Add the trials that are missing under this code, and the return series that are missing.

        Parameters
        ----------
        trials : trials to add.
        returns : key → simple returns per period (n,), for those that have them.
        code : code hash; the same configuration under other code is kept beside the first.

        Returns
        -------
        How many trials were added.
        """
        rows = [_row(trial, code) for trial in {trial.key: trial for trial in trials}.values()]
        series = [
            {"key": key, "code": code, "returns": np.ascontiguousarray(values, dtype="<f8").tobytes()}
            for key, values in (returns or {}).items()
        ]
        with self._engine.begin() as connection:
            before = _count(connection)
            for table, items in ((_TRIALS, rows), (_RETURNS, series)):
                if items:
                    connection.execute(self._insert(table), items)
            return _count(connection) - before

    def record(self, trial: Trial, returns: FloatArray | None = None) -> None:
        """Add one trial; made to be installed with `touchstone.lineage.recording`."""
        self.add((trial,), returns=None if returns is None else {trial.key: returns})

    def trials(self) -> tuple[Trial, ...]:
        """Every trial, by key and code; a key tried under several codes comes once for each."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(_TRIALS).order_by(_TRIALS.c.key, _TRIALS.c.code)).mappings().all()
        return tuple(_trial(row) for row in rows)

    def returns(self, key: str, *, code: str = "") -> FloatArray:
        """The return series of a trial, simple returns per period (n,).

        Raises
        ------
        LineageError
            The ledger holds none for this key and code.
        """
        wanted = sa.select(_RETURNS.c.returns).where(_RETURNS.c.key == key, _RETURNS.c.code == code)
        with self._engine.connect() as connection:
            payload = connection.execute(wanted).scalar()
        if payload is None:
            raise LineageError(f"The live ledger must hold a return series for trial '{key[:12]}', but it holds none: run the trial again.")
        return np.frombuffer(payload, dtype="<f8").astype(np.float64)

    def _create_tables(self) -> None:
        with self._engine.begin() as connection:
            if self._engine.dialect.name == "postgresql":  # two processes that create a table at once collide without it
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_CREATION_LOCK)))
            _METADATA.create_all(connection)

    def _insert(self, table: sa.Table) -> sa.Insert:
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        return dialect.insert(table).on_conflict_do_nothing()


def with_driver(url: str) -> str:
    """Name the PostgreSQL driver that is installed where a URL names none."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def _row(trial: Trial, code: str) -> dict[str, Any]:
    return {**trial.to_dict(), "scope": canonical_json(trial.scope.to_dict()), "code": code}


def _trial(row: sa.RowMapping) -> Trial:
    numbers = {name: math.nan if row[name] is None else row[name] for name in ("sharpe", "skewness", "kurtosis")}
    return Trial(key=row["key"], scope=Scope.from_dict(json.loads(row["scope"])), n=row["n"], **numbers)


def _count(connection: sa.Connection) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(_TRIALS)).scalar_one())
