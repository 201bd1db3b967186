"""Scores and returns that several tests of portfolios share."""

from __future__ import annotations

import numpy as np
import pandas as pd


def scores_of(rows: dict[str, list[float]], *, start: str = "2020-01-01") -> pd.Series:
    """One list of scores per symbol, one value per session."""
    n = len(next(iter(rows.values())))
    dates = pd.date_range(start, periods=n, unit="us")
    index = pd.MultiIndex.from_product([dates, list(rows)], names=["date", "symbol"])
    return pd.Series(np.array(list(rows.values())).T.ravel(), index=index, name="score")


def frame_of(rows: dict[str, list[float]], *, start: str = "2020-01-01") -> pd.DataFrame:
    """One list of values per symbol, one value per session."""
    n = len(next(iter(rows.values())))
    return pd.DataFrame(rows, index=pd.date_range(start, periods=n, unit="us", name="date"))


def random_scores(seed: int, *, n_names: int, n_sessions: int, start: str = "2020-01-01") -> pd.Series:
    """Normal scores, rounded so that some are equal; no session is without any."""
    values = np.round(np.random.default_rng(seed).normal(size=(n_names, n_sessions)), 1)
    return scores_of({f"S{number:02d}": list(values[number]) for number in range(n_names)}, start=start)


def random_returns(seed: int, *, n_names: int, n_sessions: int, start: str = "2020-01-01") -> pd.DataFrame:
    """Returns with a common factor and different volatilities."""
    rng = np.random.default_rng(seed)
    market = rng.normal(0.0, 0.01, size=(n_sessions, 1))
    own = rng.normal(size=(n_sessions, n_names)) * rng.uniform(0.005, 0.03, size=n_names)
    values = market * rng.uniform(0.5, 1.5, size=n_names) + own
    return frame_of({f"S{number:02d}": list(values[:, number]) for number in range(n_names)}, start=start)


def with_covariance(covariance: np.ndarray, *, n_sessions: int = 64, seed: int = 0) -> np.ndarray:
    """Returns whose sample covariance (ddof 1) is the given one, to rounding."""
    n = len(covariance)
    raw = np.random.default_rng(seed).normal(size=(n_sessions, n))
    white, _ = np.linalg.qr(raw - raw.mean(axis=0))
    return white * np.sqrt(n_sessions - 1) @ np.linalg.cholesky(covariance).T
