"""How much a symbol moves in a session, as far as it was known."""

from __future__ import annotations

import numpy as np
from numba import njit

from touchstone.types import FloatArray

__all__ = ["ewma_volatility"]

_DECAY = 0.94
_MIN_RETURNS = 20


@njit(cache=True, nogil=True)
def ewma_volatility(close: FloatArray, splits: FloatArray) -> FloatArray:
    """Exponentially weighted volatility of close-to-close returns, over gaps and splits.

    ``variance = 0.94 variance + 0.06 return**2`` (RiskMetrics 1996), from the first squared return on; NaN before the 20th return.
    `close` and `splits` have shape (n_sessions, n_symbols); a value is known at the close of its session.
    """
    n_sessions, n_symbols = close.shape
    out = np.empty((n_sessions, n_symbols))
    last, variance, n_returns = np.full(n_symbols, np.nan), np.zeros(n_symbols), np.zeros(n_symbols, np.int64)
    for session in range(n_sessions):
        for symbol in range(n_symbols):
            last[symbol] /= splits[session, symbol]
            today = close[session, symbol]
            if not np.isnan(today):
                if not np.isnan(last[symbol]):
                    move = today / last[symbol] - 1.0
                    decay = _DECAY if n_returns[symbol] > 0 else 0.0
                    variance[symbol] = decay * variance[symbol] + (1.0 - decay) * move * move
                    n_returns[symbol] += 1
                last[symbol] = today
            out[session, symbol] = np.sqrt(variance[symbol]) if n_returns[symbol] >= _MIN_RETURNS else np.nan
    return out
