"""What a book may look like, and what becomes of a decision that asks for more."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, OrderError, moment, name_few, nearest
from touchstone.market import Sectors
from touchstone.types import BoolArray, FloatArray, IntArray

__all__ = ["CLIPPING_COLUMNS", "Limited", "Limits", "limit_weights"]

CLIPPING_COLUMNS = ["date", "name", "rule", "asked", "limit"]
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Limits:
    """Bounds as fractions of equity; None: no bound. A decision that breaks one is an error, or is clipped and recorded.

    `long_only`, `per_name`, `per_sector`, `gross` and `net` bound the target weights, in this order, before anything is traded;
    a later one only makes weights smaller, so that the earlier ones still hold. What then drifts is bound by `leverage` alone.

    Attributes
    ----------
    long_only : bool
        No weight below 0; clipped to 0.
    per_name : float
        The largest absolute weight of a symbol; clipped to it.
    per_sector : float
        The largest sum of absolute weights of a sector; its weights shrink in proportion.
    gross : float
        The largest sum of absolute weights; all shrink in proportion.
    net : float
        The largest absolute sum of weights; the heavier side shrinks in proportion.
    turnover : float
        The most that a decision trades, buys plus sells over the equity at the fill prices; all its orders shorten in proportion,
        and what is cut off is not made up for.
    leverage : float
        Gross value held over equity at a close, after drift and costs. Where it is broken all holdings are ordered back to it in
        proportion on the next session (reason ``reduced``) in place of whatever waits, unless a new decision is filled there.
    on_violation : {"error", "clip"}
    """

    long_only: bool = False
    per_name: float | None = None
    per_sector: float | None = None
    gross: float | None = None
    net: float | None = None
    turnover: float | None = None
    leverage: float | None = None
    on_violation: str = "error"

    def __post_init__(self) -> None:
        if self.on_violation not in ("error", "clip"):
            known = nearest(self.on_violation, ("error", "clip"))
            raise ConfigError(f"on_violation must be known, but got '{self.on_violation}': {known}.")
        for name in ("per_name", "per_sector", "gross", "net", "turnover", "leverage"):
            bound = getattr(self, name)
            if bound is not None and not (math.isfinite(bound) and bound >= 0.0):
                raise ConfigError(f"The limit {name} must be a fraction of equity ≥ 0 or None, but got {bound}: 1 is the whole equity.")

    @property
    def clips(self) -> bool:
        """Whether a violation is clipped and recorded."""
        return self.on_violation == "clip"


@dataclass(frozen=True)
class Limited:
    """Target weights within the limits, and a row for everything that was not."""

    weights: pd.DataFrame
    clippings: pd.DataFrame


@dataclass(frozen=True)
class _Breach:
    """Where one rule is broken: positions of decisions, the names that broke it, and what they asked for."""

    rule: str
    rows: IntArray
    names: list[str]
    asked: FloatArray
    limit: float

    def frame(self, dates: pd.Index) -> pd.DataFrame:
        columns = {"date": dates.take(self.rows), "name": pd.Series(self.names, dtype="str"), "rule": self.rule}
        return pd.DataFrame({**columns, "asked": self.asked, "limit": self.limit})

    def error(self, dates: pd.Index) -> OrderError:
        told = [
            f"{name + ' ' if name else ''}{asked:.4g} on {moment(date)}"
            for name, asked, date in zip(self.names, self.asked, dates.take(self.rows), strict=True)
        ]
        return OrderError(
            f"Target weights must keep {self.rule} ≤ {self.limit:g}, but got {name_few(told)}: lower them or set on_violation='clip'."
        )


def limit_weights(target_weights: pd.DataFrame, limits: Limits, sectors: Sectors | None) -> Limited:
    """Hold the weights to the limits that can be told before trading; raises `OrderError` with names and dates, or clips."""
    if limits.per_sector is not None and sectors is None:
        raise ConfigError("The limit per_sector needs the sectors of the symbols, but got none: give sectors=Sectors(frame).")
    weights = target_weights.to_numpy(dtype=np.float64, copy=True)
    found = []
    for breach in _breaches(weights, target_weights, limits, sectors):
        if not limits.clips:
            raise breach.error(target_weights.index)
        found.append(breach.frame(target_weights.index))
    if not found:
        return Limited(target_weights, pd.DataFrame(columns=CLIPPING_COLUMNS))
    clipped = pd.DataFrame(weights, index=target_weights.index, columns=target_weights.columns)
    return Limited(clipped, pd.concat(found, ignore_index=True))


def _breaches(weights: FloatArray, table: pd.DataFrame, limits: Limits, sectors: Sectors | None) -> Iterator[_Breach]:
    """Rule after rule: tell what breaks it, then clip the weights in place."""
    symbols = table.columns.astype(str).to_numpy(dtype=object)
    if limits.long_only and (weights < 0.0).any():
        yield _by_name("long_only", weights < 0.0, weights, symbols, 0.0)
        np.maximum(weights, 0.0, out=weights)
    if limits.per_name is not None and (_over(np.abs(weights), limits.per_name)).any():
        yield _by_name("per_name", _over(np.abs(weights), limits.per_name), weights, symbols, limits.per_name)
        np.clip(weights, -limits.per_name, limits.per_name, out=weights)
    if limits.per_sector is not None and sectors is not None:
        yield from _sector_breaches(weights, table, limits.per_sector, sectors)
    if limits.gross is not None:
        yield from _book_breaches("gross", np.abs(weights).sum(axis=1), limits.gross)
        weights *= _shrink(np.abs(weights).sum(axis=1), limits.gross)[:, None]
    if limits.net is not None:
        net = weights.sum(axis=1)
        yield from _book_breaches("net", net, limits.net)
        _trim_net(weights, net, limits.net)


def _over(asked: FloatArray, limit: float) -> BoolArray:
    return asked > limit * (1.0 + _ROUNDING)


def _shrink(asked: FloatArray, limit: float) -> FloatArray:
    return np.where(_over(asked, limit), limit / np.where(asked > 0.0, asked, 1.0), 1.0)


def _by_name(rule: str, broken: BoolArray, weights: FloatArray, symbols: np.ndarray, limit: float) -> _Breach:
    rows, columns = np.nonzero(broken)
    return _Breach(rule, rows, list(symbols[columns]), weights[rows, columns], limit)


def _book_breaches(rule: str, asked: FloatArray, limit: float) -> Iterator[_Breach]:
    rows = np.flatnonzero(_over(np.abs(asked), limit))
    if len(rows):
        yield _Breach(rule, rows, [""] * len(rows), asked[rows], limit)


def _sector_breaches(weights: FloatArray, table: pd.DataFrame, limit: float, sectors: Sectors) -> Iterator[_Breach]:
    index = pd.MultiIndex.from_product([table.index, table.columns.astype("str")], names=["date", "symbol"])
    found, names = pd.factorize(sectors.at(index), sort=True)
    codes: IntArray = np.asarray(found, dtype=np.int64).reshape(weights.shape)
    cells = np.arange(len(weights))[:, None] * len(names) + codes
    sums: FloatArray = np.zeros(len(weights) * len(names))
    np.add.at(sums, cells.ravel(), np.abs(weights).ravel())
    gross = sums.reshape(-1, len(names))
    rows, columns = np.nonzero(_over(gross, limit))
    if len(rows):
        yield _Breach("per_sector", rows, [str(name) for name in names.take(columns)], gross[rows, columns], limit)
        weights *= np.take_along_axis(_shrink(gross, limit), codes, axis=1)


def _trim_net(weights: FloatArray, net: FloatArray, limit: float) -> None:
    """Shrink the heavier side until the sum of a decision is the limit."""
    for row in np.flatnonzero(_over(np.abs(net), limit)):
        heavier = weights[row] * np.sign(net[row]) > 0.0
        side = np.abs(weights[row, heavier]).sum()
        weights[row, heavier] *= (side - (abs(net[row]) - limit)) / side
