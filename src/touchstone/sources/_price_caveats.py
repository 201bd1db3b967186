"""What a reader must know of prices whose splits and payouts are in them, beside them, or nowhere."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from touchstone.market import Adjustment

__all__ = ["price_caveats", "without_price_caveats"]

_BARE = "Prices are as traded and no splits or dividends are given: a split looks like a crash, and returns leave dividends out."
_NO_SPLITS = "Prices are as traded and no splits are given: unless there were none, a split looks like a crash."
_NO_PAYOUTS = "Prices are as traded and no dividends are given: returns leave dividends out."
_SPLITS_ONLY = "Prices are adjusted for splits only: returns leave dividends out."
_PER_ADJUSTED_SHARE = "Prices are adjusted for splits; dividends are taken to be for one share of these adjusted prices."
_ALL = (_BARE, _NO_SPLITS, _NO_PAYOUTS, _SPLITS_ONLY, _PER_ADJUSTED_SHARE)


def price_caveats(adjustment: Adjustment, actions: pd.DataFrame) -> tuple[str, ...]:
    """Say what returns on these prices leave out, given the actions that come with them."""
    if adjustment == "total_return":
        return ()
    has_splits, has_payouts = (actions["kind"].isin(kinds).any() for kinds in (["split"], ["dividend", "spinoff"]))
    if adjustment == "split":
        return (_PER_ADJUSTED_SHARE if has_payouts else _SPLITS_ONLY,)
    if not has_splits and not has_payouts:
        return (_BARE,)
    return (*((_NO_SPLITS,) if not has_splits else ()), *((_NO_PAYOUTS,) if not has_payouts else ()))


def without_price_caveats(caveats: Iterable[str]) -> tuple[str, ...]:
    """Leave out what `price_caveats` says, so that it can be said anew."""
    return tuple(caveat for caveat in caveats if caveat not in _ALL)
