"""Real prices without a download: twenty US large caps and an index from skfolio, macro series from arch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import pandas as pd
from pandas.tseries.offsets import BusinessDay, MonthEnd

from touchstone.market import MarketData, Metadata, empty_table
from touchstone.sources._registry import SourceRequest

__all__ = ["SampleSource"]

_CAVEATS = (
    "The 20 symbols are survivors: large companies of today whose past was looked up. Compare with the equal-weighted universe.",
    "The benchmark is the S&P 500 price index: it leaves out its dividends, about 2 % a year; the symbols have theirs in their prices.",
    "Prices are adjusted closes rounded to 0.001, which is up to 33 bps of early prices; there are no opens, highs, lows or volumes.",
    "Macro series are those of their last revision, known a stated lag after the end of their period, and end between 2018 and 2019.",
)
# Until 2001 prices moved in fractions of a dollar, which shows as a two-session reversal; the sample's default span starts well after.
_START, _END = pd.Timestamp("2003-01-01"), pd.Timestamp("2022-12-31")


@dataclass(frozen=True)
class _MacroSeries:
    """A series of arch's bundled data, and when a period's value was known.

    The lag counts calendar days from the end of the period, which arch dates by its start. After `max_age_periods` further periods
    the value is missing.
    """

    name: str
    module: str
    value: Callable[[pd.DataFrame], pd.Series]
    period: type[BusinessDay] | type[MonthEnd]
    lag_days: int
    max_age_periods: int


_MACRO = (
    # The index closes a quarter of an hour after the exchange, so today's value is tomorrow's knowledge.
    _MacroSeries("vix", "vix", lambda table: table["vix"], BusinessDay, lag_days=1, max_age_periods=5),
    # Published on Wednesdays for the days up to the Monday before.
    _MacroSeries("wti", "wti", lambda table: table["DCOILWTICO"], BusinessDay, lag_days=9, max_age_periods=15),
    # Monthly averages of Moody's yields stand in the Federal Reserve's release a few days into the next month.
    _MacroSeries("default_spread", "default", lambda table: table["BAA"] - table["AAA"], MonthEnd, lag_days=7, max_age_periods=3),
    # Two weeks as a rule, a month when the government was shut down in 2013.
    _MacroSeries("core_cpi", "core_cpi", lambda table: table["CPILFESL"], MonthEnd, lag_days=31, max_age_periods=3),
)


class SampleSource:
    """Daily total-return closes of 20 US large caps, 1990 to 2022; 2003-01-01 to 2022-12-31 unless asked otherwise."""

    name = "sample"

    def load(self, request: SourceRequest) -> MarketData:
        """Read the bundled files; nothing is invented for the fields they lack.

        Raises
        ------
        ConfigError
            A symbol that is not one of the twenty, or any option.
        """
        request.expect_options(self.name)
        # Imported late: three seconds that no other source should pay.
        datasets = import_module("skfolio.datasets")
        start, end = request.start or _START, request.end or _END
        closes = datasets.load_sp500_dataset().loc[start:end]
        index = datasets.load_sp500_index().loc[start:end]
        return MarketData(
            bars=_bars(closes[request.choose(self.name, list(closes.columns))]),
            actions=empty_table("actions"),
            macro=pd.concat([_macro(series, start, end) for series in _MACRO], ignore_index=True),
            signals=empty_table("signals"),
            universe=empty_table("universe"),
            benchmark=index.rename(columns={"SP500": "close"}).rename_axis(index="date", columns=None).astype("float64"),
            metadata=Metadata(
                source=self.name,
                adjustment="total_return",
                fields=("close",),
                calendar=request.calendar,
                benchmark_name="S&P 500 (price index)",
                caveats=_CAVEATS,
            ),
        )


def _bars(closes: pd.DataFrame) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([closes.index, closes.columns.astype("str")], names=["date", "symbol"])
    return pd.DataFrame({"close": closes.to_numpy(dtype="float64").ravel()}, index=index)


def _macro(series: _MacroSeries, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """One series in the shape of `macro`, with the rows that were known and not yet too old on some day of the span."""
    values = series.value(import_module(f"arch.data.{series.module}").load()).dropna()
    period = pd.DatetimeIndex(values.index) + series.period(0)
    expires = period + series.period(series.max_age_periods)
    table = pd.DataFrame(
        {
            "series": pd.array([series.name] * len(values), dtype="str"),
            "period": period.as_unit("us"),
            "value": values.to_numpy(dtype="float64"),
            "known_at": (period + pd.Timedelta(days=series.lag_days)).as_unit("us"),
            "expires_at": expires.as_unit("us"),
        }
    )
    return table[(table["known_at"] <= end) & (table["expires_at"] >= start)]
