"""Transforms and models with parameters of their own: what they learn, they learn from training rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from touchstone.audit._report import LISTED, LookAheadReport, Outcome, listing, report
from touchstone.audit._tables import stamps
from touchstone.errors import DataError
from touchstone.types import FloatArray, IntArray

__all__ = ["fitted"]

_NAT = int(np.iinfo(np.int64).min)
Make = Callable[..., Any]


def fitted(
    make: Make,
    matrix: pd.DataFrame,
    train: IntArray,
    test: IntArray,
    *,
    labels: pd.DataFrame | pd.Series | None = None,
    seed: int = 0,
) -> LookAheadReport:
    """Audit what is fitted on training rows and applied to others: a scaler, a decomposition, an encoding, a model.

    - ``parameters``, ``training rows``: nothing outside the training rows, their labels included, changes what was learned, nor
      what becomes of the training rows.
    - ``test rows``: what becomes of a test row does not depend on which other test rows stand beside it, nor on their values.

    Parameters
    ----------
    make
        Called as ``make(matrix, train)``, or ``make(matrix, train, labels)`` where labels are given. Gives a function of rows of
        the matrix, or an object with one by the name ``apply``, ``transform`` or ``predict``, that returns a frame or an array
        with a row for each. Its ``parameters``, a mapping to numbers, are compared where it has them. It must be reproducible.
    matrix
        Features on (date, symbol), numeric.
    train, test
        Row positions that do not overlap.
    labels
        On the index of the matrix.
    seed
        Decides what is changed, and how.

    Raises
    ------
    DataError
        Positions that overlap or lie outside the matrix, too few of them, or another number of rows than was asked for.
    """
    _require(matrix, train, test)
    random = np.random.default_rng(seed)
    outside = np.setdiff1d(np.arange(len(matrix)), train)
    given = () if labels is None else (labels,)
    moved = () if labels is None else (_changed(labels, outside, random),)
    first = _Fit.of(make(matrix, train, *given))
    second = _Fit.of(make(_changed(matrix, outside, random), train, *moved))
    return report([*_learned(first, second, matrix, train), *_alone(first, matrix, test, random)])


@dataclass(frozen=True)
class _Fit:
    """What `make` gave, in one form."""

    function: Callable[[pd.DataFrame], Any]
    parameters: Mapping[str, Any]

    @classmethod
    def of(cls, made: Any) -> _Fit:
        found = [getattr(made, name) for name in ("apply", "transform", "predict") if callable(getattr(made, name, None))]
        function = found[0] if found else made
        if not callable(function):
            raise DataError(
                f"What is fitted must be a function of rows, or have apply, transform or predict, but got a {type(made).__name__}: "
                "return one of these."
            )
        parameters = getattr(made, "parameters", {})
        return cls(function, parameters if isinstance(parameters, Mapping) else {})

    def of_rows(self, rows: pd.DataFrame) -> pd.DataFrame:
        """float64, on the index of the rows."""
        out = self.function(rows)
        values = np.asarray(out, dtype=np.float64).reshape(len(out), -1)
        if len(values) != len(rows):
            raise DataError(
                f"What is fitted must give a row for each of the {len(rows)} it is given, but gave {len(values)}: keep them all."
            )
        names = out.columns if isinstance(out, pd.DataFrame) else [f"output {number}" for number in range(values.shape[1])]
        return pd.DataFrame(values, index=rows.index, columns=names)


def _require(matrix: pd.DataFrame, train: IntArray, test: IntArray) -> None:
    both = np.concatenate([train, test])
    if not len(train) or len(test) < 2 or both.min() < 0 or both.max() >= len(matrix):
        raise DataError(
            f"A fit is audited on training rows and at least two test rows of the {len(matrix)} of the matrix, but got {len(train)} and "
            f"{len(test)} positions: give positions as a split does."
        )
    common = np.intersect1d(train, test)
    if len(common):
        raise DataError(f"Training and test rows must not overlap, but {len(common)} do, first {common[0]}: split with touchstone.splits.")


def _changed(table: Any, rows: IntArray, random: np.random.Generator) -> Any:
    """Deal the values of some rows around among them, and stretch or turn about floats: what they had to do with each other is gone."""
    frame = table.to_frame() if isinstance(table, pd.Series) else table
    columns = {}
    for name in frame.columns:
        values = frame[name].array.copy()
        dealt = values[random.permutation(rows)]
        if pd.api.types.is_float_dtype(frame[name].dtype):
            noise = random.uniform(-2.0, 3.0, len(rows))
            dealt = np.where(np.asarray(dealt) == 0.0, noise, np.asarray(dealt) * noise).astype(values.to_numpy().dtype)
        values[rows] = dealt
        columns[name] = values
    changed = pd.DataFrame(columns, index=frame.index)
    return changed.iloc[:, 0] if isinstance(table, pd.Series) else changed


def _learned(first: _Fit, second: _Fit, matrix: pd.DataFrame, train: IntArray) -> Iterator[Outcome]:
    left, right = (_flat(fit.parameters) for fit in (first, second))
    names = left.index.union(right.index)
    if len(names):
        yield _compared("parameters", *(frame.reindex(names).to_frame("value") for frame in (left, right)))
    rows = matrix.iloc[train]
    yield _compared("training rows", first.of_rows(rows), second.of_rows(rows))


def _alone(fit: _Fit, matrix: pd.DataFrame, test: IntArray, random: np.random.Generator) -> Iterator[Outcome]:
    whole = fit.of_rows(matrix.iloc[test])
    half = np.sort(random.permutation(len(test))[: len(test) // 2])
    other = np.setdiff1d(np.arange(len(test)), half)
    for kept, changed in ((half, other), (other, half)):
        beside = _changed(matrix, test[changed], random).iloc[test]
        yield _compared("test rows", whole.iloc[kept], fit.of_rows(beside).iloc[kept])
        yield _compared("test rows", whole.iloc[kept], fit.of_rows(matrix.iloc[test[kept]]))


def _flat(parameters: Mapping[str, Any]) -> pd.Series:
    """One number a row, named by parameter and place."""
    numbers: dict[str, float] = {}
    for name, value in parameters.items():
        flat = np.asarray(value, dtype=np.float64).ravel()
        numbers |= {name if len(flat) == 1 else f"{name}[{place}]": float(number) for place, number in enumerate(flat)}
    return pd.Series(numbers, dtype=np.float64)


def _compared(check: str, expected: pd.DataFrame, observed: pd.DataFrame) -> Outcome:
    observed = observed.reindex(columns=expected.columns)
    left, right = (np.ascontiguousarray(frame.to_numpy(np.float64).T) for frame in (expected, observed))
    differs = (left.view(np.int64) != right.view(np.int64)) & ~(np.isnan(left) & np.isnan(right))
    found = []
    for number in np.flatnonzero(differs.any(axis=1)).tolist():
        rows = np.flatnonzero(differs[number])[:LISTED]
        found.append(_listed(check, str(expected.columns[number]), expected.index[rows], left[number, rows], right[number, rows]))
    return Outcome(check, left.size, int(differs.sum()), tuple(found))


def _listed(check: str, column: str, where: pd.Index, expected: FloatArray, observed: FloatArray) -> pd.DataFrame:
    none = np.full(len(where), _NAT, dtype=np.int64)
    if not isinstance(where, pd.MultiIndex):
        # Parameters have no date and no symbol.
        tables = [
            listing(feature=str(name), check=check, symbol=pd.Index([""]), date=none[:1], cut=none[:1], expected=left, observed=right)
            for name, left, right in zip(where, expected, observed, strict=True)
        ]
        return pd.concat(tables, ignore_index=True)
    symbol, dates = where.get_level_values("symbol"), stamps(where.get_level_values("date"))
    return listing(feature=column, check=check, symbol=symbol, date=dates, cut=none, expected=expected, observed=observed)
