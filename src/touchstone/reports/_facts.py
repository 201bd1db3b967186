"""What a tear sheet says first: who it is about, the headline numbers, the caveats, the verdict."""

from __future__ import annotations

from html import escape

from touchstone.market import BarWords, bar_words
from touchstone.notebook import RunView
from touchstone.plots import number, percent
from touchstone.reports._blocks import Block, Card, cards, notes, table

__all__ = ["caveats", "headline", "masthead", "short", "text_of", "verdict", "words_of"]

_RULES = {
    "no_look_ahead": "No look-ahead",
    "rank_ic_lower": "Rank IC above chance",
    "deflated_sharpe": "Deflated Sharpe ratio",
    "net_sharpe_lower": "Net Sharpe ratio above zero",
    "sharpe_at_double_costs": "Survives double costs",
    "positive_years": "Positive years",
    "sharpe_above_equal_weighted": "Beats equal-weighted universe",
    "sharpe_above_benchmark": "Beats the benchmark",
}
_OUTCOMES = {"passed": "passed", "failed": "failed", "not_applicable": "not applicable"}


def text_of(value: float | None, digits: int = 2, *, as_percent: bool = False) -> str:
    """A number or percentage as text; a dash for what is undefined."""
    if value is None or value != value:
        return "\N{EN DASH}"
    return percent(value, digits) if as_percent else number(value, digits)


def short(digest: str) -> str:
    """The first characters of a hash, enough to tell one from another."""
    return digest[:12]


def words_of(run: RunView) -> BarWords:
    """What the bars of a run are called; runs kept from before there were others have daily ones."""
    return bar_words(run.metadata.get("timeframe", "1d"))


def masthead(run: RunView) -> Block:
    """Data, span and run id, with the verdict as a badge."""
    card, passed = run.scorecard, run.verdict["passed"]
    failed = [rule["name"] for rule in run.verdict["rules"] if rule["required"] and rule["outcome"] != "passed"]
    why = "every required rule passed" if passed else f"{len(failed)} of {_n_required(run)} required rules not passed"
    told = (
        f"Out-of-sample backtest on source \N{LEFT SINGLE QUOTATION MARK}{run.metadata['source']}\N{RIGHT SINGLE QUOTATION MARK}, "
        f"{card['span']['first']} to {card['span']['last']}, {number(card['span']['n_sessions'], 0)} {words_of(run).many}"
    )
    badge = f'<div class="badge {"passed" if passed else "rejected"}">{"PASSED" if passed else "REJECTED"}<small>{why}</small></div>'
    return Block(f'<div class="masthead"><p>{escape(told)}<br>Run <code>{escape(short(run.run_id))}</code></p>{badge}</div>')


def headline(run: RunView) -> Block:
    """Eight numbers, each with what puts it into proportion."""
    return cards([*_earned(run), *_proven(run)])


def caveats(run: RunView) -> Block:
    """What the data cannot show, in the source's own words, with what follows from the parameters."""
    told = list(run.metadata["caveats"])
    if not run.metadata["benchmark_name"]:
        told.append("The source has no benchmark; the equal-weighted universe alone is the yardstick.")
    labels, backtest = run.parameters["labels"], run.parameters["backtest"]
    if backtest["fill"] != labels["fill"]:
        told.append(f"The model was trained for fills at {_words(labels['fill'])}, the backtest fills at {_words(backtest['fill'])}.")
    if "same_close" in (labels["fill"], backtest["fill"]):
        told.append("Fills at the close of the decision itself cannot be had in a market; they are here for comparison only.")
    return notes("Read this first", told or ["The source states no caveat."])


def verdict(run: RunView) -> Block:
    """Every rule of the gate: its outcome, what was seen, what was asked for, and why."""
    rows = [
        [
            _RULES.get(rule["name"], _words(rule["name"]).capitalize()),
            Block(f'<span class="pill {rule["outcome"]}">{_OUTCOMES[rule["outcome"]]}</span>'),
            _trimmed(rule["observed"]),
            _trimmed(rule["threshold"]),
            "required" if rule["required"] else "informs",
            (rule["reason"][:1].upper() + rule["reason"][1:]).replace(" -", " \N{MINUS SIGN}"),
        ]
        for rule in run.verdict["rules"]
    ]
    return table(["Rule", "Outcome", "Observed", "Threshold", "Weight", "Reason"], rows, numbers=(2, 3))


def _earned(run: RunView) -> list[Card]:
    earned, sharpe = run.scorecard["performance"], run.scorecard["sharpe"]
    interval = f"{_level(run)} interval {_interval(sharpe['net_lower'], sharpe['net_upper'], 2)}"
    return [
        _signed("Net return a year", earned["annual_return"], f"before costs {_percent(earned['annual_return_gross'])}", as_percent=True),
        _signed("Net Sharpe ratio, annual", sharpe["net"], interval),
        Card(
            "Volatility a year",
            _percent(earned["annual_volatility"]),
            f"one {words_of(run).day} in twenty below {_percent(earned['value_at_risk'], 2)}",
        ),
        Card("Deepest drawdown", _percent(earned["max_drawdown"]), "from the highest value before"),
    ]


def _proven(run: RunView) -> list[Card]:
    ic, luck = run.scorecard["rank_ic"], run.scorecard["luck"]
    years = [year["net_return"] > 0 for year in run.scorecard["years"] if year["full"]]
    a_year = run.scorecard["settings"]["periods_per_year"]
    turnover = float(run.table("equity")["turnover"].iloc[1:].mean()) * a_year
    costs = float(run.costs.sum(axis=1).mean()) * a_year
    return [
        _signed("Mean rank IC", ic["mean"], f"{_level(run)} interval {_interval(ic['lower'], ic['upper'], 3)}", digits=3),
        Card("Deflated Sharpe ratio", text_of(luck["deflated_sharpe"]), f"probability, {_trials(luck['n_trials'])}"),
        Card("Positive full years", f"{sum(years)} of {len(years)}", "net of costs"),
        Card("Turnover a year", f"{number(turnover, 1)}\N{MULTIPLICATION SIGN}", f"bought and sold; costs {_percent(costs)} a year"),
    ]


def _trimmed(value: float | None) -> str:
    """Three decimals at most: counts and round thresholds read as such."""
    text = text_of(value, 3)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _signed(name: str, value: float | None, note: str, *, as_percent: bool = False, digits: int = 2) -> Card:
    return Card(name, text_of(value, 1 if as_percent else digits, as_percent=as_percent), note, below=value is not None and value < 0)


def _percent(value: float | None, digits: int = 1) -> str:
    return text_of(value, digits, as_percent=True)


def _interval(lower: float | None, upper: float | None, digits: int) -> str:
    return f"{text_of(lower, digits)} to {text_of(upper, digits)}"


def _level(run: RunView) -> str:
    return percent(run.scorecard["settings"]["confidence"])


def _n_required(run: RunView) -> int:
    return sum(rule["required"] for rule in run.verdict["rules"])


def _trials(n: int) -> str:
    return "1 trial counted" if n == 1 else f"{number(n, 0)} trials counted"


def _words(name: str) -> str:
    return name.replace("_", " ")
