"""A bundle is tried on made-up bars before anyone is answered with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from touchstone import market
from touchstone.serving._bundle import Bundle, Card, load_bundle
from touchstone.serving._predict import predict

if TYPE_CHECKING:
    from touchstone.tracking import ServedModel

__all__ = ["load_rehearsed"]

_SYMBOLS = ("A", "B")
_FIRST = pd.Timestamp("2012-01-03")


def load_rehearsed(served: ServedModel) -> Bundle:
    """Load a version and answer a made-up request with it.

    What it finds: feature sets that this code does not have, columns that they do not give. What it does besides: libraries are
    loaded and kernels compiled before the first client waits for them.

    Raises
    ------
    TouchstoneError
        What `load_bundle` or `predict` say.
    """
    bundle = load_bundle(served)
    predict(bundle, json.dumps(_made_up(bundle.card)).encode(), alias="rehearsal")
    return bundle


def _made_up(card: Card) -> dict[str, Any]:
    # No calendar of whole days closes more often than every other day.
    span = pd.Timedelta(days=2 * card.lookback + 30)
    stamps = market.bar_times(card.calendar, _FIRST, _FIRST + span, card.timeframe)[: card.lookback + 1]
    days = [str(stamp.date()) if card.timeframe == "1d" else stamp.isoformat() for stamp in stamps]
    dates = [day for day in days for _ in _SYMBOLS]
    prices = [100.0 + (7 * number) % 11 for number in range(len(dates))]
    bars = {"date": dates, "symbol": list(_SYMBOLS) * len(days)} | dict.fromkeys(card.fields, prices)
    known = {"period": days[0], "known_at": days[0], "value": 1.0}
    return {
        "bars": bars,
        "benchmark": [{"date": day, "close": 100.0 + number % 5} for number, day in enumerate(days)],
        "actions": [{"symbol": "A", "ex_date": days[-1], "known_at": days[-1], "kind": "dividend", "value": 1.0}],
        "macro": [{"series": series, "expires_at": days[-1], **known} for series in _macro_series(card)],
        "signals": [{"name": name, "symbol": symbol, **known} for name in _named(card, "signal_") for symbol in _SYMBOLS],
        "sectors": [{"symbol": symbol, "sector": "made up", "start": days[0], "end": days[-1]} for symbol in _SYMBOLS],
    }


def _macro_series(card: Card) -> list[str]:
    # Bundles of before the set `macro` name levels alone.
    return _named(card, "macro_") if card.macro_series is None else list(card.macro_series)


def _named(card: Card, prefix: str) -> list[str]:
    return [column.removeprefix(prefix) for column in card.columns if column.startswith(prefix)]
