"""What a run asks of its prices beyond what the source gave: one currency, computed fields; stated first, done by `ingest`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from touchstone.errors import name_few
from touchstone.market._currency import benchmark_currency, foreign_currencies, require_rates, single_currency
from touchstone.market._data import MarketData
from touchstone.market._derive import derived_fields, describe_derived

__all__ = ["declare"]


def declare(raw: MarketData, *, currency: str = "", derived: Sequence[str] = ()) -> MarketData:
    """State in the metadata what `ingest` will do, and refuse what it could not.

    Parameters
    ----------
    raw : MarketData
        Its bars stay as they are: quality is judged on what the source gave.
    currency : str
        ISO 4217 code to convert prices into; empty: all symbols must share one.
    derived : sequence of str
        Recipes of `touchstone.market.derive`.

    Returns
    -------
    MarketData
        ``metadata.currency`` and ``metadata.derived`` tell of the prices after `ingest`, ``metadata.fields`` of the raw ones; each
        conversion and each computed field is a caveat as well, so that reports print it. A currency that the source stated for all
        its prices stands in `assets` for the symbols that state none; a benchmark is in that of the asset which bears its name.

    Raises
    ------
    ConfigError
        A recipe that is unknown or does not fit the fields.
    DataError
        Several currencies and none to convert into; a symbol whose currency nobody says; prices or a benchmark in another currency
        without rates.
    """
    derived_fields(raw.metadata.fields, derived)
    told = _declare_currency(raw, currency)
    caveats = tuple(f"Computed, not observed: {describe_derived(name)}." for name in derived)
    metadata = told.metadata.model_copy(update={"derived": tuple(derived), "caveats": (*told.metadata.caveats, *caveats)})
    return replace(told, metadata=metadata)


def _declare_currency(raw: MarketData, wanted: str) -> MarketData:
    symbols, stated = raw.bars.index.unique("symbol"), raw.metadata.currency
    if not wanted:
        single = single_currency(raw.assets, symbols, default=stated)
        return _in_currency(raw, single, *_benchmark_caveats(raw, single, is_converted=False))
    foreign = foreign_currencies(raw.assets, symbols, to=wanted, default=stated)
    benchmark = _benchmark_caveats(raw, wanted, is_converted=bool(foreign))
    if not foreign:
        return _in_currency(raw, wanted, *benchmark)
    ways = require_rates(raw.rates, foreign, to=wanted)
    caveat = f"Prices in {name_few(ways)} are converted into {wanted} with the last rate known at each bar."
    told = replace(raw, assets=_with_currency(raw.assets, symbols, stated))
    return _in_currency(told, wanted, caveat, *benchmark)


def _benchmark_caveats(raw: MarketData, currency: str, *, is_converted: bool) -> tuple[str, ...]:
    """The benchmark follows the prices where its currency is stated; where nobody states it, that must be said."""
    if raw.benchmark.empty or not currency:
        return ()
    stated = benchmark_currency(raw.assets, raw.metadata.benchmark_name)
    if stated in ("", currency):
        return ("The benchmark is in the currency that its source gave.",) if is_converted and not stated else ()
    (way,) = require_rates(raw.rates, [stated], to=currency)
    return (f"The benchmark in {way} is converted into {currency} with the last rate known at each bar.",)


def _in_currency(raw: MarketData, currency: str, *caveats: str) -> MarketData:
    metadata = raw.metadata.model_copy(update={"currency": currency, "caveats": (*raw.metadata.caveats, *caveats)})
    return replace(raw, metadata=metadata)


def _with_currency(assets: pd.DataFrame, symbols: pd.Index, stated: str) -> pd.DataFrame:
    """The assets with what the source said of all its prices, for the symbols that say nothing themselves."""
    if not stated:
        return assets
    known = assets.assign(currency=assets["currency"].mask(assets["currency"] == "", stated))
    silent = pd.Index(sorted(symbols), dtype="str").difference(pd.Index(assets["symbol"]))
    rows = pd.DataFrame({column: pd.Series([""] * len(silent), dtype="str") for column in assets.columns})
    return pd.concat([known, rows.assign(symbol=silent, currency=stated)], ignore_index=True).astype("str")
