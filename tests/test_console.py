"""What a person reads when a run is done."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from touchstone.console import summary
from touchstone.notebook import RunView, open_run


def _page(run: RunView, width: int = 80) -> str:
    sink = io.StringIO()
    Console(file=sink, width=width).print(summary(run))
    return sink.getvalue()


@pytest.fixture
def run(finished_run: Path) -> RunView:
    return open_run(root=finished_run)


def test_the_page_says_what_the_run_says(run: RunView) -> None:
    page = _page(run, width=160)
    card, scope = run.scorecard, run.record("trial_count")["scope"]
    assert run.run_id in page
    assert f"{scope['start']} to {scope['end']}, {len(scope['symbols'])} symbols" in page
    assert f"{card['span']['first']} to {card['span']['last']}, {card['span']['n_sessions']} sessions" in page
    assert f"{card['sharpe']['net']:.3g}, 95% interval {card['sharpe']['net_lower']:.3g}" in page
    assert f"after {card['luck']['n_trials']} trials" in page
    assert "REJECTED" in page
    assert "data/08_reporting/tear_sheet.html" in page


def test_every_rule_is_told_with_its_outcome_and_why_one_does_not_apply(run: RunView) -> None:
    lines = [" ".join(line.split()) for line in _page(run, width=160).splitlines()]
    for rule in run.verdict["rules"]:
        (line,) = (line for line in lines if line.startswith(f"{rule['name']} {rule['outcome'].replace('_', ' ')}"))
        assert line.endswith("yes" if rule["required"] else "no")
        if rule["outcome"] == "not_applicable":
            assert f"{rule['name']} is not applicable: {rule['reason']}" in lines


def test_nothing_is_cut_off_in_a_terminal_of_eighty_columns(run: RunView) -> None:
    page = _page(run)
    assert "…" not in page
    assert max(len(line) for line in page.splitlines()) <= 80
    assert all(rule["name"] in page for rule in run.verdict["rules"])


def test_an_accepted_run_is_told_so(finished_run: Path, tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(finished_run, root)
    path = root / "data" / "08_reporting" / "verdict.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "passed": True}))
    page = _page(open_run(root=root))
    assert "ACCEPTED" in page
    assert "REJECTED" not in page
