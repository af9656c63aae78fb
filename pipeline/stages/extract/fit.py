"""Pages with known text -> Forest: how the judge of blocks is trained; needs the extra defnews[train].

A block is the article's when most of its runs of three words are in the known text. Features are cut into bins before
the training, so that its thresholds are values of the features and the forest scores as what was trained.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from pipeline.stages.extract.forest import Forest

TREES, LEAVES, DEPTH, RATE, SHRINKAGE, FEWEST, SHARE = 90, 31, 8, 0.1, 5.0, 40, 0.3
BINS = 128
RUN = 3  # words
SHORT = 8  # words; of shorter blocks that are not the article's one in THINNED is learnt from, and counts as many
THINNED = 3
_WORD = re.compile(r"\w+")

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The blocks of one page."""

    values: NDArray[np.float32]  # (features, blocks)
    target: Array  # in [0, 1]: the share of a block that is in the article
    words: Array  # of each block


def sample(values: NDArray[np.float32], texts: Sequence[str], known: str) -> Sample:
    """The blocks of a page whose text is known."""
    cut = [_WORD.findall(text.lower()) for text in texts]
    whole = _WORD.findall(known.lower())
    runs = set(_runs(whole))
    lines = {tuple(_WORD.findall(line)) for line in known.lower().splitlines()}
    target = [
        sum(run in runs for run in _runs(words)) / (len(words) - RUN + 1)
        if len(words) >= RUN
        else float(bool(words) and tuple(words) in lines)
        for words in cut
    ]
    return Sample(values, np.array(target), np.array([len(words) for words in cut]))


def fit(samples: Sequence[Sample], columns: tuple[str, ...]) -> Forest:
    """Train a forest; the same samples make the same forest."""
    values = np.concatenate([one.values for one in samples], axis=1)
    weights = np.concatenate([_weights(one) for one in samples])
    target = np.concatenate([one.target for one in samples]) >= 0.5
    words = np.concatenate([one.words for one in samples])
    thinned = ~target & (words < SHORT)
    kept = ~thinned | (np.arange(len(words)) % THINNED == 0)
    edges = [edges_of(row) for row in values]
    with threadpool_limits(1):
        model = HistGradientBoostingClassifier(
            max_iter=TREES,
            max_leaf_nodes=LEAVES,
            max_depth=DEPTH,
            learning_rate=RATE,
            l2_regularization=SHRINKAGE,
            min_samples_leaf=FEWEST,
            max_features=SHARE,
            early_stopping=False,
            random_state=0,
        )
        weights = np.where(thinned, weights * THINNED, weights)[kept]
        model.fit(binned(values[:, kept], edges), target[kept], sample_weight=weights / weights.mean())
    return exported(model, edges, columns)


def binned(values: NDArray[np.float32], edges: Sequence[Array]) -> Array:
    """The bin of each value, which holds what is at most its edge: (features, rows) -> (rows, features)."""
    rows = (np.searchsorted(edge, row) for edge, row in zip(edges, values, strict=True))
    return np.stack(list(rows), axis=1).astype(np.float32)


def _runs(words: Sequence[str]) -> list[tuple[str, ...]]:
    return list(zip(*(words[at:] for at in range(RUN)), strict=False))


def _weights(one: Sample) -> Array:
    """A long block counts more than a short one, a long page more than a short one, but less than by its length."""
    roots = np.sqrt(np.maximum(one.words, 1))
    return np.asarray(roots / np.sqrt(roots.sum()))


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
