from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from touchstone.errors import LineageError
from touchstone.lineage import data_hash


def bars() -> pd.DataFrame:
    dates = pd.to_datetime(["2020-01-02", "2020-01-02", "2020-01-03"]).as_unit("us")
    index = pd.MultiIndex.from_arrays([dates, pd.Index(["A", "B", "A"], dtype="str")], names=["date", "symbol"])
    return pd.DataFrame({"close": [1.0, np.nan, -0.0], "volume": [10.0, 20.0, 30.0]}, index=index)


def test_storing_a_table_does_not_change_its_hash() -> None:
    sink = io.BytesIO()
    bars().to_parquet(sink)
    assert data_hash(pd.read_parquet(sink)) == data_hash(bars())


def test_layout_byte_order_and_the_sign_of_nan_do_not_count() -> None:
    table, expected = bars(), data_hash(bars())
    fortran = pd.DataFrame(np.asfortranarray(table.to_numpy()), index=table.index, columns=table.columns)
    negative_nan = table.assign(close=np.where(table["close"].isna(), -np.float64(np.nan), table["close"]))
    assert data_hash(fortran) == expected
    assert data_hash(negative_nan) == expected
    values = np.arange(3, dtype=">f8")
    assert data_hash(pd.Series(values, name="x")) == data_hash(pd.Series(values.astype("<f8"), name="x"))


def test_the_engine_behind_text_does_not_count() -> None:
    kinds = [pd.Series(["a", None, ""], dtype=kind, name="t") for kind in ("str", "object", pd.StringDtype("python"))]
    assert len({data_hash(series) for series in kinds}) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.assign(close=table["close"].replace(-0.0, 0.0)),
        lambda table: table.assign(volume=table["volume"].where(table["volume"] != 30.0, np.nextafter(30.0, 31.0))),
        lambda table: table.astype({"volume": "float32"}),
        lambda table: table.rename(columns={"close": "price"}),
        lambda table: table[["volume", "close"]],
        lambda table: table.iloc[::-1],
        lambda table: table.iloc[:2],
        lambda table: table.rename_axis(index=["date", "name"]),
        lambda table: table.reset_index("symbol"),
        lambda table: table["close"],
    ],
)
def test_every_difference_of_content_counts(change: object) -> None:
    assert data_hash(change(bars())) != data_hash(bars())


def test_values_cannot_move_between_neighbouring_texts_or_columns() -> None:
    assert data_hash(pd.Series(["ab", "c"])) != data_hash(pd.Series(["a", "bc"]))
    assert data_hash(pd.Series(["", None])) != data_hash(pd.Series([None, ""]))
    assert data_hash(pd.DataFrame({"a": [], "b": []})) != data_hash(pd.DataFrame({"a": []}))


def test_the_input_is_left_alone() -> None:
    table = bars()
    data_hash(table)
    pd.testing.assert_frame_equal(table, bars())


def test_an_empty_table_has_a_hash_that_knows_its_types() -> None:
    empty = bars().iloc[:0]
    assert data_hash(empty) == data_hash(bars().iloc[:0])
    assert data_hash(empty) != data_hash(empty.astype("float32"))


@pytest.mark.parametrize("values", [pd.Series([1, "a"]), pd.Series([{}]), pd.Series(["a"], dtype="category")])
def test_columns_of_other_types_are_refused_by_name(values: pd.Series) -> None:
    with pytest.raises(LineageError, match="'odd' holds"):
        data_hash(pd.DataFrame({"odd": values}))
