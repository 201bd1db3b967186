"""Figures say what their numbers say, refuse what cannot be drawn, and write the same bytes every time."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from touchstone import plots
from touchstone.errors import DataError

DATES = pd.bdate_range("2015-01-02", periods=900, unit="us")


@pytest.fixture
def returns() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    market = 0.0004 + 0.009 * rng.standard_normal(len(DATES))
    net = 0.0001 + 0.004 * rng.standard_normal(len(DATES))
    return pd.DataFrame({"net": net, "gross": net + 0.0001, "benchmark": market, "equal_weighted": 1.1 * market}, index=DATES)


def texts(figure: object) -> list[str]:
    (axes,) = figure.axes  # type: ignore[attr-defined]
    return [text.get_text() for text in axes.texts]


def test_growth_compounds_from_one_and_keeps_a_series_without_values_missing() -> None:
    returns = pd.DataFrame({"net": [np.nan, 0.1, -0.5], "benchmark": [np.nan] * 3}, index=DATES[:3])

    grown = plots.growth(returns)

    assert grown["net"].tolist() == pytest.approx([1.0, 1.1, 0.55])
    assert grown["benchmark"].isna().all()


def test_equity_curve_labels_each_series_with_what_it_came_to(returns: pd.DataFrame) -> None:
    grown = plots.growth(returns)

    written = texts(plots.equity_curve(grown, labels={"benchmark": "Index, price only"}))

    final = 100 * (grown.iloc[-1] - 1)
    assert f"Net of costs  {final['net']:.0f}%".replace("-", "\N{MINUS SIGN}") in written
    assert any(text.startswith("Index, price only") for text in written)
    assert len(written) == 4


def test_equity_curve_labels_of_series_that_end_together_do_not_touch() -> None:
    ends = pd.DataFrame({name: [1.0, 1.1 + 0.0001 * place] for place, name in enumerate("abcde")}, index=DATES[:2])

    (axes,) = plots.equity_curve(ends).axes

    heights = sorted(text.get_position()[1] for text in axes.texts)
    assert np.diff(heights).min() * 3.28 * 72 >= 8.0, "labels are eight points high"
    assert heights[-1] <= 1.0


def test_equity_curve_leaves_out_a_benchmark_that_is_not_there(returns: pd.DataFrame) -> None:
    (axes,) = plots.equity_curve(plots.growth(returns.assign(benchmark=np.nan))).axes

    assert not any("Benchmark" in text.get_text() for text in axes.texts)


@pytest.mark.parametrize("low", [0.93, 0.4, 0.05])
def test_equity_curve_has_readable_ticks_whatever_the_range(low: float) -> None:
    curve = pd.DataFrame({"net": np.geomspace(1.0, low, len(DATES))}, index=DATES)

    (axes,) = plots.equity_curve(curve).axes

    assert 3 <= len(axes.get_yticks()) <= 9


def test_equity_curve_on_a_log_scale_refuses_a_value_at_zero() -> None:
    ruined = pd.DataFrame({"net": [1.0, 0.0]}, index=DATES[:2])

    with pytest.raises(DataError, match="log_scale=False"):
        plots.equity_curve(ruined)
    assert plots.to_svg(plots.equity_curve(ruined, log_scale=False))


def test_drawdown_marks_the_deepest_fall_counted_from_the_starting_capital() -> None:
    written = texts(plots.drawdown(pd.Series([-0.1, -0.1, 0.5, -0.05], index=DATES[:4])))

    assert written == [f"\N{MINUS SIGN}19.0%  {DATES[1]:%d %b %Y}"]


def test_drawdown_of_decades_keeps_its_trough_and_stays_small() -> None:
    dates = pd.bdate_range("1990-01-01", periods=9000, unit="us")
    returns = pd.Series(0.005 * np.random.default_rng(0).standard_normal(9000), index=dates)
    value = (1 + returns).cumprod()
    deepest = (value / np.maximum(value.cummax(), 1.0) - 1).min()

    figure = plots.drawdown(returns)

    assert texts(figure)[0].startswith(f"\N{MINUS SIGN}{-100 * deepest:.1f}%")
    assert len(plots.to_svg(figure)) < 120_000


def test_monthly_returns_compound_within_the_month_and_the_year() -> None:
    dates = pd.to_datetime(["2020-01-30", "2020-01-31", "2020-03-02", "2021-02-01"]).as_unit("us")

    table = plots.monthly_returns(pd.Series([0.1, 0.1, -0.5, 0.02], index=dates))

    assert table.loc[2020, 1] == pytest.approx(0.21)
    assert np.isnan(table.loc[2020, 2])
    assert table.loc[2020, "year"] == pytest.approx(1.21 * 0.5 - 1)
    assert table.loc[2021, "year"] == pytest.approx(0.02)


def test_monthly_heatmap_writes_each_month_once(returns: pd.DataFrame) -> None:
    table = plots.monthly_returns(returns["net"])

    written = texts(plots.monthly_heatmap(returns["net"]))

    assert len(written) == int(table.notna().sum().sum())
    assert f"{100 * table.loc[2016, 3]:.1f}".replace("-", "\N{MINUS SIGN}") in written


def test_ic_over_time_names_the_mean_of_all(returns: pd.DataFrame) -> None:
    ic = pd.Series(0.03 + 0.2 * np.random.default_rng(1).standard_normal(180), index=DATES[::5])
    ic.iloc[3] = np.nan

    figure = plots.ic_over_time(ic, window=40)

    assert texts(figure) == [f"Mean {ic.mean():.3f}".replace("-", "\N{MINUS SIGN}")]
    (axes,) = figure.axes
    rolling = next(line for line in axes.lines if line.get_linewidth() == 1.6)
    np.testing.assert_allclose(rolling.get_ydata(), ic.dropna().rolling(40).mean())


def test_ic_over_time_draws_a_dot_for_each_coefficient_however_many() -> None:
    ic = pd.Series(0.02 + 0.03 * np.random.default_rng(2).standard_normal(900), index=DATES)

    figure = plots.ic_over_time(ic)

    low, high = figure.axes[0].get_ylim()
    strokes = re.findall(rb"M (\S+ \S+) \nL \1 \n", plots.to_svg(figure))
    assert len(strokes) >= int(ic.between(low, high).sum()) > 400


@pytest.mark.parametrize("worst", [-0.45, -0.031, -3.0])
def test_ticks_are_evenly_spaced_as_written(worst: float) -> None:
    (axes,) = plots.cost_curve(pd.Series({0.0: 0.1, 1.0: worst})).axes

    written = [float(axes.yaxis.get_major_formatter()(tick).replace("\N{MINUS SIGN}", "-")) for tick in axes.get_yticks()]
    np.testing.assert_allclose(np.diff(written), np.diff(written)[0])


def test_ic_over_time_draws_fewer_dates_than_the_window() -> None:
    assert plots.to_svg(plots.ic_over_time(pd.Series([0.1], index=DATES[:1])))


def test_quantile_returns_draws_one_labelled_bar_a_quantile() -> None:
    table = pd.DataFrame({"mean_return": [-0.002, 0.001, np.nan, 0.0034]}, index=[1, 2, 3, 4])

    figure = plots.quantile_returns(table)

    assert "0.34%" in texts(figure)
    assert not any("nan" in text for text in texts(figure))
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["1 (lowest)", "2", "3", "4 (highest)"]


def test_trade_costs_add_up_to_what_the_labels_say() -> None:
    costs = pd.DataFrame({"commission": 0.0001, "spread": 0.0005, "borrow": np.nan}, index=DATES[:100])
    costs.iloc[0, 2] = 0.02

    assert sorted(texts(plots.trade_costs(costs))) == ["Borrow  2.0%", "Commission  1.0%", "Spread  5.0%"]


def test_cost_curve_labels_every_multiple_in_order() -> None:
    figure = plots.cost_curve(pd.Series({2.0: -0.25, 0.0: 1.5, 1.0: 0.7, 3.0: np.nan}))

    assert texts(figure) == ["1.50", "0.70", "\N{MINUS SIGN}0.25"]


FIGURES = {
    "equity_curve": lambda values: plots.equity_curve(values.to_frame("net")),
    "drawdown": plots.drawdown,
    "monthly_heatmap": plots.monthly_heatmap,
    "ic_over_time": plots.ic_over_time,
    "trade_costs": lambda values: plots.trade_costs(values.to_frame("spread")),
}


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_finite_or_no_dates_is_refused_with_the_way_out(name: str) -> None:
    with pytest.raises(DataError, match="at least one finite value"):
        FIGURES[name](pd.Series([np.nan, np.nan], index=DATES[:2]))
    with pytest.raises(DataError, match="index it by date"):
        FIGURES[name](pd.Series([0.1, 0.2]))


def test_quantiles_and_multiples_without_values_are_refused() -> None:
    with pytest.raises(DataError, match="finite mean"):
        plots.quantile_returns(pd.DataFrame({"mean_return": [np.nan]}, index=[1]))
    with pytest.raises(DataError, match="finite Sharpe"):
        plots.cost_curve(pd.Series({1.0: np.nan}))


@pytest.mark.parametrize("name", FIGURES)
def test_inputs_are_left_as_they_were(name: str) -> None:
    given = pd.Series(np.linspace(0.9, 1.1, 60), index=DATES[:60])
    before = given.copy()

    FIGURES[name](given)

    pd.testing.assert_series_equal(given, before)


def test_svg_is_well_formed_and_says_nothing_of_when_and_where() -> None:
    svg = plots.to_svg(plots.drawdown(pd.Series([0.1, -0.2], index=DATES[:2])))

    assert ET.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
    for secret in (b"Matplotlib v", b"date>", b"/home", b"/work"):
        assert secret not in svg
    assert b"<text" not in svg, "text is drawn as outlines, so that no reader's font moves it"


def test_a_readers_own_matplotlib_settings_change_no_byte(returns: pd.DataFrame) -> None:
    plain = plots.to_svg(plots.drawdown(returns["net"]))

    with mpl.rc_context({"font.size": 20.0, "svg.fonttype": "none", "axes.grid": False, "lines.linewidth": 9.0, "svg.hashsalt": "mine"}):
        assert plots.to_svg(plots.drawdown(returns["net"])) == plain
        assert mpl.rcParams["font.size"] == 20.0, "and they are given back"


def test_another_process_writes_the_same_bytes() -> None:
    script = (
        "import sys, numpy as np, pandas as pd; from touchstone import plots;"
        "dates = pd.bdate_range('2015-01-02', periods=300, unit='us');"
        "values = pd.Series(np.sin(np.arange(300.0)) / 50, index=dates);"
        "figures = [plots.equity_curve(plots.growth(values.to_frame('net'))), plots.monthly_heatmap(values)];"
        "sys.stdout.buffer.write(b''.join(plots.to_svg(figure) for figure in figures));"
        "assert 'matplotlib.pyplot' not in sys.modules, 'figures need no global state'"
    )

    first, second = (subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout for _ in range(2))

    assert first == second
    assert first.count(b"<svg") == 2
