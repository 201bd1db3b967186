"""Long the best names, short the worst."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, OrderError, moment
from touchstone.portfolio._scores import score_panel
from touchstone.types import FloatArray

__all__ = ["check_sides", "top_bottom"]

# 0.29 * 100 is 28.999… in floats and means 29.
_FLOAT_DUST = 1e-9


class _Sides(NamedTuple):
    long: int
    short: int


def top_bottom(
    scores: pd.Series,
    *,
    side_fraction: float | None = None,
    n_long: int | None = None,
    n_short: int | None = None,
    rebalance_every: int = 1,
) -> pd.DataFrame:
    """Hold the best-scored names long and the worst short, equally weighted, half the equity a side.

    Gross exposure is 1 and net exposure 0 at every decision: ``+0.5 / n_long`` for each long and ``-0.5 / n_short``
    for each short. Names are ordered by score and, at equal scores, by symbol: the earlier symbol counts as the better one.

    Parameters
    ----------
    scores : Series, index (date, symbol), float
        Higher is better, known at the close of `date`. A NaN score takes no part; a date on which every score is NaN
        is no scored session.
    side_fraction : float, in (0, 0.5]
        Names a side as a share of the names scored on the date, rounded down.
    n_long, n_short : int, at least 1
        Names a side; both are given in place of `side_fraction`.
    rebalance_every : int, at least 1
        Decide on every k-th scored session, counted from the first.

    Returns
    -------
    DataFrame, shape (n_decisions, n_symbols), float64
        Index `date` (the decision sessions), columns all symbols of `scores` sorted; fractions of equity, 0 = flat.
        Known at the close of the index date, like the scores.

    Raises
    ------
    ConfigError
        Neither or both ways to say how many names; a number out of its range.
    DataError
        Scores that are not unique by (date, symbol), infinite, or all NaN.
    OrderError
        A cross-section too small for the names asked for.
    """
    check_sides(side_fraction, n_long, n_short)
    decisions = score_panel(scores, rebalance_every)
    values = decisions.to_numpy(dtype=np.float64)
    weights = np.zeros_like(values)
    for row, date in enumerate(decisions.index):
        _weigh(values[row], weights[row], date, side_fraction=side_fraction, given=_Sides(n_long or 0, n_short or 0))
    return pd.DataFrame(weights, index=decisions.index, columns=decisions.columns)


def _weigh(scores: FloatArray, weights: FloatArray, date: pd.Timestamp, *, side_fraction: float | None, given: _Sides) -> None:
    names = np.flatnonzero(~np.isnan(scores))
    sides = given
    if side_fraction is not None:
        n = int(side_fraction * len(names) + _FLOAT_DUST)
        sides = _Sides(n, n)
    if min(sides) < 1 or sum(sides) > len(names):
        asked = f"side_fraction {side_fraction}" if side_fraction is not None else f"{sides.long} long and {sides.short} short"
        raise OrderError(
            f"Every side needs at least one name of its own, but {len(names)} are scored on {moment(date)} and {asked} was asked for: "
            "score more symbols or ask for other sides."
        )
    # A stable sort keeps symbol order among equal scores; negation puts the best first.
    order = names[np.argsort(-scores[names], kind="stable")]
    weights[order[: sides.long]] = 0.5 / sides.long
    weights[order[len(order) - sides.short :]] = -0.5 / sides.short


def check_sides(side_fraction: float | None, n_long: int | None, n_short: int | None) -> None:
    """Refuse anything but one of the two ways to say how many names, in its range."""
    by_number = n_long is not None and n_short is not None
    half_given = (n_long is None) != (n_short is None)
    if half_given or by_number == (side_fraction is not None):
        raise ConfigError(
            "top_bottom takes either side_fraction or both n_long and n_short, "
            f"but got side_fraction={side_fraction}, n_long={n_long}, n_short={n_short}: give one of the two."
        )
    if side_fraction is not None and not 0.0 < side_fraction <= 0.5:
        raise ConfigError(f"side_fraction must lie in (0, 0.5], but got {side_fraction}: 0.2 holds a fifth of the names a side.")
    if n_long is not None and n_short is not None and min(n_long, n_short) < 1:
        raise ConfigError(f"n_long and n_short must be at least 1, but got {n_long} and {n_short}: give positive whole numbers.")
