"""Every leak of the museum is caught by the check that is meant for it, and no honest twin is accused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from audit_museum import COMPUTED, FITTED, LABELLED, SPLIT, Exhibit

from touchstone import audit
from touchstone.errors import LookAheadError
from touchstone.labels import forward_return


@pytest.fixture(scope="module")
def inputs(tables: dict[str, pd.DataFrame], sessions: pd.DatetimeIndex) -> dict[str, pd.DataFrame]:
    """Besides the tables of a run: revisions, monthly fixings, quarterly earnings and an index whose members change."""
    random = np.random.default_rng(21)
    first, periods = tables["macro"], sessions[40::63]
    revised = first.assign(known_at=first["known_at"] + pd.Timedelta(days=40), value=first["value"] + 0.3)
    symbols = [f"S{number:02d}" for number in range(8)]
    fixed = sessions[np.flatnonzero(np.diff(sessions.month, prepend=0))]
    rows = pd.MultiIndex.from_product([periods, symbols]).to_frame(index=False).set_axis(["period", "symbol"], axis=1)
    return {
        **tables,
        "vintages": pd.concat([first, revised]).sort_values(["period", "known_at"], ignore_index=True),
        "fixings": pd.DataFrame({"date": fixed, "level": random.normal(100.0, 3.0, len(fixed))}),
        "earnings": rows.assign(value=random.normal(1.0, 0.2, len(rows)), known_at=rows["period"] + pd.Timedelta(days=35)),
        "constituents": pd.DataFrame(
            {
                "symbol": pd.Series(["S00", "S01", "S02", "S03", "S04"], dtype="str"),
                "start": sessions[[0, 0, 0, 200, 420]],
                "end": sessions[[619, 410, 190, 619, 619]],
            }
        ),
    }


@pytest.mark.parametrize("exhibit", COMPUTED, ids=str)
def test_a_computed_leak_is_caught_and_its_twin_is_not(inputs: dict[str, pd.DataFrame], exhibit: Exhibit) -> None:
    report = audit.look_ahead(exhibit.leak, inputs)
    _assert_caught(report, exhibit)
    with pytest.raises(LookAheadError, match=r"'feature' of S0\d on 201\d-\d\d-\d\d is .* on the whole history and .* when "):
        report.raise_on_leak()
    honest = audit.look_ahead(exhibit.twin, inputs)
    honest.raise_on_leak()
    assert min(check.n_compared for check in honest.checks) > 1000


@pytest.mark.parametrize("exhibit", FITTED, ids=str)
def test_a_fitted_leak_is_caught_and_its_twin_is_not(bars: pd.DataFrame, exhibit: Exhibit) -> None:
    random = np.random.default_rng(31)
    matrix = pd.DataFrame(random.normal(size=(len(bars), 3)), index=bars.index, columns=["a", "b", "c"])
    labels = (0.5 * matrix["a"] + pd.Series(random.normal(size=len(bars)), index=bars.index)).rename("label")
    train, test = np.arange(500), np.arange(550, 750)
    report = audit.fitted(exhibit.leak, matrix, train, test, labels=labels)
    _assert_caught(report, exhibit)
    with pytest.raises(LookAheadError, match=r" of S0\d on 201\d-\d\d-\d\d is .* and .* when (rows outside|other test rows)"):
        report.raise_on_leak()
    honest = audit.fitted(exhibit.twin, matrix, train, test, labels=labels)
    honest.raise_on_leak()
    assert {check.check for check in honest.checks} == {"training rows", "test rows"}


@pytest.mark.parametrize("exhibit", LABELLED, ids=str)
def test_a_leak_of_labels_is_caught_and_its_twin_is_not(inputs: dict[str, pd.DataFrame], exhibit: Exhibit) -> None:
    report = audit.labels(exhibit.leak, inputs, fill="next_open")
    _assert_caught(report, exhibit)
    with pytest.raises(LookAheadError, match=r"'(label|start|end)' of S0\d on 201\d"):
        report.raise_on_leak()
    honest = audit.labels(exhibit.twin, inputs, fill="next_open")
    honest.raise_on_leak()
    assert min(check.n_compared for check in honest.checks) > 1000


@pytest.mark.parametrize("exhibit", SPLIT, ids=str)
def test_a_leaking_split_is_caught_and_its_twin_is_not(bars: pd.DataFrame, exhibit: Exhibit) -> None:
    labels = forward_return(bars, horizon=10)
    with pytest.raises(LookAheadError, match=r"Split 1: No training label may touch .* S0\d on 201\d-\d\d-\d\d"):
        audit.splits(exhibit.leak(labels), labels)
    assert audit.splits(exhibit.twin(labels), labels) >= 2


def test_the_museum_is_complete() -> None:
    names = [exhibit.name for exhibit in (*COMPUTED, *FITTED, *LABELLED, *SPLIT)]
    assert len(names) == len(set(names)) >= 20


def _assert_caught(report: audit.LookAheadReport, exhibit: Exhibit) -> None:
    caught = report.findings[report.findings["check"] == exhibit.check]
    assert exhibit.column in set(caught["feature"])
    assert sum(check.n_findings for check in report.checks) == report.n_findings > 0
