"""Twenty-four leaks as people write them, each beside the honest code that was meant, for `test_audit_museum.py`.

An exhibit computes one column, `feature`, or `label`; the audit that catches it takes nothing but what a user would pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.signal import lfilter, savgol_filter
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.preprocessing import StandardScaler

from touchstone import market
from touchstone.labels import forward_return
from touchstone.splits import PurgedKFold, PurgedWalkForward, Split

__all__ = ["COMPUTED", "FITTED", "LABELLED", "SPLIT", "Exhibit", "long", "wide"]


@dataclass(frozen=True)
class Exhibit:
    """A leak, the check that must catch it, and the honest twin that must not be accused."""

    name: str
    leak: Callable[..., Any]
    twin: Callable[..., Any]
    check: str = "truncation"
    column: str = "feature"

    def __str__(self) -> str:
        return self.name.replace(" ", "_")


def wide(bars: pd.DataFrame, field: str = "close") -> pd.DataFrame:
    return bars.reset_index().pivot_table(index="date", columns="symbol", values=field)


def long(panel: pd.DataFrame, bars: pd.DataFrame) -> pd.DataFrame:
    rows = panel.melt(ignore_index=False, value_name="feature").set_index("symbol", append=True)
    return rows.reindex(bars.index)


def by_date(values: pd.Series, bars: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"feature": values.reindex(bars.index.get_level_values("date")).to_numpy()}, index=bars.index)


def of_close(function: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[..., pd.DataFrame]:
    """A feature of closes alone, on a frame of sessions by symbols."""
    return lambda bars, **_: long(function(wide(bars)), bars)


def smoothed(close: pd.DataFrame) -> pd.DataFrame:
    """Savitzky and Golay's filter: a parabola through five sessions before and five after."""
    filled = close.ffill().fillna(0.0)
    return pd.DataFrame(savgol_filter(filled, 11, 2, axis=0), index=close.index, columns=close.columns).where(close.notna())


def filtered(close: pd.DataFrame) -> pd.DataFrame:
    filled = close.ffill().fillna(0.0)
    return pd.DataFrame(lfilter(np.full(11, 1 / 11), 1.0, filled, axis=0), index=close.index, columns=close.columns).where(close.notna())


def month_close(close: pd.DataFrame) -> pd.DataFrame:
    """The close of the month, on every day of that month."""
    monthly = close.resample("ME").last()
    return monthly.reindex(close.index, method="bfill").ffill() / close


def last_month_close(close: pd.DataFrame) -> pd.DataFrame:
    monthly = close.resample("ME").last()
    return monthly.shift().reindex(close.index, method="bfill") / close


def without_crashes(fill: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda close: fill(close.where(close.pct_change(fill_method=None).abs() < 0.03))


def decile_of_all(close: pd.DataFrame) -> pd.DataFrame:
    returns = close.pct_change(20, fill_method=None)
    edges = np.nanquantile(returns, np.linspace(0.0, 1.0, 11))
    return returns.apply(lambda column: pd.cut(column, edges, labels=False)).astype("float64")


def decile_of_the_day(close: pd.DataFrame) -> pd.DataFrame:
    return close.pct_change(20, fill_method=None).rank(axis=1, pct=True)


def calm_of_all(close: pd.DataFrame) -> pd.DataFrame:
    volatility = close.pct_change(fill_method=None).rolling(20).std()
    return (volatility < volatility.median()).astype("float64")


def calm_so_far(close: pd.DataFrame) -> pd.DataFrame:
    volatility = close.pct_change(fill_method=None).rolling(20).std()
    return (volatility < volatility.expanding().median()).astype("float64")


def macro_by_period(bars, macro, **_):
    return by_date(_as_of(bars, macro.sort_values("period").set_index("period")["value"]), bars)


def macro_by_publication(bars, macro, **_):
    return by_date(_as_of(bars, macro.sort_values("known_at").set_index("known_at")["value"]), bars)


def revised_macro(bars, vintages, **_):
    """Each period at its first publication, but with the number it was revised to."""
    told = vintages.groupby("period").agg(known_at=("known_at", "min"), value=("value", "last"))
    return by_date(_as_of(bars, told.set_index("known_at")["value"]), bars)


def macro_as_published(bars, vintages, **_):
    return by_date(_as_of(bars, vintages.sort_values("known_at").set_index("known_at")["value"]), bars)


def nearest_index_level(bars, fixings, **_):
    return by_date(_joined(bars, fixings, "nearest"), bars)


def last_index_level(bars, fixings, **_):
    return by_date(_joined(bars, fixings, "backward"), bars)


def earnings_by_period(bars, earnings, **_):
    return _earnings(bars, earnings.assign(known_at=earnings["period"]))


def earnings_by_filing(bars, earnings, **_):
    return _earnings(bars, earnings)


def back_adjusted(bars, actions, **_):
    close = wide(bars)
    for action in actions[actions["kind"] == "split"].itertuples():
        close.loc[close.index < action.ex_date, action.symbol] /= action.value
    for action in actions[actions["kind"] == "dividend"].itertuples():
        close.loc[close.index < action.ex_date, action.symbol] -= action.value
    return long(close, bars)


def forward_adjusted(bars, actions, **_):
    return market.adjust(bars, actions)[["close"]].set_axis(["feature"], axis=1)


def survivor_ranks(bars, universe, **_):
    last = bars.index[-1][0]
    survivors = universe.loc[universe["end"] >= last, "symbol"]
    kept = bars[bars.index.get_level_values("symbol").isin(survivors)]
    return long(wide(kept).rank(axis=1), kept)


def member_ranks(bars, universe, **_):
    kept = bars[market.Universe(universe).mask(bars.index)]
    return long(wide(kept).rank(axis=1), kept)


def in_the_final_list(bars, constituents, **_):
    """Whether a symbol is in the index, by the list as it stands today."""
    final = constituents.loc[constituents["end"] == constituents["end"].max(), "symbol"]
    inside = bars.index.get_level_values("symbol").isin(final)
    return pd.DataFrame({"feature": inside.astype("float64")}, index=bars.index)


def in_the_index_then(bars, constituents, **_):
    inside = market.Universe(constituents).mask(bars.index)
    return pd.DataFrame({"feature": inside.astype("float64")}, index=bars.index)


def _as_of(bars: pd.DataFrame, values: pd.Series) -> pd.Series:
    values = values[~values.index.duplicated(keep="last")].sort_index()
    return values.reindex(bars.index.unique("date"), method="ffill")


def _joined(bars: pd.DataFrame, fixings: pd.DataFrame, direction: str) -> pd.Series:
    days = bars.index.unique("date").to_frame(index=False)
    return pd.merge_asof(days, fixings.sort_values("date"), on="date", direction=direction).set_index("date")["level"]


def _earnings(bars: pd.DataFrame, earnings: pd.DataFrame) -> pd.DataFrame:
    rows = bars.index.to_frame(index=False).sort_values("date", kind="stable")
    told = earnings.sort_values(["known_at", "period"])[["symbol", "known_at", "value"]]
    joined = pd.merge_asof(rows, told, left_on="date", right_on="known_at", by="symbol")
    return joined.set_index(["date", "symbol"])[["value"]].set_axis(["feature"], axis=1).reindex(bars.index)


COMPUTED = [
    Exhibit(
        "centred window",
        of_close(lambda close: close.rolling(5, center=True).mean()),
        of_close(lambda close: close.rolling(5).mean()),
    ),
    Exhibit(
        "centred window with few periods",
        of_close(lambda close: close / close.rolling(21, center=True, min_periods=1).max()),
        of_close(lambda close: close / close.rolling(21, min_periods=1).max()),
        check="perturbation",
    ),
    Exhibit(
        "full sample z-score",
        of_close(lambda close: (close - close.mean()) / close.std()),
        of_close(lambda close: (close - close.expanding().mean()) / close.expanding().std()),
    ),
    Exhibit(
        "backward fill", of_close(without_crashes(lambda close: close.bfill())), of_close(without_crashes(lambda close: close.ffill()))
    ),
    Exhibit(
        "interpolated gaps",
        of_close(without_crashes(lambda close: close.interpolate(limit_area="inside"))),
        of_close(without_crashes(lambda close: close.ffill())),
    ),
    Exhibit(
        "off by one shift",
        of_close(lambda close: close.pct_change(fill_method=None).shift(-1)),
        of_close(lambda close: close.pct_change(fill_method=None)),
        check="append",
    ),
    Exhibit("smoothing filter", of_close(smoothed), of_close(filtered), check="append"),
    Exhibit("close of the month on its every day", of_close(month_close), of_close(last_month_close)),
    Exhibit("quantile bins of all rows", of_close(decile_of_all), of_close(decile_of_the_day)),
    Exhibit("regime by the median of all years", of_close(calm_of_all), of_close(calm_so_far)),
    Exhibit("macro by period", macro_by_period, macro_by_publication),
    Exhibit("revised macro", revised_macro, macro_as_published),
    Exhibit("nearest join", nearest_index_level, last_index_level),
    Exhibit("earnings by period", earnings_by_period, earnings_by_filing),
    Exhibit("back-adjusted price level", back_adjusted, forward_adjusted),
    Exhibit("ranks among survivors", survivor_ranks, member_ranks, check="perturbation"),
    Exhibit("membership by the final list", in_the_final_list, in_the_index_then),
]


def scaled(fit_on: Callable[[pd.DataFrame, np.ndarray], pd.DataFrame]) -> Callable[..., Any]:
    return lambda matrix, train, _labels: StandardScaler().fit(fit_on(matrix, train))


def decomposed(fit_on: Callable[[pd.DataFrame, np.ndarray], pd.DataFrame]) -> Callable[..., Any]:
    return lambda matrix, train, _labels: PCA(2, svd_solver="full").fit(fit_on(matrix, train))


def encoded(rows: Callable[[pd.Series, np.ndarray], pd.Series]) -> Callable[..., Any]:
    """A symbol becomes the mean of its labels."""

    def make(_matrix: pd.DataFrame, train: np.ndarray, labels: pd.Series) -> Callable[[pd.DataFrame], pd.DataFrame]:
        means = rows(labels, train).groupby(level="symbol").mean()
        return lambda rows: pd.DataFrame({"encoded": means.reindex(rows.index.get_level_values("symbol")).to_numpy()}, index=rows.index)

    return make


def boosted(stop_on: Callable[[pd.DataFrame, np.ndarray], np.ndarray]) -> Callable[..., Any]:
    """Trees are added until the error on some rows rises."""

    def make(matrix: pd.DataFrame, train: np.ndarray, labels: pd.Series) -> Any:
        judged = stop_on(matrix, train)
        model = HistGradientBoostingRegressor(max_iter=30, max_depth=2, early_stopping=True, n_iter_no_change=2, random_state=0)
        fitted_on = np.setdiff1d(train, judged)
        model.fit(matrix.iloc[fitted_on], labels.iloc[fitted_on], X_val=matrix.iloc[judged], y_val=labels.iloc[judged])
        return model

    return make


def standardised_by_batch(_matrix: pd.DataFrame, _train: np.ndarray, _labels: pd.Series) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda rows: (rows - rows.mean()) / rows.std()


FITTED = [
    Exhibit(
        "scaler fitted on everything",
        scaled(lambda matrix, _: matrix),
        scaled(lambda matrix, train: matrix.iloc[train]),
        "training rows",
        "output 0",
    ),
    Exhibit(
        "PCA fitted on everything",
        decomposed(lambda matrix, _: matrix),
        decomposed(lambda matrix, train: matrix.iloc[train]),
        "training rows",
        "output 0",
    ),
    Exhibit(
        "target encoding with future labels",
        encoded(lambda labels, _: labels),
        encoded(lambda labels, train: labels.iloc[train]),
        "training rows",
        "encoded",
    ),
    Exhibit(
        "early stopping on the test rows",
        boosted(lambda matrix, train: np.setdiff1d(np.arange(len(matrix)), train)),
        boosted(lambda _, train: train[-len(train) // 4 :]),
        "training rows",
        "output 0",
    ),
    Exhibit("test rows scaled by themselves", standardised_by_batch, scaled(lambda matrix, train: matrix.iloc[train]), "test rows", "a"),
]


def same_day_close(bars, **_):
    """Claims the next open; buys at the open of the very day whose close decides, and sells at that close."""
    label = bars["close"] / bars["open"] - 1.0
    dates = bars.index.get_level_values("date")
    return pd.DataFrame({"label": label, "start": dates, "end": dates}, index=bars.index)


def next_open(bars, **_):
    return forward_return(bars, horizon=1, fill="next_open")


def sold_at_the_high_of_the_week(bars, **_):
    """Bought at the next close; the exit is the best of five closes, dated by the first of them."""
    close = wide(bars)
    label = pd.concat([close.shift(-lag) for lag in range(2, 7)]).groupby(level="date").max() / close.shift(-1) - 1.0
    return _labelled(label, bars, start=1, end=2)


def sold_after_a_week(bars, **_):
    close = wide(bars)
    return _labelled(close.shift(-6) / close.shift(-1) - 1.0, bars, start=1, end=6)


def last_price_carried_on(bars, **_):
    """Labels that the data cannot know yet, made from the last price there is."""
    close = wide(bars)
    return _labelled(close.ffill().shift(-6).ffill() / close.shift(-1).ffill() - 1.0, bars, start=1, end=6)


def _labelled(label: pd.DataFrame, bars: pd.DataFrame, *, start: int, end: int) -> pd.DataFrame:
    frame = long(label, bars).set_axis(["label"], axis=1)
    sessions = bars.index.unique("date")
    at = sessions.get_indexer(bars.index.get_level_values("date"))
    spans = {name: sessions[np.minimum(at + lag, len(sessions) - 1)] for name, lag in (("start", start), ("end", end))}
    missing = frame["label"].isna().to_numpy()
    return frame.assign(**{name: pd.Series(dates, index=frame.index).mask(missing) for name, dates in spans.items()})


LABELLED = [
    Exhibit("same-day close in a next-open strategy", same_day_close, next_open, "span", "start"),
    Exhibit("exit at the high of days to come", sold_at_the_high_of_the_week, sold_after_a_week, "perturbation", "label"),
    Exhibit("last price carried beyond the data", last_price_carried_on, sold_after_a_week, "truncation", "label"),
]


def unpurged_walk_forward(labels: pd.DataFrame):
    """Trains up to the day before the test, on labels that reach into it."""
    session = labels.index.get_level_values("date").factorize()[0]
    for first in range(300, 500, 100):
        train = np.flatnonzero((session < first) & labels["label"].notna().to_numpy())
        yield Split(train, np.flatnonzero((session >= first) & (session < first + 100)))


def purged_walk_forward(labels: pd.DataFrame):
    return PurgedWalkForward(300, 100).split(labels)


def shuffled_folds(labels: pd.DataFrame):
    rows = np.random.default_rng(0).permutation(np.flatnonzero(labels["label"].notna()))
    folds = np.array_split(rows, 5)
    for number, test in enumerate(folds):
        yield Split(np.sort(np.concatenate([*folds[:number], *folds[number + 1 :]])), np.sort(test))


def purged_folds(labels: pd.DataFrame):
    return PurgedKFold(5).split(labels)


SPLIT = [
    Exhibit("label overlap", unpurged_walk_forward, purged_walk_forward, "purging"),
    Exhibit("shuffled folds", shuffled_folds, purged_folds, "purging"),
]
