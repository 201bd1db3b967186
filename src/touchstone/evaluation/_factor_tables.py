"""What was measured feature by feature, put into the frames of a factor report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from touchstone.evaluation._factor_assessment import ManyTests
from touchstone.evaluation._factor_grid import Cells
from touchstone.evaluation._factor_inference import MeanEstimate, effective_tests, expected_maximum_t, false_discovery, mean_estimate
from touchstone.evaluation._factor_measures import LAGS, FactorMeasures, Outcomes, mean_or_nan
from touchstone.types import FloatArray

__all__ = ["Tables", "many_tests", "market_wide_table"]

# A year with less than a quarter of rank ICs says nothing of stability.
_FEWEST_OF_A_YEAR = 60


@dataclass(frozen=True, eq=False)
class Tables:
    """The frames that follow from the measures of each feature."""

    measured: Mapping[str, FactorMeasures]
    outcomes: Outcomes
    confidence: float

    @property
    def names(self) -> pd.Index:
        return pd.Index(list(self.measured), name="feature", dtype="str")

    @cached_property
    def rank_ic(self) -> pd.DataFrame:
        return self._by_date({name: one.rank_ic[self.outcomes.horizon] for name, one in self.measured.items()})

    @cached_property
    def spreads(self) -> pd.DataFrame:
        return self._by_date({name: one.bucket_returns[:, -1] - one.bucket_returns[:, 0] for name, one in self.measured.items()})

    @cached_property
    def quantiles(self) -> pd.DataFrame:
        means = {name: [mean_or_nan(bucket) for bucket in one.bucket_returns.T] for name, one in self.measured.items()}
        columns = pd.RangeIndex(1, self.outcomes.n_quantiles + 1, name="quantile")
        return self._by_feature(means, columns)

    @cached_property
    def years(self) -> pd.DataFrame:
        by_year = self.rank_ic.groupby(self.outcomes.cells.dates.year)
        means = by_year.mean().where(by_year.count() >= _FEWEST_OF_A_YEAR)
        return means.T.rename_axis(index="feature", columns="year")

    @cached_property
    def coverage(self) -> pd.DataFrame:
        cells = self.outcomes.cells
        year, years = pd.factorize(cells.dates.year.to_numpy()[cells.session], sort=True)
        rows = np.bincount(year, minlength=len(years))
        shares = {name: np.bincount(year[one.present], minlength=len(years)) / rows for name, one in self.measured.items()}
        return self._by_feature(shares, pd.Index(years, name="year"))

    @cached_property
    def estimates(self) -> Mapping[int, Mapping[str, MeanEstimate]]:
        """Mean rank IC by horizon and feature."""
        return {
            h: {name: mean_estimate(one.rank_ic[h], overlap=h, confidence=self.confidence) for name, one in self.measured.items()}
            for h in self.outcomes.by_horizon
        }

    def decay(self, field: str) -> pd.DataFrame:
        """One field of the estimates, by feature and horizon."""
        horizons = pd.Index(list(self.estimates), name="horizon")
        rows = {name: [getattr(self.estimates[h][name], field) for h in horizons] for name in self.names}
        return self._by_feature(rows, horizons)

    @cached_property
    def leaderboard(self) -> pd.DataFrame:
        """Columns as `FactorAssessment.leaderboard` says, but for the cluster; the smallest p-value first."""
        main = self.estimates[self.outcomes.horizon]
        board = pd.DataFrame({"coverage": {name: float(one.present.mean()) for name, one in self.measured.items()}}, index=self.names)
        board["n_sessions"] = [main[name].n for name in self.names]
        for column, field in (("rank_ic", "mean"), ("lower", "lower"), ("upper", "upper")):
            board[column] = [getattr(main[name], field) for name in self.names]
        board["icir"] = self.rank_ic.mean() / self.rank_ic.std().where(lambda spread: spread > 0.0)
        for field in ("t", "p", "degrees"):
            board[field] = [getattr(main[name], field) for name in self.names]
        board["q"], board["q_any_dependence"] = false_discovery(board["p"]), false_discovery(board["p"], dependent=True)
        board["pearson_ic"] = [mean_or_nan(one.pearson_ic) for one in self.measured.values()]
        board = board.join([self._spread_columns(), self._trading_columns()])
        signs = self.years.mul(board["rank_ic"], axis=0)
        board["same_sign_years"] = (signs > 0).sum(axis=1) / signs.notna().sum(axis=1).where(lambda n: n > 0)
        return board.sort_values("p", kind="stable", na_position="last")

    def _spread_columns(self) -> pd.DataFrame:
        found = {name: mean_estimate(self.spreads[name], overlap=self.outcomes.horizon, confidence=self.confidence) for name in self.names}
        rows = {name: [one.mean, one.lower, one.upper] for name, one in found.items()}
        columns = self._by_feature(rows, pd.Index(["spread", "spread_lower", "spread_upper"]))
        places = pd.Series(self.quantiles.columns, index=self.quantiles.columns, dtype=np.float64)
        return columns.assign(monotonicity=self.quantiles.rank(axis=1).corrwith(places, axis=1))

    def _trading_columns(self) -> pd.DataFrame:
        columns = ["turnover_bottom", "turnover_top", *(f"autocorrelation_{lag}" for lag in LAGS), "ic_less_liquid", "ic_more_liquid"]
        nothing = np.full(2, np.nan)
        rows = {
            name: [*one.turnover, *one.autocorrelation, *(one.halves if one.halves.size else nothing)]
            for name, one in self.measured.items()
        }
        return self._by_feature(rows, pd.Index(columns))

    def _by_date(self, series: Mapping[str, FloatArray]) -> pd.DataFrame:
        return pd.DataFrame(series, index=self.outcomes.cells.dates, columns=self.names, dtype=np.float64)

    def _by_feature(self, rows: Mapping[str, FloatArray | list[float]], columns: pd.Index) -> pd.DataFrame:
        values = np.array([rows[name] for name in self.names], dtype=np.float64).reshape(len(self.names), len(columns))
        return pd.DataFrame(values, index=self.names, columns=columns)


def many_tests(board: pd.DataFrame, rank_ic: pd.DataFrame, *, level: float) -> ManyTests:
    """The leaderboard as one search: its best against the best of as many without skill."""
    tested = board[board["p"].notna()]
    n, effective = len(tested), effective_tests(rank_ic[tested.index])
    if not n:
        nothing = float("nan")
        return ManyTests(0, nothing, nothing, nothing, nothing, 0, 0, level)
    degrees = int(tested["degrees"].median())
    return ManyTests(
        n_tests=n,
        n_effective=effective,
        largest_t=float(tested["t"].abs().max()),
        expected_largest_t=expected_maximum_t(n, degrees=degrees),
        expected_largest_t_effective=expected_maximum_t(effective, degrees=degrees),
        n_discoveries=int((tested["q"] <= level).sum()),
        n_discoveries_any_dependence=int((tested["q_any_dependence"] <= level).sum()),
        level=level,
    )


def market_wide_table(matrix: pd.DataFrame, names: list[str], outcomes: Outcomes) -> pd.DataFrame:
    """What the market did after each value of a column that all symbols share, on sessions whose labels do not overlap."""
    cells = outcomes.cells
    market = _session_means(outcomes.by_horizon[outcomes.horizon].values, cells)
    rows = []
    for name in names:
        values = np.fmax.reduceat(matrix[name].to_numpy(dtype=np.float64), cells.first_row[:-1])
        both = pd.DataFrame({"value": values, "market": market})[:: outcomes.horizon].dropna().rank()
        rows.append([both["value"].corr(both["market"]), len(both)])
    index = pd.Index(names, name="feature", dtype="str")
    return pd.DataFrame(rows, index=index, columns=["correlation", "n_sessions"]).astype({"correlation": float, "n_sessions": np.int64})


def _session_means(returns: FloatArray, cells: Cells) -> FloatArray:
    known = ~np.isnan(returns)
    count = known.sum(axis=1)
    means: FloatArray = np.full(len(cells.dates), np.nan)
    return np.asarray(np.divide(np.where(known, returns, 0.0).sum(axis=1), count, out=means, where=count > 0), dtype=np.float64)
