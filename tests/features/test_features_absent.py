"""A member that is known to have no bar: the online form ranks the others, as the batch does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from touchstone import features
from touchstone.errors import DataError


@pytest.fixture(scope="module")
def halted(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """BBB has no bar on the last session."""
    return {**tables, "bars": tables["bars"].drop((tables["bars"].index[-1][0], "BBB"))}


@pytest.mark.parametrize("has_universe", [True, False])
def test_the_others_are_ranked_as_in_the_batch(halted: dict[str, pd.DataFrame], has_universe: bool) -> None:
    rest = {name: table for name, table in halted.items() if name != "bars" and (has_universe or name != "universe")}
    bars = halted["bars"] if has_universe else halted["bars"].drop(index="FFF", level="symbol")
    batch = features.compute(bars, "momentum", **rest, transform="rank")
    expected = batch.loc[[batch.index[-1][0]]]
    online = features.latest(bars, "momentum", absent=["BBB"], **rest, transform="rank")
    assert "BBB" not in online.index.get_level_values("symbol")
    assert online.index.tolist() == expected.index.tolist()
    assert np.array_equal(online.to_numpy().view(np.int32), expected.to_numpy().view(np.int32))


def test_one_that_is_not_named_is_still_an_error(halted: dict[str, pd.DataFrame]) -> None:
    rest = {name: table for name, table in halted.items() if name != "bars"}
    with pytest.raises(DataError, match=r"BBB of the universe has no bar: .* say that there is none \(absent\)"):
        features.latest(halted["bars"], "momentum", **rest, transform="rank")


def test_one_that_is_named_and_has_a_bar_is_an_error(halted: dict[str, pd.DataFrame]) -> None:
    rest = {name: table for name, table in halted.items() if name != "bars"}
    with pytest.raises(DataError, match=r"said to be absent must have no bar on .*, but CCC has one"):
        features.latest(halted["bars"], "momentum", absent=["BBB", "CCC"], **rest, transform="rank")
