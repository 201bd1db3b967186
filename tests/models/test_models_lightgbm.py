"""The text of the trees: nothing lost, nothing of the machine in it."""

from __future__ import annotations

import lightgbm
import numpy as np
import pandas as pd
import pytest

from touchstone.errors import DataError
from touchstone.models import LightGBM, restore

SMALL = {"n_trees": 8, "min_data_in_leaf": 20}


def test_the_text_stops_at_the_trees_and_still_loads(panel):
    model = LightGBM(**SMALL).fit(panel.features, panel.target)
    text = model.dump().decode()
    assert text.startswith("tree\n")
    assert text.endswith("\nend of trees\n")
    assert "num_threads" not in text
    assert "pandas_categorical" not in text
    assert text.count("Tree=") == 8


def test_the_text_scores_as_the_booster_that_was_trained(panel):
    settings = LightGBM(**SMALL)._settings()
    matrix = panel.features.to_numpy(np.float32)
    booster = lightgbm.train(settings, lightgbm.Dataset(matrix, label=panel.target.to_numpy(), params=settings), num_boost_round=8)
    ours = LightGBM(**SMALL).fit(panel.features, panel.target)
    np.testing.assert_array_equal(ours.predict(panel.features), booster.predict(matrix))


def test_threads_change_no_byte_on_more_rows_than_a_block(panel):
    rng = np.random.default_rng(2)
    index = pd.MultiIndex.from_product([pd.bdate_range("2020-01-01", periods=200), range(40)], names=["date", "symbol"])
    features = pd.DataFrame(rng.standard_normal((len(index), 6)).astype(np.float32), index=index, columns=list("abcdef"))
    target = pd.Series(0.2 * features["a"].to_numpy(np.float64) + rng.standard_normal(len(index)), index=index)
    one, two = (
        LightGBM(n_trees=15, bagging_fraction=0.5, feature_fraction=0.5, threads=threads).fit(features, target) for threads in (1, 2)
    )
    assert one.dump() == two.dump()


def test_the_seed_matters(panel):
    first, second = (LightGBM(**SMALL, seed=seed).fit(panel.features, panel.target).dump() for seed in (1, 2))
    assert first != second


def test_too_few_rows_for_a_split_give_a_constant(panel):
    model = LightGBM(min_data_in_leaf=1000).fit(panel.features, panel.target)
    assert np.unique(restore("lightgbm", model.dump()).predict(panel.features)).size == 1


@pytest.mark.parametrize("name", ["with blank", "a,b", 'a"b', "a:b", "tab\tbed"])
def test_names_that_the_text_cannot_hold_are_refused(panel, name):
    with pytest.raises(DataError, match="must do without blanks"):
        LightGBM(**SMALL).fit(panel.features.rename(columns={"feature_0": name}), panel.target)
