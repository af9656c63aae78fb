"""Stories with known reports -> Forest: how the judge of stories is trained; needs the extra defnews[train]."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from pipeline.stages.forest import Forest
from pipeline.stages.grow import binned, edges_of, exported
from pipeline.stages.story.belonging import COLUMNS, beside, features, told
from pipeline.stages.story.sketches import Sketch, keys, probes

TREES, LEAVES, DEPTH, RATE, SHRINKAGE, FEWEST = 100, 8, 3, 0.06, 1.0, 15
NEWEST = 8  # reports of a story that are looked at
LESSER_WEIGHT = 0.3  # of near misses, which are rarer in the world than in our files


class Report(NamedTuple):
    """A report of a known story."""

    story: str
    sketch: Sketch
    is_near_miss: bool = False  # its story was written to be mistaken for another


class _Case(NamedTuple):
    """A report beside earlier ones of a story."""

    values: tuple[float, ...]
    belongs: bool
    weight: float


def fit(reports: Sequence[Report]) -> Forest:
    """Train a forest on reports beside the stories they may belong to; the same reports make the same forest."""
    ordered = sorted(reports, key=lambda one: one.sketch.published_at)
    cases = [*_cases(ordered)]
    values = np.array([case.values for case in cases], np.float32).T
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
        weights = [case.weight for case in cases]
        model.fit(binned(values, edges), [case.belongs for case in cases], sample_weight=weights)
    return exported(model, edges, COLUMNS)


def _cases(reports: Iterable[Report]) -> Iterator[_Case]:
    """Reports, the oldest first, each beside the stories before it that its probes find, as in the database."""
    stories, index = defaultdict[str, list[Report]](list), defaultdict[int, list[str]](list)
    for report in reports:
        for story in dict.fromkeys(chain.from_iterable(index.get(probe, ()) for probe in probes(report.sketch))):
            yield from _placed(report, story, stories[story])
        stories[report.story].append(report)
        for key in keys(report.sketch):
            index[key].append(report.story)


def _placed(report: Report, story: str, earlier: Sequence[Report]) -> Iterator[_Case]:
    """A report beside a story, and beside parts of it: one that was found may lack some."""
    newest = earlier[-NEWEST:]
    parts = {len(part): part for part in (newest, newest[-1:], newest[: len(newest) // 2]) if part}
    weight = (LESSER_WEIGHT if report.is_near_miss or earlier[0].is_near_miss else 1.0) / len(parts)
    for part in parts.values():
        values = features(beside(report.sketch, told([one.sketch for one in part])))
        yield _Case(values, story == report.story, weight)
