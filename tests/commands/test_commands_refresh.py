"""`touchstone refresh` is told a clock of its own; refused before anything is asked, so no network is needed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from touchstone.cli import cli


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with nothing in it but the committed parameters; nobody answers at the vendors' addresses."""
    (tmp_path / "params.yaml").write_bytes((Path(__file__).parents[2] / "params.yaml").read_bytes())
    for name in ("BINANCE", "YAHOO"):
        monkeypatch.setenv(f"TOUCHSTONE_{name}_URL", "http://127.0.0.1:9")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refresh(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["refresh", *arguments])


def test_the_calendar_given_goes_before_the_parameters(place: Path) -> None:
    values = yaml.safe_load((place / "params.yaml").read_text())
    values["data"]["calendar"] = "24/7"
    (place / "params.yaml").write_text(yaml.safe_dump(values))

    told = refresh("binance", "--symbol", "BTCUSDT", "--calendar", "XNYS")

    assert told.exit_code == 1
    assert "the calendar is XNYS" in told.output


def test_the_timeframe_given_goes_before_the_parameters() -> None:
    told = refresh("yahoo", "--symbol", "AAPL", "--timeframe", "30m")

    assert told.exit_code == 1
    assert "30m" in told.output
    assert "Traceback" not in told.output


def test_no_bar_is_drawn_where_nobody_watches() -> None:
    told = refresh("sample")

    assert told.exit_code == 1
    assert told.output.strip().splitlines() == [
        "Error: Only a network source is refreshed, but 'sample' reads no network: run the pipeline."
    ]
