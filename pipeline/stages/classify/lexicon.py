"""Article -> Verdict: the explained baseline, which adds up the weights of the terms listed in lexicon.toml.

How it reads. Title and lead are cut into words; at each word the longest known term wins and uses its words up, so
"trade war" hides "war". A term counts by its group's weight, its place and the contexts around it; each further term
of the same sign counts a little less than the stronger one before it, so that long texts do not pile up. What remains
is the evidence, in log-odds: bias + the sum of all evidence = logit(score).
"""

import itertools
import math
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import Any, NamedTuple

from pipeline.model import Article, Evidence, Label, Verdict

NAME = "lexicon@1"
THRESHOLD = 0.5
FALLBACK_TOPIC = "operations"  # of a defense verdict whose terms name none: armed forces at work

_WORD = re.compile(
    r"[a-z]{2,}+(?![^\W_]|-\d)"  # most words: tried first because it is quick
    r"|(?P<code>[A-Za-z]{1,4}-?\d{1,4}[A-Za-z0-9]{0,3}(?![^\W_]))"  # F-16, B-52H, KF-16s, S-400
    r"|(?P<dotted>(?:[A-Za-z]\.){2,})"  # U.S.
    r"|[^\W_]+"
    r"|['’]s(?![^\W_])(?P<possessive>)"
    r"|[^\w\s'’\-‐‑]"  # no term goes beyond a comma or a full stop
)
_VARIANT = re.compile(r"(?<=\d)[a-z][a-z0-9]*$")  # "b52h" is a b52
_NOTATION = re.compile(r"([\[\]()|~])")
_LETTER = re.compile(r"[^\W\d_]")
_FOREIGN_LETTER = re.compile(r"[^\W\d_A-Za-zÀ-ɏ]")
_SPACED = re.compile(r"[A-Za-zÀ-ɏЀ-ӿ]")  # scripts whose words stand apart


@dataclass(frozen=True, slots=True)
class Group:
    """Terms that mean the same to us."""

    weight: float  # log-odds
    topics: tuple[str, ...] = ()
    gives: str | None = None  # the context that its terms offer to their neighbours
    needs: tuple[str, ...] = ()  # contexts of which one must be near
    alone: float = 0.0  # the weight when none is


class Word(NamedTuple):  # hundreds an article: a tuple is made in a third of a dataclass's time
    """A word of a title or text, or a mark that ends a phrase."""

    key: str
    variant_of: str  # the key without what follows a designator's number
    surface: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Term:
    """One spelling that the lexicon knows."""

    text: str
    family: str  # the notation that it was spelled out from: one meaning, all its inflections
    group: Group
    cased: tuple[str, ...] = ()  # its words, "" where their case does not matter; empty when no case does

    def fits(self, text: Sequence[Word]) -> bool:
        """Whether the words, which spell the term, are also written as it asks."""
        return all(want in ("", word.surface) for want, word in zip(self.cased, text, strict=False))


@dataclass(slots=True)
class Node:
    """A step in the trie of terms, by words."""

    children: dict[str, "Node"] = field(default_factory=dict)
    terms: list[Term] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Hit:
    """A term found, with what it weighs there."""

    term: Term
    start: int
    end: int
    field: str
    weight: float


@dataclass(frozen=True, slots=True)
class Scale:
    """The calibrated numbers of the model; lexicon.toml says what each is."""

    bias: float
    title: float
    lead: float
    rest: float
    lead_length: int
    length: int
    window: int
    rank: float
    topic: float


def spellings(notation: str) -> tuple[str, ...]:
    """Every spelling that a term's notation stands for: [a|b] one of, (a|b) one of or nothing, ~ a space or nothing."""
    found = _alternatives(iter(_NOTATION.split(notation)))
    return tuple(dict.fromkeys(" ".join(spelling.split()) for spelling in found))


def _alternatives(signs: Iterator[str]) -> list[str]:
    """What the signs up to the next closing bracket stand for."""
    before: list[str] = []
    current = [""]
    for sign in signs:
        if sign in ("]", ")"):
            break
        if sign == "|":
            before += current
            current = [""]
            continue
        tails = {"[": [], "(": [""], "~": ["", " "]}.get(sign, [sign])
        if sign in ("[", "("):
            tails = tails + _alternatives(signs)
        current = [head + tail for head in current for tail in tails]
    return before + current


def words(text: str, length: int) -> list[Word]:
    """The words and stops that begin in the first `length` characters of a text."""
    found = []
    for match in _WORD.finditer(text, 0, length + 64):
        start, end = match.span()
        if start >= length:
            break
        kind = match.lastgroup
        surface = match[0]
        key = variant_of = surface.lower()
        if kind == "possessive":
            continue
        if kind == "code":
            key = key.replace("-", "")
            variant_of = _VARIANT.sub("", key)
        elif kind == "dotted":
            key = key.replace(".", "")
        found.append(Word(key, variant_of, surface, start, end))
    return found


def load(review: tuple[float, float]) -> "Lexicon":
    """The lexicon that ships with the package."""
    packaged = resources.files(__package__).joinpath("lexicon.toml").read_text(encoding="utf-8")
    return Lexicon(tomllib.loads(packaged), review)


class Lexicon:
    """A classifier of weighted terms; its evidence adds up to its score."""

    name = NAME

    def __init__(self, table: Mapping[str, Any], review: tuple[float, float]) -> None:
        self.scale = Scale(**table["model"])
        self._review = review
        self._root = Node()
        for entry in table["group"]:
            self._learn(_group(entry), entry["terms"])
        self._foreign = _foreign(table["foreign"])
        self._foreign_pattern = re.compile("|".join(map(_edge, sorted(self._foreign, key=len, reverse=True))))
        self._english, self._other = (frozenset(_listed(table["reading"][key])) for key in ("english", "other"))

    def classify(self, article: Article) -> Verdict:
        """Say whether an article is defense-related, with every term that moved the score."""
        title = words(article.title, self.scale.length)
        text = words(article.text, self.scale.length)
        readable = self._is_english(article, [*title, *text])
        hits = [*self._hits(title, "title"), *self._hits(text, "text")]
        if not readable:
            hits += [*self._foreign_hits(article.title, "title"), *self._foreign_hits(article.text, "text")]
        hits = list(_repeats_damped(hits))
        for_it, against = [hit for hit in hits if hit.weight > 0], [hit for hit in hits if hit.weight < 0]
        weighed = sorted([*self._ranked(for_it), *self._ranked(against)], key=lambda hit: -hit.weight)
        logit = self.scale.bias + math.fsum(hit.weight for hit in weighed)
        score = 1 / (1 + math.exp(-logit))
        label = Label.DEFENSE if score >= THRESHOLD else Label.OTHER
        low, high = self._review
        return Verdict(
            label=label,
            score=score,
            threshold=THRESHOLD,
            needs_review=not readable or low <= score <= high,
            topics=(self._topics(for_it) or (FALLBACK_TOPIC,)) if label is Label.DEFENSE else (),
            evidence=tuple(Evidence(hit.term.text, hit.start, hit.end, hit.field, hit.weight) for hit in weighed),
            classifier=self.name,
        )

    def _learn(self, group: Group, terms: str) -> None:
        for notation in _listed(terms):
            for spelling in spellings(notation.removeprefix("=")):
                steps = words(spelling, len(spelling))
                node = self._root
                for word in steps:
                    node = node.children.setdefault(word.key, Node())
                strict = notation.startswith("=")
                cased = tuple("" if word.surface.islower() else word.surface for word in steps) if strict else ()
                node.terms.append(Term(spelling, notation, group, cased))

    def _found(self, text: Sequence[Word]) -> Iterator[tuple[int, int, Term]]:
        """The longest term at each word that no term before has used up, with the places of its words."""
        begins = self._root.children
        free = 0
        for at, word in enumerate(text):
            if at < free or not (word.key in begins or word.variant_of in begins):
                continue
            length, term = self._longest(text, at)
            if term is not None:
                free = at + length
                yield at, free, term

    def _longest(self, text: Sequence[Word], at: int) -> tuple[int, Term | None]:
        node, best, length = self._root, None, 0
        for ahead, word in enumerate(itertools.islice(text, at, None), start=1):
            step = node.children.get(word.key) or node.children.get(word.variant_of)
            if step is None:
                break
            node = step
            for term in node.terms:
                if term.fits(text[at : at + ahead]):
                    best, length = term, ahead
        return length, best

    def _hits(self, text: Sequence[Word], name: str) -> Iterator[Hit]:
        found = list(self._found(text))
        contexts: defaultdict[str, list[int]] = defaultdict(list)
        for at, _, term in found:
            if term.group.gives:
                contexts[term.group.gives].append(at)
        for at, end, term in found:
            group = term.group
            near = not group.needs or any(self._is_near(at, contexts[need]) for need in group.needs)
            weight = (group.weight if near else group.alone) * self._place(text[at].start, name)
            if weight:
                yield Hit(term, text[at].start, text[end - 1].end, name, weight)

    def _is_near(self, at: int, places: Iterable[int]) -> bool:
        return any(0 < abs(at - place) <= self.scale.window for place in places)

    def _foreign_hits(self, text: str, name: str) -> Iterator[Hit]:
        for match in self._foreign_pattern.finditer(_lowered(text[: self.scale.length])):
            term = self._foreign[match[0]]
            yield Hit(term, *match.span(), name, term.group.weight * self._place(match.start(), name))

    def _place(self, start: int, name: str) -> float:
        if name == "title":
            return self.scale.title
        return self.scale.lead if start < self.scale.lead_length else self.scale.rest

    def _ranked(self, hits: Iterable[Hit]) -> Iterator[Hit]:
        """The hits, strongest first, each counting a little less than the one before."""
        for rank, hit in enumerate(sorted(hits, key=lambda hit: -abs(hit.weight))):
            yield replace(hit, weight=hit.weight * self.scale.rank**rank)

    def _topics(self, hits: Iterable[Hit]) -> tuple[str, ...]:
        """The topics that the terms speak of, strongest first."""
        spoken = defaultdict(list)
        for hit in hits:
            for topic in hit.term.group.topics:
                spoken[topic].append(hit)
        strength = {topic: sum(hit.weight for hit in self._ranked(found)) for topic, found in spoken.items()}
        least = self.scale.topic * max(strength.values(), default=0)
        ranked = sorted(strength, key=lambda topic: -strength[topic])
        return tuple(topic for topic in ranked if strength[topic] >= least)

    def _is_english(self, article: Article, text: Sequence[Word]) -> bool:
        """Whether the lexicon can read the article, by its declared language, its script and its function words."""
        if article.lang is not None and not article.lang.lower().startswith("en"):
            return False
        sample = article.title + article.text[: self.scale.length]
        foreign = len(_FOREIGN_LETTER.findall(sample))
        if foreign and 2 * foreign > len(_LETTER.findall(sample)):
            return False
        keys = [word.key for word in text]
        english, other = (sum(map(listed.__contains__, keys)) for listed in (self._english, self._other))
        return english >= other


def _listed(terms: str) -> list[str]:
    """The terms of a comma-separated list."""
    return [term for part in terms.split(",") if (term := " ".join(part.split()))]


def _group(entry: Mapping[str, Any]) -> Group:
    return Group(
        weight=entry["weight"],
        topics=tuple(entry.get("topics", ())),
        gives=entry.get("gives"),
        needs=tuple(entry.get("needs", ())),
        alone=entry.get("alone", 0.0),
    )


def _foreign(entry: Mapping[str, Any]) -> dict[str, Term]:
    """The terms of other languages, by their spelling in lower case."""
    terms = {}
    for topic, listed in entry.items():
        if topic == "weight":
            continue
        group = Group(entry["weight"], (topic,))
        for text in itertools.chain.from_iterable(map(spellings, _listed(listed))):
            terms[text] = Term(text, text, group)
    return terms


def _repeats_damped(hits: Iterable[Hit]) -> Iterator[Hit]:
    """The hits, the n-th of one family for 1/n² of its weight."""
    seen: Counter[str] = Counter()
    for hit in hits:
        seen[hit.term.family] += 1
        yield replace(hit, weight=hit.weight / seen[hit.term.family] ** 2)


def _lowered(text: str) -> str:
    """The text in lower case, each character where it was."""
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def _edge(term: str) -> str:
    """A pattern for a term: from the start of a word where words stand apart, anywhere in other scripts."""
    return (r"\b" if _SPACED.match(term) else "") + re.escape(term)
