"""What the checks say about real prices; docs/findings-sp500.md tells what each of the largest findings truly was."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from touchstone.market.quality import Examination, examine
from touchstone.sources import load

REAL = Path(__file__).parents[3] / "shared" / "data" / "sp500_5yr"
COLUMNS = {name: name for name in ("date", "open", "high", "low", "close", "volume")} | {"symbol": "Name"}
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="needs ../shared/data/sp500_5yr, which is not part of the project")


@pytest.fixture(scope="module")
def examined() -> Examination:
    return examine(load("files", path=REAL, columns=COLUMNS, adjustment="split").bars, "XNYS")


def _checks(examined: Examination, symbol: str, date: str) -> set[str]:
    found = examined.findings
    return set(found.loc[(found["symbol"] == symbol) & (found["date"] == pd.Timestamp(date)), "check"])


def test_findings_by_check(examined: Examination) -> None:
    assert examined.findings["check"].value_counts().to_dict() == {
        "repeated_row": 553,
        "jump": 400,
        "time_travel": 266,
        "missing_session": 51,
        "missing_value": 27,
        "suspected_action": 16,
        "close_outside_range": 9,
        "high_low": 4,
        "reverting_jump": 2,
    }
    # Closes of half the size (LNT, CHD), when-issued lines without a range (FTV, BHF), opens that are missing (DHR, ES, O).
    aside = examined.findings.query("action == 'quarantined'")
    assert {"LNT", "CHD", "FTV", "BHF", "DHR", "ES", "O"} <= set(aside["symbol"])


@pytest.mark.parametrize(
    ("symbol", "date"), [("EFX", "2017-09-14"), ("NWL", "2017-09-14"), ("MRK", "2017-09-14"), ("O", "2013-12-20"), ("TIF", "2013-12-18")]
)
def test_rows_of_another_date_are_set_aside(examined: Examination, symbol: str, date: str) -> None:
    assert _checks(examined, symbol, date) == {"time_travel"}


# Equifax lost its customers' data; Vertex won a trial; Expedia and Kors disappointed.
@pytest.mark.parametrize(
    ("symbol", "date"),
    [("EFX", "2017-09-13"), ("EFX", "2017-09-08"), ("VRTX", "2013-04-19"), ("EXPE", "2013-07-26"), ("KORS", "2015-05-27")],
)
def test_what_happened_stays(examined: Examination, symbol: str, date: str) -> None:
    assert _checks(examined, symbol, date) == {"jump"}


# Baxalta, Allegion, JBG Smith, CDK Global, Knowles; special dividends of KLA-Tencor and Symantec.
@pytest.mark.parametrize(
    ("symbol", "date"),
    [
        ("BAX", "2015-07-01"),
        ("IR", "2013-12-02"),
        ("VNO", "2017-07-18"),
        ("ADP", "2014-10-01"),
        ("DOV", "2014-03-03"),
        ("KLAC", "2014-11-26"),
        ("SYMC", "2016-03-04"),
    ],
)
def test_actions_that_nobody_recorded_are_suspected(examined: Examination, symbol: str, date: str) -> None:
    assert _checks(examined, symbol, date) == {"suspected_action"}
