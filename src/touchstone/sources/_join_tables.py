"""A person's own tables beside those of the source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from touchstone.errors import DataError, name_few
from touchstone.market import MarketData, refuse_held_actions, validate
from touchstone.sources._price_caveats import price_caveats, without_price_caveats
from touchstone.sources._table_defaults import OPEN_END
from touchstone.sources._tables import UserTables

__all__ = ["join_tables"]


def join_tables(data: MarketData, own: UserTables) -> MarketData:
    """Add a person's own tables to what a source gave.

    ===================  ==========================================================================================================
    signals, macro       appended; no row may stand twice
    actions              appended; a symbol may have one action of a kind on an ex-date
    rates                appended; no row may stand twice
    assets               rows of other symbols are added; where both have a symbol, each may fill what the other leaves empty
    sectors              appended; spans of a symbol may not overlap
    universe, benchmark  taken where the source has none
    ===================  ==========================================================================================================

    Parameters
    ----------
    data : MarketData
        As `load` gives it.
    own : UserTables
        As `read_tables` gives them.

    Returns
    -------
    MarketData
        With the caveats that the tables bring, in its metadata.

    Raises
    ------
    DataError
        A row or a whole table that both give; assets that differ; actions that the prices hold already.
    """
    for name in ("universe", "benchmark"):
        if name in own.tables and len(getattr(data, name)):
            raise DataError(f"Only one {name} may be given, but the source '{data.metadata.source}' has its own: {_remove(own, name)}.")
    joined = {name: _JOINS[name](name, getattr(data, name), table, own) for name, table in own.tables.items()}
    done: MarketData = replace(data, **joined)  # type: ignore[arg-type]  # names of tables, never the metadata
    refuse_held_actions(done.metadata.adjustment, done.actions)
    return replace(done, metadata=done.metadata.model_copy(update=_facts(data, done, own)))


def _facts(before: MarketData, done: MarketData, own: UserTables) -> dict[str, object]:
    caveats = done.metadata.caveats
    kept = without_price_caveats(caveats)
    if kept != caveats:
        caveats = (*price_caveats(done.metadata.adjustment, done.actions), *kept)
    named = {"benchmark_name": own.benchmark_name} if "benchmark" in own.tables else {}
    return {"caveats": (*caveats, *own.caveats, *_strangers(before, own), *_sector_caveats(before, own)), **named}


def _strangers(data: MarketData, own: UserTables) -> tuple[str, ...]:
    """Tables that name other symbols alone: spelled otherwise, they would be passed over without a word."""
    known = {*data.bars.index.unique("symbol"), _EVERY_SYMBOL, data.metadata.benchmark_name, own.benchmark_name}
    named = {name: own.tables[name]["symbol"] for name in _BY_SYMBOL if name in own.tables}
    lost = [name for name, symbols in named.items() if len(symbols) and not symbols.isin(known).any()]
    return tuple(f"No symbol of your table {name} has bars: they are spelled otherwise, or it is meant for other bars." for name in lost)


def _sector_caveats(data: MarketData, own: UserTables) -> tuple[str, ...]:
    if not own.undated_sectors:
        return ()
    symbols = data.bars.index.unique("symbol")
    covered = symbols.isin(own.tables["sectors"]["symbol"]).sum()
    what = f"Sectors are a list of {own.undated_sectors}, used for every date: look-ahead, and biased to what was listed then"
    return (f"{what}; it covers {covered} of the {len(symbols)} symbols, the others are unknown.",)


def _append(name: str, source: pd.DataFrame, given: pd.DataFrame, own: UserTables) -> pd.DataFrame:
    keys = _KEYS[name]
    twice = given.loc[given.set_index(keys).index.isin(source.set_index(keys).index), keys]
    if len(twice):
        shown = name_few(" ".join(_show(value) for value in row) for row in twice.itertuples(index=False))
        raise DataError(f"Each row of {name} may be given once, but the source gives these as well: {shown}; {_remove(own, name)}.")
    both = (source, given)
    if name == "signals" and any("expires_at" in table for table in both):
        both = (_lasting(source), _lasting(given))
    return validate(name, pd.concat(both, ignore_index=True))


def _lasting(signals: pd.DataFrame) -> pd.DataFrame:
    """Signals that do not say when they expire never do."""
    if "expires_at" in signals:
        return signals
    return signals.assign(expires_at=pd.Series(OPEN_END, index=signals.index, dtype="datetime64[us]"))


def _merge_assets(name: str, source: pd.DataFrame, given: pd.DataFrame, own: UserTables) -> pd.DataFrame:
    ours, theirs = given.set_index("symbol"), source.set_index("symbol")
    both = ours.index.intersection(theirs.index)
    left, right = ours.loc[both], theirs.loc[both]
    differs = (left != right) & (left != "") & (right != "")
    if differs.to_numpy().any():
        row, column = next((symbol, column) for symbol in both for column in left.columns if differs.loc[symbol, column])
        raise DataError(
            f"Assets given twice must agree, but for {row} the source says {column} '{right.loc[row, column]}' and your table "
            f"'{left.loc[row, column]}': {_remove(own, name)}."
        )
    filled = theirs.mask(theirs == "", ours.reindex(theirs.index))
    table = pd.concat([filled.fillna("").reset_index(), ours.drop(both).reset_index()], ignore_index=True)
    return validate(name, table[list(given.columns)].astype("str"))


_EVERY_SYMBOL = "*"
_BY_SYMBOL = ("actions", "assets", "sectors", "signals", "universe")
_KEYS = {
    "actions": ["symbol", "ex_date", "kind"],
    "macro": ["series", "period", "known_at"],
    "signals": ["name", "symbol", "period", "known_at"],
    "rates": ["base", "quote", "date", "known_at"],
    "sectors": ["symbol", "start"],
}
_JOINS: dict[str, Callable[[str, pd.DataFrame, pd.DataFrame, UserTables], pd.DataFrame]] = {
    **dict.fromkeys(_KEYS, _append),
    "assets": _merge_assets,
    "universe": lambda _name, _source, given, _own: given,
    "benchmark": lambda _name, _source, given, _own: given,
}


def _remove(own: UserTables, name: str) -> str:
    return f"take it out of the table {name} in '{own.folder}'"


def _show(value: object) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value)
