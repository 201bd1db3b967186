"""What a series of simple returns earned and risked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, DataError
from touchstone.types import FloatArray

__all__ = [
    "Moments",
    "Returns",
    "annual_return",
    "annual_volatility",
    "conditional_value_at_risk",
    "max_drawdown",
    "moments",
    "sharpe_ratio",
    "turnover",
    "value_at_risk",
]

Returns: TypeAlias = pd.Series | FloatArray

# Returns taken from an equity curve carry rounding of about 2e-16 each; a deviation of that size is no risk.
_ROUNDING = 1e-14


@dataclass(frozen=True)
class Moments:
    """What the Sharpe statistics need to know of a return series; everything per period, nothing annual.

    Attributes
    ----------
    sharpe : float
        Mean over standard deviation (ddof 1), per period; NaN for a constant series or fewer than two returns.
    n_observations : int
    skewness : float
        Third standardised moment (divisor n); NaN where the Sharpe ratio is.
    kurtosis : float
        Fourth standardised moment (divisor n), not excess: 3 for a normal distribution; NaN where the Sharpe ratio is.
    """

    sharpe: float
    n_observations: int
    skewness: float
    kurtosis: float


def annual_return(returns: Returns, *, periods_per_year: int = 252) -> float:
    """Geometric mean growth a year, ``prod(1 + r) ** (periods_per_year / n) - 1``.

    Parameters
    ----------
    returns : Series or array, shape (n,)
        Simple returns as fractions. NaN are left out.
    periods_per_year : int

    Returns
    -------
    float
        A fraction; -1 once everything is lost; NaN for no returns. Known when the last return is.

    Raises
    ------
    DataError
        An infinite return, or one below -1: the growth of an account in debt is not defined.
    """
    values = _clean(returns)
    if len(values) == 0:
        return float("nan")
    growth = _wealth(values)[-1]
    return float(growth ** (_positive(periods_per_year) / len(values)) - 1.0)


def annual_volatility(returns: Returns, *, periods_per_year: int = 252) -> float:
    """Standard deviation (ddof 1) times the square root of periods a year.

    NaN returns are left out; NaN for fewer than two; exactly 0 for a constant series. Known when the last return is.

    Raises
    ------
    DataError
        An infinite return.
    """
    return _deviation(_clean(returns)) * float(np.sqrt(_positive(periods_per_year)))


def sharpe_ratio(returns: Returns, *, periods_per_year: int = 252) -> float:
    """Mean over standard deviation (ddof 1) of the returns, annualised by the square root of periods a year.

    Nothing is subtracted for a riskless rate: pass excess returns for that. With ``periods_per_year=1`` it is the
    per-period ratio, which the probabilistic and deflated statistics take.

    NaN returns are left out; NaN for fewer than two, and for a constant series, whose deviation is only rounding.

    Raises
    ------
    DataError
        An infinite return.

    References
    ----------
    Sharpe (1994), The Sharpe Ratio, Journal of Portfolio Management 21(1).
    """
    values = _clean(returns)
    deviation = _deviation(values)
    if not deviation > 0.0:
        return float("nan")
    return float(values.mean() / deviation * np.sqrt(_positive(periods_per_year)))


def max_drawdown(returns: Returns) -> float:
    """The deepest fall of wealth below its highest level so far, starting capital included; a fraction ≤ 0.

    NaN returns are left out; NaN for no returns. Known when the last return is.

    Raises
    ------
    DataError
        An infinite return, or one below -1.
    """
    values = _clean(returns)
    if len(values) == 0:
        return float("nan")
    wealth = np.concatenate([[1.0], _wealth(values)])
    return float((wealth / np.maximum.accumulate(wealth) - 1.0).min())


def value_at_risk(returns: Returns, *, level: float = 0.05) -> float:
    """The historical quantile of the returns at `level`, interpolated linearly; a return ≤ 0.

    A quantile above 0 is no loss and reads 0. NaN returns are left out; NaN for no returns.

    Raises
    ------
    ConfigError
        A level outside (0, 1).
    DataError
        An infinite return.
    """
    values = _clean(returns)
    _check_level(level)
    return min(float(np.quantile(values, level)), 0.0) if len(values) else float("nan")


def conditional_value_at_risk(returns: Returns, *, level: float = 0.05) -> float:
    """The mean of the returns at or below their quantile at `level` (expected shortfall); a return ≤ 0.

    The quantile is that of `value_at_risk` before it is held at 0; a mean above 0 is no loss and reads 0.
    NaN returns are left out; NaN for no returns.

    Raises
    ------
    ConfigError
        A level outside (0, 1).
    DataError
        An infinite return.
    """
    values = _clean(returns)
    _check_level(level)
    if len(values) == 0:
        return float("nan")
    return min(float(values[values <= np.quantile(values, level)].mean()), 0.0)


def turnover(target_weights: pd.DataFrame) -> pd.Series:
    """Sum of the absolute changes of weight at each decision, buys and sells both counted.

    The first decision is counted from flat. Replacing the whole of a book with gross exposure 1 reads 2. It is what is
    decided, without the drift of weights between decisions; `Result.equity` has what was traded.

    Parameters
    ----------
    target_weights : DataFrame, index `date`, columns symbols
        Fractions of equity; NaN counts as flat.

    Returns
    -------
    Series, index `date`, name "turnover"
        Known at the decision.
    """
    weights = target_weights.fillna(0.0)
    changes = weights.diff()
    changes.iloc[:1] = weights.iloc[:1]
    return changes.abs().sum(axis=1).rename("turnover")


def moments(returns: Returns) -> Moments:
    """Per-period Sharpe ratio, number, skewness and kurtosis of the returns; NaN returns are left out.

    Raises
    ------
    DataError
        An infinite return.
    """
    values = _clean(returns)
    deviation = _deviation(values)
    if not deviation > 0.0:
        return Moments(float("nan"), len(values), float("nan"), float("nan"))
    centred = values - values.mean()
    variance = float((centred**2).mean())
    skewness = float((centred**3).mean()) / variance**1.5
    return Moments(float(values.mean()) / deviation, len(values), skewness, float((centred**4).mean()) / variance**2)


def _clean(returns: Returns) -> FloatArray:
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim != 1:
        raise DataError(f"Returns must be one series, but got shape {values.shape}: pass one column.")
    values = values[~np.isnan(values)]
    if np.isinf(values).any():
        raise DataError(f"Returns must be finite, but {int(np.isinf(values).sum())} of {len(values)} are not: mend the prices behind them.")
    return values


def _wealth(values: FloatArray) -> FloatArray:
    if (values < -1.0).any():
        raise DataError(f"A simple return loses at most everything, but got {values.min():.6g}: pass fractions, not percent.")
    return np.asarray(np.cumprod(1.0 + values), dtype=np.float64)


def _deviation(values: FloatArray) -> float:
    if len(values) < 2:
        return float("nan")
    deviation = float(values.std(ddof=1))
    return deviation if deviation > _ROUNDING * max(1.0, float(np.abs(values).max())) else 0.0


def _positive(periods_per_year: int) -> int:
    if periods_per_year < 1:
        raise ConfigError(f"periods_per_year must be at least 1, but got {periods_per_year}: 252 sessions make a year of shares.")
    return periods_per_year


def _check_level(level: float) -> None:
    if not 0.0 < level < 1.0:
        raise ConfigError(f"level must lie in (0, 1), but got {level}: 0.05 looks at the worst twentieth.")
