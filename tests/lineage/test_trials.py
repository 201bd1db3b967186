from __future__ import annotations

import json
import math

import numpy as np
import pytest

from touchstone.errors import LineageError
from touchstone.lineage import Scope, Trial, canonical_json, count_trials, ledger_hash, record, recorder, recording, trial_key

SCOPE = Scope("sample", ("MSFT", "AAPL"), "2003-01-02", "2022-12-28")


def trial(name: str, sharpe: float = 0.1, scope: Scope = SCOPE) -> Trial:
    return Trial(trial_key(scope, {"name": name}), scope, sharpe, n=250, skewness=-0.2, kurtosis=4.0)


@pytest.mark.parametrize(
    ("symbols", "start", "end", "overlaps"),
    [
        (("AAPL",), "2022-12-28", "2024-01-01", True),
        (("AAPL",), "1990-01-01", "2003-01-02", True),
        (("AAPL", "IBM"), "2010-01-01", "2010-01-05", True),
        (("AAPL",), "2022-12-29", "2024-01-01", False),
        (("AAPL",), "1990-01-01", "2003-01-01", False),
        (("IBM",), "2003-01-02", "2022-12-28", False),
    ],
)
def test_scopes_overlap_where_a_symbol_and_a_session_are_common_whatever_the_source(
    symbols: tuple[str, ...], start: str, end: str, overlaps: bool
) -> None:
    other = Scope("files", symbols, start, end)
    assert SCOPE.overlaps(other) is overlaps
    assert other.overlaps(SCOPE) is overlaps


def test_a_scope_is_sorted_and_does_not_end_before_it_starts() -> None:
    assert SCOPE.symbols == ("AAPL", "MSFT")
    with pytest.raises(LineageError, match="swap"):
        Scope("sample", ("A",), "2020-01-02", "2020-01-01")


def test_equal_trials_have_equal_keys() -> None:
    same = Scope("sample", ("AAPL", "MSFT", "AAPL"), "2003-01-02", "2022-12-28")
    assert trial_key(SCOPE, {"a": 1, "b": 2}) == trial_key(same, {"b": 2, "a": 1})
    assert trial_key(SCOPE, {"a": 1}) != trial_key(SCOPE, {"a": 2})
    assert trial_key(SCOPE, {"a": 1}) != trial_key(Scope("files", SCOPE.symbols, SCOPE.start, SCOPE.end), {"a": 1})


def test_a_trial_equals_the_one_read_back() -> None:
    for written in (trial("x", 1 / 3), trial("y", np.nan), trial("z", math.inf)):
        assert Trial.from_dict(json.loads(canonical_json(written.to_dict()))) == written
    with pytest.raises(LineageError, match="lacks kurtosis, skewness"):
        Trial.from_dict({"key": "a", "scope": SCOPE.to_dict(), "n": 1, "sharpe": 0.1})


def test_distinct_overlapping_trials_are_counted_once_with_the_runs_own_numbers() -> None:
    elsewhere = trial("far", 9.0, Scope("sample", ("IBM",), "2003-01-02", "2022-12-28"))
    counted = count_trials([trial("a", 0.5), trial("b", 0.2), elsewhere], [trial("a", 0.1), trial("c", 0.6)], SCOPE)
    assert counted.n == 3
    assert counted.variance == pytest.approx(np.var([0.1, 0.2, 0.6], ddof=1))
    assert counted.to_dict() == {"n": 3, "variance": counted.variance, "scope": SCOPE.to_dict()}


def test_the_variance_of_no_search_is_zero_and_of_undefined_ratios_unknown() -> None:
    assert count_trials([], [], SCOPE).n == 0
    assert count_trials([], [trial("a")], SCOPE).variance == 0.0
    unknown = count_trials([trial("a", math.nan)], [trial("b", 0.3)], SCOPE)
    assert unknown.n == 2
    assert math.isnan(unknown.variance)
    assert unknown.to_dict()["variance"] is None
    assert count_trials([trial("a", math.nan)], [trial("b", 0.3), trial("c", 0.5)], SCOPE).variance == pytest.approx(0.02)


def test_the_ledgers_hash_depends_on_what_it_holds_and_not_on_order() -> None:
    both = [trial("a"), trial("b")]
    assert ledger_hash(both) == ledger_hash(reversed(both))
    assert ledger_hash(both) != ledger_hash(both[:1])
    assert ledger_hash(both) != ledger_hash([trial("a", 0.2), trial("b")])


def test_announcements_are_silent_unless_someone_listens() -> None:
    heard: list[tuple[Trial, object]] = []
    record(trial("unheard"))
    with recording(lambda announced, returns: heard.append((announced, returns))):
        record(trial("a"))
        with recording(lambda announced, returns: None):
            record(trial("to another"))
        record(trial("b"), np.array([0.1]))
    record(trial("unheard again"))
    assert [announced for announced, _ in heard] == [trial("a"), trial("b")]
    assert heard[0][1] is None
    assert recorder.get() is None


def test_a_failing_block_gives_the_recorder_back() -> None:
    with pytest.raises(KeyError), recording(lambda announced, returns: None):
        raise KeyError
    assert recorder.get() is None
