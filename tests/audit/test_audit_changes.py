"""What each table is known to hold at a cut, and what another future may look like."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from touchstone import audit, market
from touchstone.audit._changes import limits_of, perturb, since, truncate
from touchstone.audit._tables import NEVER, Tables
from touchstone.errors import ConfigError

SYMBOLS = pd.Index([f"S{number:02d}" for number in range(8)], dtype="str")


@pytest.fixture
def cut(sessions: pd.DatetimeIndex) -> pd.Timestamp:
    return sessions[588]


@pytest.fixture
def read(tables: dict[str, pd.DataFrame], sectors: pd.DataFrame) -> Tables:
    return Tables.read({**tables, "sectors": sectors}, SYMBOLS, {})


def _common(cut: pd.Timestamp, read: Tables) -> np.ndarray:
    return limits_of(int(cut.as_unit("us").asm8.astype(np.int64)), read)


def _apart(sessions: pd.DatetimeIndex) -> np.ndarray:
    """A cut for each symbol, fifty sessions apart; none for what speaks of no single one."""
    return np.append(sessions[[150, 200, 250, 300, 350, 400, 450, 500]].asi8, NEVER)


def test_truncation_keeps_what_was_known_and_all_of_it(tables, read, cut) -> None:
    kept = truncate(read, _common(cut, read))
    assert kept["bars"].index.get_level_values("date").max() == cut
    assert kept["benchmark"].index.max() == cut
    for name in ("macro", "signals", "actions"):
        assert len(kept[name]) == (tables[name]["known_at"] <= cut).sum()
    # The dividend of session 590 was announced before the cut, the one of 615 was not.
    assert kept["actions"]["symbol"].tolist() == ["S02", "S04", "S06"]


def test_each_symbol_has_a_cut_of_its_own_and_market_wide_tables_have_none(tables, read, sessions) -> None:
    kept = truncate(read, _apart(sessions))
    last = kept["bars"].reset_index().groupby("symbol")["date"].max()
    assert last.tolist() == sessions[[150, 200, 250, 300, 350, 400, 450, 500]].tolist()
    assert (kept["signals"].groupby("symbol")["known_at"].max() == last).all()
    for name in ("macro", "benchmark"):
        pd.testing.assert_frame_equal(kept[name], tables[name])
    assert kept["actions"]["symbol"].tolist() == ["S02"] * int(sessions[290] <= sessions[250])


def test_no_session_is_lost_that_a_window_may_reach_across(tables, sessions) -> None:
    bars = tables["bars"].drop(index=[(sessions[100], name) for name in SYMBOLS if name not in {"S00", "S07"}])
    few = bars[bars.index.get_level_values("symbol").isin(["S00", "S01"])]
    read = Tables.read({"bars": few}, SYMBOLS[:2], {})
    limits = np.append(sessions[[50, 150]].asi8, NEVER)
    for changed in (truncate(read, limits), perturb(read, limits, seed=0)):
        dates = changed["bars"].index.get_level_values("date")
        assert (dates == sessions[100]).sum() == 1
        assert sessions[:151].isin(dates).all()


def test_an_open_membership_has_no_known_end(read, cut, sessions) -> None:
    kept = truncate(read, _common(sessions[200], read))["universe"].set_index("symbol")
    assert "S07" not in kept.index
    assert (kept["end"] == sessions[200]).all()
    closed = truncate(read, _common(cut, read))["universe"].set_index("symbol")
    assert closed.loc["S06", "end"] == sessions[559]


def test_perturbation_changes_every_number_after_the_cut_and_none_before(tables, read, cut) -> None:
    changed = perturb(read, _common(cut, read), seed=1)
    bars, before = changed["bars"], tables["bars"]
    early = before.index.get_level_values("date") <= cut
    pd.testing.assert_frame_equal(bars[bars.index.get_level_values("date") <= cut], before[early])
    later = bars[bars.index.get_level_values("date") > cut]
    both = later.index.intersection(before.index)
    assert (later.loc[both] != before.loc[both]).all(axis=None)
    assert (later > 0.0).all(axis=None)
    assert 0 < len(both) < (~early).sum()
    macro = changed["macro"].merge(tables["macro"], on=["series", "period"])
    is_late = macro["known_at_x"] > cut
    assert (macro["value_x"] != macro["value_y"]).equals(is_late)


def test_perturbation_adds_rows_that_nobody_has_seen_all_of_them_later(tables, read, cut) -> None:
    changed = perturb(read, _common(cut, read), seed=1)
    assert changed["bars"].index.is_monotonic_increasing
    assert changed["bars"].index.is_unique
    new = changed["bars"].index.difference(tables["bars"].index)
    # S06 is delisted, yet in another future it may trade on.
    assert len(new) > 2
    assert set(new.get_level_values("symbol")) == {"S06"}
    assert new.get_level_values("date").min() > cut
    for name in ("macro", "signals", "actions"):
        assert (changed[name]["known_at"] > cut).sum() > (tables[name]["known_at"] > cut).sum() * 0.8 + 1
        assert changed[name].dtypes.equals(tables[name].dtypes)
    assert changed["macro"]["period"].is_unique
    back = changed["universe"]
    assert back.duplicated("symbol").any()
    assert (back[back.duplicated("symbol")]["start"] > cut).all()


def test_perturbation_moves_the_ends_of_open_memberships_only(tables, read, cut) -> None:
    changed = perturb(read, _common(cut, read), seed=1)["universe"].drop_duplicates("symbol").set_index("symbol")["end"]
    before = tables["universe"].set_index("symbol")["end"]
    still_open = before > cut
    assert (changed[still_open] > cut).all()
    assert (changed[still_open] != before[still_open]).any()
    assert (changed[~still_open] == before[~still_open]).all()


@pytest.mark.parametrize("seed", range(5))
def test_sectors_of_another_future_do_not_overlap_and_begin_as_they_were(sectors, read, sessions, seed) -> None:
    changed = perturb(read, _common(sessions[210], read), seed=seed)["sectors"]
    market.Sectors(changed.sort_values(["symbol", "start"], ignore_index=True))
    known = [frame[frame["start"] <= sessions[210]].sort_values(["symbol", "start"]) for frame in (sectors, changed)]
    assert (known[0]["sector"].to_numpy() == known[1]["sector"].to_numpy()).all()
    assert not changed.equals(sectors)


def test_perturbation_is_decided_by_the_seed(read, cut) -> None:
    once, again, other = (perturb(read, _common(cut, read), seed=seed) for seed in (4, 4, 5))
    for name, table in once.items():
        pd.testing.assert_frame_equal(table, again[name])
    assert not once["bars"].equals(other["bars"])


def test_zeros_and_whole_numbers_change_too(cut, sessions) -> None:
    table = pd.DataFrame({"flow": np.zeros(len(sessions)), "count": np.arange(len(sessions)), "name": "x"}, index=sessions)
    read = Tables.read({"flows": table}, SYMBOLS, {})
    changed = perturb(read, _common(cut, read), seed=0, dropped=0.0)["flows"]
    for name in ("flow", "count"):
        assert ((changed[name] != table[name]) == (table.index > cut)).all()
    assert changed.dtypes.equals(table.dtypes)


def test_a_history_that_begins_later_keeps_news_and_memberships(tables, read, sessions) -> None:
    late = since(read, int(sessions[100].asm8.astype("datetime64[us]").astype(np.int64))).frames()
    assert late["bars"].index[0][0] == late["benchmark"].index[0] == sessions[100]
    for name in ("macro", "actions", "universe"):
        pd.testing.assert_frame_equal(late[name], tables[name])


def test_a_rule_of_your_own(tables, cut) -> None:
    filings = pd.DataFrame({"filed": tables["macro"]["known_at"], "value": 1.0})
    read = Tables.read({"filings": filings}, SYMBOLS, {"filings": "filed"})
    assert len(truncate(read, _common(cut, read))["filings"]) == (filings["filed"] <= cut).sum()
    static = pd.DataFrame({"sector": ["a", "b"], "code": [1.0, 2.0]})
    read = Tables.read({"sectors": static}, SYMBOLS, {"sectors": None})
    for changed in (truncate(read, _common(cut, read)), perturb(read, _common(cut, read), seed=0)):
        pd.testing.assert_frame_equal(changed["sectors"], static)


def test_a_table_of_which_nobody_knows_when_it_was_known(tables) -> None:
    with pytest.raises(ConfigError, match=r"when each row of 'sectors' was known.*pass knowledge"):
        audit.look_ahead(lambda bars, sectors: bars, {"bars": tables["bars"], "sectors": pd.DataFrame({"sector": ["a"]})})


def test_a_rule_that_names_no_column(tables) -> None:
    with pytest.raises(ConfigError, match="no column or level 'known': did you mean 'known_at'"):
        audit.look_ahead(lambda bars, macro: bars, {"bars": tables["bars"], "macro": tables["macro"]}, knowledge={"macro": "known"})


def test_a_row_without_a_date_was_never_known(cut) -> None:
    table = pd.DataFrame({"known_at": pd.to_datetime(["2016-01-04", None]), "value": [1.0, 2.0]})
    read = Tables.read({"news": table}, SYMBOLS, {})
    assert truncate(read, _common(cut, read))["news"]["value"].tolist() == [1.0]
