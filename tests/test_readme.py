"""The README's first screen: its numbers are the run's, and what it points at is there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from touchstone.cli import cli
from touchstone.configuration import read_parameters

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _table(metrics: dict[str, Any]) -> list[str]:
    """The lines that the README's table must have."""
    span, ic, sharpe, luck = metrics["span"], metrics["rank_ic"], metrics["sharpe"], metrics["luck"]
    rows = [
        ("out of sample", f"{span['first']} to {span['last']}, {span['n_sessions']:,} sessions"),
        ("rank IC", f"{ic['mean']:.3f} ({ic['lower']:.3f} to {ic['upper']:.3f})"),
        ("Sharpe ratio after costs", f"{sharpe['net']:.2f} ({sharpe['net_lower']:.2f} to {sharpe['net_upper']:.2f})"),
        ("Sharpe ratio before costs", f"{sharpe['gross']:.2f}"),
        ("Sharpe ratio of the S&P 500, without dividends", f"{sharpe['benchmark']:.2f}"),
        ("Sharpe ratio of the same twenty names, equal weights", f"{sharpe['equal_weighted']:.2f}"),
        ("deflated Sharpe ratio", f"{luck['deflated_sharpe']:.2f} after {luck['n_trials']} trials"),
        ("verdict", "**ACCEPTED**" if metrics["verdict_passed"] else "**REJECTED**"),
    ]
    return ["| the built-in sample, 95 % intervals | |", "|---|---|", *(f"| {label} | {value} |" for label, value in rows)]


@pytest.fixture(scope="module")
def metrics() -> dict[str, Any]:
    path = ROOT / "data" / "08_reporting" / "metrics.json"
    assert path.is_file(), "data/08_reporting/metrics.json is committed with the README: `make run` writes it"
    committed: dict[str, Any] = json.loads(path.read_text())
    return committed


def test_the_numbers_are_those_of_the_committed_run(metrics: dict[str, Any]) -> None:
    expected = _table(metrics)
    found = [line for line in README.splitlines() if line.startswith("|")]
    assert found == expected, "The README's table must be this one:\n\n" + "\n".join(expected) + "\n"


def test_what_the_text_makes_of_them_is_true(metrics: dict[str, Any]) -> None:
    ic, sharpe = metrics["rank_ic"], metrics["sharpe"]
    assert "Rejected is the right answer" in README
    assert not metrics["verdict_passed"]
    assert ic["lower"] < 0.0 < ic["upper"]
    assert sharpe["net_lower"] < 0.0 < sharpe["net_upper"]
    assert metrics["luck"]["deflated_sharpe"] < 0.95
    assert sharpe["net"] < sharpe["equal_weighted"]


def test_its_intervals_are_those_of_the_parameters() -> None:
    assert read_parameters(ROOT / "params.yaml")["validation"]["confidence"] == 0.95


def test_it_is_one_screen() -> None:
    assert len(README.splitlines()) <= 60


def test_what_it_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if not link.startswith("http") and not (ROOT / link).exists()] == []


def test_every_target_it_names_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = set(re.findall(r"make ([a-z]+)", README))
    assert {"run", "test"} <= named <= targets


def test_every_command_it_names_is_one() -> None:
    named = set(re.findall(r"(?:^|`)touchstone ([a-z]+)", README, flags=re.MULTILINE))
    assert {"report", "promote", "verify", "doctor"} <= named <= set(cli.commands)
