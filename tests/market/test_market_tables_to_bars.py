"""What stands beside the bars meets them: dates with times, benchmarks in another money, the notebook's way and the pipeline's."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from touchstone import sources
from touchstone.errors import DataError
from touchstone.market import MarketData, Metadata, adjust, at_bars, convert_currency, declare, empty_table, ingest, sessions, validate
from touchstone.pipelines.ingestion import nodes

DATES = sessions("XNYS", "2020-01-02", "2020-01-31")


def assets(**currencies: str) -> pd.DataFrame:
    table = pd.DataFrame({"symbol": list(currencies), "currency": list(currencies.values())})
    for column in ("name", "exchange", "calendar", "asset_class"):
        table[column] = ""
    return validate("assets", table[["symbol", "name", "exchange", "calendar", "currency", "asset_class"]].astype("str"))


def rates(*pairs: tuple[str, float], n_sessions: int = 6) -> pd.DataFrame:
    """Rates by pair such as EUR/USD: the given one on the first session, a tenth more on each that follows."""
    rows = [(*pair.split("/"), DATES[day], rate * (1.0 + day / 10), DATES[day]) for pair, rate in pairs for day in range(n_sessions)]
    frame = pd.DataFrame(rows, columns=["base", "quote", "date", "rate", "known_at"])
    return validate("rates", frame.astype({"base": "str", "quote": "str", "date": "datetime64[us]", "known_at": "datetime64[us]"}))


def actions(*rows: tuple[str, object, str, float, object]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["symbol", "ex_date", "kind", "value", "known_at"])
    types = {"symbol": "str", "ex_date": "datetime64[us]", "kind": "str", "value": "float64", "known_at": "datetime64[us]"}
    return validate("actions", frame.astype(types))


def market(currencies: dict[str, str], n_sessions: int = 6, **tables: pd.DataFrame) -> MarketData:
    index = pd.MultiIndex.from_product([DATES[:n_sessions], ["A", "B"]], names=["date", "symbol"])
    bars = pd.DataFrame({"close": 10.0 + np.arange(len(index)) / 7.0, "volume": 5.0}, index=index)
    names = ("actions", "macro", "signals", "universe", "benchmark")
    metadata = Metadata(source="test", adjustment="none", fields=tuple(bars.columns), calendar="XNYS", benchmark_name="INDEX")
    given = {name: empty_table(name) for name in names} | {"assets": assets(**currencies)} | tables
    return MarketData(bars=bars, **given, metadata=metadata)


def benchmark(first: int = 0, last: int = 6) -> pd.DataFrame:
    return pd.DataFrame({"close": 100.0}, index=DATES[first:last])


def test_a_split_announced_on_the_morning_of_its_ex_date_is_no_crash() -> None:
    listed = actions(("A", DATES[2], "split", 2.0, DATES[2] + pd.Timedelta(hours=13)))
    done = ingest(market({}, actions=listed))
    assert done.actions["known_at"].tolist() == [DATES[2]]
    halved = done.bars.assign(close=np.where(done.bars.index.get_level_values("date") >= DATES[2], 5.0, 10.0))
    assert adjust(halved, done.actions)["close"].xs("A", level="symbol").tolist() == [10.0] * 6
    # One that is told the evening before, or the day after, stays what it is.
    others = actions(("A", DATES[2], "split", 2.0, DATES[1]), ("B", DATES[2], "split", 2.0, DATES[3] + pd.Timedelta(hours=9)))
    pd.testing.assert_frame_equal(at_bars(others, DATES, calendar="XNYS", timeframe="1d"), others)


def test_an_ex_date_with_a_time_of_day_is_refused_beside_daily_bars() -> None:
    listed = actions(("A", DATES[2] + pd.Timedelta(hours=5), "split", 2.0, DATES[0]))
    with pytest.raises(DataError, match=r"beside daily bars, but A split 2020-01-06 05:00 has a time of day: give the date alone"):
        ingest(market({}, actions=listed))


def test_a_split_told_twice_is_refused_and_two_payouts_of_a_day_add_up() -> None:
    split, paid = ("A", DATES[2], "split", 2.0, DATES[0]), ("A", DATES[3], "dividend", 0.5, DATES[0])
    with pytest.raises(DataError, match=r"one split and one delisting on an ex-date, but these stand twice: A split 2020-01-06; keep one"):
        ingest(market({}, actions=actions(split, split)))
    assert len(ingest(market({}, actions=actions(split, paid, paid))).actions) == 3


def test_a_benchmark_that_meets_no_bar_is_refused() -> None:
    evening = benchmark().set_axis(DATES[:6] + pd.Timedelta(hours=5)).rename_axis("date")
    with pytest.raises(DataError, match=r"none of its 6 rows, 2020-01-02 05:00 to 2020-01-09 05:00, is one: date it as the bars are"):
        ingest(market({}, benchmark=evening))


def test_a_rate_between_two_others_is_found_through_the_one_they_share() -> None:
    data = market({"A": "EUR", "B": "GBP"})
    through = rates(("EUR/USD", 1.2), ("GBP/USD", 1.5), ("JPY/USD", 0.01))
    told = declare(dataclasses.replace(data, rates=through), currency="GBP")
    assert told.metadata.caveats == ("Prices in EUR (through USD) are converted into GBP with the last rate known at each bar.",)
    ratio = ingest(told).bars["close"] / data.bars["close"]
    np.testing.assert_allclose(ratio.xs("A", level="symbol"), 1.2 / 1.5, rtol=1e-15)
    assert (ratio.xs("B", level="symbol") == 1.0).all()
    # A rate of the pair itself goes first; two ways without it may differ, and nobody said which.
    direct = pd.concat([through, rates(("GBP/EUR", 2.0))], ignore_index=True)
    same = declare(dataclasses.replace(data, rates=direct), currency="GBP")
    assert (ingest(same).bars["close"] / data.bars["close"]).loc[(DATES[0], "A")] == 0.5
    several = pd.concat([through, rates(("EUR/JPY", 120.0), ("GBP/JPY", 150.0))], ignore_index=True)
    with pytest.raises(
        DataError, match=r"Prices in EUR must have one way into GBP, but the rates go through JPY, USD: add rows of base EUR"
    ):
        declare(dataclasses.replace(data, rates=several), currency="GBP")


def test_each_leg_of_a_cross_rate_must_be_known_and_fresh() -> None:
    data = market({"A": "EUR", "B": "GBP"}, n_sessions=9)
    stale = pd.concat([rates(("EUR/USD", 1.0), n_sessions=9), rates(("GBP/USD", 1.0), n_sessions=2)], ignore_index=True)
    with pytest.raises(DataError, match=r"5 sessions old at most, but the last of USD/GBP known on 2020-01-14 is of 2020-01-03, 7"):
        ingest(declare(dataclasses.replace(data, rates=stale), currency="GBP"))


def test_the_benchmark_follows_the_prices_when_it_says_what_it_is_in() -> None:
    told = market({"A": "USD", "B": "USD", "INDEX": "EUR"}, benchmark=benchmark(), rates=rates(("EUR/USD", 2.0)))
    stated = declare(told)
    assert stated.metadata.caveats == ("The benchmark in EUR is converted into USD with the last rate known at each bar.",)
    assert ingest(stated).benchmark["close"].tolist() == pytest.approx([200.0 * (1.0 + day / 10) for day in range(6)])
    with pytest.raises(DataError, match=r"Prices in EUR need rates into USD, but the table of rates has no rows"):
        declare(dataclasses.replace(told, rates=empty_table("rates")))


def test_a_benchmark_longer_than_the_bars_asks_for_no_rates_outside_them() -> None:
    data = market({"A": "EUR", "B": "USD", "INDEX": "EUR"}, n_sessions=4, benchmark=benchmark(0, 9))
    data = dataclasses.replace(data, bars=data.bars.loc[DATES[1] :], rates=rates(("EUR/USD", 2.0)).iloc[1:])
    done = ingest(declare(data, currency="USD"))
    assert done.benchmark.index.tolist() == list(DATES[1:4])


def test_a_benchmark_of_which_nobody_says_the_currency_stays_and_a_caveat_says_so() -> None:
    data = market({"A": "EUR", "B": "USD"}, benchmark=benchmark(), rates=rates(("EUR/USD", 2.0)))
    told = declare(data, currency="USD")
    assert told.metadata.caveats[-1] == "The benchmark is in the currency that its source gave."
    pd.testing.assert_frame_equal(ingest(told).benchmark, data.benchmark)


def test_a_payout_from_before_a_symbols_first_bar_asks_for_no_rate() -> None:
    prices = market({}).bars.drop(index=[(DATES[0], "A"), (DATES[1], "A")])
    listed = actions(("A", DATES[0], "dividend", 1.0, DATES[0]), ("A", DATES[3], "dividend", 1.0, DATES[0]))
    known = rates(("EUR/USD", 2.0)).iloc[2:]
    done = convert_currency(prices, assets(A="EUR", B="USD"), known, to="USD", calendar="XNYS", actions=listed)
    assert done.actions["value"].tolist() == [2.0 * 1.3]


def test_a_delisting_return_is_no_money_and_is_not_converted() -> None:
    data = market({"A": "EUR", "B": "USD"}, rates=rates(("EUR/USD", 2.0)), actions=actions(("A", DATES[5], "delisting", -0.5, DATES[0])))
    assert ingest(declare(data, currency="USD")).actions["value"].tolist() == [-0.5]


def test_quality_is_judged_on_what_the_source_gave() -> None:
    # In dollars the rate leaps by half, in euros nothing moved.
    leap = rates(("EUR/USD", 1.0)).assign(rate=[1.0, 1.0, 1.0, 1.5, 1.5, 1.5])
    data = market({"A": "EUR", "B": "EUR"}, rates=leap)
    done = ingest(declare(data, currency="USD"))
    pd.testing.assert_frame_equal(done.quality, ingest(declare(data)).quality)
    assert done.quarantine.empty


def loaded(case: str) -> MarketData:
    """Raw tables of a source, of each kind that ingestion works on."""
    if case == "benchmark":
        return market({"A": "USD", "INDEX": "EUR"}, benchmark=benchmark(), rates=rates(("EUR/USD", 2.0)))
    n_sessions = 90 if case == "1d" else 4
    return sources.load("simulated", n_symbols=4, n_sessions=n_sessions, timeframe=case, seed=3, start="2020-01-02")


@pytest.mark.parametrize("case", ["1d", "5m", "benchmark"])
def test_a_notebook_has_the_tables_of_the_pipeline(case: str) -> None:
    raw = loaded(case)
    notebook, declared = ingest(raw), declare(raw)
    tables = {field.name: getattr(declared, field.name) for field in dataclasses.fields(raw) if field.name != "metadata"}
    piped = nodes.clean(metadata=declared.metadata.model_dump(mode="json"), **tables)
    for field, table in zip(dataclasses.fields(notebook), piped, strict=True):
        pd.testing.assert_frame_equal(getattr(notebook, field.name), table, check_exact=True)
