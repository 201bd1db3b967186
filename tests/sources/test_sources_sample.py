"""The built-in sample: real, offline, and honest about what it is."""

from __future__ import annotations

import pandas as pd
import pytest
from arch.data import core_cpi
from skfolio.datasets import load_sp500_dataset

from touchstone.errors import ConfigError, DataError
from touchstone.market import MarketData, ingest, sessions
from touchstone.sources import load


@pytest.fixture(scope="module")
def sample() -> MarketData:
    return load("sample")


def test_twenty_symbols_of_closes_alone_from_2003(sample: MarketData) -> None:
    assert sample.bars.index.get_level_values("symbol").nunique() == 20
    assert list(sample.bars.columns) == ["close"]
    dates = sample.bars.index.get_level_values("date")
    assert (dates.min(), dates.max()) == (pd.Timestamp("2003-01-02"), pd.Timestamp("2022-12-28"))
    assert sample.metadata.adjustment == "total_return"
    assert sample.metadata.fields == ("close",)
    assert sample.metadata.derived == ()


def test_values_are_those_of_the_bundled_file(sample: MarketData) -> None:
    bundled = load_sp500_dataset().loc["2003":]
    assert sample.bars["close"].to_numpy().reshape(bundled.shape).tolist() == bundled.to_numpy().tolist()
    assert list(sample.bars.index.get_level_values("symbol")[:20]) == list(bundled.columns)
    # The S&P 500 closed at 3,783.22 on that day.
    assert sample.benchmark.loc[pd.Timestamp("2022-12-28"), "close"] == pytest.approx(3783.22)


def test_every_bar_is_sound_and_every_session_is_there(sample: MarketData) -> None:
    done = ingest(sample)
    # The bars that moved most, such as MRK on 2004-09-30, are noted, and stay.
    assert set(done.quality["check"]) == {"jump"}
    assert done.quarantine.empty
    assert len(done.bars) == len(sample.bars) == 20 * len(sessions("XNYS", "2003-01-01", "2022-12-28"))
    assert len(done.universe) == 20
    assert len(done.benchmark) == len(sessions("XNYS", "2003-01-01", "2022-12-28"))


def test_the_caveats_name_survivors_the_price_index_and_the_rounding(sample: MarketData) -> None:
    caveats = " ".join(sample.metadata.caveats)
    for word in ("survivors", "price index", "0.001", "lag"):
        assert word in caveats


def test_macro_periods_are_dated_by_their_end_and_known_later(sample: MarketData) -> None:
    macro = sample.macro
    assert sorted(macro["series"].unique()) == ["core_cpi", "default_spread", "vix", "wti"]
    monthly = macro[macro["series"].isin(["core_cpi", "default_spread"])]
    assert monthly["period"].dt.is_month_end.all()
    lags = (macro["known_at"] - macro["period"]).dt.days.groupby(macro["series"]).unique().map(list).to_dict()
    assert lags == {"core_cpi": [31], "default_spread": [7], "vix": [1], "wti": [9]}
    assert not macro.duplicated(["series", "period"]).any()


def test_a_monthly_value_stays_from_its_publication_until_it_is_too_old(sample: MarketData) -> None:
    core = sample.macro[sample.macro["series"] == "core_cpi"].set_index("period")
    january = core.loc[pd.Timestamp("2010-01-31")]
    assert january["known_at"] == pd.Timestamp("2010-03-03")
    assert january["expires_at"] == pd.Timestamp("2010-04-30")
    # arch dates the value of January by its first day.
    assert january["value"] == core_cpi.load().loc["2010-01-01", "CPILFESL"]


def test_no_macro_value_outlives_the_end_of_its_series(sample: MarketData) -> None:
    assert sample.macro.groupby("series")["expires_at"].max().max() < pd.Timestamp("2019-07-01")


def test_the_next_value_comes_before_the_last_one_expires(sample: MarketData) -> None:
    for _, series in sample.macro.groupby("series"):
        following = series["known_at"].shift(-1)
        late = (following > series["expires_at"]) & following.notna()
        assert not late.any()


def test_span_and_symbols_can_be_chosen() -> None:
    part = load("sample", start="1990-01-01", end="1990-12-31", symbols=["XOM", "AAPL"])
    assert sorted(part.bars.index.get_level_values("symbol").unique()) == ["AAPL", "XOM"]
    assert part.bars.index.get_level_values("date").max() == pd.Timestamp("1990-12-31")
    assert part.benchmark.index.max() == pd.Timestamp("1990-12-31")
    assert part.macro["known_at"].max() <= pd.Timestamp("1990-12-31")
    assert "vix" not in set(part.macro["series"])


def test_a_span_without_prices_is_an_error_of_ingestion() -> None:
    with pytest.raises(DataError, match=r"'sample' gave none"):
        ingest(load("sample", start="2030-01-01", end="2030-12-31"))


def test_unknown_symbols_and_options() -> None:
    with pytest.raises(ConfigError, match=r"lacks 'APPL': it has AAPL"):
        load("sample", symbols=["APPL"])
    with pytest.raises(ConfigError, match=r"'sample'.*got 'path': it takes none"):
        load("sample", path="x")


def test_two_loads_are_equal(sample: MarketData) -> None:
    again = load("sample")
    for name in ("bars", "macro", "benchmark"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(sample, name), check_exact=True)
