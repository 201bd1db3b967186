"""The model card: what the model is, what it was judged by, what it must not be used for."""

from __future__ import annotations

from typing import Any

from touchstone.errors import name_few
from touchstone.market import bar_words

__all__ = ["model_card"]


def model_card(run_id: str, card: dict[str, Any], verdict: dict[str, Any], bundle: dict[str, Any], metadata: dict[str, Any]) -> str:
    """Markdown for people who meet the model without its history."""
    bars = bar_words(metadata["timeframe"])
    luck, sharpe, span = card["luck"], card["sharpe"], card["span"]
    interval = f"{_number(sharpe['net_lower'])} to {_number(sharpe['net_upper'])}"
    what = (
        f"a {bundle['model']} forecaster of the {bundle['labels']['horizon']}-{bars.unit} return from fill to fill "
        f"({bundle['labels']['fill']}), one score for each symbol and {bars.one}, higher is better."
    )
    reads = (
        f"{len(bundle['columns'])} features of the sets {', '.join(bundle['features']['sets'])} "
        f"({bundle['lookback']} {bars.many} of history; transform: {bundle['features']['transform']}), "
        f"prices adjusted '{bundle['adjustment']}', calendar {bundle['calendar']}. {_left_out(bundle['left_out'])}"
    )
    judged = (
        f"source '{metadata['source']}', {span['first']} to {span['last']}, out of sample, window by window; "
        f"this is the last window's fit, for {bars.many} from {bundle['scored']['start']} on."
    )
    found = (
        f"annual net Sharpe {_number(sharpe['net'])} ({interval}), rank IC {_number(card['rank_ic']['mean'])}, "
        f"deflated Sharpe {_number(luck['deflated_sharpe'])} after {luck['n_trials']} trials."
    )
    lines = ["# Model card: touchstone", "", f"Run `{run_id}`.", ""]
    lines += [f"- **What it is**: {what}", f"- **What it reads**: {reads}", f"- **What it was judged on**: {judged}"]
    lines += [f"- **What came out**: {found}", f"- **Verdict**: {'accepted' if verdict['passed'] else 'rejected'}.", ""]
    lines += ["| rule | outcome | required | why |", "|---|---|---|---|"]
    lines += [
        f"| {rule['name']} | {rule['outcome'].replace('_', ' ')} | {'yes' if rule['required'] else 'no'} | {rule['reason']} |"
        for rule in verdict["rules"]
    ]
    lines += ["", "## Caveats", "", *(f"- {caveat}" for caveat in metadata["caveats"])]
    lines += ["- A rejected model must not be traded; the registry refuses to promote it."] if not verdict["passed"] else []
    return "\n".join(lines) + "\n"


def _left_out(entries: list[dict[str, str]]) -> str:
    told: dict[str, list[str]] = {}
    for entry in entries:
        told.setdefault(entry["reason"], []).append(entry["feature"])
    return f"Left out: {'; '.join(f'{name_few(names)} ({reason})' for reason, names in told.items()) or 'nothing'}."


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
