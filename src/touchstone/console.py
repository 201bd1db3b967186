"""What a person reads in the terminal when a run is done."""

from __future__ import annotations

import os
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from touchstone.market import bar_words
from touchstone.notebook import RunView
from touchstone.remote import Remote

__all__ = ["summary"]

_COLOURS = {"passed": "green", "failed": "red", "not_applicable": "yellow"}


def summary(run: RunView) -> RenderableType:
    """The run's headline, its verdict rule by rule, and where the report lies."""
    verdict = Text("ACCEPTED" if run.verdict["passed"] else "REJECTED", style="bold green" if run.verdict["passed"] else "bold red")
    rules = run.verdict["rules"]
    page = run.folder / "08_reporting" / "tear_sheet.html"
    report = page.url if isinstance(page, Remote) else os.path.relpath(page)
    unsaid = [Text(f"{rule['name']} is not applicable: {rule['reason']}") for rule in rules if rule["outcome"] == "not_applicable"]
    return Group(_headline(run), _gate(rules), *unsaid, Text("verdict ") + verdict, Text(f"report  {report}"))


def _headline(run: RunView) -> Table:
    table = Table(
        title=f"run {run.run_id}", show_header=False, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0)
    )
    for label, value in _rows(run):
        table.add_row(label, value)
    return table


def _rows(run: RunView) -> list[tuple[str, str]]:
    card, scope = run.scorecard, run.record("trial_count")["scope"]
    span, ic, sharpe, luck = card["span"], card["rank_ic"], card["sharpe"], card["luck"]
    bars = bar_words(run.metadata.get("timeframe", "1d"))
    interval = f"{card['settings']['confidence']:.0%} interval"
    return [
        ("source", run.metadata["source"]),
        ("data span", f"{scope['start']} to {scope['end']}, {len(scope['symbols'])} symbols"),
        ("backtest span", f"{span['first']} to {span['last']}, {span['n_sessions']} {bars.many}"),
        ("rank IC", f"{_number(ic['mean'])}, {interval} {_number(ic['lower'])} to {_number(ic['upper'])}, {ic['n']} cross-sections"),
        ("Sharpe after costs", f"{_number(sharpe['net'])}, {interval} {_number(sharpe['net_lower'])} to {_number(sharpe['net_upper'])}"),
        ("Sharpe before costs", _number(sharpe["gross"])),
        ("Sharpe of the benchmark", f"{_number(sharpe['benchmark'])} {run.metadata['benchmark_name']}".strip()),
        ("Sharpe of the equal-weighted universe", _number(sharpe["equal_weighted"])),
        ("deflated Sharpe", f"{_number(luck['deflated_sharpe'])} after {luck['n_trials']} trials"),
    ]


def _gate(rules: list[dict[str, Any]]) -> Table:
    table = Table(title="gate", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column in ("rule", "outcome", "observed", "threshold", "required"):
        table.add_column(column, justify="right" if column in {"observed", "threshold"} else "left", no_wrap=True)
    for rule in rules:
        outcome = Text(rule["outcome"].replace("_", " "), style=_COLOURS[rule["outcome"]])
        table.add_row(rule["name"], outcome, _number(rule["observed"]), _number(rule["threshold"]), "yes" if rule["required"] else "no")
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
