"""What can be said of a mean whose observations overlap, and of the best of many such means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit  # scipy.stats has the same and takes most of a second to import

from touchstone.errors import ConfigError, DataError
from touchstone.types import FloatArray

__all__ = ["MeanEstimate", "effective_tests", "expected_maximum_t", "false_discovery", "mean_estimate"]

_FEWEST_COSINES = 2


@dataclass(frozen=True)
class MeanEstimate:
    """A mean over time with what autocorrelation leaves of its certainty.

    Attributes
    ----------
    mean : float
        NaN without a value.
    lower, upper : float
        Interval of the confidence asked for.
    t : float
        Mean over its standard error, to be read against Student's t with `degrees`.
    p : float
        Two-sided, of a true mean of 0.
    degrees : int
        Degrees of freedom; 0 where the values are too few or constant, and the rest is NaN.
    n : int
        Values behind it.
    """

    mean: float
    lower: float
    upper: float
    t: float
    p: float
    degrees: int
    n: int


def mean_estimate(values: pd.Series | FloatArray, *, overlap: int = 1, confidence: float = 0.95) -> MeanEstimate:
    r"""Mean of an autocorrelated series with its t-statistic, p-value and interval.

    The long-run variance is the mean square of the first :math:`\nu` cosine coefficients of the series (equal-weighted cosine
    estimator), and :math:`t = \bar x / \sqrt{\hat\Omega / n}` is compared with Student's t of :math:`\nu` degrees of freedom,
    :math:`\nu = \min(0.4\, n^{2/3},\ n / (2\,\text{overlap}))`. The first bound is the authors'; the second keeps the frequencies
    low enough for labels that overlap over `overlap` sessions. Newey and West's estimator with a lag of overlap - 1 would see only
    about two thirds of the variance that such an overlap brings.

    Parameters
    ----------
    values : Series or array, shape (n,)
        In time order, one a session; NaN are left out.
    overlap : int, at least 1
        Sessions that a value's label spans.
    confidence : float, in (0, 1)

    Raises
    ------
    ConfigError
        An overlap or confidence out of range.
    DataError
        Infinite values.

    References
    ----------
    Lazarus, Lewis, Stock, Watson (2018), HAR Inference: Recommendations for Practice, Journal of Business & Economic
    Statistics 36(4).
    """
    if overlap < 1 or not 0.0 < confidence < 1.0:
        raise ConfigError(f"overlap is at least 1 and confidence in (0, 1), but got {overlap} and {confidence}: 0.95 is usual.")
    data = np.asarray(values, dtype=np.float64)
    data = data[~np.isnan(data)]
    if np.isinf(data).any():
        raise DataError(f"Values to average must be finite, but {int(np.isinf(data).sum())} are not: mend them first.")
    n = len(data)
    mean = float(data.mean()) if n else float("nan")
    degrees = min(int(0.4 * n ** (2.0 / 3.0)), n // (2 * overlap))
    if degrees < _FEWEST_COSINES or float(data.min()) == float(data.max()):
        return MeanEstimate(mean, float("nan"), float("nan"), float("nan"), float("nan"), 0, n)
    error = float(np.sqrt(_long_run_variance(data, degrees) / n))
    t, reach = mean / error, error * float(stdtrit(degrees, 0.5 * (1.0 + confidence)))
    return MeanEstimate(mean, mean - reach, mean + reach, t, 2.0 * float(stdtr(degrees, -abs(t))), degrees, n)


def expected_maximum_t(n_tests: float, *, degrees: int) -> float:
    r"""Expected largest :math:`|t|` of independent tests of which none has anything to find.

    :math:`\int_0^\infty 1 - P(|t_\nu| \le x)^N dx`, by the trapezoidal rule.

    Parameters
    ----------
    n_tests : float, at least 1
        Number of tests; an effective number need not be whole.
    degrees : int, at least 2
        Degrees of freedom of each.

    Raises
    ------
    DataError
        Fewer than one test or two degrees of freedom.
    """
    if n_tests < 1.0 or degrees < _FEWEST_COSINES:
        raise DataError(
            f"A largest t needs 1 test and 2 degrees of freedom at least, but got {n_tests} and {degrees}: bring more sessions."
        )
    grid = np.concatenate([np.linspace(0.0, 20.0, 4001), np.geomspace(20.01, 1e6, 4000)])
    inside = np.clip(1.0 - 2.0 * stdtr(degrees, -grid), 0.0, 1.0)
    return float(np.trapezoid(1.0 - inside**n_tests, grid))


def effective_tests(series: pd.DataFrame) -> float:
    r"""How many independent tests correlated ones are worth: :math:`(\sum \sqrt{\lambda_i})^2 / \sum \lambda_i`.

    :math:`\lambda` are the eigenvalues of the correlation matrix of the columns; a value that is missing counts as the column's mean.

    Parameters
    ----------
    series : DataFrame
        One column a test, one row a session; constant and empty columns are left out.

    Returns
    -------
    float
        Between 1 and the number of columns that vary; NaN without one.

    References
    ----------
    Galwey (2009), A new measure of the effective number of tests, Genetic Epidemiology 33(7).
    """
    values = series.to_numpy(np.float64)
    varying = np.array([np.unique(column[~np.isnan(column)]).size > 1 for column in values.T], dtype=bool)
    if not varying.any():
        return float("nan")
    kept = values[:, varying]
    centred = np.nan_to_num(kept - np.nanmean(kept, axis=0))
    scaled = centred / np.sqrt((centred**2).sum(axis=0))
    eigenvalues = np.maximum(np.linalg.eigvalsh(scaled.T @ scaled), 0.0)
    return float(np.sqrt(eigenvalues).sum() ** 2 / eigenvalues.sum())


def false_discovery(p: pd.Series, *, dependent: bool = False) -> pd.Series:
    """The share of false discoveries to accept for a test to be among the discoveries: its q-value.

    Parameters
    ----------
    p : Series
        p-values; NaN were not tested and stay NaN.
    dependent : bool
        Benjamini and Yekutieli, which holds under any dependence, in place of Benjamini and Hochberg.

    Returns
    -------
    Series
        On the index of `p`; nowhere below p.

    References
    ----------
    Benjamini, Hochberg (1995), JRSS B 57(1). Benjamini, Yekutieli (2001), Annals of Statistics 29(4).
    """
    from scipy.stats import false_discovery_control

    tested = p.notna().to_numpy()
    adjusted = np.full(len(p), np.nan)
    if tested.any():
        adjusted[tested] = false_discovery_control(p.to_numpy(np.float64)[tested], method="by" if dependent else "bh")
    return pd.Series(adjusted, index=p.index)


def _long_run_variance(data: FloatArray, degrees: int) -> float:
    from scipy.fft import dct

    return float(np.mean(dct(data, type=2, norm="ortho")[1 : degrees + 1] ** 2))
