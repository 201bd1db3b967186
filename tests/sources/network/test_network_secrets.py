"""Keys: where they come from, and that they go nowhere but over the wire."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import pandas as pd
import pytest
from fred_archive import FredArchive
from prometheus_client import REGISTRY, generate_latest
from vendor_server import Answer, Sickness, cut_off, html, slow, status

from touchstone.errors import ConfigError
from touchstone.sources.network import Policy, refresh
from touchstone.sources.network._credentials import Keys, find_keys

KEY = "s3cr3t-0123456789abcdef"
FAST = Policy(requests_per_minute=60_000, timeout_s=0.3, attempts=2, backoff_s=0.001, backoff_max_s=0.01, breaker_failures=50)
SERIES = {"GDP": ("Q", [("2023-07-01", "2023-10-26", "9999-12-31", "27623.5")])}


def written(folder: Path, text: str) -> Path:
    file = folder / "credentials.yml"
    file.write_text(text)
    return file


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path, "FRED_API_KEY: from-the-file\n")
    assert find_keys("fred", ("FRED_API_KEY",), file)["FRED_API_KEY"] == "from-the-file"
    monkeypatch.setenv("FRED_API_KEY", KEY)
    assert find_keys("fred", ("FRED_API_KEY",), file)["FRED_API_KEY"] == KEY


@pytest.mark.parametrize("text", ["fred: {api_key: a-key}", "fred: {FRED_API_KEY: a-key}", "FRED_API_KEY: a-key"])
def test_a_file_may_have_sections_or_names(text: str, tmp_path: Path) -> None:
    assert dict(find_keys("fred", ("FRED_API_KEY",), written(tmp_path, text))) == {"FRED_API_KEY": "a-key"}


def test_a_missing_key_names_both_places(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"needs FRED_API_KEY: set it in the environment or write it into conf/local/credentials\.yml"):
        find_keys("fred", ("FRED_API_KEY",), tmp_path / "none.yml")


@pytest.mark.parametrize("text", [f"FRED_API_KEY: [{KEY}", f"- {KEY}", f"fred: {KEY}"])
def test_a_broken_file_is_not_quoted(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as told:
        find_keys("fred", ("FRED_API_KEY",), written(tmp_path, text))
    assert KEY not in "".join(traceback.format_exception(told.value))


def test_keys_do_not_show() -> None:
    keys = Keys({"FRED_API_KEY": KEY})
    assert KEY not in repr(keys) + str(keys) + f"{keys}"
    assert "FRED_API_KEY" in repr(keys)


def echo(well: Answer, last: Answer | None) -> Answer:
    """A vendor that repeats what it was asked, key and all."""
    return Answer(f'{{"error_message": "no api_key {KEY}"}}'.encode(), 400)


def echo_when_well(well: Answer, last: Answer | None) -> Answer:
    return Answer(well.body.replace(b'"GDP"', f'"GDP", "asked": "{KEY}"'.encode()))


@pytest.mark.parametrize("sickness", [None, status(500), status(401), status(302), echo, echo_when_well, html(), slow(0.5), cut_off()])
def test_the_key_is_sent_and_shows_nowhere(
    sickness: Sickness | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("FRED_API_KEY", KEY)
    with FredArchive(SERIES).serve() as server:
        server.ail_always(sickness)
        monkeypatch.setenv("TOUCHSTONE_FRED_URL", server.url)
        done = refresh(
            "fred",
            start="2000-01-03",
            options={"series": ("GDP",)},
            snapshots=tmp_path,
            credentials=tmp_path / "none",
            policy=FAST,
            now=pd.Timestamp("2024-03-01"),
        )
    assert all(asked.query["api_key"] == KEY for asked in server.asked)
    assert bool(done.failed) == (sickness is not None)
    assert any("HTTP Request" in record.getMessage() for record in caplog.records) or sickness is not None, "httpx was listened to"
    shown = [caplog.text, *capfd.readouterr(), *done.failed.values(), generate_latest(REGISTRY).decode()]
    assert not [text for text in shown if KEY in text]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files or sickness is not None
    assert not [path for path in files if KEY.encode() in path.read_bytes() or KEY.encode() in _unpacked(path)]


def _unpacked(path: Path) -> bytes:
    import gzip

    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else b""
