"""Boosted trees as arrays, and the compiled loop that runs them.

A node asks whether a feature is above a threshold and sends on to the first or to the second of its
children. A child >= 0 is a node, a child c < 0 is the leaf -1 - c. Every tree has room for as many
leaves as the largest; tree i belongs to class i modulo the number of classes.

Features that are not known (NaN) go to the side that the training chose: a row holds every feature
twice, first with NaN as -inf, then as +inf, and a node looks at the copy that sends NaN its way.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker_classifier.compiled import cached, compiled

TREES_AT_ONCE = 4  # a processor waits for the memory of several at a time
ROWS_AT_ONCE = 16  # they stay in the processor's nearest cache while all trees pass by


class Forest(NamedTuple):
    """Trees of n_leaves leaves at most.

    Attributes
    ----------
    feature : int16 array, shape (n_trees, n_leaves - 1)
        Positions in the doubled row.
    threshold : float32 array, shape (n_trees, n_leaves - 1)
    child : int16 array, shape (n_trees, n_leaves - 1, 2)
    value : float32 array, shape (n_trees, n_leaves)
    """

    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    child: NDArray[np.int16]
    value: NDArray[np.float32]


def run_forest(
    features: NDArray[np.float32], forest: Forest, depth: int, n_classes: int
) -> NDArray[np.float32]:
    """Sum the leaves that rows of features reach.

    Parameters
    ----------
    features : float32 array, shape (n, n_features)
    forest : Forest
    depth : int
        The most nodes between a root and a leaf.
    n_classes : int
        Of which the number of trees is a multiple.

    Returns
    -------
    float32 array, shape (n, n_classes)

    Examples
    --------
    >>> stump = Forest(
    ...     np.zeros((4, 1), dtype=np.int16),
    ...     np.full((4, 1), 3.0, dtype=np.float32),
    ...     np.array([[[-1, -2]]] * 4, dtype=np.int16),
    ...     np.array([[1.0, 2.0]] * 4, dtype=np.float32),
    ... )
    >>> run_forest(np.array([[2.0], [4.0], [np.nan]], dtype=np.float32), stump, 1, 1).tolist()
    [[4.0], [8.0], [4.0]]
    """
    return _run(features, *forest, depth, n_classes).astype(np.float32)


def check_forest(forest: Forest, n_features: int) -> None:
    """Refuse trees that would read what is not there.

    Raises
    ------
    ValueError
        A node asks for a feature that is not there, or `longest_path` refuses the trees.
    """
    if ((forest.feature < 0) | (forest.feature >= 2 * n_features)).any():
        msg = "a tree asks for a feature that there is not"
        raise ValueError(msg)
    longest_path(forest.child)


def longest_path(child: NDArray[np.int16]) -> int:
    """Count the nodes on the longest way from a root to a leaf; 0 without trees.

    Raises
    ------
    ValueError
        A node sends to itself or back, or to a node or leaf that is not there.
    """
    if not len(child):
        return 0
    n_nodes = child.shape[1]
    if child.max() >= n_nodes or child.min() < -n_nodes - 1:
        msg = "a tree sends to a node or leaf that it does not have"
        raise ValueError(msg)
    depth = np.ones(child.shape[:2], dtype=np.int64)
    for node in reversed(range(n_nodes)):
        for side in (0, 1):
            to = child[:, node, side]
            if ((to >= 0) & (to <= node)).any():
                msg = "a tree sends to an earlier node"
                raise ValueError(msg)
            below = np.take_along_axis(depth, np.maximum(to, 0)[:, None].astype(np.int64), 1)[:, 0]
            depth[:, node] = np.maximum(depth[:, node], np.where(to >= 0, 1 + below, 1))
    return int(depth[:, 0].max())


@compiled
def _doubled(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Put every feature into a row twice, NaN once as -inf and once as inf."""
    n, n_features = features.shape
    rows = np.empty((n, 2 * n_features), dtype=np.float32)
    for r in range(n):
        for f in range(n_features):
            value = features[r, f]
            rows[r, f] = -np.inf if np.isnan(value) else value
            rows[r, n_features + f] = np.inf if np.isnan(value) else value
    return rows


@compiled
def _next(
    row: NDArray[np.float32],
    feature: NDArray[np.int16],
    threshold: NDArray[np.float32],
    child: NDArray[np.int16],
    tree: int,
    node: int,
) -> int:
    """Go to the next node, or stay in a leaf; without a branch that a processor could miss."""
    at = max(node, 0)
    onward = int(child[tree, at, int(row[feature[tree, at]] > threshold[tree, at])])
    return node if node < 0 else onward


@cached
def _run(
    features: NDArray[np.float32],
    feature: NDArray[np.int16],
    threshold: NDArray[np.float32],
    child: NDArray[np.int16],
    value: NDArray[np.float32],
    depth: int,
    n_classes: int,
) -> NDArray[np.float64]:
    rows = _doubled(features)
    total = np.zeros((len(rows), n_classes))
    for first in range(0, len(rows), ROWS_AT_ONCE):
        last = min(first + ROWS_AT_ONCE, len(rows))
        for t in range(0, len(feature), TREES_AT_ONCE):
            for r in range(first, last):
                row, a, b, c, d = rows[r], 0, 0, 0, 0
                for _ in range(depth):
                    a = _next(row, feature, threshold, child, t, a)
                    b = _next(row, feature, threshold, child, t + 1, b)
                    c = _next(row, feature, threshold, child, t + 2, c)
                    d = _next(row, feature, threshold, child, t + 3, d)
                total[r, t % n_classes] += value[t, -1 - a]
                total[r, (t + 1) % n_classes] += value[t + 1, -1 - b]
                total[r, (t + 2) % n_classes] += value[t + 2, -1 - c]
                total[r, (t + 3) % n_classes] += value[t + 3, -1 - d]
    return total
