"""Terms of one language -> where they stand in a text: folded on both sides, the longest first.

How it reads. Text and terms are folded alike: full-width and other forms of one character, capitals, stresses, vowel
points and digits of other scripts become one plain character, so that each is compared by what a reader sees. From each
word's beginning the longest term wins and uses its characters up, so "trade war" hides "war"; at equal length a whole
word beats a stem, and a word as it stands beats one without its prefix. A hyphen is a space.

    rocket      the word
    rocket*     the stem, with any ending; also at the end of each word of a phrase
    *rocket*    anywhere in a word, for languages that write words together
    rocket-     only before a hyphen
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, compress, count
from operator import add
from typing import NamedTuple

_LATIN = "0-9a-zß-öø-ɏḀ-ỿ"
_WORD = r"\w\u0900-\u0963\u0966-\u0dff"  # vowel signs of Indian scripts too, but not their full stop
_MARKED = re.compile(r"[\u0300-\u036f\u1160-\u11ff\u3099\u309a\uff9e\uff9f]")  # belongs to the character before it
_CLUSTER = re.compile(rf"(?s:.){_MARKED.pattern}{{0,8}}")
_LEFT_OUT = re.compile(  # stress, soft hyphen, points of Hebrew and Arabic, tatweel, nukta, marks of direction
    r"[\u00ad\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u093c"
    r"\u200b\u200d-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_GREEK = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]")
_SAME = {
    **dict.fromkeys("-‐‑‒–—―−־\u200c", " "),  # the last one separates parts of a Persian word
    **dict.fromkeys("’‘ʼʻ`´׳", "'"),
    **dict.fromkeys("“”„‟″״", '"'),
    **dict.fromkeys("·・‧•⋅ㆍ", "·"),
    **dict.fromkeys("\n\r\x0b\x0c\x85\u2028\u2029", "\n"),
    **dict(zip("أإآٱىیکёıșțς", "اااايىكеişţσ".replace("ى", "ي"), strict=True)),
    "™": "",
    "…": "…",  # one character stays one
}
_TOGETHER = frozenset({"ja", "ko", "th", "und", "zh"})  # written without spaces, or with endings that none can list
_PREFIXES = {  # and, the, in, to, from, that, as ... are written with the word that follows
    lang: frozenset(listed.split())
    for lang, listed in {
        "ar": "و ف ب ل ك س ال وال فال بال كال لل ولل فلل وب ول وك وبال فب",
        "he": "ו ה ב ל מ ש כ מה שה בה כש כשה לה וה וב ול ומ וש וכ ומה ושה ובה וכש וכשה ולה מב שב של שמ",
    }.items()
}
_LONGEST_PREFIX = 4


class Term(NamedTuple):
    """What a dictionary says of one term."""

    listed: str  # as it stands in the dictionary
    weight: float
    topic: str | None


class Hit(NamedTuple):
    """A term found, with its place in the text as given."""

    term: Term
    start: int
    end: int


class Folded(NamedTuple):
    """A text as it is compared, and where each of its characters stands in the text as given."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    given: str


class _Form(NamedTuple):
    """How a term is looked for."""

    term: Term
    rest: tuple[str, ...]  # what follows the head, each part after the end of a word
    length: int  # characters that the dictionary gives
    is_stem: bool
    is_hyphened: bool


class _Match(NamedTuple):
    """A term that stands in a text; of those at one place, the least is the best."""

    place: int  # where the word begins
    length: int  # below 0: the longest is the least
    is_stem: bool
    start: int  # after a prefix
    end: int
    term: Term


class _Characters(dict[str, str]):
    """Each character, as it is compared."""

    def __missing__(self, character: str) -> str:
        folded = _plain(character)
        if len(character) == 1:  # of longer ones there is no end
            self[character] = folded
        return folded


_CHARACTERS = _Characters()


def fold(text: str) -> Folded:
    """A text as it is compared."""
    given = _CLUSTER.findall(text) if _MARKED.search(text) else text
    pieces = list(map(_CHARACTERS.__getitem__, given))
    folded = "".join(pieces)
    if len(given) == len(text) == len(folded) and "" not in pieces:
        return Folded(folded, range(len(text)), range(1, len(text) + 1), text)
    bounds = [0, *accumulate(map(len, given))]
    places = [at for at, piece in enumerate(pieces) for _ in piece]
    return Folded(folded, [bounds[at] for at in places], [bounds[at + 1] for at in places], text)


class Terms:
    """The terms of a language, ready to be found."""

    def __init__(self, lang: str, terms: Iterable[Term]) -> None:
        self._is_together = lang in _TOGETHER
        self._letters = letters = _LATIN if self._is_together else _WORD
        self._begin = re.compile(rf"(?<![{letters}])\S|[^\s{letters}]")
        self._run = re.compile(rf"[{letters}]*")
        self._prefixes = _PREFIXES.get(lang, frozenset())
        self._prefix_letters = frozenset(prefix[0] for prefix in self._prefixes)
        self._forms: dict[str, list[_Form]] = {}  # by head
        self._within: list[tuple[str, re.Pattern[str], _Form]] = []
        self._lengths: dict[str, list[int]] = {}  # of the heads that begin so, in three characters or all
        listed = list(terms)
        spellings = "".join(map(_CHARACTERS.__getitem__, "\n".join(term.listed for term in listed))).split("\n")
        for spelling, term in dict(zip(reversed(spellings), reversed(listed), strict=True)).items():
            self._learn(term, spelling)
        self._begins = frozenset(head[:2] for head in self._forms)  # a term of one character too
        for begin, length in sorted({(head[:3], len(head)) for head in self._forms}):
            shorter = [size for size in (1, 2) if size < len(begin) and begin[:size] in self._forms]
            self._lengths.setdefault(begin, shorter).append(length)

    def find(self, text: str) -> Iterator[Hit]:
        """The terms in a text, none of which shares a character with another, from left to right."""
        folded = fold(text)
        free = 0
        for match in sorted([*self._standing(folded), *self._compounded(folded.text)]):
            if match.place >= free:
                free = match.end
                yield Hit(match.term, folded.starts[match.start], folded.ends[match.end - 1])

    def _learn(self, term: Term, spelling: str) -> None:
        head, *rest = spelling.strip("*").split("*")
        is_hyphened = term.listed.rstrip("*").endswith("-")
        is_stem = spelling.endswith("*") or is_hyphened
        form = _Form(term, tuple(rest), len(spelling.replace("*", "")), is_stem, is_hyphened)
        if spelling.startswith("*"):
            end = f"[{self._letters}]*" if is_stem else f"(?![{self._letters}])"
            pattern = re.compile(rf"(?<![{self._letters}])[{self._letters}]*{re.escape(head)}{end}")
            self._within.append((head, pattern, form))
        else:
            self._forms.setdefault(head, []).append(form)

    def _standing(self, folded: Folded) -> Iterator[_Match]:
        """The terms that stand at the beginning of a word, or after its prefix."""
        text, forms, lengths = folded.text, self._forms, self._lengths
        for place, start in self._starts(text):
            begin = text[start : start + 3]
            for length in lengths.get(begin) or lengths.get(begin[:2]) or lengths.get(begin[0]) or ():
                for form in forms.get(text[start : start + length], ()):
                    end = self._end(folded, start + length, form)
                    if end:
                        yield _Match(place, -form.length, form.is_stem, start, end, form.term)

    def _compounded(self, text: str) -> Iterator[_Match]:
        """The terms that stand anywhere in a word: the whole word is theirs."""
        for head, pattern, form in self._within:
            if head in text:
                for match in pattern.finditer(text):
                    yield _Match(match.start(), -form.length, form.is_stem, *match.span(), form.term)

    def _starts(self, text: str) -> Iterator[tuple[int, int]]:
        """Where a word begins, and where a term may begin there."""
        begins, prefixes = self._begins, self._prefixes
        if self._is_together:
            pairs = map(add, text, text[1:])
            likely = {at for keys in (text, pairs) for at in compress(count(), map(begins.__contains__, keys))}
            yield from [(at, at) for at in likely if self._begin.match(text, at)]
            return
        for word in self._begin.finditer(text):
            at = word.start()
            if text[at : at + 2] in begins:
                yield at, at
            if text[at] in self._prefix_letters:
                for start in range(at + 1, at + _LONGEST_PREFIX + 1):
                    if text[start : start + 2] in begins and text[at:start] in prefixes:
                        yield at, start

    def _end(self, folded: Folded, end: int, form: _Form) -> int:
        """Where a form ends whose head ends here; 0 when it does not stand here."""
        text, run = folded.text, self._run
        for part in form.rest:
            end = _after(run, text, end)
            if not text.startswith(part, end):
                return 0
            end += len(part)
        if form.is_hyphened and folded.given[folded.starts[end - 1]].isspace():
            return 0
        if form.is_stem:
            return _after(run, text, end)
        return 0 if _after(run, text, end - 1) > end else end


def _after(run: re.Pattern[str], text: str, start: int) -> int:
    """Where a run of letters ends, which may be empty."""
    match = run.match(text, start)
    return match.end() if match else start


def _plain(given: str) -> str:
    """A character with the marks that belong to it, as it is compared."""
    if given in _SAME:
        return _SAME[given]
    text = unicodedata.normalize("NFKC", given).lower()
    if _GREEK.search(text):  # capitals have no accents
        text = unicodedata.normalize("NFKD", text)
    return "".join(map(_same, _LEFT_OUT.sub("", text)))


def _same(character: str) -> str:
    digit = unicodedata.decimal(character, None)
    return _SAME.get(character, " " if character.isspace() else character if digit is None else str(digit))
