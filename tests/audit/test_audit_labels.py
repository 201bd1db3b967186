"""Labels may look as far as their span says; forward returns are honest under every fill."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from touchstone import audit
from touchstone.errors import ConfigError, DataError, LookAheadError
from touchstone.labels import forward_return
from touchstone.splits import PurgedWalkForward


@pytest.mark.parametrize(("fill", "horizon"), [("next_open", 1), ("next_close", 5), ("next_close", 21)])
def test_forward_returns_pass_with_actions_gaps_and_a_delisting(tables, fill: str, horizon: int) -> None:
    inputs = {name: tables[name] for name in ("bars", "actions")}
    report = audit.labels(lambda bars, actions: forward_return(bars, horizon=horizon, fill=fill, actions=actions), inputs, fill=fill)
    report.raise_on_leak()
    assert {check.check for check in report.checks} == {"span", "truncation", "perturbation", "append"}
    assert min(check.n_compared for check in report.checks) > 1000


def test_a_delisting_that_comes_out_later_than_the_label_ends_is_no_leak_of_an_outcome(tables) -> None:
    late = tables["actions"].assign(known_at=tables["actions"]["ex_date"] + pd.Timedelta(days=20))
    inputs = {"bars": tables["bars"], "actions": late}
    audit.labels(lambda bars, actions: forward_return(bars, horizon=5, actions=actions), inputs).raise_on_leak()


@pytest.mark.filterwarnings("ignore:Fill 'same_close'")
def test_the_close_that_decides_is_allowed_to_those_who_say_so(bars: pd.DataFrame) -> None:
    same = {"bars": bars}
    audit.labels(lambda bars: forward_return(bars, horizon=3, fill="same_close"), same, fill="same_close").raise_on_leak()
    with pytest.raises(LookAheadError, match=r"'start' of S00 on 2016-01-04 is 2016-01-04, while the decision allows 2016-01-05"):
        audit.labels(lambda bars: forward_return(bars, horizon=3, fill="same_close"), same).raise_on_leak()


def test_a_span_that_ends_before_it_starts_is_found(bars: pd.DataFrame) -> None:
    def backwards(bars: pd.DataFrame) -> pd.DataFrame:
        made = forward_return(bars, horizon=3)
        return made.assign(start=made["end"], end=made["start"])

    assert "end" in set(audit.labels(backwards, {"bars": bars}).findings.query("check == 'span'")["feature"])


def test_what_is_no_labels_frame_or_no_fill_is_an_error(bars: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="must carry label, start and end"):
        audit.labels(lambda bars: bars, {"bars": bars})
    with pytest.raises(ConfigError, match="got 'next_opening': did you mean 'next_open'"):
        audit.labels(lambda bars: bars, {"bars": bars}, fill="next_opening")


def test_splits_are_counted_and_none_is_an_error(bars: pd.DataFrame) -> None:
    labels = forward_return(bars, horizon=5)
    assert audit.splits(PurgedWalkForward(300, 80).split(labels), labels) == 4
    with pytest.raises(DataError, match="needs at least one"):
        audit.splits([], labels)
    with pytest.raises(LookAheadError, match="Split 2: "):
        audit.splits([(np.arange(10), np.arange(1000, 1010)), (np.arange(1000), np.arange(1000, 1010))], labels)
