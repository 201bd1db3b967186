"""Sections of the tear sheet, one by one, where a run is out of the ordinary."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from finished_run import PARAMETERS, write_run

from touchstone import evaluation, plots, reports
from touchstone.errors import DataError
from touchstone.notebook import RunView, open_run


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> RunView:
    """A run whose source has no benchmark."""
    root = tmp_path_factory.mktemp("plain")
    write_run(root, benchmark=False)
    return open_run(root=root)


def altered(run: RunView, folder: Path, name: str, **changes: object) -> RunView:
    """The same run with other values in one of its records."""
    places = {"verdict": "08_reporting/verdict.json", "identity": "08_reporting/identity.json", "scorecard": "08_reporting/scorecard.json"}
    for record, place in places.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(json.dumps({**run.record(record), **(changes if record == name else {})}))
    (folder / "01_raw").mkdir(exist_ok=True)
    (folder / "01_raw" / "metadata.json").write_text(json.dumps(run.metadata))
    return RunView(run.run_id, folder)


def rows(block: reports.Block) -> list[list[str]]:
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr.*?</tr>", block.html.partition("<tbody>")[2])]


def test_without_a_benchmark_none_is_shown_and_the_reader_is_told(plain: RunView) -> None:
    assert [row[0] for row in rows(reports.performance_table(plain))] == ["Net of costs", "Before costs", "Equal-weighted universe"]
    assert "no benchmark" in reports.caveats(plain).html
    assert plain.scorecard["sharpe"]["benchmark"] is None
    assert plots.to_svg(plots.equity_curve(plots.growth(plain.returns)))


def test_performance_agrees_with_the_scorecard(project: Path) -> None:
    run = open_run(root=project)

    (net, *_) = rows(reports.performance_table(run))

    assert net[3] == plots.number(run.scorecard["sharpe"]["net"], 2)
    assert net[1] == plots.percent(run.scorecard["performance"]["annual_return"], 1)
    assert net[4] == plots.percent(run.scorecard["performance"]["max_drawdown"], 1)


def test_a_passed_run_wears_it_and_a_rejected_one_says_how_many_rules_it_missed(project: Path, tmp_path: Path) -> None:
    run = open_run(root=project)
    rule = {"name": "deflated_sharpe", "outcome": "passed", "observed": 0.97, "threshold": 0.95, "required": True, "reason": "is at least"}
    missed = {**rule, "outcome": "not_applicable", "observed": None, "reason": "too short"}

    passed = altered(run, tmp_path / "a", "verdict", passed=True, rules=[rule])
    rejected = altered(run, tmp_path / "b", "verdict", passed=False, rules=[rule, missed, {**missed, "required": False}])

    assert ">PASSED<small>every required rule passed<" in reports.masthead(passed).html
    assert ">REJECTED<small>1 of 2 required rules not passed<" in reports.masthead(rejected).html
    assert rows(reports.verdict(rejected))[1] == [
        "Deflated Sharpe ratio",
        '<span class="pill not_applicable">not applicable</span>',
        "\N{EN DASH}",
        "0.95",
        "required",
        "Too short",
    ]


def test_an_unusual_fill_is_a_caveat(project: Path, tmp_path: Path) -> None:
    run = open_run(root=project)
    parameters = {**PARAMETERS, "labels": {"horizon": 5, "fill": "same_close"}}

    told = reports.caveats(altered(run, tmp_path, "identity", parameters=parameters)).html

    assert "trained for fills at same close, the backtest fills at next close" in told
    assert "cannot be had in a market" in told


def test_what_is_undefined_is_a_dash(project: Path, tmp_path: Path) -> None:
    run = open_run(root=project)
    luck = {**run.scorecard["luck"], "minimum_track_record_length": None, "ledger_variance": None, "deflated_sharpe": None}

    table = dict(row[:2] for row in rows(reports.luck_table(altered(run, tmp_path, "scorecard", luck=luck))))

    assert table["Track record needed"] == "none is enough"
    for name in ("\N{EM SPACE}seen in the ledger", "Probability that it beats that luck"):
        assert table[name] == "\N{EN DASH}"


def test_luck_is_told_in_annual_terms(project: Path) -> None:
    run = open_run(root=project)
    luck = run.scorecard["luck"]

    table = dict(row[:2] for row in rows(reports.luck_table(run)))

    expected = evaluation.expected_maximum_sharpe(luck["n_trials"], trials_variance=luck["trials_variance"]) * 252**0.5
    assert table["Best of them by luck, annual"] == plots.number(expected, 2)


def test_holdings_are_the_last_days_weights_largest_first(project: Path) -> None:
    run = open_run(root=project)
    positions, equity = run.table("positions"), run.table("equity")["equity"]
    last = positions[positions["date"] == equity.index[-1]].set_index("symbol")["value"] / equity.iloc[-1]

    first = rows(reports.holdings(run))[0]

    assert first == [last.idxmax(), plots.percent(last.max(), 1), last.idxmin(), plots.percent(last.min(), 1)]


def test_parameters_are_flat_and_readable(project: Path) -> None:
    table = dict(row for row in rows(reports.parameters_table(open_run(root=project))) if row)

    assert table["data.symbols"] == "all"
    assert table["data.derive"] == "none"
    assert table["features.sets"] == "momentum"
    assert table["backtest.rebalance_every"] == "not set"
    assert table["backtest.half_spread_bps"] == "5"
    assert table["validation.gate.no_look_ahead.required"] == "yes"


def test_the_data_are_told_with_their_width_currency_and_what_was_computed(project: Path, tmp_path: Path) -> None:
    write_run(tmp_path)
    path = tmp_path / "data" / "01_raw" / "metadata.json"
    told = json.loads(path.read_text()) | {"timeframe": "5m", "currency": "EUR", "derived": ["vwap_hlc3"]}
    path.write_text(json.dumps(told))

    plain, other = (dict(rows(reports.data_table(open_run(root=root)))) for root in (project, tmp_path))

    assert plain["Bars"] == "1d on the calendar XNYS"
    assert (other["Bars"], other["Currency"]) == ("5m on the calendar XNYS", "EUR")
    assert other["Fields"] == "close, computed: vwap = (high + low + close) / 3"


def _record(root: Path, name: str, **changes: object) -> None:
    path = root / "data" / "04_feature" / f"{name}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_the_audit_is_told_check_by_check_and_an_older_run_in_all(project: Path, tmp_path: Path) -> None:
    write_run(tmp_path)
    one = {"of": "rank", "check": "truncation", "n_passes": 2, "n_compared": 1234, "n_findings": 0}
    _record(tmp_path, "audit", checks=[{**one, "of": "values", "check": "warm-up"}, one])
    told = dict(rows(reports.data_table(open_run(root=tmp_path))))
    assert told["\N{EM SPACE}warm-up, values"] == "1,234 compared in 2 passes, 0 findings"
    assert told["\N{EM SPACE}truncation, after rank"] == "1,234 compared in 2 passes, 0 findings"
    assert not [name for name, _ in rows(reports.data_table(open_run(root=project))) if name.startswith("\N{EM SPACE}")]


def test_what_was_left_out_is_told_by_why_and_history_beside_the_features(project: Path, tmp_path: Path) -> None:
    write_run(tmp_path)
    left = [("a", "the bars do not carry volume"), ("macro", "there is no macro series"), ("b", "the bars do not carry volume")]
    _record(tmp_path, "plan", left_out=[{"feature": name, "reason": why} for name, why in left])
    told = rows(reports.left_out(open_run(root=tmp_path)))
    assert told == [["a, b", "the bars do not carry volume"], ["macro", "there is no macro series"]]
    assert "252 sessions of history" in reports.features_used(open_run(root=project)).html


def test_texts_are_escaped_and_rows_must_fit_the_header() -> None:
    block = reports.table(["<a>", "b"], [["x & y", reports.Block("<code>1</code>")]], numbers=(1,), caption="<c>", lead=0)

    assert "&lt;a&gt;" in block.html
    assert "x &amp; y" in block.html
    assert '<td class="number"><code>1</code></td>' in block.html
    assert "&lt;c&gt;" in block.html
    assert 'class="lead"' in block.html
    with pytest.raises(DataError, match="row 1 has 1"):
        reports.table(["a", "b"], [["1", "2"], ["3"]])


def test_costs_and_returns_of_a_run_start_after_the_first_day(project: Path) -> None:
    run = open_run(root=project)
    equity = run.table("equity")

    assert run.returns.iloc[0].isna().all()
    assert run.returns["net"].iloc[1:].notna().all()
    assert (1 + run.returns["net"].iloc[1:]).prod() == pytest.approx(equity["equity"].iloc[-1] / equity["equity"].iloc[0])
    paid = equity["commission"].iloc[5] / equity["equity"].iloc[4]
    assert run.costs["commission"].iloc[4] == pytest.approx(paid)
