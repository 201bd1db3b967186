"""The tables below the headline: performance, luck, years, data, features, model, terms, identity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from touchstone import evaluation
from touchstone.market import describe_derived
from touchstone.notebook import RunView
from touchstone.plots import number
from touchstone.reports._blocks import Block, beside, table
from touchstone.reports._facts import text_of, words_of

__all__ = [
    "data_table",
    "features_used",
    "holdings",
    "identity_table",
    "left_out",
    "luck_table",
    "model_table",
    "parameters_table",
    "performance_table",
    "series_names",
    "years_table",
]

_SHOWN = 8


def series_names(run: RunView) -> dict[str, str]:
    """What to call the columns of `RunView.returns`: the benchmark by its own name."""
    benchmark = run.metadata["benchmark_name"] or "Benchmark"
    return {"net": "Net of costs", "gross": "Before costs", "benchmark": benchmark, "equal_weighted": "Equal-weighted universe"}


def performance_table(run: RunView) -> Block:
    """The strategy, with and without costs, against the benchmark and the universe, over the same sessions."""
    rows = []
    measures = _measures(run)
    for column, name in series_names(run).items():
        returns = run.returns[column].dropna()
        if len(returns) > 1:
            measured = [text_of(measure(returns), digits, as_percent=percent) for measure, digits, percent in measures.values()]
            rows.append([name, *measured, text_of(float(np.prod(1.0 + returns.to_numpy())) - 1.0, 0, as_percent=True)])
    header = ["", *measures, "Whole span"]
    return table(header, rows, numbers=range(1, len(header)), lead=0)


def _measures(run: RunView) -> dict[str, tuple[Callable[[pd.Series], float], int, bool]]:
    """Column name to measure, digits and whether it is a percentage; annual figures by the bars of a year."""
    a_year, day = run.scorecard["settings"]["periods_per_year"], words_of(run).day
    return {
        "Return a year": (partial(evaluation.annual_return, periods_per_year=a_year), 1, True),
        "Volatility a year": (partial(evaluation.annual_volatility, periods_per_year=a_year), 1, True),
        "Sharpe ratio": (partial(evaluation.sharpe_ratio, periods_per_year=a_year), 2, False),
        "Deepest drawdown": (evaluation.max_drawdown, 1, True),
        f"5% VaR, one {day}": (evaluation.value_at_risk, 2, True),
        f"5% CVaR, one {day}": (evaluation.conditional_value_at_risk, 2, True),
    }


def luck_table(run: RunView) -> Block:
    """The net Sharpe ratio against chance and against the number of trials."""
    luck, settings = run.scorecard["luck"], run.scorecard["settings"]
    a_year, by_luck, bars = settings["periods_per_year"], luck["expected_maximum_sharpe"], words_of(run)
    best = None if by_luck is None else by_luck * a_year**0.5
    sure = text_of(settings["confidence"], 0, as_percent=True)
    rows = [
        ["Net Sharpe ratio, annual", text_of(run.scorecard["sharpe"]["net"]), f"over all {bars.many} of the backtest"],
        [
            "Probability that it is above zero",
            text_of(luck["probabilistic_sharpe"], 3),
            "probabilistic Sharpe ratio",
        ],
        ["Trials counted", number(luck["n_trials"], 0), "configurations tried on this data, this one included"],
        [
            "Best of them by luck, annual",
            text_of(best),
            "expected maximum without skill",
        ],
        ["Probability that it beats that luck", text_of(luck["deflated_sharpe"], 3), "deflated Sharpe ratio"],
        ["Trials' variance used", _scientific(luck["trials_variance"]), f"the smaller of the two below, per {bars.one}"],
        ["\N{EM SPACE}seen in the ledger", _scientific(luck["ledger_variance"]), "real differences in skill widen it"],
        ["\N{EM SPACE}of sampling alone", _scientific(luck["sampling_variance"]), "1 / (n \N{MINUS SIGN} 1)"],
        [
            "Track record needed",
            _years_of(luck["minimum_track_record_length"], a_year),
            f"to be {sure} sure that it is above zero",
        ],
        ["Track record there is", _years_of(luck["n_observations"], a_year), f"{number(luck['n_observations'], 0)} {bars.many}"],
        [
            "Skewness, kurtosis",
            f"{text_of(luck['skewness'])}, {text_of(luck['kurtosis'])}",
            f"of {bars.daily} net returns; 0 and 3 for a normal",
        ],
    ]
    return table(["Statistic", "Value", "Reading"], rows, numbers=(1,), caption="Is it luck?")


def years_table(run: RunView) -> Block:
    """Net return and Sharpe ratio of each calendar year; a year that is not whole is marked."""
    rows = [
        [
            str(year["year"]) + ("" if year["full"] else " (part)"),
            text_of(year["net_return"], 1, as_percent=True),
            text_of(year["sharpe"]),
            number(year["n_sessions"], 0),
        ]
        for year in run.scorecard["years"]
    ]
    return table(["Year", "Net return", "Sharpe ratio", words_of(run).many.capitalize()], rows, numbers=(1, 2, 3), caption="Year by year")


def holdings(run: RunView) -> Block:
    """The largest positions after the last session, long and short, as fractions of equity."""
    positions, equity = run.table("positions"), run.table("equity")["equity"]
    last = positions[positions["date"] == equity.index[-1]]
    weights = (last.set_index("symbol")["value"] / float(equity.iloc[-1])).sort_values(kind="stable")
    longs, shorts = weights[weights > 0][::-1].head(_SHOWN), weights[weights < 0].head(_SHOWN)
    rows = [[*_holding(longs, place), *_holding(shorts, place)] for place in range(max(len(longs), len(shorts), 1))]
    caption = f"Largest positions on {equity.index[-1]:%Y-%m-%d} ({int((weights > 0).sum())} long, {int((weights < 0).sum())} short)"
    return table(["Long", "Weight", "Short", "Weight"], rows, numbers=(1, 3), caption=caption)


def data_table(run: RunView) -> Block:
    """What the run was fed with, and what ingestion set aside."""
    bars, quarantine, quality = run.table("bars"), run.table("quarantine"), run.table("quality")
    audit, dates = run.record("audit"), bars.index.get_level_values("date")
    found = "; ".join(f"{_words(str(name))} {number(count, 0)}" for name, count in quality["check"].value_counts().sort_index().items())
    rows = [
        ["Source", f"{run.metadata['source']}, prices adjusted: {_words(run.metadata['adjustment'])}"],
        ["Fields", ", ".join([*run.metadata["fields"], *(f"computed: {describe_derived(name)}" for name in run.metadata["derived"])])],
        ["Currency", run.metadata["currency"] or "not stated"],
        ["Bars", f"{run.metadata.get('timeframe', '1d')} on the calendar {run.metadata['calendar']}"],
        ["Symbols", number(bars.index.get_level_values("symbol").nunique(), 0)],
        [words_of(run).many.capitalize(), f"{number(dates.nunique(), 0)}, {dates.min():%Y-%m-%d} to {dates.max():%Y-%m-%d}"],
        ["Rows", f"{number(len(bars), 0)} clean, {number(len(quarantine), 0)} quarantined"],
        ["Findings of the quality checks", found or "none"],
        ["Look-ahead audit", f"{number(audit['n_compared'], 0)} values compared, {number(audit['n_findings'], 0)} findings"],
        *_checks(audit),
    ]
    return table(["Data", ""], rows)


def _checks(audit: Mapping[str, Any]) -> list[list[str]]:
    """A row for each check; runs kept from before there were several have none."""
    return [
        [
            f"\N{EM SPACE}{one['check']}, {'values' if one['of'] == 'values' else 'after ' + one['of']}",
            f"{number(one['n_compared'], 0)} compared in {number(one['n_passes'], 0)} passes, {number(one['n_findings'], 0)} findings",
        ]
        for one in audit.get("checks", [])
    ]


def features_used(run: RunView) -> Block:
    """The columns the model read, in its own order."""
    plan, given = run.record("plan"), run.parameters["features"]
    history = f"{number(plan['lookback'], 0)} {words_of(run).many} of history"
    header = f"{len(plan['columns'])} features of {', '.join(given['sets'])} (transform: {given['transform']}; {history})"
    return table([header], [[", ".join(plan["columns"])]])


def left_out(run: RunView) -> Block:
    """Features that the source could not feed, by why."""
    told: dict[str, list[str]] = {}
    for entry in run.record("plan")["left_out"]:
        told.setdefault(entry["reason"], []).append(entry["feature"])
    rows = [[", ".join(names), reason] for reason, names in told.items()]
    return table(["Left out", "Why"], rows or [["none", "the source carries every field they need"]])


def model_table(run: RunView) -> Block:
    """The forecaster that tuning chose."""
    tuned = run.record("tuned")
    rows = [["Forecaster", tuned["model"]], ["Objective reached (mean rank IC over the folds)", text_of(tuned["value"], 4)]]
    rows += [[_words(name).capitalize(), _plain(value)] for name, value in sorted(tuned["parameters"].items())]
    return table(["Model", ""], rows, numbers=(1,))


def parameters_table(run: RunView) -> Block:
    """Every parameter that belongs to the run's identity."""
    flat = _flat(run.parameters)
    half = (len(flat) + 1) // 2
    return beside(*(table(["Parameter", "Value"], rows) for rows in (flat[:half], flat[half:])))


def identity_table(run: RunView) -> Block:
    """The parts that make the run id: change one, and it is another run."""
    identity = run.record("identity")
    rows = [["Run id", run.run_id], ["Code", identity["code"]], ["Library lock", identity["lock"]], ["Ledger as read", identity["ledger"]]]
    rows += [["Seed", str(identity["seed"])]]
    rows += [[f"Data: {_words(name)}", digest] for name, digest in sorted(identity["data"].items())]
    return table(["Part", "SHA-256 or value"], [[name, Block(f"<code>{value}</code>")] for name, value in rows])


def _holding(weights: pd.Series[float], place: int) -> list[str]:
    if place >= len(weights):
        return ["", ""]
    return [str(weights.index[place]), text_of(weights.iloc[place], 1, as_percent=True)]


def _years_of(n_sessions: float | None, a_year: int) -> str:
    return "none is enough" if n_sessions is None else f"{number(n_sessions / a_year, 1)} years"


def _scientific(value: float | None) -> str:
    return "\N{EN DASH}" if value is None else f"{value:.2e}".replace("-", "\N{MINUS SIGN}")


def _flat(values: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    """Name and text of each value, sections joined by dots."""
    flat: list[tuple[str, str]] = []
    for name, value in values.items():
        flat += _flat(value, f"{above}{name}.") if isinstance(value, Mapping) and value else [(above + name, _told(above + name, value))]
    return flat


def _told(name: str, value: Any) -> str:
    """An empty list leaves nothing out in `data.symbols`, and asks for nothing anywhere else."""
    return "all" if name == "data.symbols" and not value else _plain(value)


def _plain(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value) or "none"
    if isinstance(value, float):
        return f"{value:,.10g}"
    return str(value) if value != {} else "none"


def _words(name: str) -> str:
    return name.replace("_", " ")
