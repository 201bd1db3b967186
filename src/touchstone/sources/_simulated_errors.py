"""Errors as vendors make them, put into clean bars together with the key that says where and what they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError
from touchstone.types import BoolArray, FloatArray, IntArray

__all__ = ["ERROR_KINDS", "Injected", "inject_errors"]

PRICES = ("open", "high", "low", "close")
# Two errors of one symbol never stand closer than this, so that each can be judged by its healthy neighbours.
APART = 10
SWAPPED_AT_LEAST = 1.2  # ratio of the closes of two symbols whose rows are swapped
SPIKE_DEVIATIONS = (8.0, 16.0)  # robust standard deviations of the symbol's own moves
TRAVELLED_SESSIONS = (2, 5)  # backwards; by one, no date would go back


@dataclass(frozen=True)
class Injected:
    """Rows in the order of the source (``session``, ``symbol`` and the fields) and the key to what is wrong with them."""

    rows: pd.DataFrame
    answer_key: pd.DataFrame


@dataclass
class _Workshop:
    """State of one injection: the values being spoilt, the free places and the key so far."""

    rng: np.random.Generator
    clean: dict[str, FloatArray]
    spoilt: dict[str, FloatArray]
    is_free: BoolArray
    stamped: IntArray
    repeated: list[tuple[int, int, dict[str, float]]] = field(default_factory=list)
    key: list[tuple[int, int, str, str, float, float, int]] = field(default_factory=list)

    def take(self, allowed: BoolArray | None = None) -> tuple[int, int]:
        """Choose a free place, and keep others of its symbol at a distance."""
        places = np.flatnonzero(self.is_free if allowed is None else self.is_free & allowed)
        if not len(places):
            raise ConfigError(
                f"Injected errors must stand {APART} sessions apart within a symbol, but the market has no room left after "
                f"{len(self.key)} changed values: lower errors_per_kind or ask for more symbols or sessions."
            )
        session, symbol = divmod(int(places[self.rng.integers(len(places))]), self.is_free.shape[1])
        self.is_free[max(0, session - APART) : session + APART + 1, symbol] = False
        return session, symbol

    def spoil(self, kind: str, session: int, symbol: int, values: dict[str, float]) -> None:
        """Write values into a row and note each that is not the true one."""
        for name, value in values.items():
            true = float(self.clean[name][session, symbol])
            if value != true:
                self.spoilt[name][session, symbol] = value
                self.key.append((session, symbol, kind, name, true, value, session))

    def row(self, session: int, symbol: int, names: tuple[str, ...] | None = None) -> dict[str, float]:
        return {name: float(self.clean[name][session, symbol]) for name in names or tuple(self.clean)}


def inject_errors(
    rng: np.random.Generator, fields: dict[str, FloatArray], alive: BoolArray, *, is_special: BoolArray, per_kind: int
) -> Injected:
    """Spoil `per_kind` places with each kind of error.

    Parameters
    ----------
    fields
        Clean bars, ``(n_sessions, n_symbols)`` each; values count where a symbol is `alive`.
    is_special
        Places to stay clear of by three sessions, such as ex-dates.

    Raises
    ------
    ConfigError
        More errors than the market has room for.
    """
    clean = {name: np.where(alive, values, np.nan) for name, values in fields.items()}
    shop = _Workshop(
        rng=rng,
        clean=clean,
        spoilt={name: values.copy() for name, values in clean.items()},
        is_free=_inner(alive) & ~_near(is_special),
        stamped=np.repeat(np.arange(len(alive))[:, None], alive.shape[1], axis=1),
    )
    for make in _MAKERS.values():
        for _ in range(per_kind):
            make(shop)
    return Injected(rows=_rows(shop, alive), answer_key=_answer_key(shop))


def _scaled(shop: _Workshop) -> None:
    session, symbol = shop.take()
    factor = (100.0, 0.01)[shop.rng.integers(2)]
    shop.spoil("scaled", session, symbol, {name: value * factor for name, value in shop.row(session, symbol, PRICES).items()})


def _swapped(shop: _Workshop) -> None:
    session, one = shop.take(_has_partner(shop))
    other = shop.rng.choice(np.flatnonzero(shop.is_free[session] & _is_unlike(shop, session, one)))
    shop.is_free[max(0, session - APART) : session + APART + 1, other] = False
    shop.spoil("swapped", session, one, shop.row(session, int(other)))
    shop.spoil("swapped", session, int(other), shop.row(session, one))


def _spike(shop: _Workshop) -> None:
    session, symbol = shop.take()
    close = shop.clean["close"][:, symbol]
    moves = np.diff(np.log(close[np.isfinite(close)]))
    deviation = 1.4826 * float(np.median(np.abs(moves - np.median(moves))))
    factor = float(np.exp(deviation * shop.rng.uniform(*SPIKE_DEVIATIONS) * (-1.0, 1.0)[shop.rng.integers(2)]))
    row = shop.row(session, symbol, PRICES)
    spiked = row["close"] * factor
    shop.spoil("spike", session, symbol, {"high": max(row["high"], spiked), "low": min(row["low"], spiked), "close": spiked})


def _breached(shop: _Workshop) -> None:
    session, symbol = shop.take()
    row, by = shop.row(session, symbol, PRICES), float(shop.rng.uniform(0.01, 0.05))
    if shop.rng.integers(2):
        shop.spoil("high_low", session, symbol, {"high": min(row["open"], row["close"]) * (1.0 - by)})
    else:
        shop.spoil("high_low", session, symbol, {"low": max(row["open"], row["close"]) * (1.0 + by)})


def _duplicated(shop: _Workshop) -> None:
    """Give a row twice; one in two copies has another close, moved within the row's range."""
    session, symbol = shop.take()
    row = shop.row(session, symbol)
    copy = dict(row)
    if shop.rng.integers(2):
        copy["close"] = (row["low"] + row["high"]) / 2.0
    shop.repeated.append((session, symbol, copy))
    shop.key.append((session, symbol, "duplicate", "close", row["close"], copy["close"], session))


def _missing(shop: _Workshop) -> None:
    session, symbol = shop.take()
    shop.spoil("missing", session, symbol, {str(shop.rng.choice(PRICES)): np.nan})


def _non_positive(shop: _Workshop) -> None:
    session, symbol = shop.take()
    name = str(shop.rng.choice(PRICES))
    value = (0.0, -shop.row(session, symbol)[name])[shop.rng.integers(2)]
    shop.spoil("non_positive", session, symbol, {name: value})


def _time_travel(shop: _Workshop) -> None:
    """Stamp a row with an earlier session of its symbol: dates go backwards, that session has two rows, its own has none."""
    session, symbol = shop.take()
    stamped = session - int(shop.rng.integers(TRAVELLED_SESSIONS[0], TRAVELLED_SESSIONS[1] + 1))
    shop.stamped[session, symbol] = stamped
    there, carried = (float(shop.clean["close"][at, symbol]) for at in (stamped, session))
    shop.key.append((stamped, symbol, "time_travel", "date", there, carried, session))


_MAKERS: dict[str, Callable[[_Workshop], None]] = {
    "swapped": _swapped,  # first, as it needs two free places on one session
    "scaled": _scaled,
    "spike": _spike,
    "high_low": _breached,
    "duplicate": _duplicated,
    "missing": _missing,
    "non_positive": _non_positive,
    "time_travel": _time_travel,
}
ERROR_KINDS = tuple(sorted(_MAKERS))


def _inner(alive: BoolArray) -> BoolArray:
    """Places with at least `APART` sessions of their symbol on both sides."""
    inner = np.zeros_like(alive)
    if len(alive) > 2 * APART:
        inner[APART:-APART] = alive[: -2 * APART] & alive[APART:-APART] & alive[2 * APART :]
    return inner


def _near(marked: BoolArray) -> BoolArray:
    """Places within three sessions of a marked one of the same symbol."""
    near = marked.copy()
    for shift in (1, 2, 3):
        near[shift:] |= marked[:-shift]
        near[:-shift] |= marked[shift:]
    return near


def _is_unlike(shop: _Workshop, session: int, symbol: int) -> BoolArray:
    ratio = shop.clean["close"][session] / shop.clean["close"][session, symbol]
    unlike: BoolArray = np.maximum(ratio, 1.0 / ratio) >= SWAPPED_AT_LEAST
    return unlike


def _has_partner(shop: _Workshop) -> BoolArray:
    """Free places with another free one on the session whose close is far enough: the lowest or the highest of them decides."""
    close = np.where(shop.is_free, shop.clean["close"], np.nan)
    some = shop.is_free.any(axis=1)
    lowest, highest = np.full(len(close), np.nan), np.full(len(close), np.nan)
    lowest[some], highest[some] = np.nanmin(close[some], axis=1), np.nanmax(close[some], axis=1)
    far: BoolArray = (close >= SWAPPED_AT_LEAST * lowest[:, None]) | (close <= highest[:, None] / SWAPPED_AT_LEAST)
    return far


def _rows(shop: _Workshop, alive: BoolArray) -> pd.DataFrame:
    session, symbol = np.nonzero(alive)
    rows = pd.DataFrame({"session": shop.stamped[session, symbol], "symbol": symbol})
    rows = rows.assign(**{name: values[session, symbol] for name, values in shop.spoilt.items()})
    if not shop.repeated:
        return rows
    copies = pd.DataFrame([{"session": at, "symbol": of, **values} for at, of, values in shop.repeated])
    place = np.searchsorted(session * alive.shape[1] + symbol, copies["session"] * alive.shape[1] + copies["symbol"]) + 0.5
    together = pd.concat([rows, copies], ignore_index=True)
    return together.iloc[np.argsort(np.concatenate([np.arange(len(rows)), place]), kind="stable")].reset_index(drop=True)


def _answer_key(shop: _Workshop) -> pd.DataFrame:
    columns = {
        "session": "int64",
        "symbol": "int64",
        "kind": "str",
        "field": "str",
        "true": "float64",
        "injected": "float64",
        "own": "int64",
    }
    key = pd.DataFrame(shop.key, columns=list(columns)).astype(columns)
    return key.sort_values(["session", "symbol", "kind", "field"], ignore_index=True)
