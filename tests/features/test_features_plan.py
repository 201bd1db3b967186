"""What the tables can carry is said before it is computed."""

from __future__ import annotations

import pytest

from touchstone import features
from touchstone.errors import ConfigError
from touchstone.features import Feature, FeatureSet, LeftOut
from touchstone.features._kernels import return_between

CLOSES = ("close",)


def test_closes_only_leave_out_what_needs_more_and_say_why() -> None:
    planned = features.plan(["momentum"], fields=CLOSES)
    assert planned.left_out == (
        LeftOut("range_20", "the bars do not carry high, low"),
        LeftOut("volume_ratio_5_60", "the bars do not carry volume"),
        LeftOut("illiquidity_20", "the bars do not carry volume"),
    )
    assert len(planned.columns) == 14
    assert planned.lookback == 505
    assert planned.needs_benchmark


def test_without_a_benchmark_its_features_are_left_out() -> None:
    planned = features.plan(["momentum"], fields=CLOSES, has_benchmark=False)
    assert LeftOut("beta_60", "there is no benchmark") in planned.left_out
    assert "beta_60" not in planned.columns
    assert not planned.needs_benchmark


def test_macro_and_signals_come_sorted_and_macro_is_never_ranked() -> None:
    planned = features.plan(["momentum"], fields=CLOSES, macro_series=("vix", "cpi", "vix"), signal_names=("z", "a"))
    assert planned.columns[14:] == ("macro_cpi", "macro_vix", "signal_a", "signal_z")
    assert set(planned.columns) - set(planned.ranked) == {"macro_cpi", "macro_vix"}


def test_macro_alone_needs_one_session() -> None:
    assert features.plan([], fields=CLOSES, macro_series=("vix",)).lookback == 1


def test_unknown_set_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="got 'momentun': did you mean 'momentum'"):
        features.plan(["momentun"], fields=CLOSES)


def test_no_column_at_all_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"at least one column.*known: .*momentum"):
        features.plan([], fields=CLOSES)


def test_the_same_set_twice_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"got twice: return_1, return_5.* and 9 more"):
        features.plan(["momentum", "momentum"], fields=CLOSES)


def test_a_set_of_your_own_stands_where_it_is_declared() -> None:
    own = FeatureSet("own", (Feature("return_3", ("close",), 4, return_between, (0, 3)),))
    assert features.plan([own, "momentum"], fields=CLOSES).columns[:2] == ("return_3", "return_1")
    assert features.plan(own, fields=CLOSES).columns == ("return_3",)


def test_features_say_what_they_need() -> None:
    own = Feature("impact", ("price_impact", "high"), 2, return_between)
    assert own.fields == ("close", "high", "volume")
    assert not own.needs_benchmark


def test_sets_are_listed() -> None:
    assert list(features.list_sets()) == sorted(features.list_sets())
    assert {"cross_section", "macro", "momentum"} <= set(features.list_sets())
