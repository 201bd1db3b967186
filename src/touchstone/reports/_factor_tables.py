"""The tables of a factor report: leaderboard, years, clusters, coverage, and the columns that order nothing."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import pandas as pd

from touchstone.plots import factor_correlations, number, percent
from touchstone.reports._blocks import Block, beside, chart, table
from touchstone.reports._factor_study import FactorStudy
from touchstone.reports._facts import text_of

__all__ = ["factor_clusters", "factor_coverage", "factor_years", "leaderboard_table", "leading_features", "market_wide_table"]

_CLUSTERS, _MEMBERS = 14, 8
_MOST_YEARS = 8
_HEADER = (
    "Feature",
    "Rank IC",
    "Interval",
    "ICIR",
    "t",
    "p",
    "q",
    "q, any",
    "Spread",
    "Monotone",
    "Turnover",
    "Autocorr.",
    "Covered",
)


def leading_features(study: FactorStudy, *, n: int = 6) -> list[str]:
    """The features with the smallest p-values, one of each cluster."""
    board = study.assessment.leaderboard
    alone = board["cluster"].where(board["cluster"] > 0, -np.arange(len(board)))
    return [str(name) for name in board[~alone.duplicated() & board["p"].notna()].index[:n]]


def leaderboard_table(study: FactorStudy, *, n: int = 20) -> Block:
    """The first features by p-value, and every one of them folded below."""
    board = study.assessment.leaderboard
    return _first_and_all(_HEADER, _board_rows(board), n, "smallest p first")


def factor_years(study: FactorStudy, *, n: int = 20) -> Block:
    """Mean rank IC of the first features by year; a year against the sign of the whole is red."""
    found = study.assessment
    years = _merged(found.years.dropna(axis="columns", how="all"))
    header = ["Feature", "All", *years.columns, "Same sign", *_halves_header(study)]
    rows = [_year_row(study, found.leaderboard.loc[name], years.loc[name]) for name in found.leaderboard.index]
    return _first_and_all(header, rows, n, "smallest p first")


def factor_clusters(study: FactorStudy) -> Block:
    """Which features say the same: their correlations, and the clusters by name."""
    clusters = study.assessment.clusters
    if len(clusters.members) < 2:
        return Block("<p>There is one feature only, and nothing to compare it with.</p>")
    drawn = factor_correlations(clusters.correlation, clusters.members["cluster"])
    return beside(chart(drawn, title="Correlation clusters", note="A square is a cluster."), _cluster_table(study))


def _cluster_table(study: FactorStudy) -> Block:
    """Clusters of more than one feature, the largest first, with the member that stands for each."""
    members = study.assessment.clusters.members
    groups = [(number_, group) for number_, group in members.groupby("cluster", sort=True) if len(group) > 1]
    largest = sorted(groups, key=lambda numbered: -len(numbered[1]))[:_CLUSTERS]
    rows = []
    for _, group in largest:
        stands = str(group.index[group["represents"]][0])
        others = [str(name) for name in group.index if name != stands]
        more = f" and {len(others) - _MEMBERS} more" if len(others) > _MEMBERS else ""
        rows.append([stands, number(len(group), 0), ", ".join(others[:_MEMBERS]) + more])
    if len(groups) > len(largest):
        rows.append([f"{number(len(groups) - len(largest), 0)} more", "", "smaller, or as small"])
    alone = sum(len(group) == 1 for _, group in members.groupby("cluster"))
    caption = f"{number(study.assessment.clusters.n_clusters, 0)} clusters, {number(alone, 0)} of a single feature"
    return table(
        ["Stands for", "Features", "The others"], rows or [["none", "", "no two features are alike"]], numbers=(1,), caption=caption
    )


def factor_coverage(study: FactorStudy, *, n: int = 12) -> Block:
    """Share of rows with a value by year, of the features that lack most; all of them folded below."""
    overall = study.assessment.leaderboard["coverage"].sort_values(kind="stable")
    coverage = _merged(study.assessment.coverage).loc[overall.index]
    header = ["Feature", "All", *coverage.columns]
    rows = [[str(name), percent(overall[name], 1), *(percent(share, 1) for share in coverage.loc[name])] for name in overall.index]
    return _first_and_all(header, rows, n, "least covered first")


def market_wide_table(study: FactorStudy) -> Block:
    """Columns that are the same for every symbol, and what the market did after them; and those that could not be computed."""
    wide = study.assessment.market_wide
    rows = [[str(name), text_of(row["correlation"], 2), number(row["n_sessions"], 0)] for name, row in wide.iterrows()]
    header = ["Feature", "Correlation with the market's return", "Sessions"]
    shown = table(header, rows or [["none", "", ""]], numbers=(1, 2))
    if not study.left_out:
        return shown
    left = table(["Left out", "Why"], [list(entry) for entry in study.left_out])
    return Block(shown.html + _folded(f"{number(len(study.left_out), 0)} features left out", "", left).html)


def _board_rows(board: pd.DataFrame) -> list[list[str | Block]]:
    return [
        [
            str(name),
            text_of(row["rank_ic"], 4),
            f"{text_of(row['lower'], 3)} to {text_of(row['upper'], 3)}",
            text_of(row["icir"], 2),
            text_of(row["t"], 2),
            _probability(row["p"]),
            _probability(row["q"]),
            _probability(row["q_any_dependence"]),
            text_of(row["spread"], 2, as_percent=True),
            text_of(row["monotonicity"], 1),
            text_of(row["turnover_top"], 0, as_percent=True),
            text_of(row["autocorrelation_5"], 2),
            text_of(row["coverage"], 0, as_percent=True),
        ]
        for name, row in board.iterrows()
    ]


def _year_row(study: FactorStudy, row: pd.Series, years: pd.Series) -> list[str | Block]:
    told = [_against(value, row["rank_ic"]) for value in years]
    halves = [_against(row[half], row["rank_ic"]) for half in ("ic_less_liquid", "ic_more_liquid")] if study.by_liquidity else []
    return [str(row.name), text_of(row["rank_ic"], 3), *told, text_of(row["same_sign_years"], 0, as_percent=True), *halves]


def _halves_header(study: FactorStudy) -> list[str]:
    return ["Less liquid half", "More liquid half"] if study.by_liquidity else []


def _against(value: float, whole: float) -> str | Block:
    text = text_of(value, 3)
    return Block(f'<span class="below">{text}</span>') if value * whole < 0 else text


def _probability(value: float) -> str:
    return f"< {number(0.001, 3)}" if value < 0.001 else text_of(value, 3)


def _merged(by_year: pd.DataFrame) -> pd.DataFrame:
    """Columns of single years, or where there are many of as many years together as make eight: the mean of their years."""
    years = by_year.columns.to_numpy()
    together = max(-(-len(years) // _MOST_YEARS), 1)
    spans = [years[first : first + together] for first in range(0, len(years), together)]
    names = [str(span[0]) if len(span) == 1 else f"{span[0]}\N{EN DASH}{span[-1] % 100:02d}" for span in spans]
    return pd.DataFrame({name: by_year[span].mean(axis=1) for name, span in zip(names, spans, strict=True)}, index=by_year.index)


def _first_and_all(header: Sequence[str], rows: Sequence[Sequence[str | Block]], n: int, order: str) -> Block:
    """A table of the first rows, and the whole folded below it."""
    numbers = range(1, len(header))
    first = f'<div class="dense">{table(header, rows[:n], numbers=numbers).html}</div>'
    if len(rows) <= n:
        return Block(first)
    whole = Block(f'<div class="dense">{table(header, rows, numbers=numbers).html}</div>')
    return Block(first + _folded(f"All {number(len(rows), 0)} features", order, whole).html)


def _folded(title: str, note: str, block: Block) -> Block:
    return Block(f"<details><summary><strong>{escape(title)}</strong> <span>{escape(note)}</span></summary>{block.html}</details>")
