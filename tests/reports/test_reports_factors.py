"""The factor report: what it may look at, what it tells the ledger, and the page as a browser shows it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from html import escape
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from test_reports_tear_sheet import MEASURE, browse

from touchstone import evaluation, features, labels, reports
from touchstone.cli import cli
from touchstone.errors import ConfigError, DataError
from touchstone.ledger import read_known
from touchstone.lineage import Trial, recording
from touchstone.notebook import RunView, open_data

FIRST_BACKTEST = pd.Timestamp("2007-01-04")  # session number 1008 of the sample, counted from 2003-01-02
CHARTS = [
    "Highest and lowest mean rank IC",
    "Found against chance",
    "Quantile returns",
    "Decay",
    "Rank IC added up",
    "Correlation clusters",
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, new_project: Callable[[Path], Path], runner: Callable[..., None]) -> Path:
    """A project in which ingestion alone has run, over the sample."""
    root = new_project(tmp_path_factory.mktemp("factor_report") / "project")
    runner(root, stages=("ingestion",), env="base")
    return root


@pytest.fixture
def view(project: Path, monkeypatch: pytest.MonkeyPatch) -> RunView:
    monkeypatch.chdir(project)
    return open_data(root=project)


@pytest.fixture(scope="module")
def page(project: Path) -> str:
    """As the command writes it; a page costs seconds, so that all tests read this one."""
    target = project.parent / "factors.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        result = CliRunner().invoke(cli, ["factor", "report", "--sets", "momentum", "--transform", "rank", "--out", str(target)])
    assert result.exit_code == 0, result.output
    return target.read_text()


def test_only_labels_that_end_before_the_first_backtest_session_are_looked_at(view: RunView) -> None:
    heard: list[Trial] = []
    with recording(lambda trial, _: heard.append(trial)):
        study = reports.study_factors(view, horizons=(1, 20))

    assert study.first_backtest == FIRST_BACKTEST
    assert not study.saw_backtest
    assert not heard
    assert study.assessment.last < FIRST_BACKTEST
    assert study.assessment.decay.columns.tolist() == [1, 5, 20]
    known = study.assessment.rank_ic["return_20"].last_valid_index()
    spans = labels.forward_return(view.table("bars"), horizon=5)["end"].groupby(level="date").max()
    assert spans[known] < FIRST_BACKTEST <= spans[spans.index > known].iloc[0]


def test_the_numbers_are_those_of_the_features_and_labels_of_a_run(view: RunView) -> None:
    study = reports.study_factors(view, horizons=(), transform="none")

    bars, benchmark = view.table("bars"), view.table("benchmark")
    matrix = features.compute(bars, "momentum", benchmark=benchmark, calendar="XNYS", transform="none")
    label = labels.forward_return(bars, horizon=5)
    early = label["label"][label["end"] < FIRST_BACKTEST]
    expected = evaluation.information_coefficient(matrix["return_60"], early)
    pd.testing.assert_series_equal(study.assessment.rank_ic["return_60"].dropna(), expected.dropna(), check_names=False, check_freq=False)
    board, wide = study.assessment.leaderboard, study.assessment.market_wide
    assert {*wide.index, "macro_vix"} == {f"macro_{name}" for name in view.table("macro")["series"].unique()}
    assert board.loc["macro_vix", "coverage"] == 0.0, "it begins after the span"
    assert not board.drop(index="macro_vix").index.str.startswith("macro_").any()


def test_a_look_at_the_backtest_is_a_trial_for_each_feature(view: RunView) -> None:
    heard: list[Trial] = []
    with recording(lambda trial, _: heard.append(trial)):
        study = reports.study_factors(view, horizons=(), through="2007-12-31")

    assert study.saw_backtest
    assert study.assessment.last == pd.Timestamp("2007-12-31")
    assert study.n_announced == len(heard) == len({trial.key for trial in heard}) == study.assessment.many.n_tests
    assert {(trial.scope.source, trial.scope.start, trial.scope.end) for trial in heard} == {("sample", "2003-01-02", "2007-12-31")}
    spread = study.assessment.spreads[study.assessment.leaderboard.index[0]].iloc[::5].dropna()
    assert heard[0].n == 5 * len(spread)
    assert heard[0].sharpe == pytest.approx(spread.mean() / spread.std() / 5**0.5)
    assert "BACKTEST SEEN" in reports.factor_masthead(study).html
    assert "announced as trials" in reports.factor_notes(study).html


def test_a_narrower_span_is_no_look_and_one_before_the_data_is_an_error(view: RunView) -> None:
    study = reports.study_factors(view, horizons=(), through="2005-06-30")

    assert not study.saw_backtest
    assert study.assessment.last == pd.Timestamp("2005-06-30")
    with pytest.raises(DataError, match="begin after 1999-12-31"):
        reports.study_factors(view, through="1999-12-31")
    with pytest.raises(ConfigError, match="got 'soon'"):
        reports.study_factors(view, through="soon")
    with pytest.raises(DataError, match="no feature of calendar differs between symbols"):
        reports.study_factors(view, sets=["calendar"], horizons=())
    with pytest.raises(ConfigError, match="'momentun'"):
        reports.study_factors(view, sets=["momentun"])


def test_leaders_are_the_best_of_each_cluster(view: RunView) -> None:
    study = reports.study_factors(view, horizons=())
    board = study.assessment.leaderboard

    leaders = reports.leading_features(study)

    assert leaders[0] == board.index[0]
    assert board.loc[leaders, "cluster"].is_unique
    for name in leaders:
        assert board.loc[name, "p"] == board.loc[board["cluster"] == board.loc[name, "cluster"], "p"].min()


def test_one_feature_alone_is_compared_with_nothing(view: RunView) -> None:
    study = reports.study_factors(view, horizons=())
    alone = evaluation.cluster_features(study.assessment.clusters.correlation.iloc[:1, :1])

    shown = reports.factor_clusters(replace(study, assessment=replace(study.assessment, clusters=alone)))

    assert "one feature only" in shown.html
    assert "Correlation clusters" in reports.factor_clusters(study).html


@pytest.mark.slow
def test_the_page_says_how_many_were_tested_and_what_was_not_looked_at(page: str, project: Path) -> None:
    caveats = open_data(root=project).metadata["caveats"]

    assert "Every label ends before 2007-01-04, the first session that the backtest scores" in page
    n_tested = int(re.search(r"(\d+) features were tested on the same data", page).group(1))
    assert f"expected best of {n_tested} without skill" in page
    for told in ("Traded value is not in these data", "illiquidity_20", *caveats):
        assert escape(told) in page
    assert page.count('<td class="name">return_120</td>') >= 2
    for secret in ("study_factors(", str(project), "/tmp", "papermill"):
        assert secret not in page[page.index("<body>") :]


@pytest.mark.slow
def test_the_same_data_give_the_same_bytes(page: str, project: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(project, moved)

    given = {"sets": ["momentum"], "transform": "rank"}
    again = reports.render("factors", parameters=given, folder=moved / "notebooks" / "reports", cwd=moved)

    assert again.decode() == page
    assert not read_known(moved / "ledger" / "known.jsonl"), "nothing was looked at that counts"


@pytest.mark.slow
@pytest.mark.parametrize("width", [1200, 1024])
def test_in_a_browser_everything_fits_and_nothing_is_fetched(page: str, tmp_path: Path, width: int) -> None:
    shown = browse(page.replace("</head>", MEASURE + "</head>"), tmp_path, width=width)

    found = json.loads(re.search(r"<pre id=\"found\">(.*?)</pre>", shown).group(1).replace("&amp;", "&"))
    assert found["loaded"] == 0
    assert found["wide"] == 0
    assert found["page"] <= 0
    assert [chart["name"] for chart in found["charts"]] == CHARTS
    for chart in found["charts"]:
        assert chart["outside"] == 0, f"text leaves the frame of {chart['name']}"
        assert chart["overlaps"] == 0, f"texts of {chart['name']} overlap"


def test_a_look_at_the_backtest_goes_into_the_ledger(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setenv("TOUCHSTONE_LEDGER", str(tmp_path / "scratch.jsonl"))
    cells = [cell for cell in json.loads(Path("notebooks/reports/factors.ipynb").read_text())["cells"] if cell["cell_type"] == "code"]
    told = {"run_id": "", "sets": ["momentum"], "transform": "", "through": "2008-12-31"}

    exec("".join(cells[1]["source"]), told)

    known = read_known(tmp_path / "scratch.jsonl")
    assert len(known) == told["study"].n_announced > 0
    assert f"{len(known)} features are announced as trials" in reports.factor_notes(told["study"]).html
