"""The audit that every factor of a researcher's own passes before it has a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from touchstone import audit
from touchstone.errors import ConfigError, LookAheadError, moment, name_few
from touchstone.features._compute import compute
from touchstone.features._factor_market import awkward_market
from touchstone.features._factor_panel import apply
from touchstone.features._feature import Factor
from touchstone.lineage import data_hash
from touchstone.types import BoolArray, FloatArray, IntArray

__all__ = ["FactorAudit", "audit_factor"]

# Common sessions at which the history is cut.
_CUTS = 6
# Sessions whose values are taken again from no more history than declared.
_ENDS = 6
# Sessions at which whole frames are cut: some over all of history, and each of the last.
_SPREAD, _CLOSE = 12, 50
# What another beginning of a running sum may change: this part of the factor's spread, and a few last bits of float32.
_OF_SPREAD, _OF_VALUE = 1e-5, 5e-7
# Wider lookbacks that are tried when the declared one is too short.
_TRIED = 6


@dataclass(frozen=True)
class FactorAudit:
    """On what a factor was audited.

    Attributes
    ----------
    n_compared
        Values compared with what a cut or changed future gives.
    n_symbols, n_sessions
        Size of the market.
    data
        Hash of its bars.
    """

    n_compared: int
    n_symbols: int
    n_sessions: int
    data: str


def audit_factor(factor: Factor, bars: pd.DataFrame | None = None) -> FactorAudit:
    """Hold a factor to what it declares, on a small built-in market or on bars of your own.

    Parameters
    ----------
    factor
        What is audited.
    bars
        Index (date, symbol) with the factor's fields, prices as the function shall see them; ``None``: the built-in market.

    Raises
    ------
    LookAheadError
        A value moves when what came after it is cut off or changed.
    ConfigError
        Another value when called again, written inputs, a value that depends on other symbols without saying so, or a lookback that
        is too short; no value at all; bars without one of its fields or too few of them.
    DataError
        It gives no frame of numbers on the axes of its inputs.
    """
    market = awkward_market(factor.lookback)
    tables = {"bars": market.bars, "actions": market.actions} if bars is None else {"bars": bars}
    frames = _frames(factor, tables["bars"])
    whole = _well_behaved(factor, frames)
    _sees_no_future(factor, frames, whole)
    own = () if factor.cross_sectional else (factor.name,)
    if own:
        _stands_alone(factor, frames, whole)
    _looks_far_enough(factor, frames, whole)
    report = audit.look_ahead(
        partial(compute, sets=factor, transform="none"),
        tables,
        n_cuts=_CUTS,
        per_symbol=own,
        lookback=factor.history,
        partial=(factor.name,) if factor.partial_windows else (),
    )
    report.raise_on_leak()
    n_sessions, n_symbols = whole.shape
    return FactorAudit(report.n_compared, n_symbols, n_sessions, data_hash(tables["bars"]))


def _frames(factor: Factor, bars: pd.DataFrame) -> list[pd.DataFrame]:
    absent = [name for name in factor.fields if name not in bars.columns]
    if absent:
        raise ConfigError(
            f"Bars to audit on must carry the fields of a factor, but they lack {name_few(absent)} of '{factor.name}': "
            "give bars that do, or leave audit_on out."
        )
    # One value a cell, nothing to aggregate.
    frames = [bars[name].unstack("symbol").astype(np.float64) for name in factor.fields]  # noqa: PD010
    if len(frames[0]) < factor.lookback + _ENDS:
        raise ConfigError(
            f"Bars to audit on must have at least {factor.lookback + _ENDS} sessions for a lookback of {factor.lookback}, but have "
            f"{len(frames[0])}: give more history, or leave audit_on out."
        )
    return frames


def _well_behaved(factor: Factor, frames: Sequence[pd.DataFrame]) -> FloatArray:
    """The values on the whole history, from a function that gives them again and leaves its inputs alone."""
    given = [frame.copy() for frame in frames]
    whole = apply(factor, given)
    written = [name for name, frame, kept in zip(factor.fields, given, frames, strict=True) if not frame.equals(kept)]
    if written:
        raise ConfigError(
            f"A factor must leave its inputs as they are, but '{factor.name}' writes into {name_few(written)}: work on a copy, or use "
            "where() and mask()."
        )
    if np.isnan(whole).all():
        raise ConfigError(
            f"A factor must give values, but '{factor.name}' gives none on {len(whole)} sessions: an audit of nothing would prove nothing."
        )
    if not np.array_equal(whole, apply(factor, [frame.copy() for frame in frames]), equal_nan=True):
        raise ConfigError(
            f"A factor must give the same values for the same prices, but '{factor.name}' called twice gives others: draw no random "
            "numbers, read no clock and keep nothing between calls."
        )
    return whole


def _sees_no_future(factor: Factor, frames: Sequence[pd.DataFrame], whole: FloatArray) -> None:
    """Cut every frame at many sessions: what `audit.look_ahead` sees a quarter at a time only is here seen whole."""
    n_sessions = len(whole)
    cuts = np.unique(
        np.append(np.linspace(factor.lookback, n_sessions, _SPREAD), np.arange(n_sessions - _CLOSE, n_sessions)).astype(np.int64)
    )
    for cut in cuts[(cuts >= factor.lookback) & (cuts < n_sessions)]:
        values = apply(factor, [frame.iloc[:cut].copy() for frame in frames])
        differs = _differs(whole[:cut], values, _tolerance(whole)[:cut]) & frames[0].iloc[:cut].notna().to_numpy()
        if differs.any():
            row, column = np.argwhere(differs)[-1]
            raise LookAheadError(
                f"A value may use only what was known at its date, but '{factor.name}' of {frames[0].columns[column]} on "
                f"{moment(frames[0].index[row])} is {_said(whole[row, column])} on the whole history and {_said(values[row, column])} when "
                f"everything after {moment(frames[0].index[cut - 1])} is cut off: let it look at earlier rows only (no shift(-n), bfill, "
                "center=True, interpolate, nor a mean or rank over all dates)."
            )


def _stands_alone(factor: Factor, frames: Sequence[pd.DataFrame], whole: FloatArray) -> None:
    n_symbols = whole.shape[1]
    for part in (np.arange(0, n_symbols, 2), np.arange(1, n_symbols, 2)):
        if len(part) in (0, n_symbols):
            continue
        values = apply(factor, [frame.iloc[:, part].copy() for frame in frames])
        tolerance = _tolerance(whole)[:, part]
        differs = _differs(whole[:, part], values, tolerance)
        if differs.any():
            row, column = np.argwhere(differs)[0]
            symbol, date = frames[0].columns[part[column]], frames[0].index[row]
            raise ConfigError(
                f"A factor that compares symbols must say so, but '{factor.name}' of {symbol} on {moment(date)} is "
                f"{_said(whole[row, part[column]])} beside all symbols and {_said(values[row, column])} beside some: declare "
                "cross_sectional=True, or let each column depend on itself alone."
            )


def _looks_far_enough(factor: Factor, frames: Sequence[pd.DataFrame], whole: FloatArray) -> None:
    n_sessions = len(whole)
    ends = np.unique(np.linspace(factor.lookback - 1, n_sessions - 1, _ENDS).astype(np.int64))
    found = _first_short(factor, factor.lookback, frames, whole, ends)
    if found is None:
        return
    wider = [factor.lookback + 1, *(factor.lookback * 2**power + power for power in range(1, _TRIED))]
    reach = next((n for n in wider if n <= n_sessions and _is_enough(factor, n, frames, whole)), None)
    fix = (
        f"{reach} is enough: declare lookback={reach}, or fewer that pass"
        if reach
        else "it seems never to forget (ewm, expanding, cumsum, ffill without limit): use a window that ends, or declare a lookback "
        "after which what is forgotten is invisible"
    )
    raise ConfigError(
        f"A value may need no more history than declared, but '{factor.name}' of {found.symbol} on {moment(found.date)} is "
        f"{_said(found.whole)} with all history and {_said(found.short)} with {factor.lookback} sessions of it: {fix}."
    )


def _is_enough(factor: Factor, lookback: int, frames: Sequence[pd.DataFrame], whole: FloatArray) -> bool:
    ends = np.unique(np.linspace(lookback - 1, len(whole) - 1, _ENDS).astype(np.int64))
    return _first_short(factor, lookback, frames, whole, ends) is None


@dataclass(frozen=True)
class _Short:
    symbol: str
    date: pd.Timestamp
    whole: float
    short: float


def _first_short(factor: Factor, lookback: int, frames: Sequence[pd.DataFrame], whole: FloatArray, ends: IntArray) -> _Short | None:
    """The first value that is another one when no more than the lookback is given; none where a symbol's own history is shorter."""
    there = frames[0].notna().to_numpy()
    since = np.where(there.any(axis=0), there.argmax(axis=0), len(whole))
    tolerance = _tolerance(whole)
    for end in ends:
        values = apply(factor, [frame.iloc[end + 1 - lookback : end + 1].copy() for frame in frames])[-1]
        old = since <= end + 1 - lookback
        differing = np.flatnonzero(_differs(whole[end], values, tolerance[end]) & old & there[end])
        if len(differing):
            at = differing[0]
            return _Short(str(frames[0].columns[at]), frames[0].index[end], float(whole[end, at]), float(values[at]))
    return None


def _tolerance(whole: FloatArray) -> FloatArray:
    finite = whole[np.isfinite(whole)]
    spread = float(finite.std()) if len(finite) else 0.0
    return np.asarray(_OF_SPREAD * spread + _OF_VALUE * np.abs(np.nan_to_num(whole)))


def _differs(left: FloatArray, right: FloatArray, tolerance: FloatArray) -> BoolArray:
    """Where two values, as they are delivered, are more apart than allowed; NaN and infinities equal themselves."""
    with np.errstate(invalid="ignore", over="ignore"):
        rounded_left, rounded_right = left.astype(np.float32), right.astype(np.float32)
        same = (rounded_left == rounded_right) | (np.isnan(left) & np.isnan(right)) | (np.abs(left - right) <= tolerance)
    return np.asarray(~same)


def _said(value: float) -> str:
    return "missing" if np.isnan(value) else repr(float(value))
