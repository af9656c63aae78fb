"""Stories with known reports -> Forest: how the judge of pairs is trained; needs the extra defnews[train]."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from pipeline.stages.forest import Forest
from pipeline.stages.grow import binned, edges_of, exported
from pipeline.stages.story.pairs import COLUMNS, features, may_be_one
from pipeline.stages.story.sketches import Sketch

TREES, LEAVES, DEPTH, RATE, SHRINKAGE, FEWEST = 150, 15, 4, 0.08, 1.0, 8
HARD_HOURS, HARD_COSINE, HARD_WEIGHT = 36, 0.05, 3.0  # reports of different events that look alike count more
LESSER_WEIGHT = 0.3  # of pairs of near misses, which are rarer in the world than in our files


class Report(NamedTuple):
    """A report of a known story."""

    story: str
    sketch: Sketch
    is_near_miss: bool = False  # its story was written to be mistaken for another


def fit(reports: Sequence[Report]) -> Forest:
    """Train a forest on all pairs of reports that may be of one event; the same reports make the same forest."""
    pairs = [(a, b) for a, b in combinations(reports, 2) if may_be_one(a.sketch, b.sketch)]
    values = np.array([features(a.sketch, b.sketch) for a, b in pairs], np.float32).T
    is_one = np.array([a.story == b.story for a, b in pairs])
    is_lesser = np.array([a.is_near_miss or b.is_near_miss for a, b in pairs])
    looks_alike = (values[COLUMNS.index("hours")] < HARD_HOURS) & (values[COLUMNS.index("cosine")] > HARD_COSINE)
    edges = [edges_of(row) for row in values]
    with threadpool_limits(1):
        model = HistGradientBoostingClassifier(
            max_iter=TREES,
            max_leaf_nodes=LEAVES,
            max_depth=DEPTH,
            learning_rate=RATE,
            l2_regularization=SHRINKAGE,
            min_samples_leaf=FEWEST,
            early_stopping=False,
            random_state=0,
        )
        weights = np.where(looks_alike & ~is_one, HARD_WEIGHT, 1.0) * np.where(is_lesser, LESSER_WEIGHT, 1.0)
        model.fit(binned(values, edges), is_one, sample_weight=weights)
    return exported(model, edges, COLUMNS)
