"""Article -> Verdict: by a dictionary of weighted terms, one for each language; its evidence adds up to its score.

How it reads. The terms of title and lead are found; each has a strength in log-odds, in the title somewhat more, a
repeat of the same term less, and each further term of the same sign less than the stronger one before it, so that a
long lead does not pile up. A calibration on labelled items turns the sum into a probability: pooled over all languages,
and drawn towards a language's own items where there are enough. base + the weights of all evidence = logit(score).

The few numbers here were chosen once for all languages, on labelled items of twelve of them (that of long texts: of
twelve others). A verdict in a language without enough labelled items always needs review; where there is no
dictionary, a relative's is read, or the names that all languages of Latin letters share.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

from pipeline.model import Article, Evidence, Label, Verdict
from pipeline.stages.classify.terms import Hit, Term, Terms
from pipeline.stages.language import UNKNOWN

LEAD = 1_000  # characters of the text that are read
ENOUGH = 100  # labelled items from which on a language is calibrated
_VERSION = 4  # of all tables and their calibration

_STRENGTHS = {3.0: 3.0, 2.0: 2.25, 1.0: 1.5, 0.5: 1.0, 0.0: 0.0, -1.0: -1.0, -2.0: -2.5}  # by the weight in the tables
_TITLE = 1.25  # times as strong as in the text
_FOR, _AGAINST = 0.6, 0.75  # what each further term for it, against it, counts of the one before
_HEADLINE = 0.9  # a title without text has had no room for more
_LONG, _ROOM = 400, -1.0  # a text of more characters has had room for words in another sense
_TOPIC = 0.3  # of the strongest topic's weight makes another one
_FALLBACK_TOPIC = "operations"  # where the terms name none: armed forces at work
_POOLED = "*"  # the calibration of languages that have none of their own
_FOLDER = resources.files(__package__).joinpath("dictionaries")
_CALIBRATION = "calibration.tsv"
_FIRST_LINE = (
    "# Calibration of the dictionaries: language (* others), labelled items, slope, shift; made by calibrate()"
)


class Calibration(NamedTuple):
    """How a sum of strengths becomes log-odds: slope * sum + shift."""

    items: int  # that it was made from
    slope: float
    shift: float


_BEFORE = Calibration(0, 1.2, -4.0)  # what is thought before any item is seen, and by how much that may be wrong
_BEFORE_SPREAD = (1.0, 4.0)
_LANGUAGE_SPREAD = (0.1, 0.4)  # of slope and shift among languages
_ROUNDS = 50  # of Newton's method; twenty are enough
_LONGEST_STEP = 0.5


class Labelled(NamedTuple):
    """A text, and what a reader said of it."""

    lang: str  # ISO 639-1
    title: str
    text: str
    label: int | None  # 1 defense, 0 other, None borderline


class _Found(NamedTuple):
    hit: Hit
    field: str  # title or text
    strength: float


def _table(name: str) -> list[list[str]]:
    """The rows of a table, without its first line."""
    lines = _FOLDER.joinpath(name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines[1:]]


LANGUAGES = frozenset(
    file.name.removesuffix(".tsv") for file in _FOLDER.iterdir() if len(file.name) == len("xx.tsv")
)  # that have a dictionary
_CALIBRATIONS: Mapping[str, Calibration] = {
    lang: Calibration(int(items), float(slope), float(shift)) for lang, items, slope, shift in _table(_CALIBRATION)
}
CALIBRATED = frozenset(_CALIBRATIONS) - {_POOLED}
_SHARED = {  # languages that the dictionary of a relative reads, the best of those tried; not calibrated by its items
    "af": "nl", "be": "ru", "bs": "sr", "ca": "es", "gl": "pt", "hr": "sr", "mk": "sr", "ms": "id", "sk": "cs",
    "sl": "sr",
}  # fmt: skip


def load(lang: str, threshold: float = 0.5, review: tuple[float, float] = (0.3, 0.7)) -> "Dictionary":
    """The classifier of texts in a language; of unknown ones that of "und"."""
    table = _SHARED.get(lang, lang)
    return Dictionary(table if table in LANGUAGES else UNKNOWN, threshold, review, is_calibrated=lang in CALIBRATED)


class Dictionary:
    """A classifier by the weighted terms of one table."""

    def __init__(self, table: str, threshold: float, review: tuple[float, float], *, is_calibrated: bool) -> None:
        self.name = f"terms-{table}@{_VERSION}"
        self._terms = _terms(table)
        self._is_calibrated = is_calibrated
        self._calibration = _CALIBRATIONS.get(table, _CALIBRATIONS[_POOLED])
        self._threshold = threshold
        self._review = review

    def classify(self, article: Article) -> Verdict:
        """Say whether an article is defense-related, with every term that moved the score."""
        _, slope, shift = self._calibration
        found = _weigh(self._terms, article.title, article.text)
        fields = {"title": article.title, "text": article.text}
        evidence = tuple(
            Evidence(fields[field][hit.start : hit.end], hit.start, hit.end, field, slope * strength)
            for hit, field, strength in found
        )
        base = slope * _bias(article.text) + shift
        score = 1 / (1 + math.exp(-base - math.fsum(piece.weight for piece in evidence)))
        label = Label.DEFENSE if score >= self._threshold else Label.OTHER
        low, high = self._review
        return Verdict(
            label=label,
            score=score,
            threshold=self._threshold,
            needs_review=not self._is_calibrated or low <= score <= high,
            topics=_topics(found) if label is Label.DEFENSE else (),
            evidence=evidence,
            classifier=self.name,
            base=base,
        )


def calibrate(items: Iterable[Labelled]) -> str:
    """The calibration table that follows from labelled items; their order does not matter."""
    sums: defaultdict[str, list[tuple[float, int]]] = defaultdict(list)
    for lang, title, text, label in sorted(item for item in items if item.lang in LANGUAGES and item.label in (0, 1)):
        found = _weigh(_terms(lang), title, text)
        sums[lang].append((_bias(text) + math.fsum(piece.strength for piece in found), int(label == 1)))
    made = {_POOLED: _fitted([point for points in sums.values() for point in points], _BEFORE, _BEFORE_SPREAD)}
    for lang, points in sums.items():
        if len(points) >= ENOUGH:
            made[lang] = _fitted(points, made[_POOLED], _LANGUAGE_SPREAD)
    rows = [f"{lang}\t{row.items}\t{row.slope:.4f}\t{row.shift:.4f}" for lang, row in made.items()]
    return "\n".join([_FIRST_LINE, *rows, ""])


@cache
def _terms(lang: str) -> Terms:
    rows = _table(f"{lang}.tsv")
    return Terms(lang, [Term(term, float(weight), None if topic == "-" else topic) for term, weight, topic in rows])


def _bias(text: str) -> float:
    if not text.strip():
        return _HEADLINE
    return _ROOM if len(text) > _LONG else 0.0


def _weigh(terms: Terms, title: str, text: str) -> list[_Found]:
    """The terms that count in title and lead, strongest first, those against it last."""
    found = []
    seen: Counter[Term] = Counter()
    for field, part, times in (("title", title[:LEAD], _TITLE), ("text", text[:LEAD], 1.0)):
        for hit in terms.find(part):
            if hit.term.weight:
                seen[hit.term] += 1
                found.append(_Found(hit, field, times * _STRENGTHS[hit.term.weight] / seen[hit.term]))
    for_it = sorted((piece for piece in found if piece.strength > 0), key=lambda piece: -piece.strength)
    against = sorted((piece for piece in found if piece.strength < 0), key=lambda piece: piece.strength)
    return [*_damped(for_it, _FOR), *reversed(_damped(against, _AGAINST))]


def _damped(found: Sequence[_Found], each: float) -> list[_Found]:
    """The terms, strongest first, each counting less than the one before."""
    return [piece._replace(strength=piece.strength * each**rank) for rank, piece in enumerate(found)]


def _topics(found: Iterable[_Found]) -> tuple[str, ...]:
    """The topics that the terms speak of, strongest first."""
    strengths: defaultdict[str, float] = defaultdict(float)
    for piece in found:
        if piece.strength > 0 and piece.hit.term.topic:
            strengths[piece.hit.term.topic] += piece.strength
    least = _TOPIC * max(strengths.values(), default=0.0)
    ranked = sorted(strengths, key=lambda topic: -strengths[topic])
    return tuple(topic for topic in ranked if strengths[topic] >= least) or (_FALLBACK_TOPIC,)


def _fitted(points: Sequence[tuple[float, int]], before: Calibration, spread: tuple[float, float]) -> Calibration:
    """The likeliest calibration, given (sum, label) of each item and what was thought before (normally distributed).

    Source:
        Platt, "Probabilistic Outputs for Support Vector Machines", 1999; here by Newton's method, with a prior.
    """
    slope, shift = before.slope, before.shift
    for _ in range(_ROUNDS):
        down, aside = (slope - before.slope) / spread[0] ** 2, (shift - before.shift) / spread[1] ** 2
        slopes, both, shifts = spread[0] ** -2, 0.0, spread[1] ** -2
        for total, label in points:
            score = 1 / (1 + math.exp(-slope * total - shift))
            down += (score - label) * total
            aside += score - label
            slopes += score * (1 - score) * total * total
            both += score * (1 - score) * total
            shifts += score * (1 - score)
        scale = slopes * shifts - both * both
        by, along = (shifts * down - both * aside) / scale, (slopes * aside - both * down) / scale
        step = min(1.0, _LONGEST_STEP / max(abs(by), abs(along), 1e-9))  # or it leaps over the hill
        slope -= step * by
        shift -= step * along
    return Calibration(len(points), slope, shift)
