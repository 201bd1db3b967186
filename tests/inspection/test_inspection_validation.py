"""The verdict on a file of one's own is the pipeline's."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from touchstone import inspection, sources
from touchstone.errors import ConfigError, SourceError
from touchstone.notebook import open_data

SP500 = Path(__file__).parents[3] / "shared" / "data" / "sp500_5yr"


def renamed(files: Path, target: Path, **names: str) -> Path:
    table = pd.read_csv(files / "S001.csv").rename(columns=names)
    table.to_csv(target, index=False)
    return target


def test_the_verdict_is_the_one_of_ingestion(files: Path, ingested: Path) -> None:
    verdict, run = inspection.validate_files(files), open_data(root=ingested)

    pd.testing.assert_frame_equal(verdict.findings, run.table("quality"))
    pd.testing.assert_frame_equal(verdict.quarantine, run.table("quarantine"))
    facts = run.record("ingestion")["facts"]
    assert (verdict.n_rows, verdict.n_clean, verdict.n_quarantined) == (facts["rows_in"], facts["rows_clean"], facts["rows_quarantined"])
    assert {"scale_slip", "duplicate", "missing_session"} <= set(verdict.by_check["check"])
    assert verdict.worst(1)["check"].tolist() == ["scale_slip"]
    assert not verdict.passed


def test_several_files_are_judged_together_and_sound_ones_pass(files: Path) -> None:
    verdict = inspection.validate_files([files / "S001.csv", files / "S002.csv"])

    assert verdict.n_rows == verdict.n_clean == 320
    assert verdict.passed
    assert not inspection.validate_files(files / "S005.csv").passed


def test_usual_names_are_recognised_and_told(files: Path, tmp_path: Path) -> None:
    table = pd.read_csv(files / "S001.csv")
    foreign = table.rename(columns={"date": "Trade Date", "close": "Close/Last", "volume": "Vol."})
    foreign.assign(**{"Ticker": "XY", "Adj Close": 1.0, "Notes": "-"}).to_csv(tmp_path / "theirs.csv", index=False)

    verdict = inspection.validate_files(tmp_path / "theirs.csv")

    assert verdict.columns["date"] == "Trade Date"
    assert verdict.columns["close"] == "Close/Last", "an adjusted close is not taken where there is a plain one"
    assert verdict.columns["volume"] == "Vol."
    assert verdict.columns["symbol"] == "Ticker"
    assert set(verdict.guessed) == {"date", "close", "volume", "symbol"}
    assert verdict.unread == ("Name", "Adj Close", "Notes")
    assert verdict.n_clean == len(table)


def test_a_column_that_is_told_goes_before_a_guess(files: Path, tmp_path: Path) -> None:
    path = renamed(files, tmp_path / "a.csv", close="Price", open="Last")

    verdict = inspection.validate_files(path, columns={"close": "Price", "open": "Last"})

    assert verdict.passed
    assert verdict.guessed == ("symbol",)
    assert sources.guess_columns(path).columns["close"] == "Last", "what would have been taken"


def test_an_adjusted_close_alone_is_taken(files: Path, tmp_path: Path) -> None:
    table = pd.read_csv(files / "S001.csv")[["date", "close"]].rename(columns={"date": "Date", "close": "Adj Close"})
    table.to_parquet(tmp_path / "a.parquet", index=False)

    verdict = inspection.validate_files(tmp_path / "a.parquet", adjustment="total_return")

    assert verdict.columns == {"date": "Date", "close": "Adj Close"}
    assert verdict.passed


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [({"Close": "close"}, "did you mean 'close'"), ({"close": "Clse"}, "must have the column 'Clse'")],
)
def test_a_wrong_column_is_one_sentence(files: Path, columns: dict[str, str], sentence: str) -> None:
    with pytest.raises((ConfigError, SourceError), match=sentence):
        inspection.validate_files(files / "S001.csv", columns=columns)


def test_what_cannot_be_recognised_or_is_not_there_is_refused(files: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is recognised as close: say which one it is, with --column close="):
        inspection.validate_files(renamed(files, tmp_path / "a.csv", close="kurs"))
    with pytest.raises(SourceError, match="does not exist"):
        inspection.validate_files(tmp_path / "none.csv")
    with pytest.raises(ConfigError, match="none was given"):
        inspection.validate_files([])


@pytest.mark.skipif(not SP500.is_dir(), reason="needs ../shared/data/sp500_5yr, which is no part of the project")
def test_a_real_file_with_a_close_outside_its_range_fails() -> None:
    verdict = inspection.validate_files(SP500 / "BBY.csv", adjustment="split")

    assert verdict.columns["symbol"] == "Name"
    assert pd.Timestamp("2016-03-14") in verdict.quarantine["date"].tolist()
    assert not verdict.passed
