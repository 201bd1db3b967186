"""A backtest's scores and account, measured into a scorecard."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, DataError, moment, name_few
from touchstone.evaluation._luck import (
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
)
from touchstone.evaluation._performance import (
    annual_return,
    annual_volatility,
    conditional_value_at_risk,
    max_drawdown,
    moments,
    sharpe_ratio,
    value_at_risk,
)
from touchstone.evaluation._ranking import information_coefficient, quantile_returns
from touchstone.evaluation._resampling import bootstrap_interval
from touchstone.evaluation._scorecard import (
    CostPoint,
    Luck,
    Performance,
    PositiveYears,
    QuantileReturn,
    RankIC,
    Scorecard,
    Settings,
    SharpeComparison,
    Span,
    YearOutcome,
)
from touchstone.market import days_of
from touchstone.types import FloatArray

__all__ = ["scorecard"]

# Holidays differ by a few sessions from year to year; a year that began in February does not pass for full.
_FULL_YEAR = 0.95


def scorecard(
    *,
    scores: pd.Series,
    labels: pd.DataFrame,
    returns_net: pd.Series,
    returns_gross: pd.Series,
    benchmark_returns: pd.Series | None,
    equal_weighted_returns: pd.Series,
    n_trials: int,
    ledger_variance: float,
    audit_findings: int,
    horizon: int,
    cost_curve: Mapping[float, float],
    confidence: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
    periods_per_year: int = 252,
) -> Scorecard:
    """Judge a backtest by what its scores and its account did.

    Parameters
    ----------
    scores : Series, index (date, symbol)
        Out-of-sample scores, all dates of the backtest.
    labels : DataFrame, index (date, symbol), column `label`
        Fill-to-fill returns over `horizon` sessions; NaN where not known yet. Matched to the scores by index.
    returns_net, returns_gross : Series, index `date`
        Simple returns by session of the same backtest with and without costs; same sessions, no NaN.
    benchmark_returns : Series or None, index `date`
        None or all NaN where there is no benchmark; sessions it lacks are left out of the comparison.
    equal_weighted_returns : Series, index `date`
        Of the point-in-time universe; it has every session of `returns_net`.
    n_trials : int, at least 1
        Distinct configurations tried on this scope, this one included.
    ledger_variance : float
        Variance (ddof 1) of the per-period Sharpe ratios in the ledger. NaN and 0 mean that the ledger shows no
        dispersion; then the sampling variance 1/(n - 1) stands alone: no dispersion is no proof of no luck.
    audit_findings : int
        Findings of the look-ahead audit.
    horizon : int
        Bars of a label; also the least expected block length of the net returns' bootstrap, as holdings last that long.
    cost_curve : mapping
        Cost multiplier to annual net Sharpe ratio.
    confidence, n_resamples, seed
        Of the bootstrap intervals and the minimum track record length.
    periods_per_year : int
        Bars of a usual year, whatever their width. A calendar year counts as full with at least 95 % of them.

    Returns
    -------
    Scorecard
        Known when the last label is.

    Raises
    ------
    ConfigError
        A horizon below 1.
    DataError
        Returns that are empty, not unique by date, infinite or NaN, or on other sessions than the net ones.
    """
    if horizon < 1:
        raise ConfigError(f"horizon must be at least 1 session, but got {horizon}: give that of the labels.")
    net = _checked("returns_net", returns_net)
    gross = _checked("returns_gross", returns_gross, like=net)
    equal_weighted = _checked("equal_weighted_returns", equal_weighted_returns, like=net)
    benchmark = None if benchmark_returns is None else _unique("benchmark_returns", benchmark_returns)
    settings = Settings(horizon, confidence, n_resamples, seed, periods_per_year)
    label = labels["label"]
    years = _years(net, periods_per_year)
    quantiles = quantile_returns(scores, label)
    traded = days_of(pd.DatetimeIndex(net.index))
    return Scorecard(
        span=Span(traded[0].date(), traded[-1].date(), len(net)),
        rank_ic=_rank_ic(scores, label, settings),
        sharpe=_sharpe(net, gross, benchmark, equal_weighted, settings=settings),
        performance=_performance(net, gross, periods_per_year),
        luck=_luck(net, n_trials, ledger_variance, confidence),
        years=years,
        positive_years=_positive_years(years),
        cost_curve=tuple(CostPoint(float(multiplier), float(cost_curve[multiplier])) for multiplier in sorted(cost_curve)),
        quantile_returns=tuple(QuantileReturn(int(row[0]), float(row[1]), int(row[2])) for row in quantiles.itertuples()),
        audit_findings=int(audit_findings),
        settings=settings,
    )


def _rank_ic(scores: pd.Series, label: pd.Series, settings: Settings) -> RankIC:
    scored = scores.dropna()
    # The first scored date and every horizon-th after it, labelled or not: spans then meet at most in one fill.
    day, _ = pd.factorize(scored.index.get_level_values("date"), sort=True)
    ic = information_coefficient(scored[day % settings.horizon == 0], label).dropna()
    interval = bootstrap_interval(ic, _mean, confidence=settings.confidence, n_resamples=settings.n_resamples, seed=settings.seed)
    icir = moments(ic.to_numpy()).sharpe
    return RankIC(interval.estimate, interval.lower, interval.upper, icir, len(ic), interval.block_length)


def _sharpe(
    net: pd.Series, gross: pd.Series, benchmark: pd.Series | None, equal_weighted: pd.Series, *, settings: Settings
) -> SharpeComparison:
    annual = partial(sharpe_ratio, periods_per_year=settings.periods_per_year)
    interval = bootstrap_interval(
        net,
        annual,
        confidence=settings.confidence,
        n_resamples=settings.n_resamples,
        seed=settings.seed,
        minimum_block_length=float(settings.horizon),
    )
    against = pd.Series(np.nan, index=net.index) if benchmark is None else benchmark.reindex(net.index)
    common = against.notna()
    return SharpeComparison(
        net=interval.estimate,
        net_lower=interval.lower,
        net_upper=interval.upper,
        block_length=interval.block_length,
        gross=annual(gross),
        benchmark=annual(against),
        equal_weighted=annual(equal_weighted),
        net_minus_benchmark=annual(net[common]) - annual(against[common]),
        net_minus_equal_weighted=interval.estimate - annual(equal_weighted),
    )


def _performance(net: pd.Series, gross: pd.Series, periods_per_year: int) -> Performance:
    return Performance(
        annual_return=annual_return(net, periods_per_year=periods_per_year),
        annual_volatility=annual_volatility(net, periods_per_year=periods_per_year),
        max_drawdown=max_drawdown(net),
        value_at_risk=value_at_risk(net),
        conditional_value_at_risk=conditional_value_at_risk(net),
        annual_return_gross=annual_return(gross, periods_per_year=periods_per_year),
    )


def _luck(net: pd.Series, n_trials: int, ledger_variance: float, confidence: float) -> Luck:
    observed = moments(net)
    sampling = 1.0 / (observed.n_observations - 1)
    variance = min(ledger_variance, sampling) if ledger_variance > 0.0 else sampling
    shape = {"skewness": observed.skewness, "kurtosis": observed.kurtosis}
    n = observed.n_observations
    return Luck(
        sharpe_per_session=observed.sharpe,
        n_observations=n,
        **shape,
        probabilistic_sharpe=probabilistic_sharpe_ratio(observed.sharpe, n_observations=n, **shape),
        deflated_sharpe=deflated_sharpe_ratio(observed.sharpe, n_trials=n_trials, trials_variance=variance, n_observations=n, **shape),
        expected_maximum_sharpe=expected_maximum_sharpe(n_trials, trials_variance=variance),
        n_trials=n_trials,
        trials_variance=variance,
        ledger_variance=float(ledger_variance),
        sampling_variance=sampling,
        minimum_track_record_length=minimum_track_record_length(observed.sharpe, confidence=confidence, **shape),
    )


def _years(net: pd.Series, periods_per_year: int) -> tuple[YearOutcome, ...]:
    outcomes = []
    year_of = days_of(pd.DatetimeIndex(net.index)).year.to_numpy()
    for year in np.unique(year_of):
        returns = net[year_of == year]
        outcomes.append(
            YearOutcome(
                year=int(year),
                net_return=float(np.prod(1.0 + returns.to_numpy()) - 1.0),
                sharpe=sharpe_ratio(returns, periods_per_year=periods_per_year),
                n_sessions=len(returns),
                full=len(returns) >= _FULL_YEAR * periods_per_year,
            )
        )
    return tuple(outcomes)


def _positive_years(years: tuple[YearOutcome, ...]) -> PositiveYears:
    full = [year for year in years if year.full]
    share = sum(year.net_return > 0.0 for year in full) / len(full) if full else float("nan")
    return PositiveYears(share, len(full))


def _unique(name: str, returns: pd.Series) -> pd.Series:
    if not isinstance(returns.index, pd.DatetimeIndex) or not (returns.index.is_monotonic_increasing and returns.index.is_unique):
        raise DataError(f"{name} must be indexed by ascending, unique dates, but it is not: sort it and keep one value a session.")
    return returns


def _checked(name: str, returns: pd.Series, *, like: pd.Series | None = None) -> pd.Series:
    series = _unique(name, returns)
    if like is not None:
        missing = like.index.difference(series.index)
        if len(missing):
            few = name_few(moment(date) for date in missing)
            raise DataError(f"{name} must have every session of returns_net, but lacks {few}: compare like with like.")
        series = series.reindex(like.index)
    if len(series) < 2:
        raise DataError(f"{name} must hold at least two returns, but got {len(series)}: bring a longer backtest.")
    undefined = series.index[~np.isfinite(series.to_numpy(dtype=np.float64))]
    if len(undefined):
        few = name_few(moment(date) for date in undefined)
        raise DataError(f"{name} must be finite, but is not on {few}: mend the prices behind it.")
    return series


def _mean(values: FloatArray) -> float:
    return float(values.mean())
