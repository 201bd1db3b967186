"""Which features say the same: rank correlations pooled over sessions, and clusters of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.evaluation._factor_grid import Cells
from touchstone.evaluation._factor_kernels import rank_rows
from touchstone.types import BoolArray, FloatArray, IntArray

__all__ = ["Clusters", "cluster_features", "rank_correlation"]


@dataclass(frozen=True, eq=False)
class Clusters:
    """Features grouped by what they say.

    Attributes
    ----------
    correlation : DataFrame, shape (n_features, n_features)
        Rank correlation, in the order of the tree, so that those alike are neighbours.
    members : DataFrame, index the feature in the same order
        `cluster` (from 1, along the order) and `represents` (whether it is the member most like all others of its cluster).
    """

    correlation: pd.DataFrame
    members: pd.DataFrame

    @property
    def n_clusters(self) -> int:
        return int(self.members["cluster"].max()) if len(self.members) else 0


def rank_correlation(matrix: pd.DataFrame, *, n_sessions: int = 250) -> pd.DataFrame:
    """Spearman correlation of each pair of features across symbols, pooled over sessions.

    Ranks are taken within a session among the symbols with a value and centred, so that no drift over time passes for likeness;
    products are summed over the rows where both are there.

    Parameters
    ----------
    matrix : DataFrame, index (date, symbol), date-major
    n_sessions : int
        Sessions at most, evenly spaced.

    Returns
    -------
    DataFrame
        NaN for features that never vary across symbols. Known at the last session's close.
    """
    cells = Cells.of(matrix.index)
    edges, n_features = cells.first_row, matrix.shape[1]
    products, squares = np.zeros((n_features, n_features)), np.zeros((n_features, n_features))
    for session in _spaced(len(cells.dates), n_sessions):
        ranks = _session_ranks(matrix.iloc[edges[session] : edges[session + 1]].to_numpy(np.float64))
        there = (~np.isnan(ranks)).astype(np.float64)
        filled = np.nan_to_num(ranks)
        products += filled @ filled.T
        squares += filled**2 @ there.T
    scale = np.sqrt(squares * squares.T)
    values = np.divide(products, scale, out=np.full(scale.shape, np.nan), where=scale > 0.0)
    return pd.DataFrame(np.clip(values, -1.0, 1.0), index=matrix.columns, columns=matrix.columns)


def cluster_features(correlation: pd.DataFrame, *, threshold: float = 0.7) -> Clusters:
    """Average linkage on the distance 1 - |correlation|, cut where members are on average less alike than the threshold.

    Parameters
    ----------
    correlation : DataFrame, as `rank_correlation` gives it; features without any are left out, pairs without count as 0.
    threshold : float, in (0, 1)
        Mean absolute correlation that holds a cluster together.
    """
    own = np.isfinite(np.diag(correlation.to_numpy()))
    kept = correlation.loc[own, own]
    likeness = np.nan_to_num(kept.abs().to_numpy())
    leaves, flat = _tree(likeness, 1.0 - threshold)
    names = kept.columns[leaves]
    numbers = pd.factorize(flat[leaves])[0] + 1
    members = pd.DataFrame({"cluster": numbers, "represents": _medoids(likeness[np.ix_(leaves, leaves)], numbers)}, index=names)
    return Clusters(kept.loc[names, names], members)


def _tree(likeness: FloatArray, cut: float) -> tuple[IntArray, IntArray]:
    """Leaves in the order of the tree, and the flat cluster of each feature."""
    if len(likeness) < 2:
        return np.arange(len(likeness)), np.ones(len(likeness), dtype=np.int64)
    from scipy.cluster.hierarchy import average, fcluster, leaves_list

    distances = np.maximum(1.0 - likeness[np.triu_indices(len(likeness), k=1)], 0.0)
    tree = average(distances)
    return leaves_list(tree).astype(np.int64), fcluster(tree, t=cut, criterion="distance").astype(np.int64)


def _medoids(likeness: FloatArray, numbers: IntArray) -> BoolArray:
    same = numbers[:, None] == numbers[None, :]
    closeness = np.where(same, likeness, 0.0).sum(axis=1)
    represents = np.zeros(len(numbers), dtype=bool)
    for number in np.unique(numbers):
        places = np.flatnonzero(numbers == number)
        represents[places[np.argmax(closeness[places])]] = True
    return represents


def _session_ranks(rows: FloatArray) -> FloatArray:
    """Centred ranks of (n_rows, n_features) within each column, as (n_features, n_rows)."""
    columns = np.ascontiguousarray(rows.T)
    out = np.empty(columns.shape)
    rank_rows(columns, np.argsort(columns, axis=1), out)
    return out


def _spaced(n: int, at_most: int) -> IntArray:
    return np.unique(np.linspace(0, n - 1, min(n, at_most)).round().astype(np.int64))
