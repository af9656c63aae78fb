"""Text in other languages -> the countries that it names.

A table lists forms in lower case; "*" at the end of a word stands for any ending. Where words are written apart a form
begins where a word begins and ends where one ends; in Korean any particle may follow, in Chinese, Japanese and Thai a
form may stand anywhere. Arabic and Hebrew forms stand without the article and the prepositions that are written with
their word. The longest form at a place wins and uses its letters up.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from pipeline.model import Article
from pipeline.stages.language import settled
from pipeline.stages.tag.countries import ENGLISH, Codes, forms
from pipeline.stages.tag.tables import languages

_LETTER = "[\\w\u0300-\u036f\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u200c\u200d]"
_REST = re.compile(f"{_LETTER}*")
_START = re.compile(f"(?<!{_LETTER})\\w")
_ANYWHERE = frozenset(("ja", "th", "zh"))
_OPEN = _ANYWHERE | {"ko"}  # languages in which anything may follow a form
_PREFIX = {"ar": re.compile("[وف]?[بلك]?(?:ال|ل)?"), "he": re.compile("[והבלמשכ]{0,3}")}
_LONGEST_PREFIX = 4
HOME = {  # where most of a language's news is about: meant when a text names no country
    "bg": "BG",
    "cs": "CZ",
    "da": "DK",
    "de": "DE",
    "el": "GR",
    "et": "EE",
    "fa": "IR",
    "fi": "FI",
    "fr": "FR",
    "he": "IL",
    "hi": "IN",
    "hu": "HU",
    "id": "ID",
    "it": "IT",
    "ja": "JP",
    "ko": "KR",
    "lt": "LT",
    "lv": "LV",
    "nl": "NL",
    "no": "NO",
    "pl": "PL",
    "ro": "RO",
    "ru": "RU",
    "sr": "RS",
    "sv": "SE",
    "th": "TH",
    "tr": "TR",
    "uk": "UA",
    "ur": "PK",
    "vi": "VN",
}


def language_of(article: Article) -> str:
    """The language, ISO 639-1, whose table of countries reads an article; English when there is none."""
    found = settled(article)
    return found if found in languages() else ENGLISH


def home_of(declared: str | None, language: str) -> str | None:
    """The country that a text is about when it names none, by its language; a declared region, "de-AT", says it."""
    parts = (declared or "").split("-")
    region = parts[-1]
    if parts[0].lower() == language and len(region) == 2 and region.isupper():
        return region
    return HOME.get(language)


class Form(NamedTuple):
    """A form of a table: its parts, after each of which but the last any letters may follow."""

    parts: tuple[str, ...]
    codes: Codes


class Abroad:
    """Finds the countries that a text in one language names."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._forms: defaultdict[str, list[Form]] = defaultdict(list)  # by their first two letters, longest first
        listed = forms(language)
        for form in sorted(listed, key=len, reverse=True):
            self._forms[form[:2]].append(Form(tuple(form.split("*")), listed[form].codes))

    def find(self, text: str) -> list[str]:
        """The codes of the countries that are named, in order, as often as they are."""
        low = _lowered(text, self._language)
        found: list[str] = []
        free = 0
        for start in self._starts(low):
            if start >= free:
                for form in self._forms.get(low[start : start + 2], ()):
                    end = self._end(form, low, start)
                    if end:
                        free = end
                        found += form.codes
                        break
        return found

    def _starts(self, text: str) -> Iterator[int]:
        """Where a form may begin."""
        if self._language in _ANYWHERE:
            yield from range(len(text))
            return
        prefix = _PREFIX.get(self._language)
        for match in _START.finditer(text):
            start = match.start()
            yield start
            if prefix is not None:
                after = range(start + 1, start + 1 + _LONGEST_PREFIX)
                yield from (end for end in after if prefix.fullmatch(text, start, end))

    def _end(self, form: Form, text: str, start: int) -> int:
        """Where a form that begins here ends; 0 when it does not stand here."""
        end = start
        for place, part in enumerate(form.parts):
            if place:
                end = _rest(text, end)
            if not text.startswith(part, end):
                return 0
            end += len(part)
        return end if self._language in _OPEN or end == _rest(text, end) else 0


@cache
def table_of(language: str) -> Abroad:
    """The table of a language, read when it is first needed."""
    return Abroad(language)


def _rest(text: str, at: int) -> int:
    """Where the letters that begin here end."""
    match = _REST.match(text, at)
    return match.end() if match else at


def _lowered(text: str, language: str) -> str:
    if language == "tr":
        text = text.replace("İ", "i").replace("I", "ı")
    return text.lower()
