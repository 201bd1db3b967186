"""Datasets: the value decides the bytes, and a file is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError

from touchstone.datasets import BytesDataset, CodeDigests, JSONDataset, TableDataset, TextDataset


@pytest.fixture
def table() -> pd.DataFrame:
    index = pd.MultiIndex.from_product([pd.to_datetime(["2020-01-02", "2020-01-03"]).as_unit("us"), ["A", "B"]], names=["date", "symbol"])
    return pd.DataFrame({"close": [1.0, np.nan, 3.0, -0.0], "rank": np.float32([0.1, 0.2, 0.3, 0.4])}, index=index)


def test_a_table_comes_back_as_it_was(tmp_path: Path, table: pd.DataFrame) -> None:
    dataset = TableDataset(filepath=str(tmp_path / "a" / "t.parquet"))
    dataset.save(table)
    pd.testing.assert_frame_equal(dataset.load(), table)


def test_equal_values_give_equal_bytes(tmp_path: Path, table: pd.DataFrame) -> None:
    for name in "ab":
        TableDataset(filepath=str(tmp_path / name)).save(table.copy())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    JSONDataset(filepath=str(tmp_path / "c")).save({"b": 1, "a": float("nan"), "z": -0.0})
    assert (tmp_path / "c").read_text() == '{"a":null,"b":1,"z":0.0}\n'


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    dataset = JSONDataset(filepath=str(tmp_path / "x.json"))
    dataset.save({"a": 1})
    with pytest.raises(DatasetError):
        dataset.save({"a": object()})
    assert dataset.load() == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_bytes_and_text(tmp_path: Path) -> None:
    BytesDataset(filepath=str(tmp_path / "b")).save(b"\x00\r\n")
    assert BytesDataset(filepath=str(tmp_path / "b")).load() == b"\x00\r\n"
    TextDataset(filepath=str(tmp_path / "t")).save("ü\n")
    assert TextDataset(filepath=str(tmp_path / "t")).load() == "ü\n"


def test_a_file_that_is_not_there_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="run the pipeline that writes it"):
        JSONDataset(filepath=str(tmp_path / "absent.json")).load()


def test_the_code_is_what_lies_on_disk(project: Path) -> None:
    before = CodeDigests(filepath=str(project)).load()
    assert "src/touchstone/pipelines/backtest/nodes.py" in before
    assert "conf/base/catalog/03_primary.yml" in before
    assert "src/touchstone/serving/__init__.py" not in before
    kernel = project / "src/touchstone/backtest/_kernels.py"
    kernel.write_text(kernel.read_text() + "\n# a comment\n")
    after = CodeDigests(filepath=str(project)).load()
    assert {path for path in before if before[path] != after[path]} == {"src/touchstone/backtest/_kernels.py"}
    narrow = CodeDigests(filepath=str(project), stages=["training"]).load()
    assert "src/touchstone/backtest/_kernels.py" not in narrow
