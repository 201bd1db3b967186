from __future__ import annotations

import datetime as dt
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from touchstone.errors import LineageError
from touchstone.lineage import canonical_json, digest, round_metrics

FINITE = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


class Section(BaseModel):
    start: dt.date
    horizon: int
    share: float


@dataclass(frozen=True)
class Point:
    x: float
    y: tuple[int, ...]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None]}, '{"a":[true,null],"b":1}'),
        (-0.0, "0.0"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-7, "1e-07"),
        (math.nan, "null"),
        (pd.NaT, "null"),
        (pd.NA, "null"),
        ("Zürich 東京", '"Zürich 東京"'),
        (np.float32(0.5), "0.5"),
        (np.int64(3), "3"),
        (np.bool_(True), "true"),
        (np.array([1.5, np.nan]), "[1.5,null]"),
        (dt.date(2020, 2, 29), '"2020-02-29"'),
        (pd.Timestamp("2020-02-29 16:00"), '"2020-02-29T16:00:00"'),
        ((1, 2), "[1,2]"),
        (Section(start=dt.date(2003, 1, 1), horizon=5, share=1), '{"horizon":5,"share":1.0,"start":"2003-01-01"}'),
        (Point(1.0, (2, 3)), '{"x":1.0,"y":[2,3]}'),
    ],
)
def test_every_kind_of_value_has_one_text(value: object, text: str) -> None:
    assert canonical_json(value) == text


@settings(max_examples=60, deadline=None, derandomize=True)
@given(VALUES)
def test_json_reads_back_the_same_value_and_writes_the_same_text(value: object) -> None:
    text = canonical_json(value)
    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text


def test_the_order_of_keys_does_not_count_and_types_do() -> None:
    assert canonical_json({"a": 1, "b": 2}) == canonical_json({"b": 2, "a": 1})
    assert canonical_json(1) != canonical_json(1.0)


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"a": [1, {2}]}, r"set at \$.a\[1\]"),
        (Path("x"), r"at \$"),
        ({1: 2}, "text as keys"),
        ({"a": math.inf}, r"\$.a"),
        (b"x", "bytes"),
        (np.complex128(1), "complex"),
    ],
)
def test_what_json_cannot_hold_is_refused_with_its_place(value: object, where: str) -> None:
    with pytest.raises(LineageError, match=where):
        canonical_json(value)


def test_digest_is_sha256() -> None:
    assert digest(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, appendix B.1


def test_metrics_are_rounded_to_ten_significant_digits_wherever_they_stand() -> None:
    given_values = {"a": [0.123456789012345, 3], "b": {"c": 123456789012.0}, "d": "0.123456789012345", "e": True}
    assert round_metrics(given_values) == {"a": [0.123456789, 3], "b": {"c": 123456789000.0}, "d": "0.123456789012345", "e": True}
    assert given_values["a"] == [0.123456789012345, 3]
    assert math.isnan(round_metrics(math.nan))
    assert round_metrics(2 / 3, digits=3) == 0.667


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.floats(min_value=-1e300, max_value=1e300))
def test_rounding_twice_is_rounding_once(value: float) -> None:
    once = round_metrics(value)
    assert round_metrics(once) == once
    assert once == pytest.approx(value, rel=1e-9)
