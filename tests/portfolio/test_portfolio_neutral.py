from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from portfolio_cases import frame_of, random_scores

from touchstone.errors import ConfigError, DataError, OrderError
from touchstone.market import Sectors
from touchstone.portfolio import neutralise, score_weights

SECTORS = {"A": "tech", "B": "tech", "C": "oil", "D": "oil"}


def sectors_of(sectors: dict[str, str], *, start: str = "2019-01-01", end: str = "2030-01-01") -> Sectors:
    spans = {"start": pd.Timestamp(start).as_unit("us"), "end": pd.Timestamp(end).as_unit("us")}
    return Sectors(pd.DataFrame({"symbol": list(sectors), "sector": list(sectors.values()), **spans}))


def test_sector_neutral_by_hand() -> None:
    """Less each sector's mean: 0.1 -0.1 | -0.2 0.2, whose sizes sum to 0.6, scaled to the gross of 1 there was."""
    weights = frame_of({"A": [0.4], "B": [0.2], "C": [-0.4], "D": [0.0], "E": [0.0]})
    weights["D"] = 0.0
    full = frame_of({"A": [0.3], "B": [0.1], "C": [-0.5], "D": [-0.1]})
    assert neutralise(full, sectors=sectors_of(SECTORS)).iloc[0].to_dict() == pytest.approx(
        {"A": 1 / 6, "B": -1 / 6, "C": -1 / 3, "D": 1 / 3}
    )
    # C is the only name of its sector that is held: nothing can stand against it.
    alone = neutralise(weights, sectors=sectors_of(SECTORS)).iloc[0]
    assert alone.to_dict() == pytest.approx({"A": 0.5, "B": -0.5, "C": 0.0, "D": 0.0, "E": 0.0})


def test_beta_neutral_by_hand() -> None:
    """w - b (b.w) / (b.b) with b = (1, 2), w = (1/2, 1/2): (0.2, -0.1), scaled to gross 1."""
    neutral = neutralise(frame_of({"A": [0.5], "B": [0.5]}), betas=frame_of({"A": [1.0], "B": [2.0]}))
    assert neutral.iloc[0].to_list() == pytest.approx([2 / 3, -1 / 3])


def test_sectors_are_those_of_the_date() -> None:
    frame = pd.concat(
        [sectors_of(SECTORS, end="2020-01-01").frame, sectors_of({**SECTORS, "B": "oil", "C": "tech"}, start="2020-01-02").frame],
        ignore_index=True,
    )
    weights = frame_of({"A": [0.3] * 2, "B": [0.2] * 2, "C": [-0.4] * 2, "D": [-0.1] * 2})
    neutral = neutralise(weights, sectors=Sectors(frame))
    assert neutral["A"].iloc[0] == pytest.approx(-neutral["B"].iloc[0])
    assert neutral["A"].iloc[1] == pytest.approx(-neutral["C"].iloc[1])


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), with_sectors=st.booleans(), with_betas=st.booleans(), dollar=st.booleans())
def test_exposures_are_gone_gross_is_kept_and_it_is_a_projection(seed: int, with_sectors: bool, with_betas: bool, dollar: bool) -> None:
    if not (with_sectors or with_betas or dollar):
        dollar = True
    weights = score_weights(random_scores(seed, n_names=12, n_sessions=3))
    rng = np.random.default_rng(seed)
    sector = {name: "abc"[number % 3] for number, name in enumerate(weights.columns)}
    betas = pd.DataFrame(rng.normal(1.0, 0.3, weights.shape), index=weights.index, columns=weights.columns)
    given_sectors, given_betas = sectors_of(sector) if with_sectors else None, betas if with_betas else None
    neutral = neutralise(weights, sectors=given_sectors, betas=given_betas, dollar=dollar)
    np.testing.assert_allclose(neutral.abs().sum(axis=1), weights.abs().sum(axis=1), rtol=1e-12)
    if dollar or with_sectors:
        np.testing.assert_allclose(neutral.sum(axis=1), 0.0, atol=1e-14)
    if with_betas:
        np.testing.assert_allclose((neutral * betas).sum(axis=1), 0.0, atol=1e-14)
    if with_sectors:
        np.testing.assert_allclose(neutral.T.groupby(sector).sum(), 0.0, atol=1e-14)
    for date, row in weights.iterrows():  # least squares on the columns themselves
        held = row[row != 0.0].index
        columns = [np.ones(len(held))] if dollar else []
        columns += [betas.loc[date, held].to_numpy()] if with_betas else []
        columns += [np.array([sector[name] == one for name in held], dtype=float) for one in "abc"] if with_sectors else []
        exposures = np.array(columns).T
        rest = row[held] - exposures @ np.linalg.lstsq(exposures, row[held], rcond=None)[0]
        np.testing.assert_allclose(neutral.loc[date, held], rest * row.abs().sum() / rest.abs().sum(), atol=1e-12)


def test_what_cannot_be_neutral_names_the_date() -> None:
    weights = frame_of({"A": [0.0, 0.5], "B": [0.0, 0.5]})
    with pytest.raises(OrderError, match="the 2 held on 2020-01-02 leave nothing"):
        neutralise(weights, dollar=True)
    with pytest.raises(DataError, match="beta of every held name must be known at its decision, but is not for B on 2020-01-02"):
        neutralise(weights, betas=frame_of({"A": [1.0, 1.0], "B": [1.0, np.nan]}))
    with pytest.raises(ConfigError, match="against something"):
        neutralise(weights)
