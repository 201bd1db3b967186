"""Adjusted prices come without the actions that they already hold."""

from __future__ import annotations

import pandas as pd

from touchstone.errors import DataError, name_few
from touchstone.market._data import Adjustment

__all__ = ["refuse_held_actions"]

_HELD: dict[Adjustment, tuple[str, ...]] = {"none": (), "split": ("split",), "total_return": ("split", "dividend", "spinoff")}


def refuse_held_actions(adjustment: Adjustment, actions: pd.DataFrame) -> None:
    """Refuse actions that the prices hold: they would count twice.

    As-traded prices take every action. Split-adjusted prices take no splits; their dividends and spin-offs must be per share of the
    adjusted prices. Total-return prices take delistings only.

    Raises
    ------
    DataError
        Naming the first actions that do not belong.
    """
    held = actions[actions["kind"].isin(_HELD[adjustment])]
    if held.empty:
        return
    shown = name_few(f"{row.symbol} {row.kind} {row.ex_date:%Y-%m-%d}" for row in held.itertuples())
    way_out = (
        "leave them out, or give back the prices as traded (touchstone.market.unadjust) and say adjustment none"
        if adjustment == "split"
        else "leave them out, or bring prices as traded"
    )
    raise DataError(f"Prices adjusted for '{adjustment}' hold these actions already, but they are given as well: {shown}; {way_out}.")
