"""A report and stories -> how likely it belongs to each, by trees that learnt it from stories of our own writing.

Two reports of one event may have little in common; what tells them from those of another event is what all reports of
the story say together: a place that none of them names is another place.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from itertools import chain

import numpy as np

from pipeline.stages import forest
from pipeline.stages.forest import Forest
from pipeline.stages.story import pairs
from pipeline.stages.story.pairs import UNKNOWN, days_of, may_be_one, nearest, published
from pipeline.stages.story.sketches import Sketch

OWN_COLUMNS = (
    "reports", "told", "told-names", "told-title", "new-name", "kept-names", "lost-name", "usual", "same-days",
    "nearest-of-days", "main-day", "newest-day", "day-after-all", "usual-day", "shared-days", "since-first",
    "since-last",
)  # fmt: skip
FARTHEST = 6  # days; what is farther apart is as far
COLUMNS = (*(f"mean-{name}" for name in pairs.COLUMNS), *(f"most-{name}" for name in pairs.COLUMNS), *OWN_COLUMNS)
SUREST = 6.0  # log-odds; more is as much, and reports that share no term with a story have as little


def logits(asked: Sequence[tuple[Sketch, Sequence[Sketch]]], judge: Forest) -> list[float]:
    """The log-odds that each report is of the event of the story beside it, within SUREST."""
    is_near = [any(may_be_one(new, one) for one in story) for new, story in asked]
    values = [features(new, story) for (new, story), near in zip(asked, is_near, strict=True) if near]
    if not values:
        return [-SUREST] * len(asked)
    likely = judge.score(np.array(values, np.float32).T)
    found = iter(np.log(likely / (1 - likely)).clip(-SUREST, SUREST).tolist())
    return [next(found) if near else -SUREST for near in is_near]


def features(new: Sketch, story: Sequence[Sketch]) -> tuple[float, ...]:
    """What the trees look at, as COLUMNS names it; the order of the reports does not matter."""
    alike = [*zip(*(pairs.features(new, one) for one in story), strict=True)]
    told = Counter(chain.from_iterable(one.terms for one in story))
    return (
        *(math.fsum(column) / len(story) for column in alike),
        *map(max, alike),
        len(story),
        *_told(new, told.keys()),
        *_usual(new, story, told),
        *_dated(new, story),
        *_later(new, story),
    )


def _told(new: Sketch, known: AbstractSet[int]) -> Iterable[float]:
    """How far the story tells what the report does: terms, names, names in its title; the heaviest name that is new."""
    titled = new.names & new.titled
    return (
        _weight(new, new.terms.keys() & known) / (new.sums.terms or 1.0),
        _weight(new, new.names & known) / (new.sums.names or 1.0),
        _weight(new, titled & known) / _weight(new, titled) if titled else UNKNOWN,
        max((new.terms[term] for term in new.names - known), default=0.0),
    )


def _usual(new: Sketch, story: Sequence[Sketch], told: Mapping[int, int]) -> Iterable[float]:
    """How far the report has what is usual in the story: names of most reports, the heaviest that it lacks, terms."""
    named = Counter(chain.from_iterable(one.names for one in story))
    most = [name for name, n in named.items() if n > len(story) / 2]
    usual = {name: max([one.terms[name] for one in story if name in one.terms]) for name in most}
    whole = math.fsum(usual.values())
    return (
        math.fsum(usual[name] for name in usual.keys() & new.terms) / whole if whole else UNKNOWN,
        max((usual[name] for name in usual.keys() - new.terms), default=0.0),
        math.fsum(new.terms[term] * told[term] for term in new.terms.keys() & told.keys())
        / ((new.sums.terms or 1.0) * len(story)),
    )


def _dated(new: Sketch, story: Sequence[Sketch]) -> Iterable[float]:
    """How many of the report's days the story names, and how far apart the nearest ones are."""
    named = frozenset(chain.from_iterable(one.days for one in story))
    return len(named & {*new.days}), nearest(days_of(new), {*chain.from_iterable(map(days_of, story))})


def _later(new: Sketch, story: Sequence[Sketch]) -> Iterable[float]:
    """How much later the report is, and what it tells of: a story that was told before an event is not of that one."""
    told = [days_of(one) for one in story]
    named, first = Counter(chain.from_iterable(map(set, told))), Counter(days[0] for days in told)
    own, past = days_of(new), _newest(new)
    return (
        _apart(own[0], _most(first)),
        _apart(past, max(map(_newest, story))),
        _apart(past, max(map(published, story))),
        _most(named) in own,
        sum(day in own for day in named) / len(named),
        (new.published_at - min(one.published_at for one in story)) / timedelta(hours=1),
        (new.published_at - max(one.published_at for one in story)) / timedelta(hours=1),
    )


def _apart(later: date, earlier: date) -> int:
    return max(-FARTHEST, min(FARTHEST, (later - earlier).days))


def _most(counts: Mapping[date, int]) -> date:
    """The day that is named most often; the latest of several."""
    return max(counts, key=lambda day: (counts[day], day))


def _newest(sketch: Sketch) -> date:
    """The latest day of which a report tells that was not still to come."""
    last = published(sketch)
    return max((day for day in days_of(sketch) if day <= last), default=last)


def _weight(sketch: Sketch, kept: Iterable[int]) -> float:
    return math.fsum(map(sketch.terms.__getitem__, kept))


@cache
def shipped() -> Forest:
    """The trees in the package."""
    return forest.read(files(__package__) / "belonging.npz")
