"""Labels against their own date: what a ranking of symbols can be asked to forecast."""

from __future__ import annotations

import pandas as pd

from touchstone.errors import ConfigError, DataError, nearest

__all__ = ["cross_sectional"]

_METHODS = ("rank", "demeaned", "raw")


def cross_sectional(labels: pd.Series, *, method: str = "rank") -> pd.Series:
    """Compare each label with those of the same date.

    Parameters
    ----------
    labels : Series, shape (n_rows,)
        Forward returns on (date, symbol).
    method : {"rank", "demeaned", "raw"}
        `rank` gives (average rank - 0.5) / n - 0.5 over the n labels of the date, within (-0.5, 0.5); `demeaned` subtracts
        their mean; `raw` leaves them.

    Returns
    -------
    Series, shape (n_rows,)
        float64 on the same index. NaN stays NaN, and a date with a single label has no rank: NaN. Known when the last label
        of the date is known.

    Raises
    ------
    ConfigError
        An unknown method.
    DataError
        `rank` where no date has two labels.
    """
    if method not in _METHODS:
        raise ConfigError(f"training.target must name a known method, but got '{method}': {nearest(method, _METHODS)}.")
    values = labels.astype("float64")
    if method == "raw":
        return values
    groups = values.groupby(level="date", sort=False)
    if method == "demeaned":
        return values - groups.transform("mean")
    count = groups.transform("count")
    if count.size and count.max() < 2:
        n_symbols = labels.index.get_level_values("symbol").nunique()
        raise DataError(
            f"Ranks need at least two labels on some date, but these {n_symbols} symbol(s) never have two: "
            "bring more symbols, or set training.target to demeaned or raw."
        )
    return ((groups.rank(method="average") - 0.5) / count - 0.5).where(count > 1)
