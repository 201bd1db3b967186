"""A person's own tables, another currency and a computed field, from the snapshot to the clean tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from touchstone.errors import DataError


@pytest.fixture
def own(tmp_path: Path, prices: Path) -> tuple[Path, dict[str, Any]]:
    """A folder of tables for the small market, half of it in euros, and the parameters that read them."""
    folder = tmp_path / "tables"
    folder.mkdir()
    symbols = [f"S{number:02d}" for number in range(8)]
    currency = ["EUR" if number % 2 else "USD" for number in range(8)]
    pd.DataFrame({"symbol": symbols, "currency": currency}).to_csv(folder / "assets.csv", index=False)
    days = pd.bdate_range("2012-01-01", "2014-12-31")
    rates = pd.DataFrame({"base": "EUR", "quote": "USD", "date": days, "rate": np.linspace(1.2, 1.4, len(days)), "lag_days": 1})
    rates.to_csv(folder / "rates.csv", index=False)
    mood = pd.DataFrame({"symbol": "*", "name": "mood", "value": 0.5, "known_at": days[::5]})
    mood.to_csv(folder / "signals.csv", index=False)
    data = {"source": "files", "files": {"path": str(prices)}, "tables": str(folder), "currency": "USD", "derive": ["vwap_hlc3"]}
    return folder, data


def test_they_join_and_the_metadata_says_what_was_done(
    project: Path, own: tuple[Path, dict[str, Any]], runner: Callable[..., None]
) -> None:
    folder, data = own
    runner(project, stages=("ingestion",), data=data)
    metadata = json.loads((project / "data" / "01_raw" / "metadata.json").read_text())
    assert (metadata["currency"], metadata["derived"]) == ("USD", ["vwap_hlc3"])
    told = " ".join(metadata["caveats"])
    assert "Prices in EUR are converted into USD" in told
    assert "vwap = (high + low + close) / 3" in told
    assert "rates.csv has no vintages" in told
    raw, bars = (pd.read_parquet(project / "data" / path) for path in ("01_raw/bars.parquet", "03_primary/bars.parquet"))
    day = pd.Timestamp("2013-06-03")
    rate = pd.read_csv(folder / "rates.csv", parse_dates=["date"]).set_index("date")["rate"]
    # Known a day after its date: on a Monday that of Friday.
    assert bars.loc[(day, "S01"), "close"] == pytest.approx(raw.loc[(day, "S01"), "close"] * rate["2013-05-31"], rel=1e-12)
    assert bars.loc[(day, "S00"), "close"] == raw.loc[(day, "S00"), "close"]
    row = bars.loc[(day, "S01")]
    assert row["vwap"] == pytest.approx((row["high"] + row["low"] + row["close"]) / 3)
    assert "vwap" not in raw
    signals = pd.read_parquet(project / "data" / "03_primary" / "signals.parquet")
    assert set(signals["symbol"]) == {"*"}


def test_two_currencies_and_none_to_convert_into_stop_the_run(
    project: Path, own: tuple[Path, dict[str, Any]], runner: Callable[..., None]
) -> None:
    _, data = own
    with pytest.raises(DataError, match=r"one currency, but the assets state EUR \(S01, S03\), USD \(S00, S02\)"):
        runner(project, stages=("ingestion",), data={**data, "currency": ""})
