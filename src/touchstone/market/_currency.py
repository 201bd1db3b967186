"""Prices of several currencies in one, by the rates known at each bar."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.errors import DataError, name_few
from touchstone.market._calendar import days, sessions
from touchstone.market._schemas import PRICE_FIELDS, validate
from touchstone.types import FloatArray, IntArray

__all__ = [
    "Converted",
    "benchmark_currency",
    "convert_benchmark",
    "convert_currency",
    "foreign_currencies",
    "require_rates",
    "single_currency",
]

_PAYOUTS = ("dividend", "spinoff")


@dataclass(frozen=True, eq=False)
class Converted:
    """Bars and actions in one currency.

    Parameters
    ----------
    bars : DataFrame, index (date, symbol)
    actions : DataFrame
        Values of dividends and spin-offs are converted at their ex-date, and so known no earlier than that.
    pairs : tuple of str
        What was converted, such as ``EUR/USD``, sorted; empty when everything was in the currency already.
    """

    bars: pd.DataFrame
    actions: pd.DataFrame
    pairs: tuple[str, ...]


def single_currency(assets: pd.DataFrame, symbols: pd.Index, *, default: str = "") -> str:
    """Give the currency that all symbols share; empty where none is stated.

    Parameters
    ----------
    assets : DataFrame
        The table of the data contract; an empty ``currency`` says nothing.
    symbols : Index
        Those that have bars.
    default : str
        Currency of the symbols of which the table says nothing.

    Raises
    ------
    DataError
        More than one currency.
    """
    stated = _currencies(assets, symbols, default)
    found = sorted(set(stated[stated != ""]))
    if len(found) < 2:
        return found[0] if found else ""
    shown = name_few(f"{currency} ({name_few(stated.index[stated == currency][:2])})" for currency in found)
    raise DataError(
        f"All prices must be in one currency, but the assets state {shown}: set data.currency and bring a table of rates "
        "(base, quote, date, rate, known_at), or choose symbols of one currency."
    )


def foreign_currencies(assets: pd.DataFrame, symbols: pd.Index, *, to: str, default: str = "") -> list[str]:
    """List the currencies, sorted, that must be converted into another.

    Raises
    ------
    DataError
        A symbol of which neither the assets nor the default say the currency.
    """
    stated = _currencies(assets, symbols, default)
    if (stated == "").any():
        raise DataError(
            f"Every symbol must state its currency to be converted into {to}, but {name_few(stated.index[stated == ''])} does not: "
            "add it to the table of assets."
        )
    return sorted(set(stated) - {to})


def benchmark_currency(assets: pd.DataFrame, name: str) -> str:
    """Give the currency of a benchmark: that of the asset which bears its name; empty where nobody says."""
    stated = assets.loc[assets["symbol"] == name, "currency"]
    return "" if stated.empty else str(stated.iloc[0])


def require_rates(rates: pd.DataFrame, currencies: Iterable[str], *, to: str) -> tuple[str, ...]:
    """Refuse currencies of which no rate into the other is given; say for the others, for people, by which way they go.

    Raises
    ------
    DataError
        A pair without a row, or with several ways through a third currency.
    """
    routes = ((currency, _route(rates, currency, to)) for currency in currencies)
    return tuple(currency if len(route) == 1 else f"{currency} (through {route[0][1]})" for currency, route in routes)


def convert_currency(
    bars: pd.DataFrame,
    assets: pd.DataFrame,
    rates: pd.DataFrame,
    *,
    to: str,
    calendar: str,
    actions: pd.DataFrame,
    default: str = "",
    max_age_sessions: int = 5,
) -> Converted:
    """Convert prices, dividends and spin-offs into one currency.

    A bar is converted with the rate of the latest date among those with ``known_at`` at or before the bar, in its latest revision,
    and never with a later one; so a converted price is known at its bar. A rate is units of ``quote`` for one ``base``; the inverse
    pair is divided by. Without either, the two rates through the one third currency that has both are multiplied. Volumes are
    shares and stay. A payout is in the currency of its prices and takes the rate known at its ex-date; one whose ex-date lies before
    the symbol's first bar or after the last bar of all touches no price and is left out.

    Parameters
    ----------
    bars : DataFrame, index (date, symbol), date-major
    assets : DataFrame
        Says the ``currency`` of each symbol.
    rates : DataFrame
        ``base, quote, date, rate, known_at``.
    to : str
        ISO 4217 code.
    calendar : str
        Exchange calendar of the bars.
    actions : DataFrame
    default : str
        Currency of symbols of which the assets say nothing.
    max_age_sessions : int
        Sessions that a rate's date may lie before the bar's.

    Raises
    ------
    DataError
        A symbol without a currency; a pair without rates, or with several third currencies; a bar before the first known rate; a rate
        that is too old.
    """
    validate("rates", rates)
    symbols = bars.index.unique("symbol")
    foreign = foreign_currencies(assets, symbols, to=to, default=default)
    if not foreign:
        return Converted(bars, actions, ())
    stated = _currencies(assets, symbols, default)
    dates = pd.DatetimeIndex(bars.index.get_level_values("date"))
    touching = _touching(actions, bars.index)
    factor, paid = np.ones(len(bars)), np.ones(len(touching))
    of_bar, of_action = (stated.reindex(owners).to_numpy() for owners in (bars.index.get_level_values("symbol"), touching["symbol"]))
    payout, ex_dates = touching["kind"].isin(_PAYOUTS).to_numpy(), pd.DatetimeIndex(touching["ex_date"])
    for currency in foreign:
        rows, listed = of_bar == currency, (of_action == currency) & payout
        for base, quote in _route(rates, currency, to):
            pair = _Pair.of(rates, base, quote)
            factor[rows] *= pair.at(dates[rows], calendar, max_age_sessions)
            paid[listed] *= pair.at(ex_dates[listed], calendar, max_age_sessions)
    prices = {field: bars[field].to_numpy() * factor for field in bars.columns if field in PRICE_FIELDS}
    changed = payout & np.isin(of_action, foreign)
    # A converted payout is not known before the rate of its ex-date is.
    known = touching["known_at"].where(~changed, touching[["known_at", "ex_date"]].max(axis=1))
    converted = touching.assign(value=touching["value"].to_numpy() * paid, known_at=known)
    return Converted(bars.assign(**prices), converted, tuple(f"{currency}/{to}" for currency in foreign))


def convert_benchmark(
    benchmark: pd.DataFrame,
    rates: pd.DataFrame,
    *,
    base: str,
    to: str,
    stamps: pd.DatetimeIndex,
    calendar: str,
    max_age_sessions: int = 5,
) -> pd.DataFrame:
    """Convert a benchmark by the rules of `convert_currency`.

    Parameters
    ----------
    benchmark : DataFrame, index date
    rates : DataFrame
    base, to : str
        The benchmark's currency, and the one of the prices.
    stamps : DatetimeIndex
        Of the bars, in any order.
    calendar : str
    max_age_sessions : int

    Returns
    -------
    DataFrame, index date
        The rows from the first bar to the last: what lies outside is compared with no price, and rates need not reach it.

    Raises
    ------
    DataError
        As `convert_currency`.
    """
    if base == to:
        return benchmark
    inside: pd.DataFrame = benchmark[(benchmark.index >= stamps.min()) & (benchmark.index <= stamps.max())]
    dates, close = pd.DatetimeIndex(inside.index), inside["close"].to_numpy(copy=True)
    for leg in _route(rates, base, to):
        close *= _Pair.of(rates, *leg).at(dates, calendar, max_age_sessions)
    return inside.assign(close=close)


def _route(rates: pd.DataFrame, base: str, quote: str) -> tuple[tuple[str, str], ...]:
    """The pairs, each given one way or the other, that lead from a currency to another."""
    given = {frozenset(pair) for pair in zip(rates["base"], rates["quote"], strict=True)}
    if frozenset((base, quote)) in given:
        return ((base, quote),)
    between = sorted({name for pair in given for name in pair if {frozenset((base, name)), frozenset((name, quote))} <= given})
    if len(between) == 1:
        return ((base, between[0]), (between[0], quote))
    told = f"add rows of base {base} and quote {quote}"
    if between:
        raise DataError(f"Prices in {base} must have one way into {quote}, but the rates go through {name_few(between)}: {told}.")
    pairs = sorted({f"{row.base}/{row.quote}" for row in rates.itertuples()})
    raise DataError(f"Prices in {base} need rates into {quote}, but the table of rates has {name_few(pairs) or 'no rows'}: {told}.")


@dataclass(frozen=True)
class _Pair:
    """The rates of one pair in the order in which they became known, and which of them is the best by then."""

    name: str
    known: IntArray
    best: IntArray
    dates: IntArray
    values: FloatArray

    @classmethod
    def of(cls, rates: pd.DataFrame, base: str, quote: str) -> _Pair:
        direct = rates[(rates["base"] == base) & (rates["quote"] == quote)]
        inverse = rates[(rates["base"] == quote) & (rates["quote"] == base)]
        used = inverse if direct.empty else direct
        used = used.sort_values(["date", "known_at"], kind="stable", ignore_index=True)
        values = used["rate"].to_numpy(dtype=np.float64)
        order = np.lexsort((np.arange(len(used)), days(used["known_at"])))
        best = np.maximum.accumulate(order)
        return cls(f"{base}/{quote}", days(used["known_at"])[order], best, days(used["date"]), 1.0 / values if direct.empty else values)

    def at(self, dates: pd.DatetimeIndex, calendar: str, max_age_sessions: int) -> FloatArray:
        """The rate known at each date."""
        if not len(dates):
            return np.empty(0)
        when = days(dates)
        place = np.searchsorted(self.known, when, side="right") - 1
        if (place < 0).any():
            first, early = pd.Timestamp(int(self.known[0]), unit="us"), dates[place < 0].min()
            raise DataError(
                f"Every bar needs a rate known by then, but {self.name} is known from {first:%Y-%m-%d} and bars begin on "
                f"{early:%Y-%m-%d}: bring earlier rates or start the span later."
            )
        chosen = self.best[place]
        self._require_fresh(self.dates[chosen], dates, calendar, max_age_sessions)
        return self.values[chosen]

    def _require_fresh(self, rate_dates: IntArray, dates: pd.DatetimeIndex, calendar: str, max_age_sessions: int) -> None:
        when = days(dates)
        open_days = days(sessions(calendar, pd.Timestamp(int(rate_dates.min()), unit="us"), dates.max()))
        age = np.searchsorted(open_days, when, side="right") - np.searchsorted(open_days, rate_dates, side="right")
        stale = np.flatnonzero(age > max_age_sessions)
        if len(stale):
            worst = stale[np.argmax(age[stale])]
            of = pd.Timestamp(int(rate_dates[worst]), unit="us")
            raise DataError(
                f"A rate may be {max_age_sessions} sessions old at most, but the last of {self.name} known on {dates[worst]:%Y-%m-%d} is "
                f"of {of:%Y-%m-%d}, {age[worst]} sessions before: bring the missing rates."
            )


def _touching(actions: pd.DataFrame, index: pd.Index) -> pd.DataFrame:
    """All but the payouts that no bar follows or that lie before all bars of their symbol: of those days there may be no rate."""
    dates = index.get_level_values("date").to_series()
    first = dates.groupby(index.get_level_values("symbol").to_numpy()).min().dt.normalize()
    since = first.reindex(actions["symbol"]).to_numpy()
    inside = (actions["ex_date"] >= since) & (actions["ex_date"] <= dates.max())
    kept: pd.DataFrame = actions[inside | ~actions["kind"].isin(_PAYOUTS)]
    return kept.reset_index(drop=True)


def _currencies(assets: pd.DataFrame, symbols: pd.Index, default: str) -> pd.Series:
    """What each symbol's prices are in, by symbol; empty where nobody says."""
    stated = assets.set_index("symbol")["currency"].reindex(pd.Index(sorted(symbols), dtype="str")).fillna("").astype("str")
    return stated.mask(stated == "", default)
