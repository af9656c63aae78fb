"""Text -> Words, and Words -> Hits: the longest known phrases in a text, in one pass.

A designator is one word however it is written: "F-16", "F16", "f-16" and "MiG 29" are `f16` and `mig29`, "С-400" in
Cyrillic letters is `s400`. A possessive 's is left out. Where Latin letters touch those of another script a word ends,
so that "F-16战机" is two.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, compress, count, repeat
from operator import and_, not_
from typing import Generic, NamedTuple, TypeVar

_LATIN = "0-9A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ０-９Ａ-Ｚａ-ｚ"
_WORD = re.compile(
    rf"([A-Za-zＡ-Ｚａ-ｚ]{{1,5}}[-‐‑－](?=\d)[{_LATIN}]+"  # F-16, B-52H, KF-16s, MiG-29
    r"|(?:[A-Za-z]\.){2,}"  # U.S.
    rf"|[{_LATIN}]+"
    rf"|[А-Яа-я]{{1,4}}[-‐‑]?[0-9][{_LATIN}А-Яа-я]*"  # С-400, МиГ-31К
    rf"|[^\W_{_LATIN}]+)"
    r"(?:['’][sS](?![^\W_]))?"
)
_OWNED = re.compile(r"['’][sS](?![^\W_])")
_EDGES = ".,;:!?()[]\"'’‘“”…–—-"  # around a word; none of them is of any
_APART = frozenset(  # are also written apart from their number: "MiG 29", "F 16", "Type 055"
    ("MiG Su Tu Il Mi Ka Yak Kh AH CH UH MH MQ RQ KC EA DF Type Mk " + " ".join("BCDEFGHJKLMNOPQRSTUVWXYZ")).split()
)
_FOREIGN = str.maketrans(  # the Cyrillic and the wide letters of designators, and other hyphens
    dict(zip("абвгдезиклмнопрстуфэ", "abvgdeziklmnoprstufe", strict=True))
    | {"х": "kh", "ш": "sh", "я": "ya", "‐": "", "‑": "", "－": ""}
    | {code + 0xFEE0: chr(code) for code in range(ord("0"), ord("z") + 1)}
)
_NUMBER = re.compile(r"\d\d")
_STEM = re.compile(r"[a-z]+\d+(?=[a-z])")
_LONGEST_KEPT = 24  # characters of a run that is cut only once

T = TypeVar("T")


class Words(NamedTuple):
    """The words of a text, side by side: folded for comparison, as they are written, and where to look for them."""

    keys: list[str]
    surfaces: list[str]
    chunks: Sequence[int]  # which of the runs without white space a word begins in
    others: Sequence[int]  # the places of the words that are not letters alone: designators, numbers, abbreviations

    def first(self, most: int) -> "Words":
        """The first words, if there are more."""
        others = [at for at in self.others if at < most]
        return Words(self.keys[:most], self.surfaces[:most], self.chunks[:most], others)


class Hit(NamedTuple, Generic[T]):
    """A phrase found: its words are those from `start` to before `end`."""

    start: int
    end: int
    value: T


@lru_cache(maxsize=8)  # title and text of an article are read by several stages
def read(text: str) -> Words:
    """The words of a text in their order; not to be changed."""
    return _read(text)


def _read(text: str) -> Words:
    chunks = text.split()
    bare = [*map(str.strip, chunks, repeat(_EDGES))]
    low = [*map(str.lower, bare)]
    is_plain = map(str.isalpha, bare)  # most are: quicker than the pattern
    if not text.isascii():
        is_plain = map(and_, is_plain, map(str.isascii, bare))
    odd = [*compress(count(), map(not_, is_plain))]
    if not odd:
        return Words(low, bare, range(len(chunks)), [])
    keys: list[str] = []
    surfaces: list[str] = []
    numbers: list[int] = []
    others: list[int] = []
    begin = 0
    for at in odd:
        keys += low[begin:at]
        surfaces += bare[begin:at]
        numbers += range(begin, at)
        begin = at + 1
        chunk = chunks[at]
        found, folded = _cut(chunk) if len(chunk) <= _LONGEST_KEPT else _cut.__wrapped__(chunk)
        if surfaces and surfaces[-1] in _APART and chunks[at - 1].endswith(surfaces[-1]) and _NUMBER.match(chunk):
            found = f"{surfaces.pop()} {found[0]}", *found[1:]
            folded = key(found[0]), *folded[1:]
            keys.pop()
        others += [place for place, word in enumerate(found, len(surfaces)) if not word.isalpha()]
        numbers += [at] * (len(surfaces) + len(found) - len(numbers))
        keys += folded
        surfaces += found
    return Words(keys + low[begin:], surfaces + bare[begin:], [*numbers, *range(begin, len(chunks))], others)


@lru_cache(maxsize=4096)
def _cut(chunk: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words of a run without white space: as they are written, and their keys."""
    found = tuple(_WORD.findall(chunk))
    return found, tuple(map(key, found))


def key(word: str) -> str:
    """What a word is compared by: lower case; designators without hyphen and plural s, abbreviations without stops."""
    folded = word.lower()
    if folded.isalpha():
        return folded
    bare = folded.replace("-", "").replace(".", "").replace(" ", "")
    if not bare.isascii():
        bare = bare.translate(_FOREIGN)
    return bare[:-1] if word[-1] == "s" and not bare.isalpha() else bare


def places(text: str, wanted: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Where some of the words of `read(text)` begin and end, in characters."""
    words, starts = read(text), _starts(text)
    found = {}
    for at in wanted:
        word = words.surfaces[at]
        if " " in word or (at and _is_beside(words, at)):
            found[at] = _place(text, words, starts, at)
        else:  # the first of its chunk, as most are: quicker
            start = text.index(word, starts[words.chunks[at]])
            found[at] = start, start + len(word)
    return found


def _is_beside(words: Words, at: int) -> bool:
    """Whether the word before is, or reaches, in the same chunk."""
    return words.chunks[at - 1] == words.chunks[at] or " " in words.surfaces[at - 1]


def _starts(text: str) -> list[int]:
    """Where each run without white space begins."""
    chunks = text.split()
    pieces = text.replace("\n", " ").split(" ")
    full = [*compress(count(), pieces)]
    if len(full) == len(chunks):  # there is no other white space, as in most texts: quicker
        ends = [*accumulate(map(len, pieces))]
        return [ends[at] + at - len(pieces[at]) for at in full]
    starts, end = [], 0
    for chunk in chunks:
        start = text.index(chunk, end)
        starts.append(start)
        end = start + len(chunk)
    return starts


def _place(text: str, words: Words, starts: Sequence[int], at: int) -> tuple[int, int]:
    """Where a word is: after those before it in its chunk."""
    first = at
    while first and _is_beside(words, first):
        first -= 1
    start = end = starts[words.chunks[first]]
    for word in words.surfaces[first : at + 1]:
        stem, _, number = word.partition(" ")
        if start < end and _OWNED.match(text, end):
            end += 2
        start = text.index(stem, end)
        end = start + len(stem)
        if number:
            end = text.index(number, end) + len(number)
    return start, end


class Phrases(Generic[T]):
    """Phrases of up to a few words, each with a value, found longest first.

    A word with a capital counts only where the text has the same capitals, or shouts it; a word in lower case, and a
    designator, count however they are written. A phrase listed twice has the value that it was first listed with.
    A designator that begins no phrase stands for its longest stem that does: "F-16D" for "F-16".
    """

    def __init__(self, listed: Iterable[tuple[str, T]]) -> None:
        self._branches: dict[str, _Branch[T]] = {}  # of the first words met so far
        self._alone: dict[str, T] = {}  # of words met so far, as written, that are a phrase
        self._listed: Mapping[str, Sequence[tuple[str, T]]]
        self._begins: Set[str]
        self._listed, self._begins = _indexed(listed)

    @classmethod
    def of(cls, listed: Mapping[str, Sequence[tuple[str, T]]], begins: Set[str]) -> "Phrases[T]":
        """The phrases of an index, as `index` gives it."""
        phrases = cls(())
        phrases._listed, phrases._begins = listed, begins
        return phrases

    @property
    def index(self) -> tuple[Mapping[str, Sequence[tuple[str, T]]], Set[str]]:
        """The phrases by the key of their first word; and the first words as they may be written."""
        return self._listed, self._begins

    def find(self, words: Words, among: Iterable[int] | None = None) -> Iterator[Hit[T]]:
        """The phrases, none of which shares a word with another, from left to right.

        Who knows where one may begin names these places, and is answered sooner; words that are not letters alone are
        looked at in any case.
        """
        begins, alone, surfaces = self._begins, self._alone, words.surfaces
        follows = [*words.keys[1:], ""]
        if among is None:
            likely = {*compress(count(), map(begins.__contains__, surfaces)), *words.others}
        else:
            likely = {*(at for at in among if surfaces[at] in begins), *words.others}
        free = 0
        for at in sorted(likely):
            if at < free:
                continue
            branch = self._branches.get(words.keys[at])
            if branch is None or follows[at] in branch.longest:
                hit = self._at(words, at)
            elif not branch.alone:
                continue  # most words that begin a phrase: quicker than to ask `_at`
            else:
                found = surfaces[at] in alone
                hit = Hit(at, at + 1, alone[surfaces[at]]) if found else self._at(words, at)
            if hit is not None:
                free = hit.end
                yield hit

    def _at(self, words: Words, at: int) -> Hit[T] | None:
        """The longest phrase that begins at a place."""
        keys, surfaces = words.keys, words.surfaces
        first = keys[at] if keys[at] in self._listed else self._stem(keys[at])
        if not first:
            return None
        branch = self._branches.get(first) or self._branch(first)
        longest = branch.longest.get(keys[at + 1] if at + 1 < len(keys) else "") or branch.alone
        for end in range(min(at + longest, len(keys)), at, -1):
            listed = branch.values.get(" ".join(keys[at + 1 : end]))
            fitting = listed and _fitting(listed, surfaces[at:end])
            if fitting:
                if longest == 1 and first == keys[at]:
                    self._alone[surfaces[at]] = fitting[1]
                return Hit(at, end, fitting[1])
        return None

    def has(self, word: str) -> bool:
        """Whether a phrase begins with a word that is written so."""
        return word in self._begins

    def _stem(self, designator: str) -> str:
        """The longest beginning of a designator that begins a phrase, all its number included; empty when none does."""
        shortest = _STEM.match(designator)
        if shortest is not None:
            for end in range(len(designator) - 1, shortest.end() - 1, -1):
                if designator[:end] in self._listed:
                    return designator[:end]
        return ""

    def _branch(self, first: str) -> "_Branch[T]":
        """The phrases that begin with a word; read when it is first met, because most are never met."""
        branch: _Branch[T] = _Branch()
        for phrase, value in self._listed[first]:
            keys, surfaces = _read(phrase)[:2]
            branch.values.setdefault(" ".join(keys[1:]), []).append((_dotless(surfaces), value))
            if len(keys) == 1:
                branch.alone = 1
            elif len(keys) > branch.longest.get(keys[1], 1):
                branch.longest[keys[1]] = len(keys)
        self._branches[first] = branch
        return branch


class Kept(Mapping[str, Sequence[tuple[str, T]]]):
    """The phrases of an index as a file keeps them: a first word's in a line, which is cut when it is asked for.

    A line is phrase TAB kept TAB phrase TAB kept ...; `value` makes a value of a phrase and what is kept of it.
    """

    def __init__(self, lines: Mapping[str, str], value: Callable[[str, str], T]) -> None:
        self._lines = lines
        self._value = value

    def __getitem__(self, first: str) -> Sequence[tuple[str, T]]:
        fields = self._lines[first].split("\t")
        return [(phrase, self._value(phrase, kept)) for phrase, kept in zip(fields[::2], fields[1::2], strict=True)]

    def __contains__(self, first: object) -> bool:
        return first in self._lines

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)


def kept(listed: Sequence[tuple[str, object]]) -> str:
    """The line of `Kept` for the phrases of a first word."""
    return "\t".join(f"{phrase}\t{value}" for phrase, value in listed)


@dataclass(slots=True)
class _Branch(Generic[T]):
    """The phrases that begin with one word."""

    alone: int = 0  # 1 when the word is a phrase itself
    longest: dict[str, int] = field(default_factory=dict)  # words in the longest other phrase, by its second word
    values: dict[str, list[tuple[list[str], T]]] = field(default_factory=dict)  # surfaces and value, by the other keys


def _indexed(listed: Iterable[tuple[str, T]]) -> tuple[dict[str, list[tuple[str, T]]], set[str]]:
    """The phrases by the key of their first word; and the first words as they may be written."""
    by_first: dict[str, list[tuple[str, T]]] = {}
    begins: set[str] = set()
    same: dict[str, list[tuple[str, T]]] = {}  # the same lists, by the word as it is written
    for pair in listed:
        chunk = pair[0].partition(" ")[0]
        is_first = chunk in same or (chunk.isalpha() and chunk.isascii())  # as are most: quicker than the pattern
        first = chunk if is_first and chunk not in _APART else _first(pair[0])
        if first is not None:
            if first not in same:
                same[first] = by_first.setdefault(key(first), [])
                begins.update(_spellings(first.replace(".", "")))
            same[first].append(pair)
    return by_first, begins


def _spellings(word: str) -> list[str]:
    """All the ways in which the first word of a phrase, as it is listed, may be written."""
    capital = [word.capitalize()] if word.islower() else []
    shouted = [word.upper()] if len(word) > 3 or word.islower() else []
    return [word, *capital, *shouted]


def _first(phrase: str) -> str | None:
    """The first word of a phrase, as it is written; None when there is none."""
    match = _WORD.search(phrase)
    if match is None or match[1] not in _APART:
        return match and match[1]
    return _read(phrase).surfaces[0]


def _dotless(surfaces: list[str]) -> list[str]:
    return [word.replace(".", "") for word in surfaces]


def _fitting(listed: Sequence[tuple[list[str], T]], surfaces: list[str]) -> tuple[list[str], T] | None:
    """The first listed phrase that is written exactly so, else the first that may be written so."""
    for phrase in listed:
        if phrase[0] == surfaces:
            return phrase
    return next((phrase for phrase in listed if _may_be_written(phrase[0], surfaces)), None)


def _may_be_written(listed: list[str], surfaces: list[str]) -> bool:
    """Whether words may be written as these are; a word in capitals passes for one of four letters and more."""
    return all(
        asked == found or asked.islower() or not asked.isalpha() or (len(asked) > 3 and asked.upper() == found)
        for asked, found in zip(listed, _dotless(surfaces), strict=True)
    )
