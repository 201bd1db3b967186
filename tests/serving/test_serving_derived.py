"""A model trained on computed fields: the service computes them itself, from what was observed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from touchstone import market
from touchstone.serving._bundle import Card
from touchstone.serving._predict import _bars


def card(**more: Any) -> Card:
    said = {"model": "ridge", "features": {"sets": ["momentum"], "transform": "rank"}, "columns": ["reversal_5"], "lookback": 6}
    prices = {"needs_benchmark": False, "adjustment": "none", "fields": ["high", "low", "close"], "calendar": "XNYS"}
    return Card.model_validate(said | prices | more)


def bars() -> pd.DataFrame:
    index = pd.MultiIndex.from_product([market.sessions("XNYS", "2020-01-02", "2020-01-06"), ["A"]], names=["date", "symbol"])
    return pd.DataFrame({"close": [1.0, 2.0, 3.0], "high": [2.0, 3.0, 4.0], "low": [0.5, 1.0, 2.0], "vwap": [9.0, 9.0, 9.0]}, index=index)


def test_a_computed_field_is_what_ingestion_computes_whatever_the_request_says_of_it() -> None:
    observed = bars().drop(columns="vwap")
    got = _bars(card(derived=["vwap_hlc3"]), bars())
    pd.testing.assert_frame_equal(got, market.derive(observed, ["vwap_hlc3"]), check_exact=True)
    np.testing.assert_allclose(got["vwap"], [3.5 / 3, 2.0, 3.0])


def test_without_its_parts_it_stays_absent_and_nothing_is_computed_unasked() -> None:
    assert list(_bars(card(derived=["vwap_hlc3"]), bars()[["close"]]).columns) == ["close"]
    assert list(_bars(card(), bars()).columns) == ["close", "high", "low"]
