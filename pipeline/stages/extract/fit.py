"""Pages with known text -> Forest: how the judge of blocks is trained; needs the extra defnews[train].

A block is the article's when most of its runs of three words are in the known text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from pipeline.stages.forest import Forest
from pipeline.stages.grow import binned, edges_of, exported

TREES, LEAVES, DEPTH, RATE, SHRINKAGE, FEWEST, SHARE = 90, 31, 8, 0.1, 5.0, 40, 0.3
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


def _runs(words: Sequence[str]) -> list[tuple[str, ...]]:
    return list(zip(*(words[at:] for at in range(RUN)), strict=False))


def _weights(one: Sample) -> Array:
    """A long block counts more than a short one, a long page more than a short one, but less than by its length."""
    roots = np.sqrt(np.maximum(one.words, 1))
    return np.asarray(roots / np.sqrt(roots.sum()))
