"""Point-in-time membership."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.market import Universe, empty_table, sessions

DATES = sessions("XNYS", "2020-01-02", "2020-01-15")
INDEX = pd.MultiIndex.from_product([DATES, list("ABC")], names=["date", "symbol"])


def spans(*rows: tuple[str, int, int]) -> pd.DataFrame:
    symbol, start, end = zip(*rows, strict=True)
    return pd.DataFrame({"symbol": symbol, "start": DATES[list(start)], "end": DATES[list(end)]})


def test_both_ends_are_members() -> None:
    mask = Universe(spans(("B", 2, 4))).mask(INDEX)
    assert [(date, symbol) for date, symbol in INDEX[mask]] == [(DATES[k], "B") for k in (2, 3, 4)]


def test_a_symbol_may_come_back() -> None:
    mask = Universe(spans(("A", 0, 1), ("A", 4, 5))).mask(INDEX)
    assert list(INDEX[mask].get_level_values("date")) == [DATES[k] for k in (0, 1, 4, 5)]


def test_spans_may_overlap_and_name_strangers() -> None:
    mask = Universe(spans(("A", 0, 3), ("A", 2, 4), ("Z", 0, 5))).mask(INDEX)
    assert list(INDEX[mask].get_level_values("date")) == list(DATES[:5])


def test_an_empty_universe_has_no_members() -> None:
    assert not Universe(empty_table("universe")).mask(INDEX).any()
    assert len(Universe(spans(("A", 0, 1))).mask(INDEX[:0])) == 0


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=6),
    st.permutations(range(len(INDEX))),
)
def test_the_mask_says_what_the_definition_says(rows: list[tuple[str, int, int]], order: list[int]) -> None:
    frame = spans(*[(symbol, min(a, b), max(a, b)) for symbol, a, b in rows])
    index = INDEX[order]
    wanted = [any((row.symbol == symbol) and (row.start <= date <= row.end) for row in frame.itertuples()) for date, symbol in index]
    np.testing.assert_array_equal(Universe(frame).mask(index), wanted)
