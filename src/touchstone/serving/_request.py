"""What may be asked, and how it becomes the tables of the data contract."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NotRequired

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, with_config
from pydantic_core import ErrorDetails
from typing_extensions import TypedDict

from touchstone.errors import DataError, name_few, nearest
from touchstone.market import validate

__all__ = ["PredictRequest", "Tables", "parse_request", "to_tables"]

_CLOSED = ConfigDict(extra="forbid", strict=True)
Number = Annotated[float, Field(allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1)]
# A session, or the close of a shorter bar: in UTC, unless it carries an offset.
Moment = dt.date | dt.datetime


@with_config(_CLOSED)
class BarRow(TypedDict):
    date: Moment
    symbol: Name
    close: Number
    open: NotRequired[Number]
    high: NotRequired[Number]
    low: NotRequired[Number]
    volume: NotRequired[Number]
    vwap: NotRequired[Number]


@with_config(_CLOSED)
class BarColumns(TypedDict):
    date: Annotated[list[Moment], Field(min_length=1)]
    symbol: list[Name]
    close: list[Number]
    open: NotRequired[list[Number]]
    high: NotRequired[list[Number]]
    low: NotRequired[list[Number]]
    volume: NotRequired[list[Number]]
    vwap: NotRequired[list[Number]]


@with_config(_CLOSED)
class BenchmarkRow(TypedDict):
    date: Moment
    close: Number


@with_config(_CLOSED)
class MacroRow(TypedDict):
    series: Name
    period: Moment
    value: Number
    known_at: Moment
    expires_at: Moment


@with_config(_CLOSED)
class SignalRow(TypedDict):
    name: Name
    symbol: Name
    period: Moment
    value: Number
    known_at: Moment
    expires_at: NotRequired[Moment]


@with_config(_CLOSED)
class ActionRow(TypedDict):
    symbol: Name
    ex_date: Moment
    kind: Name
    value: Number
    known_at: Moment


@with_config(_CLOSED)
class UniverseRow(TypedDict):
    symbol: Name
    start: Moment
    end: Moment


@with_config(_CLOSED)
class SectorRow(TypedDict):
    symbol: Name
    sector: Name
    start: Moment
    end: Moment


@with_config(_CLOSED)
class FactorRow(TypedDict):
    symbol: Name
    price: Annotated[Number, Field(gt=0.0)]
    volume: Annotated[Number, Field(gt=0.0)]


_ROWS: dict[str, Any] = {
    "bars": BarRow,
    "benchmark": BenchmarkRow,
    "macro": MacroRow,
    "signals": SignalRow,
    "actions": ActionRow,
    "universe": UniverseRow,
    "sectors": SectorRow,
    "base_factors": FactorRow,
}
_KEYS = {"bars": ["date", "symbol"], "benchmark": ["date"]}
_SHAPES = ("rows", "columns")
_MOMENT = (("date",), ("datetime",))
_DATES = frozenset({"date", "period", "known_at", "expires_at", "ex_date", "start", "end"})
_NAMES = frozenset({"symbol", "series", "name", "kind", "sector"})
_NOT_GIVEN = {True: np.datetime64("NaT"), False: np.nan}


def _shape(bars: object) -> str:
    return "columns" if isinstance(bars, Mapping) else "rows"


Bars = Annotated[
    Annotated[list[BarRow], Field(fail_fast=True, min_length=1), Tag("rows")] | Annotated[BarColumns, Tag("columns")],
    Discriminator(_shape),
]


class PredictRequest(BaseModel):
    """Recent bars of the whole universe, and the tables that the model's features need.

    Parameters
    ----------
    bars
        Rows ``date, symbol, close`` with ``open high low volume vwap`` where the model was trained with them, in any order; or the
        same as columns, one list each, which is half as long. The last date is the session that is answered for. With a model of intraday
        bars it is the close of a bar, ``2020-01-02T14:35:00Z``.
    symbols
        Who to answer for; every member of the session when left out.
    benchmark, macro, signals, actions, universe, sectors
        Rows of the tables of the data contract. Without a universe every symbol of the bars is a member.
    base_factors
        Rows ``symbol, price, volume``: the adjustment factors at each symbol's first bar, when actions lie before it.
    absent
        Members that are known to have no bar on the last date; the ranking is taken among the others.
    """

    model_config = _CLOSED

    bars: Bars
    symbols: Annotated[list[Name], Field(min_length=1)] | None = None
    benchmark: Annotated[list[BenchmarkRow], Field(fail_fast=True)] | None = None
    macro: Annotated[list[MacroRow], Field(fail_fast=True)] | None = None
    signals: Annotated[list[SignalRow], Field(fail_fast=True)] | None = None
    actions: Annotated[list[ActionRow], Field(fail_fast=True)] | None = None
    universe: Annotated[list[UniverseRow], Field(fail_fast=True)] | None = None
    sectors: Annotated[list[SectorRow], Field(fail_fast=True)] | None = None
    base_factors: Annotated[list[FactorRow], Field(fail_fast=True)] | None = None
    absent: list[Name] = []


@dataclass(frozen=True)
class Tables:
    """A request as the tables of the data contract; None where one was left out."""

    bars: pd.DataFrame
    benchmark: pd.DataFrame | None
    macro: pd.DataFrame | None
    signals: pd.DataFrame | None
    actions: pd.DataFrame | None
    universe: pd.DataFrame | None
    sectors: pd.DataFrame | None
    base_factors: pd.DataFrame | None


def parse_request(body: bytes) -> PredictRequest:
    """Read a request.

    Raises
    ------
    DataError
        A body that is not JSON, or not bars.
    """
    try:
        return PredictRequest.model_validate_json(body)
    except ValidationError as error:
        raise DataError(_sentence(error.errors(include_url=False, include_context=False)[0])) from None


def to_tables(request: PredictRequest) -> Tables:
    """The request as tables, each checked against the data contract.

    Raises
    ------
    DataError
        A table that breaks the contract.
    """
    return Tables(
        bars=_table("bars", request.bars),
        benchmark=_given("benchmark", request.benchmark),
        macro=_given("macro", request.macro),
        signals=_given("signals", request.signals),
        actions=_given("actions", request.actions),
        universe=_given("universe", request.universe),
        sectors=_given("sectors", request.sectors),
        base_factors=_given("base_factors", request.base_factors),
    )


def _given(name: str, rows: Sequence[Mapping[str, Any]] | None) -> pd.DataFrame | None:
    return None if rows is None else _table(name, rows)


def _table(name: str, rows: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> pd.DataFrame:
    columns = rows if isinstance(rows, Mapping) else _transposed(name, rows)
    lengths = {column: len(values) for column, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"Columns of '{name}' must be equally long, but got {lengths}: give one value a row in each.")
    frame = pd.DataFrame({column: _typed(column, values) for column, values in columns.items()})
    if name == "base_factors":
        return _factors(frame)
    keys = _KEYS.get(name)
    return validate(name, frame if keys is None else frame.set_index(keys).sort_index())


def _factors(frame: pd.DataFrame) -> pd.DataFrame:
    twice = frame.loc[frame["symbol"].duplicated(), "symbol"]
    if len(twice):
        raise DataError(f"base_factors must name each symbol once, but {name_few(twice)} stands twice: keep the row of its first bar.")
    return frame.set_index("symbol")


def _transposed(name: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    known = list(_ROWS[name].__annotations__)
    carried = known if not rows else [column for column in known if any(column in row for row in rows)]
    return {column: [row.get(column, _NOT_GIVEN[column in _DATES]) for row in rows] for column in carried}


def _typed(column: str, values: Sequence[Any]) -> pd.Series:
    if column in _DATES:
        return pd.Series(np.array([_naive(value) for value in values], dtype="datetime64[us]"))
    return pd.Series(values, dtype="str" if column in _NAMES else np.float64)


def _naive(value: dt.date) -> dt.date:
    return value.astimezone(dt.UTC).replace(tzinfo=None) if isinstance(value, dt.datetime) and value.tzinfo else value


def _sentence(problem: ErrorDetails) -> str:
    where = _where(problem["loc"])
    if problem["type"] == "json_invalid":
        return f"A request body must be JSON, but it cannot be read ({problem['msg']}): send an object with bars."
    if not where:
        return f'A request body must be a JSON object with bars, but got {_shown(problem["input"])}: send {{"bars": [...]}}.'
    if problem["type"] == "missing":
        return f"A request must give {where}, but it is missing: add it."
    if problem["type"] == "extra_forbidden":
        return f"A request must give known names only, but got {where}: {nearest(str(problem['loc'][-1]), _known_at(problem['loc']))}."
    return f"{where} does not fit, got {_shown(problem['input'])}: {problem['msg'][0].lower()}{problem['msg'][1:]}."


def _where(location: tuple[int | str, ...]) -> str:
    # A value that is neither a date nor a moment is told of once, without the name of the type.
    told = location[:-1] if location[-1:] in _MOMENT and _DATES.intersection(map(str, location[-3:-1])) else location
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in told if part not in _SHAPES]
    return "".join(parts).lstrip(".")


def _known_at(location: tuple[int | str, ...]) -> list[str]:
    return list(PredictRequest.model_fields if len(location) == 1 else _ROWS[str(location[0])].__annotations__)


def _shown(given: object) -> str:
    text = repr(given)
    return text if len(text) <= 60 else f"{text[:57]}..."
