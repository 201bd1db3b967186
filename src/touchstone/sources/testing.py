"""The contract of a source as tests: a third party subclasses `SourceContract` and lets pytest run it."""

from __future__ import annotations

import copy
import dataclasses
import socket
from contextlib import AbstractContextManager
from typing import Any, NoReturn
from unittest.mock import patch

import pandas as pd

from touchstone.errors import ConfigError, SourceError, name_few
from touchstone.lineage import data_hash
from touchstone.market import MarketData, ingest, session_of, validate
from touchstone.sources._registry import Source, SourceRequest

__all__ = ["SourceContract"]

_TABLES = ("bars", "actions", "macro", "signals", "universe", "benchmark", "assets", "sectors", "rates")
_BY_SYMBOL = ("actions", "signals", "universe", "assets", "sectors")
_YEAR = pd.Timedelta(days=366)
# What prices of an adjustment hold already, and so must not come as an action.
_IN_THE_PRICES = {"none": (), "split": ("split",), "total_return": ("split", "dividend", "spinoff")}


class SourceContract:
    """Subclass it, call the class ``Test…``, and say which source is meant and how to ask it.

    ::

        class TestOurs(SourceContract):
            def source(self):
                return OurSource()

            def request(self):
                return SourceRequest(pd.Timestamp("2020-01-01"), pd.Timestamp("2020-12-31"), options={"path": "…"})

    The request should be small: it is loaded once or twice for every check. Bars may be in any order and hold duplicates, NaN and
    nonsense: judging them is the work of ingestion, and a source that repairs hides what it did. A failed check raises
    `AssertionError`; a source that breaks off raises what it raised.

    Attributes
    ----------
    makes_its_own_span : bool
        The source does not look at start and end.
    """

    makes_its_own_span = False

    def source(self) -> Source:
        """Make the source, as its entry point would."""
        raise NotImplementedError("Say which source is meant.")

    def request(self) -> SourceRequest:
        """Give a small request that the source can answer, with the options it needs."""
        raise NotImplementedError("Say how to ask the source.")

    def test_it_has_a_name(self) -> None:
        """The name is what users write, in small letters."""
        name = self.source().name
        _must(
            isinstance(name, str) and name.isidentifier() and name == name.lower(),
            f"A source's name must be a small word, but is {name!r}.",
        )

    def test_tables_obey_their_schemas(self) -> None:
        """Every table is there, with its columns and types; there are bars; dates are naive and in microseconds."""
        data = self._load()
        validate("raw_bars", data.bars)
        for table in _TABLES[1:]:
            validate(table, getattr(data, table))
        _must(len(data.bars) > 0, "The request of the contract must be one that has bars, but it has none.")

    def test_metadata_match_the_tables_and_the_request(self) -> None:
        """The metadata name the source, its fields, and the calendar and timeframe that were asked for."""
        data, request = self._load(), self.request()
        told = data.metadata
        pairs = {
            "source": (told.source, self.source().name),
            "fields": (told.fields, tuple(data.bars.columns)),
            "calendar": (told.calendar, request.calendar),
            "timeframe": (told.timeframe, request.timeframe),
        }
        wrong = [f"{name} is {said!r} and not {meant!r}" for name, (said, meant) in pairs.items() if said != meant]
        _must(not wrong, f"The metadata must say what the tables are, but {name_few(wrong)}.")
        held = set(data.actions["kind"]) & set(_IN_THE_PRICES[told.adjustment])
        _must(
            not held,
            f"Prices with the adjustment '{told.adjustment}' must come without actions they hold, but there are: {name_few(held)}.",
        )

    def test_the_same_bytes_twice(self) -> None:
        """Two loads by two sources give the same tables, bit by bit, and the same metadata."""
        one, other = self._load(), self._load()
        differing = [name for name in _TABLES if data_hash(getattr(one, name)) != data_hash(getattr(other, name))]
        _must(not differing, f"The same request must give the same bytes, but these tables differ: {name_few(differing)}.")
        _must(one.metadata == other.metadata, "The same request must give the same metadata, but they differ.")

    def test_the_request_is_left_as_it_is(self) -> None:
        """Loading does not write into the options."""
        request = self.request()
        before = copy.deepcopy(request)
        self.source().load(request)
        _must(request == before, "Loading must not change the request, but its options are others afterwards.")

    def test_only_the_symbols_asked_for(self) -> None:
        """One symbol gives its own rows, equal to those of the full answer, in every table that has symbols."""
        everything = self._load()
        symbol = str(everything.bars.index.get_level_values("symbol")[0])
        one = self._load(symbols=(symbol,))
        meant = everything.bars[everything.bars.index.get_level_values("symbol") == symbol]
        _must(_equal(one.bars, meant), f"Asked for '{symbol}' alone, the source must give its rows of the full answer, but gives others.")
        others = {name: set(getattr(one, name)["symbol"]) - {symbol} for name in _BY_SYMBOL}
        wrong = [f"{name} of {name_few(sorted(found))}" for name, found in others.items() if found]
        _must(not wrong, f"Asked for '{symbol}' alone, the source must give nothing of others, but gives {name_few(wrong)}.")

    def test_only_the_span_asked_for(self) -> None:
        """A shorter span gives the same rows as the longer one: no value depends on what was asked for."""
        if self.makes_its_own_span:
            return
        everything = self._load()
        days = _days(everything)
        distinct = days.drop_duplicates().sort_values()
        start, end = distinct[len(distinct) // 3], distinct[-len(distinct) // 3]
        shorter = self._load(start=start, end=end)
        meant = everything.bars[(days >= start) & (days <= end)]
        _must(
            _equal(shorter.bars, meant),
            f"Asked for {start:%Y-%m-%d} to {end:%Y-%m-%d}, the source must give the {len(meant)} rows that it gives for a longer span, "
            f"but gives {len(shorter.bars)} rows or other values.",
        )

    def test_an_unknown_symbol_is_an_error(self) -> None:
        """A symbol that the source does not have is named, and never left out in silence."""
        self._must_refuse("NO-SUCH-SYMBOL", (ConfigError, SourceError), symbols=("NO-SUCH-SYMBOL",))

    def test_an_unknown_option_is_an_error(self) -> None:
        """An option that the source does not understand is named, with the nearest that it does."""
        options = dict(self.request().options)
        nearest = max(options, default="")
        wrong = f"{nearest}_x" if nearest else "no_such_option"
        said = self._must_refuse(wrong, (ConfigError,), options={**options, wrong: 1})
        _must(f"'{nearest}'" in said or not nearest, f"The error must name the nearest known option, '{nearest}', but says: {said}")

    def test_stamps_are_those_of_the_timeframe(self) -> None:
        """Daily bars are dated by their session, shorter ones by a close in UTC; most of them lie in sessions of the calendar."""
        data, request = self._load(), self.request()
        stamps = pd.DatetimeIndex(data.bars.index.get_level_values("date"))
        timed = stamps != stamps.normalize()
        _must(request.timeframe != "1d" or not timed.any(), "Daily bars must be dated by their session, but some carry a time of day.")
        within = pd.Series(session_of(stamps, request.calendar, request.timeframe)).notna().mean()
        _must(within > 0.5, f"Most bars must lie in sessions of {request.calendar}, but only {within:.0%} do: check the stamps.")

    def test_actions_are_known_when_they_can_be(self) -> None:
        """No action is known more than a year before its ex-date, and ex-dates are dates."""
        actions = self._load().actions
        early = actions[actions["known_at"] < actions["ex_date"] - _YEAR]
        _must(early.empty, f"An action must not be known a year ahead, but these are: {name_few(early['symbol'])}.")
        timed = actions[actions["ex_date"] != actions["ex_date"].dt.normalize()]
        _must(timed.empty, f"An ex-date must be a date, but these have a time of day: {name_few(timed['symbol'])}.")

    def test_ingestion_loses_no_row(self) -> None:
        """What the source gives can be judged: clean and quarantined rows add up."""
        data = self._load()
        done = ingest(data)
        kept, away = len(done.bars), len(done.quarantine)
        _must(
            kept + away == len(data.bars), f"Rows must add up, but {len(data.bars)} came and {kept} clean and {away} quarantined are left."
        )
        _must(kept > 0, "Some row must be clean, but all are quarantined.")

    def test_loading_asks_no_network(self) -> None:
        """A run reads what lies on the disk: a source that must fetch does so in `touchstone refresh`."""
        with _no_network():
            self._load()

    def _load(self, **changes: Any) -> MarketData:
        return self.source().load(dataclasses.replace(self.request(), **changes))

    def _must_refuse(self, wrong: str, kinds: tuple[type[Exception], ...], **changes: Any) -> str:
        try:
            self._load(**changes)
        except kinds as refusal:
            _must(wrong in str(refusal), f"The error must name '{wrong}', but says: {refusal}")
            return str(refusal)
        raise AssertionError(f"The source must refuse '{wrong}' with {' or '.join(kind.__name__ for kind in kinds)}, but takes it.")


def _must(holds: bool, sentence: str) -> None:
    # Not an assert statement: python -O would turn every check into none.
    if not holds:
        raise AssertionError(sentence)


def _equal(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """The same rows, whatever their order between symbols and dates; a row that stands twice stands twice in both."""
    return data_hash(_in_order(one)) == data_hash(_in_order(other))


def _in_order(bars: pd.DataFrame) -> pd.DataFrame:
    return bars.sort_index(kind="stable")


def _days(data: MarketData) -> pd.DatetimeIndex:
    """The day of each bar, as start and end of a request count them."""
    stamps = pd.DatetimeIndex(data.bars.index.get_level_values("date"))
    if data.metadata.timeframe == "1d":
        return stamps
    sessions = session_of(stamps, data.metadata.calendar, data.metadata.timeframe)
    return pd.DatetimeIndex(sessions.where(sessions.notna(), stamps.normalize()))


def _no_network() -> AbstractContextManager[Any]:
    """Let no Python socket out for a while."""
    return patch.multiple(socket.socket, connect=_refuse, connect_ex=_refuse, sendto=_refuse)


def _refuse(*_given: object, **_more: object) -> NoReturn:
    raise AssertionError("Loading must not use the network, but opens a connection.")
