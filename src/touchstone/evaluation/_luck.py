"""How much of a Sharpe ratio luck explains. Every ratio here is per period unless its name says annual."""

from __future__ import annotations

import math

from scipy.special import ndtr, ndtri  # scipy.stats has the same and takes most of a second to import

from touchstone.errors import ConfigError, DataError

__all__ = [
    "deflated_sharpe_ratio",
    "expected_maximum_sharpe",
    "minimum_backtest_length",
    "minimum_track_record_length",
    "probabilistic_sharpe_ratio",
]

_EULER_GAMMA = 0.5772156649015329


def probabilistic_sharpe_ratio(
    sharpe: float,
    *,
    benchmark: float = 0.0,
    n_observations: int,
    skewness: float = 0.0,
    kurtosis: float = 3.0,
) -> float:
    """Probability that the true Sharpe ratio exceeds a benchmark, given the observed one.

    ``Φ((SR - SR*) sqrt(n - 1) / sqrt(1 - skew SR + (kurt - 1) / 4 SR²))``, the form of 2012: the variance is taken at
    the observed ratio and n - 1 is used.

    Parameters
    ----------
    sharpe, benchmark : float
        Per period, never annualised.
    n_observations : int, at least 2
        Returns behind `sharpe`.
    skewness, kurtosis : float
        Standardised moments of the returns; kurtosis is not excess (3 for a normal distribution).

    Returns
    -------
    float
        A probability; NaN when `sharpe` is.

    Raises
    ------
    DataError
        Fewer than two observations, or a kurtosis that no distribution with that skewness has (below skewness² + 1).

    References
    ----------
    Bailey, López de Prado (2012), The Sharpe Ratio Efficient Frontier, Journal of Risk 15(2), eq. 11.
    """
    if n_observations < 2:
        raise DataError(f"A Sharpe ratio needs at least 2 observations, but got {n_observations}: bring a longer track record.")
    deviation = math.sqrt(_variance_factor(sharpe, skewness, kurtosis) / (n_observations - 1))
    if deviation == 0.0:
        # Two outcomes at the corner of the moments' inequality: the estimate has no variance there.
        return 0.5 if sharpe == benchmark else float(sharpe > benchmark)
    return float(ndtr((sharpe - benchmark) / deviation))


def expected_maximum_sharpe(n_trials: int, *, trials_variance: float = 1.0) -> float:
    """Expected best Sharpe ratio of that many independent trials without skill.

    ``sqrt(V) ((1 - g) Φ⁻¹(1 - 1/N) + g Φ⁻¹(1 - 1/(N e)))`` with g the Euler-Mascheroni constant; one trial: 0.

    Parameters
    ----------
    n_trials : int, at least 1
    trials_variance : float, ≥ 0
        Variance of the trials' Sharpe ratios; its unit decides the result's: per period in, per period out.

    Raises
    ------
    DataError
        No trial, or a negative or NaN variance.

    References
    ----------
    Bailey, López de Prado (2014), The Deflated Sharpe Ratio, Journal of Portfolio Management 40(5), eq. 1.
    """
    if n_trials < 1:
        raise DataError(f"At least one trial was made, but got n_trials = {n_trials}: count the configuration itself.")
    if not (trials_variance >= 0.0 and math.isfinite(trials_variance)):
        raise DataError(f"trials_variance must be finite and ≥ 0, but got {trials_variance}: it is a variance of Sharpe ratios.")
    if n_trials == 1:
        return 0.0
    # isf(p) is Φ⁻¹(1 - p) without the rounding of 1 - p.
    best = (1.0 - _EULER_GAMMA) * -ndtri(1.0 / n_trials) + _EULER_GAMMA * -ndtri(1.0 / (n_trials * math.e))
    return math.sqrt(trials_variance) * float(best)


def deflated_sharpe_ratio(
    sharpe: float,
    *,
    n_trials: int,
    trials_variance: float,
    n_observations: int,
    skewness: float = 0.0,
    kurtosis: float = 3.0,
) -> float:
    """Probability that the true Sharpe ratio exceeds what the best of `n_trials` without skill would show.

    `probabilistic_sharpe_ratio` with `expected_maximum_sharpe` as benchmark; all ratios per period.

    Raises
    ------
    DataError
        As those two.

    References
    ----------
    Bailey, López de Prado (2014), The Deflated Sharpe Ratio, Journal of Portfolio Management 40(5), eq. 2.
    """
    return probabilistic_sharpe_ratio(
        sharpe,
        benchmark=expected_maximum_sharpe(n_trials, trials_variance=trials_variance),
        n_observations=n_observations,
        skewness=skewness,
        kurtosis=kurtosis,
    )


def minimum_track_record_length(
    sharpe: float,
    *,
    benchmark: float = 0.0,
    skewness: float = 0.0,
    kurtosis: float = 3.0,
    confidence: float = 0.95,
) -> float:
    """Periods of track record after which the Sharpe ratio exceeds the benchmark with the given confidence.

    ``1 + (1 - skew SR + (kurt - 1) / 4 SR²) (Φ⁻¹(confidence) / (SR - SR*))²``: where `probabilistic_sharpe_ratio`
    reaches `confidence`. Infinite when the ratio is not above the benchmark; NaN when it is NaN.

    Raises
    ------
    ConfigError
        A confidence outside [0.5, 1).
    DataError
        A kurtosis that no distribution with that skewness has.

    References
    ----------
    Bailey, López de Prado (2012), The Sharpe Ratio Efficient Frontier, Journal of Risk 15(2), eq. 13.
    """
    if not 0.5 <= confidence < 1.0:
        raise ConfigError(f"confidence must lie in [0.5, 1), but got {confidence}: 0.95 is usual.")
    factor = _variance_factor(sharpe, skewness, kurtosis)
    if sharpe <= benchmark:
        return math.inf
    return 1.0 + factor * (float(ndtri(confidence)) / (sharpe - benchmark)) ** 2


def minimum_backtest_length(n_trials: int, *, annual_sharpe: float) -> float:
    """Years of backtest below which the best of `n_trials` without skill is expected to show that annual Sharpe ratio.

    ``(expected maximum of n_trials standard normals / annual Sharpe)²``; 0 for one trial.

    Raises
    ------
    DataError
        No trial, or an annual Sharpe ratio that is not positive.

    References
    ----------
    Bailey, Borwein, López de Prado, Zhu (2014), Pseudo-Mathematics and Financial Charlatanism, Notices of the AMS 61(5), eq. 6.
    """
    if not annual_sharpe > 0.0:
        raise DataError(f"annual_sharpe must be positive, but got {annual_sharpe}: no search is needed to find less.")
    return (expected_maximum_sharpe(n_trials) / annual_sharpe) ** 2


def _variance_factor(sharpe: float, skewness: float, kurtosis: float) -> float:
    """n - 1 times the variance of the estimated ratio; the moments' inequality keeps it from going negative."""
    if kurtosis < skewness**2 + 1.0 - 1e-9:
        raise DataError(
            f"Kurtosis is at least skewness² + 1, but got kurtosis {kurtosis} with skewness {skewness}: "
            "pass the fourth standardised moment, which is 3 for a normal distribution, not the excess."
        )
    return max(1.0 - skewness * sharpe + (kurtosis - 1.0) / 4.0 * sharpe**2, 0.0)
