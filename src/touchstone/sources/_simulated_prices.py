"""From shocks to prices, so that no label of up to `horizon` sessions leans to one side.

Compounding symmetric simple returns does not give symmetric returns over several sessions: ``(1 + r)(1 - r) < 1``, so the compounded
return of a volatile symbol has a lower median than that of a calm one, and volatility earns a negative rank IC although every session is
fair (-0.007 at the default volatilities over five sessions, -0.017 over twenty). Symmetric log returns mend the ranks and break the means.

Here a bar's move is a shock times the price *a horizon ago*, ``P[k] = P[k - 1] + P[k - lag] * x[k]`` with ``lag = horizon + 1``.
Within a label's span every multiplier is then known at the fill, so the label is a sum of symmetric moves in known proportions: given
everything up to the fill, flipping the sign of all shocks of all symbols turns every label into its negative. Hence every pair of symbols
is as likely to come out in one order as in the other whatever was known before, and the expected rank IC of *any* feature is nought; simple
returns over one bar are symmetric with mean nought as well. A price that fell lately moves more in per cent, as real ones do.

Nothing in this asks how long a bar is or whether bars are alike: that the first bar of a session moves more than the others is known
beforehand, so the horizon counts bars of any width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from touchstone.sources._simulated_shocks import Shocks
from touchstone.types import FloatArray

__all__ = ["Paths", "high_low", "price_index", "price_paths"]

# The anchor may not leave this band about the last close. It keeps prices positive, and binds only after a price halved or doubled
# within the lag: too rarely to tilt a label.
WIDEST_ANCHOR = 2.0


@dataclass(frozen=True)
class Paths:
    """Total-return opens and closes, one before the first bar; ``(n_bars, n_symbols)``."""

    opens: FloatArray
    closes: FloatArray


def price_paths(overnight: FloatArray, intraday: FloatArray, *, lag: int) -> Paths:
    """Walk prices by shocks that are fractions of the close `lag` bars before; ``lag=1`` compounds as usual."""
    opens, closes = np.empty_like(overnight), np.empty_like(overnight)
    close = np.ones(overnight.shape[1:])
    for bar in range(len(overnight)):
        anchor = closes[bar - lag] if bar >= lag else 1.0
        anchor = np.minimum(np.maximum(anchor, close / WIDEST_ANCHOR), close * WIDEST_ANCHOR)
        opens[bar] = close + anchor * overnight[bar]
        close = opens[bar] + anchor * intraday[bar]
        closes[bar] = close
    return Paths(opens, closes)


def price_index(moves: FloatArray, *, lag: int) -> FloatArray:
    """Closes of an index that starts at 1000 and moves by the market factor alone."""
    return 1000.0 * price_paths(np.zeros((len(moves), 1)), moves[:, None], lag=lag).closes[:, 0]


def high_low(rng: np.random.Generator, paths: Paths, shocks: Shocks) -> tuple[FloatArray, FloatArray]:
    """Draw each bar's highest and lowest price from the extremes of a Brownian bridge between open and close.

    ``P(max > m) = exp(-2 (m - open)(m - close) / s**2)`` (Karatzas and Shreve 1991, section 4.3), turned round for a uniform draw.
    """
    middle, move = (paths.opens + paths.closes) / 2.0, paths.closes - paths.opens
    variance = (shocks.intraday_volatility * paths.opens) ** 2
    up, down = (np.sqrt(move**2 + 2.0 * variance * rng.standard_exponential(move.shape)) / 2.0 for _ in range(2))
    top, bottom = np.maximum(paths.opens, paths.closes), np.minimum(paths.opens, paths.closes)
    return np.maximum(middle + up, top), np.clip(middle - down, bottom / 2.0, bottom)
