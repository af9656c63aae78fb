"""Values in bins -> Forest: how boosted trees are trained and kept; needs the extra defnews[train].

Features are cut into bins before the training, so that its thresholds are values of the features and the forest scores
as what was trained.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from pipeline.stages.forest import Forest

BINS = 128

Array = NDArray[Any]


def binned(values: NDArray[np.float32], edges: Sequence[Array]) -> Array:
    """The bin of each value, which holds what is at most its edge: (features, rows) -> (rows, features)."""
    rows = (np.searchsorted(edge, row) for edge, row in zip(edges, values, strict=True))
    return np.stack(list(rows), axis=1).astype(np.float32)


def edges_of(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where to cut a feature into at most BINS bins of like mass."""
    distinct = np.unique(values)
    if len(distinct) > BINS:
        distinct = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:], method="lower"))
    return distinct[:-1]


def exported(model: HistGradientBoostingClassifier, edges: Sequence[Array], columns: tuple[str, ...]) -> Forest:
    """A model that was trained on bins, as a forest of the features themselves."""
    trees = [predictors[0].nodes for predictors in model._predictors]
    shape = (len(trees), max(len(nodes) for nodes in trees))
    feature, child = np.zeros(shape, np.int16), np.zeros(shape, np.int16)
    threshold, value = np.full(shape, np.inf, np.float32), np.zeros(shape)
    for at, nodes in enumerate(trees):
        place = _siblings_adjacent(nodes)
        for old, node in enumerate(nodes):
            new = place[old]
            if node["is_leaf"]:
                child[at, new], value[at, new] = new, node["value"]
            else:
                row = node["feature_idx"]
                feature[at, new], child[at, new] = row, place[node["left"]]
                threshold[at, new] = edges[row][int(node["num_threshold"])]
    depth = max(int(nodes["depth"].max()) for nodes in trees)
    bias = float(np.ravel(model._baseline_prediction)[0])
    return Forest(columns, feature, threshold, child, value, depth, bias)


def _siblings_adjacent(nodes: Array) -> dict[int, int]:
    """Where each node goes, so that the right child comes just after the left one."""
    place, order = {0: 0}, [0]
    for old in order:
        if not nodes[old]["is_leaf"]:
            for side in ("left", "right"):
                place[int(nodes[old][side])] = len(place)
                order.append(int(nodes[old][side]))
    return place
