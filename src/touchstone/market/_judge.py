"""Raw bars judged: the rows that stay, and those that are set aside with the checks they failed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.errors import DataError
from touchstone.market._data import Timeframe
from touchstone.market._schemas import validate
from touchstone.market.quality import Examination, MarketContext, examine

__all__ = ["JudgedBars", "judge"]


@dataclass(frozen=True, eq=False)
class JudgedBars:
    """The rows that stay, what was found, and the rows that were set aside.

    Parameters
    ----------
    bars, quality : DataFrame
        As `validate` describes them; bars may be empty.
    quarantine : DataFrame
        As in `Ingested`.
    """

    bars: pd.DataFrame
    quality: pd.DataFrame
    quarantine: pd.DataFrame


def judge(
    raw: pd.DataFrame,
    *,
    calendar: str,
    timeframe: Timeframe = "1d",
    actions: pd.DataFrame | None = None,
    context: MarketContext | None = None,
    first_row: int = 0,
) -> JudgedBars:
    """Judge raw bars, or one block of symbols of them, set the unsound ones aside and sort the rest.

    Parameters
    ----------
    raw : DataFrame, index (date, symbol)
        Raw bars in the source's row order; all rows of its symbols.
    calendar, timeframe, actions
        As `check` takes them.
    context : MarketContext, optional
        What all symbols together say, when the rows are one block of them.
    first_row : int
        Number that the block's first row has in all of the raw bars.

    Raises
    ------
    DataError
        Not raw bars, or a row that was lost.
    ConfigError
        Unknown calendar.
    """
    validate("raw_bars", raw)
    examined = examine(raw, calendar, timeframe=timeframe, actions=actions, context=context)
    bars = raw[~examined.quarantined].sort_index()
    quarantine = _quarantine(raw, examined, first_row)
    _account(len(raw), len(bars), len(quarantine))
    return JudgedBars(validate("bars", bars), examined.findings, quarantine)


def _quarantine(raw: pd.DataFrame, examined: Examination, first_row: int) -> pd.DataFrame:
    rows = np.flatnonzero(examined.quarantined)
    aside = examined.findings["action"].to_numpy() == "quarantined"
    failed = pd.Series(examined.findings["check"].to_numpy()[aside], index=examined.rows[aside])
    checks = failed.groupby(level=0).agg(lambda names: ",".join(dict.fromkeys(names))).reindex(rows)
    kept = raw.iloc[rows].reset_index()
    kept.insert(0, "row", first_row + rows)
    return kept.assign(checks=pd.array(checks.to_list(), dtype="str"))


def _account(n_raw: int, n_clean: int, n_quarantined: int) -> None:
    if n_raw != n_clean + n_quarantined:
        raise DataError(f"Raw rows must be clean or quarantined, but {n_raw} came in, {n_clean} are clean and {n_quarantined} quarantined.")
