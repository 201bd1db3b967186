"""Datasets and the undo of a failed run do in a store what they do here."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError

from touchstone.datasets import BytesDataset, JSONDataset, TableDataset, TextDataset, Undo
from touchstone.errors import ConfigError
from touchstone.remote import Place, Remote, place


@pytest.fixture
def table() -> pd.DataFrame:
    index = pd.MultiIndex.from_product([pd.to_datetime(["2020-01-02", "2020-01-03"]).as_unit("us"), ["A", "B"]], names=["date", "symbol"])
    return pd.DataFrame({"close": [1.0, np.nan, 3.0, -0.0]}, index=index)


def test_what_is_saved_comes_back_with_the_same_bytes_everywhere(folder: Place, tmp_path: Path, table: pd.DataFrame) -> None:
    stored, here = folder / "03_primary" / "t.parquet", tmp_path / "compare.parquet"
    TableDataset(filepath=str(stored)).save(table)
    TableDataset(filepath=str(here)).save(table)
    pd.testing.assert_frame_equal(TableDataset(filepath=str(stored)).load(), table)
    assert stored.read_bytes() == here.read_bytes()
    for kind, value in ((JSONDataset, {"a": None}), (BytesDataset, b"\x00\r\n"), (TextDataset, "ü\n")):
        dataset = kind(filepath=str(folder / "x"))
        dataset.save(value)
        assert dataset.load() == value
        assert dataset.exists()


def test_a_file_that_is_not_there_says_what_to_run(folder: Place) -> None:
    dataset = JSONDataset(filepath=str(folder / "08_reporting" / "absent.json"))
    assert not dataset.exists()
    with pytest.raises(DatasetError, match="08_reporting/ does not hold it: run the pipeline that writes it"):
        dataset.load()


def _run(folder: Place) -> Undo:
    undo = Undo()
    for payload in (b"first", b"second"):
        for name in ("old", "new"):
            undo.keep(folder / name)
            BytesDataset(filepath=str(folder / name)).save(payload)
    return undo


def _held(folder: Place) -> dict[str, bytes]:
    if isinstance(folder, Path):
        return {path.name: path.read_bytes() for path in folder.iterdir()}
    system, path = folder.opened()
    return {name.rpartition("/")[2]: system.cat_file(name) for name in system.find(path)}


@pytest.mark.parametrize(
    ("end", "held"), [(Undo.put_back, {"old": b"before"}), (Undo.forget, {"old": b"second", "new": b"second"})], ids=["failed", "finished"]
)
def test_a_failed_run_leaves_what_was_there_and_a_finished_one_what_it_wrote(
    folder: Place, end: Callable[[Undo], None], held: dict[str, bytes]
) -> None:
    BytesDataset(filepath=str(folder / "old")).save(b"before")
    end(_run(folder))
    assert _held(folder) == held


def test_a_write_that_cannot_be_encoded_leaves_the_old_file(folder: Place) -> None:
    dataset = JSONDataset(filepath=str(folder / "x.json"))
    dataset.save({"a": 1})
    with pytest.raises(DatasetError):
        dataset.save({"a": object()})
    assert _held(folder) == {"x.json": b'{"a":1}\n'}


def test_a_store_that_refuses_is_one_sentence(s3_address: str) -> None:
    with pytest.raises(DatasetError) as refused:
        JSONDataset(filepath="s3://no-such-bucket/x.json").save({})
    assert isinstance(refused.value.__cause__, ConfigError)
    assert "The store must answer, but s3://no-such-bucket/x.json cannot be used" in str(refused.value.__cause__)
    assert "nothing" not in str(refused.value)  # the secret key


def test_an_address_of_an_unknown_kind_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match="s4://lab/x cannot be used"):
        Remote("s4://lab/x").read_bytes()
    with pytest.raises(ConfigError, match="leave 'file://' out"):
        place("file:///tmp/x")


def test_a_google_address_goes_the_same_way() -> None:
    from fsspec.core import split_protocol
    from gcsfs import GCSFileSystem

    stored = place("gs://lab/data/") / "03_primary" / "bars.parquet"
    assert str(stored) == "gs://lab/data/03_primary/bars.parquet"
    assert (stored.name, str(stored.parent)) == ("bars.parquet", "gs://lab/data/03_primary")
    assert str(stored.relative_to(Remote("gs://lab/data"))) == "03_primary/bars.parquet"
    assert split_protocol(str(stored))[0] in GCSFileSystem.protocol


def test_the_libraries_of_stores_are_not_loaded_for_a_local_root() -> None:
    script = (
        "import sys, touchstone.hooks, touchstone.datasets; sys.exit(bool({'s3fs', 'gcsfs', 'botocore', 'aiohttp'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
