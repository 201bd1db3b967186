"""The set `alpha158`: the features of Qlib 0.9.7's Alpha158, by their names, in their order and by their conventions.

Nine of the candle, four prices and 29 families over five windows. Windows are partial from the symbol's first session on: one value
is enough, two for deviations, lines and correlations; only ROC waits for its lag. A session missing inside a symbol's life is a
place of the window without a value, and a comparison with it counts as false. All values are without unit: prices are divided by
the present close, volumes by the present volume.

Yang, Liu, Zhou, Bian and Liu (2020): Qlib, an AI-oriented quantitative investment platform.
"""

from __future__ import annotations

from collections.abc import Callable

from touchstone.features import _moment_kernels as moments
from touchstone.features import _move_kernels as moves
from touchstone.features import _order_kernels as orders
from touchstone.features._feature import Feature, FeatureSet

__all__ = ["ALPHA158"]

_WINDOWS = (5, 10, 20, 30, 60)
_CANDLE = ("open", "high", "low", "close")
_CLOSE, _VOLUME = ("close",), ("volume",)
# Guards a volume that may be zero.
_GUARD = 1e-12
# Weights of what rises (or of the highest) and of what falls (or of the lowest).
_UP, _DOWN, _APART = (1.0, 0.0), (0.0, 1.0), (1.0, -1.0)


def _candle(name: str, part: int, over: int, inputs: tuple[str, ...] = _CANDLE) -> Feature:
    return Feature(name, inputs, 1, moves.candle, (part, over))


def _price(name: str, field: str) -> Feature:
    return Feature(name, (field, "close"), 1, moves.lag_ratio, (0, 0.0))


def _family(name: str, inputs: tuple[str, ...], kernel: Callable[..., None], *modes: float) -> tuple[Feature, ...]:
    return tuple(Feature(f"{name}{window}", inputs, window, kernel, (window, *modes), partial_windows=True) for window in _WINDOWS)


def _changing(name: str, inputs: tuple[str, ...], kernel: Callable[..., None], *modes: float) -> tuple[Feature, ...]:
    """A family over changes, the first of which looks at the session before the window."""
    return tuple(Feature(f"{name}{window}", inputs, window + 1, kernel, (window, *modes), partial_windows=True) for window in _WINDOWS)


ALPHA158 = FeatureSet(
    "alpha158",
    (
        # A kernel takes four prices; where a part needs fewer, one that it needs stands in for the others.
        _candle("KMID", 0, 0, ("open", "close", "close", "close")),
        _candle("KLEN", 1, 0, ("open", "high", "low", "open")),
        _candle("KMID2", 0, 1),
        _candle("KUP", 2, 0, ("open", "high", "high", "close")),
        _candle("KUP2", 2, 1),
        _candle("KLOW", 3, 0, ("open", "low", "low", "close")),
        _candle("KLOW2", 3, 1),
        _candle("KSFT", 4, 0),
        _candle("KSFT2", 4, 1, ("close", "high", "low", "close")),
        _price("OPEN0", "open"),
        _price("HIGH0", "high"),
        _price("LOW0", "low"),
        _price("VWAP0", "vwap"),
        *(Feature(f"ROC{window}", ("close", "close"), window + 1, moves.lag_ratio, (window, 0.0)) for window in _WINDOWS),
        *_family("MA", _CLOSE, moments.mean, 0.0),
        *_family("STD", ("close", "close"), moments.spread, 0.0, False),
        *_family("BETA", _CLOSE, moments.line, 0),
        *_family("RSQR", _CLOSE, moments.line, 1),
        *_family("RESI", _CLOSE, moments.line, 2),
        *_family("MAX", ("high", "close"), orders.extreme, 1.0),
        *_family("MIN", ("low", "close"), orders.extreme, -1.0),
        *_family("QTLU", _CLOSE, orders.quantile, 0.8),
        *_family("QTLD", _CLOSE, orders.quantile, 0.2),
        *_family("RANK", _CLOSE, orders.rank),
        *_family("RSV", ("close", "high", "low"), orders.position),
        *_family("IMAX", ("high", "high", "age"), orders.place, *_UP),
        *_family("IMIN", ("low", "low", "age"), orders.place, *_DOWN),
        *_family("IMXD", ("high", "low", "age"), orders.place, *_APART),
        *_family("CORR", ("close", "log_volume"), moments.correlation),
        *_changing("CORD", ("returns", "log_volume_ratio"), moments.correlation),
        *_changing("CNTP", ("close", "age"), moves.ups, *_UP),
        *_changing("CNTN", ("close", "age"), moves.ups, *_DOWN),
        *_changing("CNTD", ("close", "age"), moves.ups, *_APART),
        *_changing("SUMP", _CLOSE, moves.changes, *_UP),
        *_changing("SUMN", _CLOSE, moves.changes, *_DOWN),
        *_changing("SUMD", _CLOSE, moves.changes, *_APART),
        *_family("VMA", _VOLUME, moments.mean, _GUARD),
        *_family("VSTD", ("volume", "volume"), moments.spread, _GUARD, False),
        *_changing("WVMA", ("returns", "volume"), moments.spread, _GUARD, True),
        *_changing("VSUMP", _VOLUME, moves.changes, *_UP),
        *_changing("VSUMN", _VOLUME, moves.changes, *_DOWN),
        *_changing("VSUMD", _VOLUME, moves.changes, *_APART),
    ),
    min_sessions=1,
)
