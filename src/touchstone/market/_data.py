"""What a source hands over: its tables, and what they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict

from touchstone.market._schemas import empty_table

__all__ = ["Adjustment", "MarketData", "Metadata", "Timeframe"]

Adjustment = Literal["none", "split", "total_return"]
Timeframe = Literal["1m", "5m", "15m", "30m", "1h", "1d"]


class Metadata(BaseModel):
    """What the prices are and what a reader of results on them must know.

    Parameters
    ----------
    source : str
        Short name of the source.
    adjustment : {"none", "split", "total_return"}
        ``none``: prices as traded; ``split``: splits are taken out, dividends are not; ``total_return``: both are in the prices.
    fields : tuple of str
        The columns that the source's bars carry.
    calendar : str
        Exchange calendar of the sessions.
    timeframe : {"1m", "5m", "15m", "30m", "1h", "1d"}
        Width of a bar. A daily bar is dated by its session, a shorter one by its close in UTC.
    currency : str
        ISO 4217 code of all prices, after conversion where one was declared; empty when nobody says.
    benchmark_name : str
        Empty when the source has no benchmark.
    caveats : tuple of str
        Sentences that every report on these data prints.
    derived : tuple of str
        Recipes (`touchstone.market.derive`) of fields that are computed and not observed; nothing is derived unless asked for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    adjustment: Adjustment
    fields: tuple[str, ...]
    calendar: str
    timeframe: Timeframe = "1d"
    currency: str = ""
    benchmark_name: str = ""
    caveats: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class MarketData:
    """The tables of one source; a table that it lacks is empty but carries its columns.

    Parameters
    ----------
    bars : DataFrame, index (date, symbol)
        Raw: in the source's own row order, possibly with duplicates, NaN and nonsense, until `ingest` has judged them.
    actions, macro, signals, universe, benchmark, assets, sectors, rates : DataFrame
        As `validate` describes them.
    metadata : Metadata
    """

    bars: pd.DataFrame
    actions: pd.DataFrame
    macro: pd.DataFrame
    signals: pd.DataFrame
    universe: pd.DataFrame
    benchmark: pd.DataFrame
    metadata: Metadata
    assets: pd.DataFrame = field(default_factory=partial(empty_table, "assets"))
    sectors: pd.DataFrame = field(default_factory=partial(empty_table, "sectors"))
    rates: pd.DataFrame = field(default_factory=partial(empty_table, "rates"))
