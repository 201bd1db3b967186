"""A partitioned ingest says what one in memory says, and a read takes what it needs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone import market, sources
from touchstone.errors import ConfigError, LineageError, SourceError
from touchstone.partitions import PartitionedIngest, PartitionedTable, PartitionWriter, ingest_partitioned, read_bars
from touchstone.remote import Place, Remote

N_SYMBOLS = 24


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of three years of symbols with errors of every kind, six symbols to a file."""
    folder = tmp_path_factory.mktemp("raw")
    bars = sources.simulate_market(n_symbols=N_SYMBOLS, n_sessions=700, seed=4, errors_per_kind=4).data.bars
    rows = bars.reset_index().sort_values(["symbol", "date"])
    for number in range(0, N_SYMBOLS, 6):
        part = rows[rows["symbol"].isin([f"S{symbol:03d}" for symbol in range(number, number + 6)])]
        part.to_parquet(folder / f"part-{number:02d}.parquet", index=False)
    return folder


@pytest.fixture(scope="module")
def at_once(raw: Path) -> market.Ingested:
    """The verdict on all files together."""
    return market.ingest(sources.load("files", path=str(raw)))


@pytest.fixture(scope="module")
def written(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PartitionedIngest]:
    """The same in blocks of two files, and the folder it lies in."""
    folder = tmp_path_factory.mktemp("written")
    return folder, ingest_partitioned(raw, folder, block_rows=5_000)


def test_blocks_get_the_verdict_that_all_get_together(written: tuple[Path, PartitionedIngest], at_once: market.Ingested) -> None:
    folder, done = written
    assert done.n_blocks > 1
    assert done.rows_in == done.rows_clean + done.rows_quarantined == len(at_once.bars) + len(at_once.quarantine)
    pd.testing.assert_frame_equal(read_bars(folder), at_once.bars)
    found = done.quality.read().sort_values(["symbol", "date", "check"], kind="stable", ignore_index=True)
    pd.testing.assert_frame_equal(found, at_once.quality)
    pd.testing.assert_frame_equal(done.quarantine.read().sort_values("row", ignore_index=True), at_once.quarantine)
    assert {"high_low", "duplicate", "reverting_jump"} <= set(found["check"])


DAYS = st.dates(pd.Timestamp("2009-12-01").date(), pd.Timestamp("2012-12-31").date())


@settings(max_examples=30, deadline=None)
@given(st.sets(st.integers(0, N_SYMBOLS), max_size=3), st.none() | DAYS, st.none() | DAYS, st.sets(st.sampled_from(["close", "volume"])))
def test_a_part_is_what_the_whole_holds_of_it(
    written: tuple[Path, PartitionedIngest], at_once: market.Ingested, numbers: set[int], one: object, other: object, columns: set[str]
) -> None:
    symbols = [f"S{number:03d}" for number in sorted(numbers)]
    start, end = sorted([one, other]) if one and other else (one, other)  # type: ignore[type-var]
    bars = at_once.bars
    dates = bars.index.get_level_values("date")
    inside = dates.isin(dates)
    if symbols:
        inside &= bars.index.get_level_values("symbol").isin(symbols)
    if start:
        inside &= dates >= pd.Timestamp(start)
    if end:
        inside &= dates <= pd.Timestamp(end)
    expected = bars.loc[inside, [name for name in bars.columns if not columns or name in columns]]
    found = read_bars(written[0], symbols=symbols, start=start, end=end, columns=sorted(columns))
    pd.testing.assert_frame_equal(found, expected)


def test_only_the_row_groups_that_can_hold_an_answer_are_read(written: tuple[Path, PartitionedIngest]) -> None:
    bars = written[1].bars
    every = bars.row_groups()
    assert len(every) == written[1].n_blocks * 3
    assert len(bars.row_groups(start="2011-03-01", end="2011-03-31")) == written[1].n_blocks
    (only,) = bars.row_groups(symbols=["S003"], start="2011-03-01", end="2011-03-31")
    assert only.endswith("year=2011/block-0000.parquet")
    assert not bars.row_groups(symbols=["S003"], start="1999-01-01", end="1999-12-31")


def test_files_that_cannot_hold_an_answer_are_not_opened(written: tuple[Path, PartitionedIngest]) -> None:
    folder, _ = written
    wanted = {"symbols": ["S003"], "start": "2011-03-01", "end": "2011-03-31", "columns": ["close"]}
    before = read_bars(folder, **wanted)
    others = [path for path in (folder / "bars").rglob("*.parquet") if not path.match("year=2011/block-0000.parquet")]
    held = {path: path.read_bytes() for path in others}
    for path in others:
        path.unlink()
    try:
        pd.testing.assert_frame_equal(read_bars(folder, **wanted), before)
        with pytest.raises(FileNotFoundError):
            read_bars(folder, symbols=["S003"])
    finally:
        for path, payload in held.items():
            path.write_bytes(payload)


def test_a_day_counts_to_its_end(tmp_path: Path) -> None:
    times = pd.to_datetime(["2020-01-02 15:00", "2020-01-02 20:55", "2020-01-03 15:00"]).as_unit("us")
    writer = PartitionWriter(tmp_path)
    writer.add(pd.DataFrame({"date": times, "symbol": pd.array(["A"] * 3, dtype="str"), "close": [1.0, 2.0, 3.0]}), 0)
    assert writer.finish().read(start="2020-01-02", end="2020-01-02")["close"].tolist() == [1.0, 2.0]


def test_a_table_goes_where_its_address_says(folder: Place, raw: Path, at_once: market.Ingested) -> None:
    done = ingest_partitioned(raw, folder / "lab", block_rows=5_000)
    found = read_bars(str(folder / "lab") if isinstance(folder, Remote) else folder / "lab", symbols=["S001", "S020"], start="2011-01-01")
    bars = at_once.bars
    pd.testing.assert_frame_equal(found, bars[bars.index.get_level_values("symbol").isin(["S001", "S020"])].loc["2011-01-01":])
    assert done.bars.n_rows == done.rows_clean


def _rows(year: int, symbol: str) -> pd.DataFrame:
    dates = pd.to_datetime([f"{year}-01-02", f"{year}-01-03"]).as_unit("us")
    return pd.DataFrame({"date": dates, "symbol": pd.array([symbol] * 2, dtype="str"), "close": [1.0, 2.0]})


def test_a_table_that_was_not_written_to_its_end_is_none(folder: Place) -> None:
    writer = PartitionWriter(folder)
    writer.add(_rows(2020, "A"), 0)
    with pytest.raises(LineageError, match="not written to its end"):
        PartitionedTable(folder).read()
    assert len(writer.finish().read()) == 2
    again = PartitionWriter(folder)  # from here on the old table is gone as well, and never half there
    with pytest.raises(LineageError, match="not written to its end"):
        PartitionedTable(folder).read()
    again.add(_rows(2021, "B"), 0)
    assert again.finish().read()["symbol"].tolist() == ["B", "B"]
    assert not (folder / "year=2020" / "block-0000.parquet").exists()


def test_a_table_without_rows_has_its_columns(tmp_path: Path) -> None:
    writer = PartitionWriter(tmp_path)
    writer.add(_rows(2020, "A")[:0], 0)
    empty = writer.finish().read()
    assert empty.empty
    assert list(empty.columns) == ["date", "symbol", "close"]
    with pytest.raises(LineageError, match="at least one block"):
        PartitionWriter(tmp_path).finish()


@pytest.mark.parametrize(
    ("ask", "error", "says"),
    [
        ({"columns": ["clse"]}, LineageError, "has no 'clse'"),
        ({"start": "2020-13-01"}, ConfigError, "must look like"),
        ({"start": "2021-01-01", "end": "2020-01-01"}, ConfigError, "swap them"),
    ],
)
def test_a_question_that_makes_no_sense_is_told_so(
    written: tuple[Path, PartitionedIngest], ask: dict[str, object], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        read_bars(written[0], **ask)  # type: ignore[arg-type]


def test_a_symbol_in_two_files_is_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        _rows(2020, "A").to_parquet(tmp_path / f"{name}.parquet", index=False)
    with pytest.raises(SourceError, match=r"'A' is in a\.parquet and b\.parquet"):
        ingest_partitioned(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="has none"):
        ingest_partitioned(tmp_path / "empty", tmp_path / "out")
