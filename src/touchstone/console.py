"""What a person reads in the terminal when a run is done."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from touchstone.notebook import RunView

__all__ = ["summary"]

_COLOURS = {"passed": "green", "failed": "red", "not_applicable": "yellow"}


def summary(run: RunView) -> RenderableType:
    """The run's headline, its verdict rule by rule, and where the report lies."""
    verdict = Text("ACCEPTED" if run.verdict["passed"] else "REJECTED", style="bold green" if run.verdict["passed"] else "bold red")
    return Group(_headline(run), _gate(run.verdict["rules"]), Text("verdict ") + verdict, Text("report  data/08_reporting/tear_sheet.html"))


def _headline(run: RunView) -> Table:
    table = Table(title=f"run {run.run_id}", show_header=False, title_justify="left")
    for label, value in _rows(run.scorecard):
        table.add_row(label, value)
    return table


def _rows(card: dict[str, Any]) -> list[tuple[str, str]]:
    raise NotImplementedError


def _gate(rules: list[dict[str, Any]]) -> Table:
    table = Table(title="gate", title_justify="left")
    for column in ("rule", "outcome", "observed", "threshold", "required", "reason"):
        table.add_column(column, justify="right" if column in {"observed", "threshold"} else "left")
    for rule in rules:
        outcome = Text(rule["outcome"].replace("_", " "), style=_COLOURS[rule["outcome"]])
        table.add_row(rule["name"], outcome, _number(rule["observed"]), _number(rule["threshold"]), "yes" if rule["required"] else "no", rule["reason"])
    return table


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
