"""Sketch + reports that may be near -> the story that it joins, and why."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import fmean

from pipeline.stages.forest import Forest
from pipeline.stages.story.belonging import Told, across, beside, logits, shipped, told
from pipeline.stages.story.sketches import Sketch

LEAST = -0.25  # log-odds from which on a report joins a story
LEAST_OF_STORIES = 0.25  # the same from which on two stories are one, on average over the reports of both
SHOWN = 8  # names and terms each that are named as reasons


@dataclass(frozen=True, slots=True)
class Member:
    """A report that is in a story already."""

    article_id: int
    story_id: int
    sketch: Sketch


@dataclass(frozen=True, slots=True)
class Because:
    """What a report shares with the story that it joins: for people to read."""

    score: float  # 0 to 1; that of the nearest story, 0 where there is none
    names: tuple[str, ...] = ()  # as the report writes them, the heaviest first
    terms: tuple[str, ...] = ()  # that are no names
    days: tuple[date, ...] = ()
    countries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Joined:
    """Where a report belongs."""

    story_id: int | None  # None: it opens a story
    merged: tuple[int, ...]  # other stories, ascending, that are found to be the same one; the smallest id stays
    because: Because


def join(new: Sketch, near: Sequence[Member]) -> Joined:
    """The story that a report joins: the one to which it is likeliest to belong.

    `near` holds all reports, at best, of each story that a probe found; its order does not matter.
    """
    return joined(new, near, shipped())


def joined(new: Sketch, near: Sequence[Member], judge: Forest) -> Joined:
    """The story that a report joins, as some trees see it."""
    members: defaultdict[int, list[Sketch]] = defaultdict(list)
    for member in sorted(near, key=lambda one: (one.story_id, one.article_id)):
        members[member.story_id].append(member.sketch)
    stories = {story: told(sketches) for story, sketches in members.items()}
    scores = dict(zip(stories, logits([beside(new, story) for story in stories.values()], judge), strict=True))
    fitting = sorted((story for story in scores if scores[story] >= LEAST), key=lambda story: (-scores[story], story))
    if not fitting:
        return Joined(None, (), Because(_probability(max(scores.values(), default=-math.inf))))
    first, *others = fitting
    same = sorted([first, *(other for other in others if _are_one(stories[first], stories[other], judge))])
    sketches = [sketch for story in same for sketch in members[story]]
    return Joined(same[0], tuple(same[1:]), _because(new, sketches, _probability(scores[first])))


def _are_one(one: Told, other: Told, judge: Forest) -> bool:
    """Whether the reports of two stories belong to the other one, on average."""
    return fmean(logits(across(one, other), judge)) >= LEAST_OF_STORIES


def _probability(logit: float) -> float:
    return 1 / (1 + math.exp(-logit)) if logit > -math.inf else 0.0


def _because(new: Sketch, sketches: Sequence[Sketch], score: float) -> Because:
    has = {term for sketch in sketches for term in sketch.terms}
    days = {day for sketch in sketches for day in sketch.days}
    countries = {country for sketch in sketches for country in sketch.countries}
    shared = [term for term in new.surfaces if term in has]
    return Because(
        score=score,
        names=tuple(new.surfaces[term] for term in shared if term in new.names)[:SHOWN],
        terms=tuple(new.surfaces[term] for term in shared if term not in new.names)[:SHOWN],
        days=tuple(day for day in new.days if day in days),
        countries=tuple(country for country in new.countries if country in countries),
    )


def central(members: Sequence[Member]) -> int:
    """The article id of the report that has most of what all reports of a story say; of like ones the smallest.

    Raises:
        ValueError: there is no report.
    """
    whole: defaultdict[int, float] = defaultdict(float)
    shares = {one.article_id: _shares(one.sketch) for one in sorted(members, key=lambda one: one.article_id)}
    for weights in shares.values():
        for term, share in weights.items():
            whole[term] += share
    return min(shares, key=lambda key: (-_likeness(shares[key], whole), key))


def _shares(sketch: Sketch) -> dict[int, float]:
    """The weights of a sketch, as a vector of length 1."""
    norm = sketch.sums.norm
    return {term: weight / norm for term, weight in sketch.terms.items()}


def _likeness(shares: Mapping[int, float], whole: Mapping[int, float]) -> float:
    return round(sum([share * whole[term] for term, share in shares.items()]), 9)
