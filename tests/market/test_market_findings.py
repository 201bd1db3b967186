"""Findings in order: the largest first, neighbours together, counts that add up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from touchstone import market

DATES = pd.date_range("2020-01-01", periods=20, unit="us", name="date")


def findings(*rows: tuple[str, int, str, str, str, float]) -> pd.DataFrame:
    columns = ["symbol", "place", "check", "severity", "action", "score"]
    table = pd.DataFrame(list(rows), columns=columns)
    dates = DATES[table.pop("place").to_numpy(dtype=np.int64)] if len(table) else DATES[:0]
    table.insert(1, "date", dates)
    return table.assign(observed="", expected="").astype(dict.fromkeys(["symbol", "check", "severity", "action"], "str"))


FOUND = findings(
    ("A", 3, "missing_value", "error", "quarantined", 0.0),
    ("A", 4, "missing_value", "error", "quarantined", 0.0),
    ("B", 3, "missing_session", "warning", "kept", 0.0),
    ("B", 9, "high_low", "error", "quarantined", 0.0),
    ("C", 1, "jump", "warning", "kept", 12.0),
    ("C", 2, "scale_slip", "error", "quarantined", 300.0),
)


def test_the_largest_comes_first_and_equals_are_told_apart_by_severity_and_take_turns() -> None:
    ordered = market.worst_first(FOUND)

    assert ordered["check"].tolist() == ["scale_slip", "jump", "missing_value", "high_low", "missing_value", "missing_session"]
    assert ordered.index.tolist() == list(range(6))
    assert set(ordered.columns) == set(FOUND.columns)


def test_a_table_without_scores_is_ordered_by_severity_and_turns() -> None:
    ordered = market.worst_first(FOUND.drop(columns="score"))

    assert ordered["check"].tolist()[-2:] == ["missing_session", "jump"]
    assert ordered["check"].tolist()[:3] == ["missing_value", "high_low", "scale_slip"]


def test_counts_add_up_and_name_the_span() -> None:
    counts = market.count_findings(FOUND).set_index("check")

    assert counts.index[0] == "missing_value"
    assert counts["findings"].sum() == len(FOUND)
    assert (counts["findings"] == counts[["quarantined", "repaired", "kept"]].sum(axis=1)).all()
    assert counts.loc["missing_value", ["first", "last", "symbols"]].tolist() == [DATES[3], DATES[4], 1]
    assert counts.loc["jump", "kept"] == 1


def test_neighbours_of_one_symbol_are_one_stretch_numbered_by_first_appearance() -> None:
    times = DATES.delete(5)
    found = findings(
        ("B", 9, "x", "error", "kept", 0.0),
        ("A", 6, "x", "error", "kept", 0.0),
        ("A", 4, "y", "error", "kept", 0.0),
        ("A", 4, "x", "error", "kept", 0.0),
        ("A", 9, "x", "error", "kept", 0.0),
    )

    assert market.episodes(found, times).tolist() == [0, 1, 1, 1, 2]
    assert market.episodes(found, DATES).tolist() == [0, 1, 2, 2, 3], "a bar lies between"


@pytest.mark.parametrize("of", ["worst_first", "count_findings", "episodes"])
def test_nothing_found_is_nothing_told(of: str) -> None:
    nothing = market.empty_table("quality")

    assert not len(market.episodes(nothing, DATES) if of == "episodes" else getattr(market, of)(nothing))
