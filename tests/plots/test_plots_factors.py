"""Figures of the factor report: they show what their numbers say, also with hundreds of features, and refuse what cannot be drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from touchstone import plots
from touchstone.errors import DataError


def board(n: int) -> pd.DataFrame:
    means = np.linspace(0.05, -0.05, n)
    index = pd.Index([f"F{place:03d}" for place in range(n)], name="feature")
    q = np.where(np.arange(n) == 0, 0.01, 0.8)
    return pd.DataFrame(
        {"rank_ic": means, "lower": means - 0.01, "upper": means + 0.01, "q": q, "t": 100 * means, "degrees": 40}, index=index
    )


def names(axes: object) -> list[str]:
    return [tick.get_text() for tick in axes.get_yticklabels()]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("n", "left", "right"), [(158, 20, 20), (15, 8, 7), (1, 1, 0)])
def test_the_leaderboard_shows_each_feature_once_and_of_many_the_ends(n: int, left: int, right: int) -> None:
    high, low = plots.factor_leaderboard(board(n).sample(frac=1.0, random_state=1)).axes

    assert names(high) == [f"F{place:03d}" for place in range(left)]
    assert names(low) == [f"F{place:03d}" for place in range(n - 1, n - 1 - right, -1)]
    assert high.get_xlim() == low.get_xlim()


def test_what_is_sure_is_dark() -> None:
    high, low = plots.factor_leaderboard(board(30), level=0.1).axes

    pale, dark = (line for line in high.lines if line.get_linestyle() == "None")
    assert dark.get_xdata().tolist() == [0.05]
    assert len(pale.get_xdata()) == 14
    assert pale.get_color() != dark.get_color()
    assert [len(line.get_xdata()) for line in low.lines if line.get_linestyle() == "None"] == [15, 0]


def test_chances_compare_with_the_quantiles_of_a_test_of_nothing() -> None:
    (axes,) = plots.factor_chances(board(158), expected_largest=3.1).axes

    points = next(line for line in axes.lines if line.get_marker() == "o")
    assert np.all(np.diff(points.get_ydata()) >= 0)
    assert len(points.get_xdata()) == 158
    # The middle of |t| with 40 degrees of freedom: 0.6807, tables of Student's distribution.
    assert np.median(points.get_xdata()) == pytest.approx(0.6807, abs=1e-3)
    assert any("best of 158 by luck: 3.10" in text.get_text() for text in axes.texts)


@pytest.mark.parametrize("n", [3, 158, 360])
def test_correlations_of_any_number_fit_and_clusters_are_squares(n: int) -> None:
    values = pd.DataFrame(np.eye(n) - 0.5 * (1 - np.eye(n)), index=[f"F{place}" for place in range(n)], columns=range(n))

    figure = plots.factor_correlations(values, pd.Series([1, 1, *range(2, n)]))

    axes = figure.axes[0]
    (square,) = axes.lines
    assert square.get_xdata().max() == 1.5
    assert axes.images[0].get_array().min() == 0.5, "the sign is left out"
    svg = plots.to_svg(figure)
    assert svg == plots.to_svg(plots.factor_correlations(values, pd.Series([1, 1, *range(2, n)])))
    assert len(svg) < 150_000


def test_decay_and_quantiles_have_a_panel_for_each_on_one_scale() -> None:
    means = pd.DataFrame([[0.01, 0.02], [0.03, np.nan], [-0.02, 0.0], [0.0, 0.01]], index=list("abcd"), columns=[1, 60])

    decay = plots.factor_decay(means, means - 0.5, means + 0.01)
    quantiles = plots.factor_quantiles(pd.DataFrame([[1.0, 2.0, 3.0]], index=["a"], columns=[1, 2, 3]) / 100)

    assert [axes.get_title(loc="left") for axes in decay.axes] == list("abcd")
    assert len({axes.get_ylim() for axes in decay.axes}) == 1
    assert decay.axes[0].get_ylim()[1] < 0.1, "one wide interval flattens nothing"
    assert [bar.get_height() for bar in quantiles.axes[0].patches] == pytest.approx([-0.01, 0.0, 0.01])


def test_a_cumulative_line_begins_with_its_feature() -> None:
    dates = pd.bdate_range("2020-01-01", periods=4, unit="us")
    ic = pd.DataFrame({"early": [0.1, np.nan, 0.1, 0.1], "late": [np.nan, np.nan, 0.2, 0.2]}, index=dates)

    (axes,) = plots.cumulative_ic(ic).axes

    early, late = axes.lines[:2]
    assert early.get_ydata()[[0, 2, 3]].tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert np.isnan(late.get_ydata()[:2]).all()
    assert {text.get_text() for text in axes.texts} == {"early", "late"}


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.factor_leaderboard(board(3).assign(rank_ic=np.nan)),
        lambda: plots.factor_chances(board(3).assign(t=np.nan), expected_largest=1.0),
        lambda: plots.factor_correlations(pd.DataFrame([[1.0]]), pd.Series([1])),
        lambda: plots.factor_decay(board(0)[["rank_ic"]], board(0)[["lower"]], board(0)[["upper"]]),
        lambda: plots.factor_quantiles(board(2)[["rank_ic"]] * np.nan),
        lambda: plots.cumulative_ic(pd.DataFrame(1.0, index=pd.bdate_range("2020-01-01", periods=3), columns=range(7))),
    ],
)
def test_nothing_to_draw_is_said(draw: object) -> None:
    with pytest.raises(DataError):
        draw()  # type: ignore[operator]
