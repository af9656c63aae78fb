"""The judge of stories is made from our stories, and from nothing else."""

from itertools import chain
from pathlib import Path

import numpy as np

from pipeline.entrypoints.grouping import reports
from pipeline.stages.story import belonging, terms
from pipeline.stages.story.fit import fit

STORIES = Path(__file__).parent.parent.parent / "training" / "stories"


def test_the_judge_that_ships_is_made_from_our_stories() -> None:
    paths = sorted(STORIES.glob("*.jsonl"))
    made = fit([*chain.from_iterable(reports(path, terms.shipped()) for path in paths)])
    shipped = belonging.shipped()
    assert made.columns == shipped.columns
    assert np.array_equal(made.feature, shipped.feature)
    assert np.array_equal(made.threshold, shipped.threshold)
    assert np.allclose(made.value, shipped.value)
