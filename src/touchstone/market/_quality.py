"""The first quality checks: what a raw bar must be before anybody computes with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.market._calendar import days, sessions
from touchstone.market._schemas import PRICE_FIELDS, empty_table, validate
from touchstone.types import BoolArray, IntArray

__all__ = ["Examination", "check", "examine"]

# Vendors adjust and round each field on its own, so a high may lie below a close by float dust; a tick is a hundred times more.
_DUST = 1e-6


@dataclass(frozen=True, eq=False)
class Examination:
    """Findings, each with its row number in the raw bars (-1: a row that is not there), and the rows to quarantine."""

    findings: pd.DataFrame
    rows: IntArray
    quarantined: BoolArray


def check(bars: pd.DataFrame, *, calendar: str) -> pd.DataFrame:
    """Find the rows that break the data contract, and the sessions that are not there.

    ===================== =========== ==================================================================================
    check                 action      what it finds
    ===================== =========== ==================================================================================
    not_a_session         quarantined a date on which the exchange was closed
    missing_value         quarantined NaN or an infinite value in a field that the source carries
    non_positive          quarantined a price of 0 or below, or a volume below 0
    high_low              quarantined a high below the row's open, low or close, a low above its open or close, by more than
                                      one millionth of the price
    duplicate             quarantined the same row again: the first one stays
    conflicting_duplicate quarantined another row for the same symbol and date: the first sound one stays, and nothing says that
                                      it is the right one
    out_of_order          kept        a row that stands after a later date of its symbol; it is sorted
    missing_session       kept        a session between the symbol's first and last sound row that has no row at all
    ===================== =========== ==================================================================================

    A row may have several findings. Everything is known when the row is known, but for out_of_order and missing_session.

    Parameters
    ----------
    bars : DataFrame, index (date, symbol)
        Raw bars in the source's row order.
    calendar : str
        Exchange calendar.

    Returns
    -------
    DataFrame
        ``symbol, date, check, severity, observed, expected, action``, sorted by symbol, date and check.

    Raises
    ------
    DataError
        Not raw bars; a row without date or symbol.
    ConfigError
        Unknown calendar.
    """
    return examine(validate("raw_bars", bars), calendar).findings


def examine(raw: pd.DataFrame, calendar: str) -> Examination:
    """Run every check; `check` says which."""
    if raw.empty:
        return Examination(empty_table("quality"), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_))
    dates = raw.index.get_level_values("date")
    open_days = sessions(calendar, dates.min(), dates.max())
    unsound = [_not_a_session(raw, open_days, calendar), *_missing_values(raw), *_non_positive(raw), *_high_low(raw)]
    copies = _duplicates(raw, ~_marked(unsound, len(raw)))
    quarantined = _marked([*unsound, *copies], len(raw))
    found = [*unsound, *copies, _out_of_order(raw), _missing_sessions(raw, ~quarantined, open_days)]
    together = pd.concat(found, ignore_index=True).sort_values(["symbol", "date", "check", "row"], ignore_index=True)
    rows = together.pop("row").to_numpy(dtype=np.int64)
    return Examination(validate("quality", together), rows, quarantined)


def _marked(found: list[pd.DataFrame], n_rows: int) -> BoolArray:
    mask = np.zeros(n_rows, dtype=np.bool_)
    for findings in found:
        mask[findings["row"].to_numpy()] = True
    return mask


def _findings(
    name: str, at: pd.Index, rows: IntArray, *, observed: Sequence[str], expected: Sequence[str], kept: bool = False
) -> pd.DataFrame:
    texts = {
        "check": [name] * len(at),
        "severity": ["warning" if kept else "error"] * len(at),
        "observed": list(observed),
        "expected": list(expected),
        "action": ["kept" if kept else "quarantined"] * len(at),
    }
    frame = pd.DataFrame({"symbol": at.get_level_values("symbol"), "date": at.get_level_values("date")})
    return frame.assign(**{column: pd.array(text, dtype="str") for column, text in texts.items()}, row=rows)


def _field_findings(name: str, raw: pd.DataFrame, bad: BoolArray, field: str, expected: str) -> pd.DataFrame:
    rows = np.flatnonzero(bad)
    observed = [f"{field} = {value:.10g}" for value in raw[field].to_numpy()[rows]]
    return _findings(name, raw.index[rows], rows, observed=observed, expected=[expected] * len(rows))


def _not_a_session(raw: pd.DataFrame, open_days: pd.DatetimeIndex, calendar: str) -> pd.DataFrame:
    rows = np.flatnonzero(~raw.index.get_level_values("date").isin(open_days))
    at = raw.index[rows]
    observed = [f"a bar on {date:%A}" + (f" {date:%H:%M}" if date != date.normalize() else "") for date in at.get_level_values("date")]
    return _findings("not_a_session", at, rows, observed=observed, expected=[f"a session of {calendar}"] * len(rows))


def _missing_values(raw: pd.DataFrame) -> list[pd.DataFrame]:
    return [
        _field_findings("missing_value", raw, ~np.isfinite(raw[field].to_numpy()), field, f"{field}: a finite number")
        for field in raw.columns
    ]


def _non_positive(raw: pd.DataFrame) -> list[pd.DataFrame]:
    prices = [
        _field_findings("non_positive", raw, raw[field].to_numpy() <= 0.0, field, f"{field} > 0") for field in PRICE_FIELDS if field in raw
    ]
    if "volume" not in raw:
        return prices
    return [*prices, _field_findings("non_positive", raw, raw["volume"].to_numpy() < 0.0, "volume", "volume >= 0")]


def _high_low(raw: pd.DataFrame) -> list[pd.DataFrame]:
    """Compare high and low with the fields that are there; a missing value is judged elsewhere and breaches nothing."""
    found = []
    for field, others, extreme, sign in (
        ("high", ("open", "low", "close"), np.fmax, 1.0),
        ("low", ("open", "close"), np.fmin, -1.0),
    ):
        if field not in raw:
            continue
        bound = extreme.reduce([raw[other].to_numpy() for other in others if other in raw])
        rows = np.flatnonzero(sign * (bound - raw[field].to_numpy()) > _DUST * np.abs(bound))
        relation = ">=" if sign > 0 else "<="
        observed = [f"{field} = {value:.10g}" for value in raw[field].to_numpy()[rows]]
        expected = [f"{field} {relation} {value:.10g}" for value in bound[rows]]
        found.append(_findings("high_low", raw.index[rows], rows, observed=observed, expected=expected))
    return found


def _duplicates(raw: pd.DataFrame, sound: BoolArray) -> list[pd.DataFrame]:
    rows = np.flatnonzero(sound)
    judged = raw.iloc[rows]
    again = judged.index.duplicated()
    copies, rows = judged[again], rows[again]
    kept = judged[~again].reindex(copies.index)
    same = (copies.to_numpy() == kept.to_numpy()).all(axis=1)
    observed = [f"close = {value:.10g}" for value in copies["close"]]
    expected = [f"one row, close = {value:.10g}" for value in kept["close"]]
    return [
        _findings(
            name,
            copies.index[chosen],
            rows[chosen],
            observed=[observed[k] for k in np.flatnonzero(chosen)],
            expected=[expected[k] for k in np.flatnonzero(chosen)],
        )
        for name, chosen in (("duplicate", same), ("conflicting_duplicate", ~same))
    ]


def _out_of_order(raw: pd.DataFrame) -> pd.DataFrame:
    latest = pd.Series(days(raw.index.get_level_values("date")))
    before = latest.groupby(pd.factorize(raw.index.get_level_values("symbol"))[0]).cummax()
    rows = np.flatnonzero(latest.to_numpy() < before.to_numpy())
    observed = [f"after {pd.Timestamp(value, unit='us'):%Y-%m-%d}" for value in before.to_numpy()[rows]]
    return _findings("out_of_order", raw.index[rows], rows, observed=observed, expected=["dates that go forward"] * len(rows), kept=True)


def _missing_sessions(raw: pd.DataFrame, sound: BoolArray, open_days: pd.DatetimeIndex) -> pd.DataFrame:
    codes, symbols = pd.factorize(raw.index.get_level_values("symbol"), sort=True)
    session = open_days.get_indexer(raw.index.get_level_values("date"))
    first, last = np.full(len(symbols), len(open_days)), np.full(len(symbols), -1)
    np.minimum.at(first, codes[sound], session[sound])
    np.maximum.at(last, codes[sound], session[sound])
    alive = (session >= first[codes]) & (session <= last[codes])
    present = np.unique(codes[alive].astype(np.int64) * len(open_days) + session[alive])
    code, number = np.divmod(present, max(len(open_days), 1))
    gaps = np.where(code[1:] == code[:-1], np.diff(number) - 1, 0)
    starts = np.repeat(present[:-1] + 1, gaps)
    absent = starts + np.arange(len(starts)) - np.repeat(np.cumsum(gaps) - gaps, gaps)
    code, number = np.divmod(absent, max(len(open_days), 1))
    at = pd.MultiIndex.from_arrays([open_days[number], pd.Index(symbols)[code]], names=["date", "symbol"])
    return _findings("missing_session", at, np.full(len(at), -1), observed=["no row"] * len(at), expected=["one row"] * len(at), kept=True)
