"""The columns that a person's own tables may have, and their values as ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from touchstone.errors import DataError, SourceError, name_few, nearest

__all__ = ["TABLE_COLUMNS", "TableColumns", "read_columns"]

_DATES = frozenset({"date", "period", "known_at", "expires_at", "ex_date", "start", "end", "as_of"})
_NUMBERS = frozenset({"value", "rate", "close", "lag_days"})
# A year or a month alone would be read as its first day; midnight with a zone is how many tools write a date.
_FULL_DATE = r"\d{4}-?\d{2}-?\d{2}"
_MIDNIGHT_SOMEWHERE = r"^(\d{4}-\d{2}-\d{2})[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)$"


@dataclass(frozen=True)
class TableColumns:
    """What a table must carry, what it may, which of these may be blank in a row, and what no two rows may share."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    may_be_blank: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


_ASSET = ("name", "exchange", "calendar", "currency", "asset_class")
TABLE_COLUMNS = {
    "actions": TableColumns(("symbol", "ex_date", "kind", "value"), ("known_at",), keys=("symbol", "ex_date", "kind")),
    "universe": TableColumns(("symbol", "start"), ("end",), may_be_blank=("end",), keys=("symbol", "start")),
    "assets": TableColumns(("symbol",), _ASSET, may_be_blank=_ASSET, keys=("symbol",)),
    "sectors": TableColumns(("symbol", "sector"), ("start", "end", "as_of"), may_be_blank=("end",), keys=("symbol", "start")),
    "rates": TableColumns(("base", "quote", "date", "rate"), ("known_at", "lag_days"), keys=("base", "quote", "date", "known_at")),
    "macro": TableColumns(
        ("series", "period", "value"),
        ("known_at", "lag_days", "expires_at"),
        may_be_blank=("value",),
        keys=("series", "period", "known_at"),
    ),
    "signals": TableColumns(
        ("symbol", "name", "value", "known_at"),
        ("period", "expires_at"),
        may_be_blank=("value",),
        keys=("name", "symbol", "period", "known_at"),
    ),
    "benchmark": TableColumns(("date", "close"), ("name",), keys=("date",)),
}


def read_columns(path: Path, columns: TableColumns) -> pd.DataFrame:
    """Read a file's columns as dates (UTC, naive), numbers and names; rows without a value are left out.

    Midnight with a time zone is the date that it shows, any other time with a zone a moment. Names lose the blanks around them.

    Raises
    ------
    SourceError
        A file that cannot be read.
    DataError
        A missing or unknown column or one that stands twice, a blank where none may be, text where a date or number belongs, numbers
        with a fraction where a name belongs; file and column are named.
    """
    raw = _read(path)
    known = (*columns.required, *columns.optional)
    missing = [column for column in columns.required if column not in raw.columns]
    if missing:
        raise DataError(f"'{path}' must have the column '{missing[0]}', but it is missing: {nearest(missing[0], map(str, raw.columns))}.")
    unknown = [str(column) for column in raw.columns if column not in known]
    if unknown:
        raise DataError(f"'{path}' must have known columns only, but has '{unknown[0]}': {nearest(unknown[0], known)}; rename or drop it.")
    if not raw.columns.is_unique:
        raise DataError(f"'{path}' must have each column once, but has '{raw.columns[raw.columns.duplicated()][0]}' twice: drop one.")
    frame = pd.DataFrame({column: _typed(path, column, raw[column]) for column in known if column in raw.columns})
    for column in frame.columns.difference(list(columns.may_be_blank)):
        blank = frame[column].isna() | (frame[column] == "") if column not in _DATES | _NUMBERS else frame[column].isna()
        if blank.any():
            rows = name_few(blank.to_numpy().nonzero()[0] + 1)
            raise DataError(f"Column '{column}' of '{path}' must have a value in every row, but is blank in row {rows}: fill it in.")
    return frame.dropna(subset=["value"], ignore_index=True) if "value" in columns.may_be_blank else frame


def _read(path: Path) -> pd.DataFrame:
    try:
        if path.suffix == ".csv":
            # As text: a symbol that reads like a number or a missing value is a symbol.
            with pyarrow.csv.open_csv(path) as opened:
                types = dict.fromkeys(opened.schema.names, pa.string())
            table = pyarrow.csv.read_csv(path, convert_options=pyarrow.csv.ConvertOptions(column_types=types))
        else:
            table = pyarrow.parquet.read_table(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as problem:
        raise SourceError(f"A table must be a readable CSV or Parquet, but '{path}' is not ({str(problem).splitlines()[0]}).") from None
    frame: pd.DataFrame = table.to_pandas()
    return frame.reset_index() if any(frame.index.names) else frame


def _typed(path: Path, column: str, values: pd.Series) -> pd.Series:
    if column in _DATES:
        return _dates(path, column, values)
    if column in _NUMBERS:
        numbers = pd.to_numeric(values.replace("", None), errors="coerce").astype("float64")
        _refuse(path, column, values, numbers, "a number")
        return numbers
    if pd.api.types.is_float_dtype(values.dtype) and values.notna().any():
        # 600000.0 is the name of nothing, and a table of such names would match no bar without a word.
        raise DataError(
            f"Column '{column}' of '{path}' must hold names, but holds numbers like {values.dropna().iloc[0]}: write it as text."
        )
    return values.fillna("").astype("str").str.strip()


def _dates(path: Path, column: str, values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        shown, in_utc = values.dt.tz_localize(None), values.dt.tz_convert(None)
        return in_utc.mask(shown == shown.dt.normalize(), shown).dt.as_unit("us")
    if not pd.api.types.is_datetime64_any_dtype(values.dtype):
        texts = values.where(values.notna(), None).astype("str").str.strip().replace("", None)
        texts = texts.where(texts.str.match(_FULL_DATE).fillna(False).astype("bool"), None)
        texts = texts.str.replace(_MIDNIGHT_SOMEWHERE, r"\1", regex=True)
        dates = pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce")
        _refuse(path, column, values, dates, "a date like 2020-01-31 or a time like 2020-01-31T14:30:00Z")
        values = dates.dt.tz_convert(None)
    return values.dt.as_unit("us")


def _refuse(path: Path, column: str, given: pd.Series, read: pd.Series, what: str) -> None:
    unread = read.isna() & given.notna() & (given.astype("str") != "")
    if unread.any():
        row = int(unread.to_numpy().argmax())
        raise DataError(f"Column '{column}' of '{path}' must hold {what}, but row {row + 1} has '{given.iloc[row]}': mend it.")
