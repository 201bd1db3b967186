"""What a factor report says first: what was looked at, how the best stands against luck, what a reader must know."""

from __future__ import annotations

from html import escape

from touchstone.market import BarWords, bar_words
from touchstone.plots import number, percent
from touchstone.reports._blocks import Block, Card, cards, notes, table
from touchstone.reports._data_facts import stamp
from touchstone.reports._factor_study import FactorStudy
from touchstone.reports._facts import short, text_of

__all__ = ["bars_of", "factor_headline", "factor_masthead", "factor_notes", "luck_of_many"]


def factor_masthead(study: FactorStudy) -> Block:
    """Sets, data and span, with the number of discoveries as a badge."""
    found, source = study.assessment, study.metadata["source"]
    told = (
        f"{number(len(found.leaderboard) + len(found.market_wide), 0)} features of {', '.join(study.parameters.features.sets)} on source "
        f"\N{LEFT SINGLE QUOTATION MARK}{source}\N{RIGHT SINGLE QUOTATION MARK}, {stamp(found.first)} to {stamp(found.last)}, "
        f"{number(found.n_symbols, 0)} symbols"
    )
    used = f"Data of run <code>{escape(short(study.run_id))}</code>" if study.run_id else "No finished run has used these data"
    kind, text, below = _badge(study)
    shown = f'<div class="badge {kind}">{escape(text)}<small>{escape(below)}</small></div>'
    return Block(f'<div class="masthead"><p>{escape(told)}<br>{used}</p>{shown}</div>')


def factor_headline(study: FactorStudy) -> Block:
    """Four numbers: how many were tested, the best, what luck would show, how many are left."""
    found, many = study.assessment, study.assessment.many
    best = found.leaderboard.iloc[0]
    name = str(found.leaderboard.index[0])
    return cards(
        [
            Card("Features tested", number(many.n_tests, 0), f"worth {text_of(many.n_effective, 0)} independent tests"),
            Card("Largest |t|", text_of(many.largest_t), f"{name}, mean rank IC {text_of(best['rank_ic'], 3)}"),
            Card("Largest |t| by luck", text_of(many.expected_largest_t), f"expected best of {number(many.n_tests, 0)} without skill"),
            Card(
                f"Discoveries at q \N{LESS-THAN OR EQUAL TO} {text_of(many.level, 1)}",
                number(many.n_discoveries, 0),
                f"in {number(_n_clusters(study), 0)} clusters; {number(many.n_discoveries_any_dependence, 0)} under any dependence",
            ),
        ]
    )


def factor_notes(study: FactorStudy) -> Block:
    """Which sessions were looked at, how many features share the evidence, and the caveats of the data."""
    return notes("Read this first", [_span_told(study), _many_told(study), *_alone_told(study), *study.metadata["caveats"]])


def luck_of_many(study: FactorStudy) -> Block:
    """The best feature against the best of as many without skill."""
    many, horizon = study.assessment.many, study.assessment.horizon
    level = percent(many.level)
    rows = [
        ["Features tested", number(many.n_tests, 0), "columns that order symbols and have labels enough"],
        ["Independent tests they are worth", text_of(many.n_effective, 1), "from the correlation of their daily rank ICs"],
        ["Largest |t| found", text_of(many.largest_t), f"of mean rank ICs over {horizon} {bars_of(study).many}"],
        ["Expected by luck, all independent", text_of(many.expected_largest_t), f"of {number(many.n_tests, 0)} tests of nothing"],
        [
            "Expected by luck, as they are",
            text_of(many.expected_largest_t_effective),
            f"of {text_of(many.n_effective, 1)} tests of nothing",
        ],
        [f"Discoveries, {level} of them false", number(many.n_discoveries, 0), "Benjamini, Hochberg: holds for most positive dependence"],
        ["\N{EM SPACE}clusters among them", number(_n_clusters(study), 0), "features that are each other's copy or mirror count once"],
        ["The same, more cautious", number(many.n_discoveries_any_dependence, 0), "Benjamini, Yekutieli: holds for any dependence"],
    ]
    return table(["Statistic", "Value", "Reading"], rows, numbers=(1,), caption="Is the best of them luck?")


def bars_of(study: FactorStudy) -> BarWords:
    """What the bars of a study are called."""
    return bar_words(study.metadata.get("timeframe", "1d"))


def _badge(study: FactorStudy) -> tuple[str, str, str]:
    many = study.assessment.many
    if study.saw_backtest:
        return "rejected", "BACKTEST SEEN", f"{number(study.n_announced, 0)} trials announced"
    if not many.n_discoveries:
        return "noted", "NOTHING SURE", f"no discovery among {number(many.n_tests, 0)}"
    kind = "passed" if many.n_discoveries_any_dependence else "noted"
    return kind, f"{number(many.n_discoveries, 0)} OF {number(many.n_tests, 0)}", f"up to {percent(many.level)} of them false discoveries"


def _n_clusters(study: FactorStudy) -> int:
    """Clusters that the discoveries belong to."""
    board = study.assessment.leaderboard
    return int(board.loc[board["q"] <= study.assessment.many.level, "cluster"].nunique())


def _span_told(study: FactorStudy) -> str:
    last, words = stamp(study.assessment.last), bars_of(study)
    if study.first_backtest is None:
        return f"The data are too short for a backtest with these parameters; all {words.many} to {last} were looked at."
    first = stamp(study.first_backtest)
    if study.saw_backtest:
        counted = f"{number(study.n_announced, 0)} features are announced as trials" if study.n_announced else "simulated, so no trials"
        seen = f"{words.many.capitalize()} from {first} on, which the backtest judges, were looked at"
        return f"{seen}: {counted}, and a choice made here is no test."
    return f"Every label ends before {first}, the first {words.one} that the backtest scores: what is judged later was not looked at."


def _many_told(study: FactorStudy) -> str:
    many = study.assessment.many
    return (
        f"{number(many.n_tests, 0)} features were tested on the same data. The largest |t| is {text_of(many.largest_t)}; "
        f"the best of {number(many.n_tests, 0)} without skill is expected to reach {text_of(many.expected_largest_t)}."
    )


def _alone_told(study: FactorStudy) -> list[str]:
    told = []
    if not study.by_liquidity:
        told.append("Traded value is not in these data, so that features are not judged by liquidity.")
    if study.left_out:
        names = ", ".join(name for name, _ in study.left_out[:5])
        count = "1 feature is" if len(study.left_out) == 1 else f"{number(len(study.left_out), 0)} features are"
        told.append(f"{count} left out, as the data do not carry what is needed: {names}.")
    return told
