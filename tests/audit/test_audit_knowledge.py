"""What each table is known to hold at a cut."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from touchstone import audit
from touchstone.audit._knowledge import perturb, truncate
from touchstone.errors import ConfigError


@pytest.fixture
def cut(sessions: pd.DatetimeIndex) -> pd.Timestamp:
    return sessions[588]


def test_truncation_keeps_what_was_known_and_all_of_it(tables, cut) -> None:
    kept = truncate(tables, cut, {})
    assert kept["bars"].index.get_level_values("date").max() == cut
    assert kept["benchmark"].index.max() == cut
    for name in ("macro", "signals", "actions"):
        assert len(kept[name]) == (tables[name]["known_at"] <= cut).sum()
    # The dividend of session 590 was announced before the cut, the one of 615 was not.
    assert kept["actions"]["symbol"].tolist() == ["S02", "S04", "S06"]


def test_an_open_membership_has_no_known_end(tables, cut, sessions) -> None:
    kept = truncate(tables, sessions[200], {})["universe"].set_index("symbol")
    assert "S07" not in kept.index
    assert (kept["end"] == sessions[200]).all()
    closed = truncate(tables, cut, {})["universe"].set_index("symbol")
    assert closed.loc["S06", "end"] == sessions[559]


def test_perturbation_changes_every_number_after_the_cut_and_none_before(tables, cut) -> None:
    changed = perturb(tables, cut, {}, seed=1)
    bars, before = changed["bars"], tables["bars"]
    early = before.index.get_level_values("date") <= cut
    pd.testing.assert_frame_equal(bars[bars.index.get_level_values("date") <= cut], before[early])
    later = bars[bars.index.get_level_values("date") > cut]
    assert (later != before.loc[later.index]).all(axis=None)
    assert (later > 0.0).all(axis=None)
    assert 0 < len(later) < (~early).sum()
    macro = changed["macro"].merge(tables["macro"], on=["series", "period"])
    is_late = macro["known_at_x"] > cut
    assert (macro["value_x"] != macro["value_y"]).equals(is_late)


def test_perturbation_moves_the_ends_of_open_memberships_only(tables, cut) -> None:
    changed, before = (frame.set_index("symbol")["end"] for frame in (perturb(tables, cut, {}, seed=1)["universe"], tables["universe"]))
    still_open = before > cut
    assert (changed[still_open] > cut).all()
    assert (changed[still_open] != before[still_open]).any()
    assert (changed[~still_open] == before[~still_open]).all()


def test_perturbation_is_decided_by_the_seed(tables, cut) -> None:
    once, again, other = (perturb(tables, cut, {}, seed=seed) for seed in (4, 4, 5))
    for name in tables:
        pd.testing.assert_frame_equal(once[name], again[name])
    assert not once["bars"].equals(other["bars"])


def test_zeros_change_too(cut, sessions) -> None:
    table = pd.DataFrame({"flow": np.zeros(len(sessions))}, index=sessions)
    changed = perturb({"flows": table}, cut, {}, seed=0)["flows"]
    assert ((changed["flow"] != 0.0) == (changed.index > cut)).all()


def test_a_rule_of_your_own(tables, cut) -> None:
    filings = pd.DataFrame({"filed": tables["macro"]["known_at"], "value": 1.0})
    kept = truncate({"filings": filings}, cut, {"filings": "filed"})["filings"]
    assert len(kept) == (filings["filed"] <= cut).sum()
    static = pd.DataFrame({"sector": ["a", "b"], "code": [1.0, 2.0]})
    pd.testing.assert_frame_equal(truncate({"sectors": static}, cut, {"sectors": None})["sectors"], static)
    pd.testing.assert_frame_equal(perturb({"sectors": static}, cut, {"sectors": None}, seed=0)["sectors"], static)


def test_a_table_of_which_nobody_knows_when_it_was_known(tables) -> None:
    with pytest.raises(ConfigError, match=r"when each row of 'sectors' was known.*pass knowledge"):
        audit.look_ahead(lambda bars, sectors: bars, {"bars": tables["bars"], "sectors": pd.DataFrame({"sector": ["a"]})})


def test_a_rule_that_names_no_column(tables) -> None:
    with pytest.raises(ConfigError, match="no column or level 'known': did you mean 'known_at'"):
        audit.look_ahead(lambda bars, macro: bars, {"bars": tables["bars"], "macro": tables["macro"]}, knowledge={"macro": "known"})


def test_a_row_without_a_date_was_never_known(cut) -> None:
    table = pd.DataFrame({"known_at": pd.to_datetime(["2016-01-04", None]), "value": [1.0, 2.0]})
    assert truncate({"news": table}, cut, {})["news"]["value"].tolist() == [1.0]
