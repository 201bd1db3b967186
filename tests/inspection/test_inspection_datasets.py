"""What a project holds, and the first rows of it, from a notebook."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from touchstone import inspection
from touchstone.errors import ConfigError, LineageError
from touchstone.lineage import data_hash, digest
from touchstone.notebook import open_data, open_run


def test_every_dataset_is_listed_with_what_it_holds(ingested: Path) -> None:
    listed, run = inspection.list_data(root=ingested), open_data(root=ingested)

    bars = run.table("bars")
    dates = bars.index.get_level_values("date")
    row = listed.loc["bars"]
    assert row[["layer", "rows", "symbols", "first", "last"]].tolist() == ["03_primary", len(bars), 8, dates.min(), dates.max()]
    assert row["hash"] == data_hash(bars) == run.record("ingestion")["outputs"]["bars"]
    metadata = ingested / "data" / "01_raw" / "metadata.json"
    assert listed.loc["metadata", ["bytes", "hash"]].tolist() == [metadata.stat().st_size, digest(metadata.read_bytes())]
    assert pd.isna(listed.loc["metadata", "rows"])
    assert listed.loc["universe", "last"] == dates.max(), "a span lasts until its end"
    assert listed["layer"].is_monotonic_increasing
    assert "features" not in listed.index, "only what is there"
    assert "hash" not in inspection.list_data(root=ingested, hashes=False)


def test_a_preview_reads_the_rows_that_pass(ingested: Path) -> None:
    bars = open_data(root=ingested).table("bars")

    first = inspection.preview("bars", n_rows=3, root=ingested)
    pd.testing.assert_frame_equal(first, bars.head(3))

    days = bars.index.get_level_values("date").unique()[[20, 22]]
    span = inspection.preview("bars", symbol="S002", start=f"{days[0]:%Y-%m-%d}", end=f"{days[1]:%Y-%m-%d}", root=ingested)
    pd.testing.assert_frame_equal(span, bars.xs("S002", level="symbol", drop_level=False).loc[days[0] : days[1]])

    assert set(inspection.preview("quality", where={"check": "duplicate"}, root=ingested)["symbol"]) == {"S005"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"name": "bar"}, "did you mean 'bars'"),
        ({"name": "metadata"}, "'metadata' is none"),
        ({"name": "bars", "where": {"clos": "1"}}, "did you mean 'close'"),
        ({"name": "bars", "where": {"close": "high"}}, "holds double, but 'high' is none"),
        ({"name": "bars", "start": "yesterday?"}, "must look like 2003-01-31"),
        ({"name": "assets", "start": "2003-01-31"}, "'assets' has none"),
        ({"name": "assets", "symbol": "S001", "where": {"date": "1"}}, "'date' is none"),
    ],
)
def test_a_wrong_name_or_value_is_one_sentence(ingested: Path, arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        inspection.preview(**arguments, root=ingested)  # type: ignore[arg-type]


def test_what_is_not_there_yet_names_the_way_on(ingested: Path, project: Path) -> None:
    with pytest.raises(LineageError, match="run the pipeline that writes it"):
        inspection.preview("features", root=ingested)
    with pytest.raises(LineageError, match="kedro run --pipelines ingestion"):
        inspection.list_data(root=project)
    with pytest.raises(LineageError, match="kedro run --pipelines ingestion"):
        open_data(root=project)


def test_data_without_a_finished_run_are_opened_and_belong_to_none(ingested: Path) -> None:
    assert open_data(root=ingested).run_id == ""
    with pytest.raises(LineageError, match="data/ holds none yet"):
        open_run(root=ingested)
