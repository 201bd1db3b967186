"""The verdict on raw bars: what a row must be before anybody computes with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.market._calendar import DAILY
from touchstone.market._schemas import empty_table, validate
from touchstone.market.quality._activity import stale_runs, zero_volume_moves
from touchstone.market.quality._findings import marked, table_of
from touchstone.market.quality._keys import missing_sessions
from touchstone.market.quality._market import MarketContext, other_symbol
from touchstone.market.quality._moves import judge_jumps
from touchstone.market.quality._repeats import repeated_rows
from touchstone.market.quality._sound import Sound
from touchstone.types import BoolArray, IntArray

__all__ = ["Examination", "check", "examine"]


@dataclass(frozen=True, eq=False)
class Examination:
    """Findings, each with its row number in the raw bars (-1: a row that is not there), and the rows to quarantine."""

    findings: pd.DataFrame
    rows: IntArray
    quarantined: BoolArray


def check(bars: pd.DataFrame, *, calendar: str, timeframe: str = DAILY, actions: pd.DataFrame | None = None) -> pd.DataFrame:
    """Find the rows that break the data contract, the sessions that are not there, and the moves that want an explanation.

    ===================== =========== ===================================================================================================
    check                 action      what it finds
    ===================== =========== ===================================================================================================
    not_a_session         quarantined a stamp at which the exchange has no bar
    missing_value         quarantined NaN or an infinite value in a field that the source carries
    non_positive          quarantined a price of 0 or below, or a volume below 0
    high_low              quarantined a high below the row's open or low, a low above its open, by more than a millionth of the price
    close_outside_range   quarantined a close above the row's high or below its low, by more than a millionth of the price
    duplicate             quarantined the same row again: the first one stays
    conflicting_duplicate quarantined another row for the same symbol and bar: the first sound one stays, and nothing says that it is the
                                      right one
    time_travel           quarantined a second row for an earlier bar that stands in the place of a bar that has none; a row that fits
                                      neither neighbour and is, to the last digit, the symbol's row of another date, where it fits
    other_symbol          quarantined two rows of a bar that fit each other's neighbours and not their own; a displaced row that another
                                      symbol has too, volume and all, where it fits
    scale_slip            quarantined up to five rows that are 10, 100 or 1000 times too large or small, between rows that agree
    reverting_jump        quarantined a jump that is gone at the next open and close and was not traded like news
    out_of_order          repaired    a row that stands after a later date of its symbol; it is sorted, its values stay
    suspected_action      kept        a jump overnight by a usual split's ratio, or a fall, on an otherwise ordinary day without an action
    jump                  kept        any other move of at least 8 robust deviations: a crash or a leap, or a bad last row
    repeated_row          kept        prices and volume of another date of the symbol, to the last digit, where both rows fit
    stale_run             kept        the same prices for at least 3 rows, or the same close for at least 5, if that is rare for the symbol
    zero_volume_move      kept        a close that moved without volume, of a symbol that mostly has some
    missing_session       kept        a bar between the symbol's first and last sound row that has no row at all
    ===================== =========== ===================================================================================================

    A row may have several findings. `docs/concepts/data-quality.md` says when each is known and how well it finds what it is for.

    Parameters
    ----------
    bars : DataFrame, index (date, symbol)
        Raw bars in the source's row order.
    calendar : str
        Exchange calendar.
    timeframe : {"1m", "5m", "15m", "30m", "1h", "1d"}
        Width of a bar.
    actions : DataFrame, optional
        Recorded corporate actions: the moves that they explain are none, whether the prices are adjusted for them or not.

    Returns
    -------
    DataFrame
        ``symbol, date, check, severity, observed, expected, action, score``, sorted by symbol, date and check. ``score`` is the size in
        robust deviations of the symbol's own moves, and 0 for what has no size.

    Raises
    ------
    DataError
        Not raw bars; a row without date or symbol.
    ConfigError
        Unknown calendar or timeframe.
    """
    return examine(validate("raw_bars", bars), calendar, timeframe=timeframe, actions=actions).findings


def examine(
    raw: pd.DataFrame,
    calendar: str,
    *,
    timeframe: str = DAILY,
    actions: pd.DataFrame | None = None,
    context: MarketContext | None = None,
) -> Examination:
    """Run every check; `check` says which. With a `context`, `raw` is a block of the symbols that the context was built from."""
    if raw.empty:
        return Examination(empty_table("quality"), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_))
    sound = Sound.of(raw, calendar, timeframe, actions)
    market = MarketContext.of_one(sound) if context is None else context
    repeats, is_traveller = repeated_rows(sound)
    strangers, is_aside = other_symbol(market, sound, is_traveller)
    judged = [*repeats, strangers, *judge_jumps(sound, market, is_aside), *stale_runs(sound), *zero_volume_moves(sound, market)]
    found = [*sound.found, *judged, missing_sessions(sound.keys, sound.is_sound)]
    table, rows = table_of(raw, found)
    return Examination(table, rows, marked(found, len(raw)))
