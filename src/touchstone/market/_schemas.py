"""The shape of every table, and the check that a table has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pandera.pandas as pa

from touchstone.errors import ConfigError, DataError, moment, name_few, nearest

__all__ = ["BAR_FIELDS", "PRICE_FIELDS", "empty_table", "validate"]

BAR_FIELDS = ("open", "high", "low", "close", "volume", "vwap")
PRICE_FIELDS = ("open", "high", "low", "close", "vwap")

_DATE, _STR, _FLOAT = "datetime64[us]", "str", "float64"
_KINDS = ("split", "dividend", "spinoff", "delisting")
_SEVERITIES = ("error", "warning")
_OUTCOMES = ("kept", "quarantined", "repaired")


@dataclass(frozen=True)
class _Table:
    """One table: its columns (index levels first) with their types, and the rules its values obey."""

    columns: Mapping[str, str]
    index: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    sorted_unique: bool = False
    unique: tuple[str, ...] = ()
    allow_nan: bool = False
    checks: Mapping[str, pa.Check] = field(default_factory=dict)
    frame_checks: tuple[pa.Check, ...] = ()

    def schema(self, present: pd.Index) -> pa.DataFrameSchema:
        columns = {
            name: pa.Column(nullable=self.allow_nan and dtype == _FLOAT, checks=self.checks.get(name))
            for name, dtype in self.columns.items()
            if name in present
        }
        return pa.DataFrameSchema(columns, checks=list(self.frame_checks))


def _positive() -> pa.Check:
    return pa.Check(lambda values: np.isfinite(values) & (values > 0.0), error="must be a finite number above 0")


def _finite() -> pa.Check:
    return pa.Check(np.isfinite, error="must be a finite number")


def _one_of(allowed: tuple[str, ...]) -> pa.Check:
    return pa.Check(lambda values: values.isin(allowed), error=f"must be one of {', '.join(allowed)}")


def _not_before(later: str, earlier: str) -> pa.Check:
    # A column that is not there breaks no rule: those that must be there are asked for before.
    return pa.Check(lambda frame: later not in frame or frame[later] >= frame[earlier], error=f"{later} must not lie before {earlier}")


def _fits_its_kind(actions: pd.DataFrame) -> pd.Series:
    kind, value = actions["kind"], actions["value"]
    fits: pd.Series = np.isfinite(value) & (value >= np.where(kind == "delisting", -1.0, 0.0)) & ((kind != "split") | (value > 0.0))
    return fits


def _one_at_a_time(spans: pd.DataFrame) -> pd.Series:
    rows = spans.sort_values(["symbol", "start"], kind="stable")
    free = (rows["symbol"] != rows["symbol"].shift()) | (rows["start"] > rows["end"].shift())
    return free.reindex(spans.index)


_BARS = {"date": _DATE, "symbol": _STR} | dict.fromkeys(BAR_FIELDS, _FLOAT)
_OPTIONAL = tuple(name for name in BAR_FIELDS if name != "close")
_TABLES = {
    "bars": _Table(
        columns=_BARS,
        index=("date", "symbol"),
        optional=_OPTIONAL,
        sorted_unique=True,
        checks=dict.fromkeys(PRICE_FIELDS, _positive())
        | {"volume": pa.Check(lambda v: np.isfinite(v) & (v >= 0.0), error="must be a finite number, 0 or above")},
    ),
    "raw_bars": _Table(columns=_BARS, index=("date", "symbol"), optional=_OPTIONAL, allow_nan=True),
    "actions": _Table(
        columns={"symbol": _STR, "ex_date": _DATE, "kind": _STR, "value": _FLOAT, "known_at": _DATE},
        checks={"kind": _one_of(_KINDS)},
        frame_checks=(
            pa.Check(
                _fits_its_kind,
                error="value must be above 0 for a split, 0 or above for a dividend or spinoff, -1 or above for a delisting",
            ),
        ),
    ),
    "macro": _Table(
        columns={"series": _STR, "period": _DATE, "value": _FLOAT, "known_at": _DATE, "expires_at": _DATE},
        checks={"value": _finite()},
        frame_checks=(_not_before("known_at", "period"), _not_before("expires_at", "known_at")),
    ),
    "signals": _Table(
        columns={"name": _STR, "symbol": _STR, "period": _DATE, "value": _FLOAT, "known_at": _DATE, "expires_at": _DATE},
        optional=("expires_at",),
        checks={"value": _finite()},
        frame_checks=(_not_before("known_at", "period"), _not_before("expires_at", "known_at")),
    ),
    "universe": _Table(
        columns={"symbol": _STR, "start": _DATE, "end": _DATE},
        frame_checks=(_not_before("end", "start"),),
    ),
    "benchmark": _Table(columns={"date": _DATE, "close": _FLOAT}, index=("date",), sorted_unique=True, checks={"close": _positive()}),
    "assets": _Table(
        columns={"symbol": _STR, "name": _STR, "exchange": _STR, "calendar": _STR, "currency": _STR, "asset_class": _STR},
        unique=("symbol",),
    ),
    "sectors": _Table(
        columns={"symbol": _STR, "sector": _STR, "start": _DATE, "end": _DATE},
        frame_checks=(
            _not_before("end", "start"),
            pa.Check(_one_at_a_time, error="start must lie after the end of the symbol's earlier span"),
        ),
    ),
    "rates": _Table(
        columns={"base": _STR, "quote": _STR, "date": _DATE, "rate": _FLOAT, "known_at": _DATE},
        checks={"rate": _positive()},
        frame_checks=(_not_before("known_at", "date"),),
        unique=("base", "quote", "date", "known_at"),
    ),
    "quality": _Table(
        columns={
            "symbol": _STR,
            "date": _DATE,
            "check": _STR,
            "severity": _STR,
            "observed": _STR,
            "expected": _STR,
            "action": _STR,
            "score": _FLOAT,
        },
        checks={
            "severity": _one_of(_SEVERITIES),
            "action": _one_of(_OUTCOMES),
            "score": pa.Check(lambda v: np.isfinite(v) & (v >= 0.0), error="must be a finite number, 0 or above"),
        },
    ),
}


def empty_table(name: str) -> pd.DataFrame:
    """Give a table without rows that carries its required columns, types and index.

    Parameters
    ----------
    name : {"bars", "raw_bars", "actions", "macro", "signals", "universe", "benchmark", "assets", "sectors", "rates", "quality"}

    Raises
    ------
    ConfigError
        Unknown table.
    """
    table = _table(name)
    columns = {column: pd.Series(dtype=dtype) for column, dtype in table.columns.items() if column not in table.optional}
    frame = pd.DataFrame(columns)
    return frame.set_index(list(table.index)) if table.index else frame


def validate(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Check a table against the data contract and hand it back untouched.

    Parameters
    ----------
    name : {"bars", "raw_bars", "actions", "macro", "signals", "universe", "benchmark", "assets", "sectors", "rates", "quality"}
        ``bars`` and ``raw_bars`` are indexed by (date, symbol), ``benchmark`` by date; the others carry keys as columns.
    frame : DataFrame
        Dates are ``datetime64[us]``, names ``str``, values ``float64``. NaN is allowed in the values of ``raw_bars`` only.

    Raises
    ------
    DataError
        A column that is missing, unknown or of another type; NaN; a value that breaks its rule; in ``bars`` and
        ``benchmark`` a key that stands twice or out of order. The first offenders are named.
    ConfigError
        Unknown table.
    """
    table = _table(name)
    _check_index(name, table, frame)
    flat = frame.reset_index() if table.index else frame
    _check_columns(name, table, flat)
    _check_values(name, table, flat)
    if table.sorted_unique:
        _check_order(name, table, flat)
    if table.unique:
        _check_unique(name, list(table.unique), flat)
    return frame


def _table(name: str) -> _Table:
    if name not in _TABLES:
        raise ConfigError(f"Only known tables have a schema, but got '{name}': {nearest(name, _TABLES)}.")
    return _TABLES[name]


def _check_index(name: str, table: _Table, frame: pd.DataFrame) -> None:
    if table.index and tuple(frame.index.names) != table.index:
        given = ", ".join(str(level) for level in frame.index.names)
        raise DataError(f"Table '{name}' must be indexed by ({', '.join(table.index)}), but its index is ({given}): use set_index.")


def _check_columns(name: str, table: _Table, flat: pd.DataFrame) -> None:
    missing = [column for column in table.columns if column not in flat.columns and column not in table.optional]
    if missing:
        hint = nearest(missing[0], map(str, flat.columns))
        raise DataError(f"Table '{name}' must have the column '{missing[0]}', but it is missing: {hint}.")
    unknown = [str(column) for column in flat.columns if column not in table.columns]
    if unknown:
        raise DataError(f"Table '{name}' must have no other columns, but got '{unknown[0]}': {nearest(unknown[0], table.columns)}.")
    for column in flat.columns:
        given, wanted = flat[column].dtype, table.columns[column]
        if str(given) != wanted:
            raise DataError(f"Column '{column}' of table '{name}' must be {wanted}, but is {given}: convert it with astype('{wanted}').")


def _check_values(name: str, table: _Table, flat: pd.DataFrame) -> None:
    try:
        table.schema(flat.columns).validate(flat)
    except pa.errors.SchemaError as problem:
        raise DataError(_sentence(name, table, flat, problem)) from None


def _sentence(name: str, table: _Table, flat: pd.DataFrame, problem: pa.errors.SchemaError) -> str:
    rows = pd.unique(problem.failure_cases["index"])
    column = problem.column_name if problem.column_name in flat.columns else None
    rule = "must not be missing" if problem.check == "not_nullable" else str(problem.check.error)
    where = f"column '{column}' of table '{name}'" if column else f"Rows of table '{name}':"
    keys = [key for key, dtype in table.columns.items() if dtype != _FLOAT and key != column][:3]
    shown = [*keys, column] if column else [key for key in flat.columns if key in (*keys, "value", "start", "end", "expires_at")]
    offenders = (" ".join(_show(value) for value in row) for row in flat.loc[rows, shown].itertuples(index=False))
    return f"{where[0].upper()}{where[1:]} {rule}, but {len(rows)} of {len(flat)} rows break this: {name_few(offenders)}."


def _show(value: object) -> str:
    return moment(value) if isinstance(value, pd.Timestamp) else str(value)


def _check_order(name: str, table: _Table, flat: pd.DataFrame) -> None:
    dates = flat["date"].to_numpy()
    back = np.flatnonzero(dates[1:] < dates[:-1])
    if len(back):
        shown = (f"{_show(flat['date'].iloc[row])} then {_show(flat['date'].iloc[row + 1])}" for row in back)
        raise DataError(f"Table '{name}' must be sorted by date, but has a date that goes backwards: {name_few(shown)}; use sort_index.")
    _check_unique(name, list(table.index), flat)
    if len(table.index) > 1 and not _symbols_sorted(flat):
        raise DataError(f"Table '{name}' must be sorted by symbol within a date, but is not: use sort_index.")


def _check_unique(name: str, keys: list[str], flat: pd.DataFrame) -> None:
    twice = flat.duplicated(keys)
    if twice.any():
        shown = (" ".join(_show(value) for value in row) for row in flat.loc[twice, keys].itertuples(index=False))
        raise DataError(f"Table '{name}' must have each ({', '.join(keys)}) once, but these stand twice: {name_few(shown)}; keep one row.")


def _symbols_sorted(flat: pd.DataFrame) -> bool:
    codes = pd.factorize(flat["symbol"], sort=True)[0]
    dates = flat["date"].to_numpy()
    return bool(np.all((codes[1:] > codes[:-1]) | (dates[1:] > dates[:-1])))
