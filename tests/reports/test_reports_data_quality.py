"""The data report, executed over what ingestion left and opened in a browser."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from test_reports_tear_sheet import MEASURE, browse

from touchstone import market, reports
from touchstone.notebook import RunView, open_data
from touchstone.project import write_report

SETTINGS = {"source": "simulated", "simulated": {"n_symbols": 12, "n_sessions": 300, "errors_per_kind": 2}}
# The notebook shows twenty; fewer are drawn faster.
CASES = 6


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, new_project: Callable[[Path], Path], runner: Callable[..., None]) -> Path:
    """A project in which ingestion alone has run, over a market with injected errors."""
    root = new_project(tmp_path_factory.mktemp("data_report") / "project")
    runner(root, stages=("ingestion",), env="base", data=SETTINGS)
    return root


@pytest.fixture(scope="module")
def page(project: Path) -> str:
    written = write_report(project, "data_quality", run_id=None, pairs=[f"n_cases={CASES}"], output=None)
    assert written.name == "data_quality-ingested.html"
    return written.read_text()


@pytest.fixture(scope="module")
def run(project: Path) -> RunView:
    return open_data(root=project)


@pytest.mark.slow
def test_the_page_says_what_ingestion_found(page: str, run: RunView) -> None:
    facts, quality = run.record("ingestion")["facts"], run.table("quality")

    assert f"{facts['rows_in']:,} in = {facts['rows_clean']:,} clean + {facts['rows_quarantined']:,} quarantined" in page
    assert f"{facts['rows_quarantined']} SET ASIDE" in page
    assert "no finished run has used these data" in page
    for caveat in run.metadata["caveats"]:
        assert caveat in page
    for check, count in quality["check"].value_counts().items():
        assert f"<strong>{check}</strong> <span>{count} finding" in page
    worst = market.worst_first(quality).iloc[0]
    assert f"1. {worst['symbol']}, {worst['date']:%Y-%m-%d}" in page
    assert worst["observed"] in page


@pytest.mark.slow
def test_every_finding_can_be_found_on_the_page(page: str, run: RunView) -> None:
    listed = page[page.index(">All findings<") :]

    for row in run.table("quarantine").itertuples():
        lines = re.findall(rf'<td class="name">{row.symbol}</td><td class="">([^<]*)</td>', listed)
        assert any(line[:10] <= f"{row.date:%Y-%m-%d}" for line in lines)
    assert listed.count("<details open>") == run.table("quality").query("severity == 'error'")["check"].nunique()


@pytest.mark.slow
def test_in_a_browser_each_case_has_a_chart_that_fits(page: str, tmp_path: Path) -> None:
    shown = browse(page.replace("</head>", MEASURE + "</head>"), tmp_path)

    found = json.loads(re.search(r"<pre id=\"found\">(.*?)</pre>", shown).group(1).replace("&amp;", "&"))
    assert found["loaded"] == 0
    assert found["wide"] == 0
    assert found["page"] <= 0
    names = [chart["name"] for chart in found["charts"]]
    assert names[0] == "Which bars are there"
    assert [name.partition(".")[0] for name in names[1:]] == [str(place) for place in range(1, CASES + 1)]
    for chart in found["charts"]:
        assert chart["width"] > 350
        assert chart["texts"] > 5
        assert chart["outside"] == 0, f"text leaves the frame of {chart['name']}"
        assert chart["overlaps"] == 0, f"texts of {chart['name']} overlap"


@pytest.mark.slow
def test_the_page_hides_machine_and_clock_and_another_folder_gives_the_same_bytes(page: str, project: Path, tmp_path: Path) -> None:
    for secret in (str(project), "/work", "/tmp", "open_data(", "papermill"):
        assert secret not in page[page.index("<body>") :]
    shutil.copytree(project, tmp_path / "elsewhere")

    again = write_report(tmp_path / "elsewhere", "data_quality", run_id=None, pairs=[f"n_cases={CASES}"], output=tmp_path / "again.html")

    assert again.read_text() == page


def test_fields_that_were_computed_are_told_apart(run: RunView, tmp_path: Path) -> None:
    shutil.copytree(run.folder, tmp_path / "data")
    metadata = {**run.metadata, "fields": [*run.metadata["fields"], "vwap"], "derived": ["vwap_hlc3"], "caveats": []}
    (tmp_path / "data" / "01_raw" / "metadata.json").write_text(json.dumps(metadata))

    shown = reports.source_table(RunView("", tmp_path / "data")).html

    assert '<td class="name">Fields observed</td><td class="">open, high, low, close, volume</td>' in shown
    assert "vwap = (high + low + close) / 3" in shown


def test_sectors_are_counted_for_the_symbols_that_are_there(run: RunView, tmp_path: Path) -> None:
    copy = tmp_path / "data"
    shutil.copytree(run.folder, copy)
    path = copy / "03_primary" / "sectors.parquet"
    one = run.table("bars", columns=[]).index.unique("symbol")[0]
    spans = pd.DataFrame({"symbol": [one, "ELSEWHERE"], "sector": ["energy", "health"]})
    always = spans.assign(start=pd.Timestamp("1900-01-01").as_unit("us"), end=pd.Timestamp("2200-01-01").as_unit("us"))

    for table, said in ((always, "1 sectors of 1 of 12 symbols, over the whole span"), (always[1:], "none stated")):
        table.to_parquet(path)
        assert said in reports.source_table(RunView("", copy)).html


def test_a_run_that_used_other_data_lends_its_id_to_none(run: RunView, tmp_path: Path) -> None:
    shutil.copytree(run.folder, tmp_path / "data")
    identity = tmp_path / "data" / "08_reporting" / "identity.json"
    used = run.record("ingestion")["outputs"]
    identity.write_text(json.dumps({"run_id": "a" * 64, "data": {"bars": used["bars"], "raw_bars": used["raw_bars"]}}))
    assert open_data(root=tmp_path).run_id == "a" * 64

    identity.write_text(json.dumps({"run_id": "a" * 64, "data": {"bars": used["bars"], "raw_bars": "other"}}))
    assert open_data(root=tmp_path).run_id == ""


def test_each_check_is_told_in_words(run: RunView) -> None:
    cells = re.findall(r'<td class="name">(\w+)</td><td class="">([^<]*)</td>', reports.findings_table(run).html)

    assert {check for check, _ in cells} == set(run.table("quality")["check"])
    assert all(words for _, words in cells)


def test_without_findings_the_sections_say_so(project: Path, run: RunView, tmp_path: Path) -> None:
    shutil.copytree(run.folder, tmp_path / "data")
    market.empty_table("quality").to_parquet(tmp_path / "data" / "02_intermediate" / "quality.parquet")
    sound = RunView("", tmp_path / "data")

    assert "every row passed every check" in reports.findings_table(sound).html
    assert "There is none." in reports.findings_list(sound).html
    assert "no finding to show" in reports.worst_cases(sound).html


def test_the_notebook_is_committed_without_outputs() -> None:
    cells = json.loads((Path(__file__).parents[2] / "notebooks" / "reports" / "data_quality.ipynb").read_text())["cells"]

    assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")]
