"""Decisions and corporate actions on the sessions on which they take effect."""

from __future__ import annotations

import numpy as np
import pandas as pd

from touchstone.backtest import _kernels
from touchstone.backtest._books import Events, Orders
from touchstone.backtest._panels import Panels
from touchstone.errors import DataError, moment, name_few, nearest
from touchstone.types import FloatArray

__all__ = ["known_actions", "plan_events", "plan_orders", "splits_between"]

_KINDS = {"split": _kernels.SPLIT, "dividend": _kernels.DIVIDEND, "spinoff": _kernels.DIVIDEND, "delisting": _kernels.DELISTING}


def plan_orders(target_weights: pd.DataFrame, sessions: pd.DatetimeIndex, fill: str) -> Orders:
    """Put each decision on the session of its fill; one decided on the last session is not filled any more."""
    decided = sessions.get_indexer(target_weights.index)
    if (decided < 0).any():
        strays = [moment(date) for date in target_weights.index[decided < 0]]
        raise DataError(f"Decisions must fall on sessions of the bars, but got {name_few(strays)}: move them to a session.")
    filled = decided if fill == "same_close" else decided + 1
    inside = filled < len(sessions)
    if not inside.any():
        raise DataError(f"A fill needs a session after the decision, but the bars end on {moment(sessions[-1])}: bring later bars.")
    if filled[0] == 0:
        raise DataError(
            f"The account opens on the session before the first fill, but the bars begin with it on {moment(sessions[0])}: "
            "decide one session later or bring one earlier bar."
        )
    numbers = np.full(len(sessions), -1, dtype=np.int64)
    numbers[filled[inside]] = np.flatnonzero(inside)
    return Orders(numbers, np.ascontiguousarray(target_weights.to_numpy(dtype=np.float64)))


def plan_events(table: pd.DataFrame, panels: Panels) -> Events:
    """Put each action on the first session at or after its ex date, and close what has no bars any more.

    Bars that end early without a delisting would leave the money in a mark that never moves again: such a holding is
    sold at its last close on the session after, as a trade with its costs.
    """
    session = panels.sessions.searchsorted(table["ex_date"].to_numpy(), side="left")
    symbol = panels.symbols.get_indexer(pd.Index(table["symbol"], dtype="str"))
    kind = table["kind"].map(_KINDS).to_numpy(dtype=np.int64)
    value = table["value"].to_numpy(dtype=np.float64)
    n_sessions = len(panels.sessions)
    delisted = np.full(len(panels.symbols), -1)
    closing = (kind == _kernels.DELISTING) & (session < n_sessions)
    np.maximum.at(delisted, symbol[closing], session[closing])
    last_bar = n_sessions - 1 - np.argmax(~np.isnan(panels.market.close[::-1]), axis=0)
    ended = np.flatnonzero((last_bar < n_sessions - 1) & (delisted <= last_bar))
    session = np.concatenate([session, last_bar[ended] + 1])
    symbol = np.concatenate([symbol, ended])
    kind = np.concatenate([kind, np.full(len(ended), _kernels.BARS_ENDED)])
    value = np.concatenate([value, np.zeros(len(ended))])
    order = np.lexsort((symbol, kind, session))
    # On the opening session nothing is held yet, and earlier ex dates fall on it.
    order = order[(session[order] > 0) & (session[order] < n_sessions)]
    return Events(session[order].astype(np.int64), symbol[order].astype(np.int64), kind[order].astype(np.int64), value[order])


def known_actions(actions: pd.DataFrame | None, symbols: pd.Index) -> pd.DataFrame:
    """The actions of the symbols, checked."""
    if actions is None:
        return pd.DataFrame({"symbol": pd.Series(dtype="str"), "ex_date": pd.Series(dtype="datetime64[us]"), "kind": [], "value": []})
    strange = sorted(set(actions["kind"]) - set(_KINDS))
    if strange:
        raise DataError(f"Actions must be of a known kind, but got '{strange[0]}': {nearest(strange[0], _KINDS)}.")
    table = actions[actions["symbol"].isin(symbols)].astype({"ex_date": "datetime64[us]", "value": "float64"})
    value = table["value"]
    bad = table[~np.isfinite(value) | ((table["kind"] == "split") & (value <= 0.0)) | ((table["kind"] == "delisting") & (value < -1.0))]
    if len(bad):
        offenders = [f"{row.symbol} {row.kind} {moment(row.ex_date)} {row.value}" for row in bad.itertuples()]
        raise DataError(f"A split must be above 0, a delisting return at least -1, every value finite, but got {name_few(offenders)}.")
    return table


def splits_between(table: pd.DataFrame, panels: Panels) -> FloatArray:
    """What one share of the session before has become by splits: shape (n_sessions, n_symbols), 1 where nothing happened."""
    ratios = np.ones((len(panels.sessions), len(panels.symbols)))
    splits = table[table["kind"] == "split"]
    session = panels.sessions.searchsorted(splits["ex_date"].to_numpy(), side="left")
    symbol = panels.symbols.get_indexer(pd.Index(splits["symbol"], dtype="str"))
    inside = session < len(panels.sessions)
    np.multiply.at(ratios, (session[inside], symbol[inside]), splits["value"].to_numpy(dtype=np.float64)[inside])
    return ratios
