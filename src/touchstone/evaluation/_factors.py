"""Every feature of a matrix held against forward returns, and the best of them against chance."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, DataError
from touchstone.evaluation._factor_assessment import FactorAssessment
from touchstone.evaluation._factor_clusters import cluster_features, rank_correlation
from touchstone.evaluation._factor_grid import Cells
from touchstone.evaluation._factor_measures import FactorMeasures, Outcomes, measure_factor
from touchstone.evaluation._factor_tables import Tables, many_tests, market_wide_table
from touchstone.parallel import map_tasks
from touchstone.types import FloatArray

__all__ = ["assess_factors"]


def assess_factors(
    matrix: pd.DataFrame,
    returns: Mapping[int, pd.Series],
    *,
    horizon: int,
    liquidity: pd.Series | None = None,
    n_quantiles: int = 5,
    confidence: float = 0.95,
    level: float = 0.1,
    threads: int = 1,
) -> FactorAssessment:
    """Hold each feature against the returns that followed it.

    Rank ICs are Spearman correlations across symbols, session by session, exactly as `information_coefficient` gives them. Whoever
    calls decides the period: hand over labels whose spans end within it, and read nothing off sessions that a backtest will judge.

    Parameters
    ----------
    matrix : DataFrame, index (date, symbol), date-major
        Features, known at the close of `date`; NaN where there is none.
    returns : mapping, horizon in sessions → Series, index (date, symbol)
        Forward returns from fill to fill, matched by index; NaN where not known.
    horizon : int
        The main one, a key of `returns`: rank ICs by session, quantiles, turnover and the leaderboard are about it.
    liquidity : Series, index (date, symbol), optional
        Known at the close of `date`, such as a median of traded value: splits each session into halves.
    n_quantiles : int, at least 2
    confidence : float, in (0, 1)
        Of the intervals (see `mean_estimate`).
    level : float, in (0, 1)
        Share of false discoveries accepted when discoveries are counted.
    threads : int
        Features at a time; the bits do not depend on it.

    Returns
    -------
    FactorAssessment
        Known when the last label is.

    Raises
    ------
    ConfigError
        A horizon without returns, fewer than two quantiles, or a confidence or level out of range.
    DataError
        Rows that are not unique, sorted and on (date, symbol), infinite values, no row, or no feature.
    """
    _check(matrix, returns, horizon, n_quantiles, level)
    cells = Cells.of(matrix.index)
    outcomes = Outcomes.of(cells, returns, horizon=horizon, liquidity=liquidity, n_quantiles=n_quantiles)
    wide = [name for name in matrix.columns if _is_market_wide(_column(matrix, name), cells)]
    ranked = [name for name in matrix.columns if name not in wide]
    measure = partial(_measured, matrix, outcomes)
    measured = dict(zip(ranked, map_tasks(measure, ranked, workers=threads), strict=True))
    return _assembled(matrix, measured, outcomes, wide, confidence=confidence, level=level)


def _check(matrix: pd.DataFrame, returns: Mapping[int, pd.Series], horizon: int, n_quantiles: int, level: float) -> None:
    if not len(matrix.columns) or not matrix.columns.is_unique:
        raise DataError(f"A matrix has columns, each once, but got {len(matrix.columns)}: name at least one feature, and none twice.")
    if horizon not in returns:
        known = ", ".join(str(key) for key in sorted(returns)) or "none"
        raise ConfigError(f"The main horizon must be one that there are returns for, but got {horizon} (there: {known}): add them.")
    if n_quantiles < 2:
        raise ConfigError(f"n_quantiles must be at least 2, but got {n_quantiles}: five is usual.")
    if not 0.0 < level < 1.0:
        raise ConfigError(f"level must lie in (0, 1), but got {level}: 0.1 is usual.")


def _column(matrix: pd.DataFrame, name: str) -> FloatArray:
    values: FloatArray = matrix[name].to_numpy(dtype=np.float64)
    if np.isinf(values).any():
        raise DataError(f"Features must be finite or NaN, but '{name}' has {int(np.isinf(values).sum())} infinite values: mend it.")
    return values


def _measured(matrix: pd.DataFrame, outcomes: Outcomes, name: str) -> FactorMeasures:
    return measure_factor(_column(matrix, name), outcomes)


def _is_market_wide(values: FloatArray, cells: Cells) -> bool:
    """Whether no session, of those with two values or more, has two that differ."""
    edges = cells.first_row[:-1]
    several = np.add.reduceat(~np.isnan(values), edges, dtype=np.int64) >= 2
    low, high = np.fmin.reduceat(values, edges), np.fmax.reduceat(values, edges)
    return bool(several.any() and (low[several] == high[several]).all())


def _assembled(
    matrix: pd.DataFrame, measured: Mapping[str, FactorMeasures], outcomes: Outcomes, wide: list[str], *, confidence: float, level: float
) -> FactorAssessment:
    cells, tables = outcomes.cells, Tables(measured, outcomes, confidence)
    clusters = cluster_features(rank_correlation(matrix[list(measured)]))
    board = tables.leaderboard
    numbers = clusters.members["cluster"].reindex(board.index).fillna(0).astype(np.int64)
    return FactorAssessment(
        leaderboard=board.assign(cluster=numbers),
        coverage=tables.coverage,
        rank_ic=tables.rank_ic,
        spreads=tables.spreads,
        decay=tables.decay("mean"),
        decay_lower=tables.decay("lower"),
        decay_upper=tables.decay("upper"),
        quantiles=tables.quantiles,
        years=tables.years,
        clusters=clusters,
        market_wide=market_wide_table(matrix, wide, outcomes),
        many=many_tests(board, tables.rank_ic, level=level),
        horizon=outcomes.horizon,
        confidence=confidence,
        first=cells.dates[0],
        last=cells.dates[-1],
        n_rows=len(matrix),
        n_sessions=len(cells.dates),
        n_symbols=cells.shape[1],
    )
