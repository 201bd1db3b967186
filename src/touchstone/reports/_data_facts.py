"""What a data report says first: what came in, from where, what was set aside, and what a reader must know."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd

from touchstone import market
from touchstone.notebook import RunView
from touchstone.plots import number, percent
from touchstone.reports._blocks import Block, Card, cards, notes, table
from touchstone.reports._facts import short

__all__ = ["data_caveats", "data_headline", "data_masthead", "source_table", "stamp"]

_ADJUSTED = {
    "none": "as traded",
    "split": "adjusted for splits, not for dividends",
    "total_return": "adjusted for splits and dividends",
}


def data_masthead(view: RunView) -> Block:
    """Source, span and whose data they are, with the number of rows set aside as a badge."""
    facts = view.record("ingestion")["facts"]
    first, last = _span(view)
    source = f"\N{LEFT SINGLE QUOTATION MARK}{view.metadata['source']}\N{RIGHT SINGLE QUOTATION MARK}"
    told = f"Bars of source {source}, {stamp(first)} to {stamp(last)}, {number(facts['n_symbols'], 0)} symbols"
    used = f"Run <code>{escape(short(view.run_id))}</code>" if view.run_id else "Ingested; no finished run has used these data"
    aside = facts["rows_quarantined"]
    badge = ("noted", f"{number(aside, 0)} SET ASIDE", "rows in quarantine") if aside else ("passed", "ALL KEPT", "no row in quarantine")
    kind, text, below = badge
    shown = f'<div class="badge {kind}">{escape(text)}<small>{escape(below)}</small></div>'
    return Block(f'<div class="masthead"><p>{escape(told)}<br>{used}</p>{shown}</div>')


def data_headline(view: RunView, shares: pd.DataFrame) -> Block:
    """Four numbers: rows, rows set aside, findings and coverage (`shares` as `touchstone.market.coverage` gives them)."""
    facts, quality = view.record("ingestion")["facts"], view.table("quality", columns=["severity", "symbol"])
    rows, aside = facts["rows_in"], facts["rows_quarantined"]
    errors = int((quality["severity"] == "error").sum())
    whole = int((shares.isna() | (shares >= 1.0)).all(axis=1).sum())
    return cards(
        [
            Card("Rows in", number(rows, 0), f"{number(facts['rows_clean'], 0)} clean"),
            Card("Rows set aside", number(aside, 0), f"{percent(aside / rows, 3)} of all, none dropped", below=aside > 0),
            Card("Findings", number(len(quality), 0), f"{number(errors, 0)} errors, on {number(quality['symbol'].nunique(), 0)} symbols"),
            Card("Symbols without a gap", f"{number(whole, 0)} of {number(len(shares), 0)}", "clean bars from first to last"),
        ]
    )


def data_caveats(view: RunView) -> Block:
    """What the data cannot show, in the source's own words."""
    return notes("Read this first", list(view.metadata["caveats"]) or ["The source states no caveat."])


def source_table(view: RunView) -> Block:
    """Where the bars come from and what they are; computed fields apart from observed ones."""
    metadata, facts = view.metadata, view.record("ingestion")["facts"]
    first, last = _span(view)
    derived = {_field(recipe): _formula(recipe) for recipe in metadata.get("derived", [])}
    rows = [
        ["Source", metadata["source"]],
        ["Span", f"{stamp(first)} to {stamp(last)}"],
        ["Symbols", number(facts["n_symbols"], 0)],
        ["Rows", _rows_told(facts)],
        ["Prices", f"{_ADJUSTED[metadata['adjustment']]}; currency {metadata.get('currency') or 'not stated'}"],
        ["Bars", f"{metadata.get('timeframe', '1d')} on the calendar {metadata['calendar']}"],
        ["Fields observed", ", ".join(field for field in metadata["fields"] if field not in derived)],
        ["Fields computed, not observed", "; ".join(derived.values()) or "none"],
        ["Membership", _membership(view)],
        ["Sectors", _sectors(view)],
        ["Benchmark", metadata["benchmark_name"] or "none of the source's own"],
        ["Freshness", _freshness(view)],
        ["Hash of the raw bars", Block(f"<code>{escape(short(view.record('ingestion')['outputs']['raw_bars']))}</code>")],
    ]
    return table(["Data", ""], rows)


def stamp(time: pd.Timestamp) -> str:
    """A date, with hours and minutes (UTC) where it has any."""
    return f"{time:%Y-%m-%d}" if time == time.normalize() else f"{time:%Y-%m-%d %H:%M}"


def _span(view: RunView) -> tuple[pd.Timestamp, pd.Timestamp]:
    dates = view.table("bars", columns=[]).index.get_level_values("date")
    return dates.min(), dates.max()


def _rows_told(facts: Mapping[str, Any]) -> str:
    rows_in, clean, aside = (number(facts[name], 0) for name in ("rows_in", "rows_clean", "rows_quarantined"))
    return f"{rows_in} in = {clean} clean + {aside} quarantined"


def _field(recipe: str) -> str:
    """The field that a recipe gives."""
    return _formula(recipe).partition(" = ")[0]


def _formula(recipe: str) -> str:
    return market.describe_derived(recipe)


def _membership(view: RunView) -> str:
    stated, life = view.table("raw_universe"), view.table("universe")
    lasting = life.groupby("symbol")["end"].max()
    until = f"{number(int((lasting >= lasting.max()).sum()), 0)} of {number(len(lasting), 0)} last until the end"
    if stated.empty:
        return f"each symbol's own life, from its first to its last clean bar, as no table states it; {until}"
    return f"stated: {number(len(stated), 0)} spans of {number(stated['symbol'].nunique(), 0)} symbols; {until}"


def _sectors(view: RunView) -> str:
    spans = view.table("sectors") if view.keeps("sectors") else market.empty_table("sectors")
    index = view.table("bars", columns=[]).index
    symbols, first = index.unique("symbol"), index.get_level_values("date").min()
    # A table of one's own may speak of symbols that this run does not have.
    known = spans[(spans["sector"] != "unknown") & spans["symbol"].isin(symbols)]
    if known.empty:
        return "none stated"
    named = f"{number(known['sector'].nunique(), 0)} sectors of {number(known['symbol'].nunique(), 0)} of {number(len(symbols), 0)} symbols"
    begins = known["start"].min()
    return f"{named}, {'over the whole span' if begins <= first else f'stated from {stamp(begins)} on'}"


def _freshness(view: RunView) -> str:
    """The limits that ingestion was held to; a run that breaks them stops."""
    asked = view.record("ingestion")["parameters"]["data"]
    limits = ((asked.get("max_age_sessions"), "sessions"), (asked.get("max_age_minutes"), "minutes"))
    told = " and ".join(f"{number(limit, 0)} {unit}" for limit, unit in limits if limit is not None)
    return f"gate: at most {told} behind the calendar" if told else "no gate asked for"
