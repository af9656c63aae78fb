"""Article -> Tags: the countries that an article is about, and the weapons, forces and firms that it names.

All names come from the tables beside this file: `entities` and `countries` find them in words, `abroad` finds countries
in other languages. `index` keeps the forms of entities and countries ready to be found.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from pipeline.model import Article
from pipeline.stages import words
from pipeline.stages.tag import index
from pipeline.stages.tag.abroad import home_of, language_of, table_of
from pipeline.stages.tag.countries import ENGLISH, NOWHERE, Countries
from pipeline.stages.tag.entities import Entities, Mention
from pipeline.stages.words import Words

NAME = "gazetteer@1"
LENGTH = 20_000  # characters of the text that are searched for entities
LEAD = 170  # words of the text that are searched for countries: some 1,000 characters
LEAD_LENGTH = 1_000  # characters, where words are not written apart
FIRST = 100  # words of the text in which forces, ministries and firms speak for their countries
LATE = 60  # words of the text after which a country must be named twice
SPEAKING = frozenset(("force", "ministry", "firm"))

_DATELINE = re.compile(  # SEOUL, July 11 (Yonhap) --; NEW DELHI:; Berlin (dpa) -
    r"\s*(?:[A-ZÀ-Þ][A-ZÀ-Þ.'’/ -]{2,40}(?:[,(][^—–\n]{0,60}?)?(?:\s(?:--?|[—–])\s|\s?—\s?)"
    r"|[A-ZÀ-Þ][A-ZÀ-Þ .'-]{2,30}:\s"
    r"|[A-ZÀ-Þ]\w+(?: [A-ZÀ-Þ]\w+)?(?: \([^)\n]{2,30}\)|, \d{1,2} \w+(?: \d{4})?|, \w+ \d{1,2})?\s(?:--?|[—–])\s)"
)


@dataclass(frozen=True, slots=True)
class Tags:
    """What an article is about."""

    countries: tuple[str, ...]  # ISO 3166-1 alpha-2, and XK; most prominent first
    entities: tuple[tuple[str, str], ...]  # (name, kind), in the order of their first mention


class Tagger:
    """Finds what the tables list."""

    name = NAME

    def __init__(self) -> None:
        self._entities = Entities(index.entities())
        self._countries = Countries(index.countries())

    def tag(self, article: Article) -> Tags:
        """The countries and the entities of an article."""
        title, text = _read(article.title), _read(article.text[:LENGTH])
        begin = len(title.keys) + 1
        read = _joined(title, text)
        mentions = self._entities.find(read)
        language = language_of(article)
        if language == ENGLISH:
            named = self._named(article.text, read, begin)
        else:
            named = _named_abroad(article, language, begin)
        named += _spoken(mentions, begin + FIRST, named)
        if not named and language != ENGLISH and (home := home_of(article.lang, language)) is not None:
            named = [(begin, home)]
        entities = dict.fromkeys((mention.entity.name, mention.entity.kind) for mention in mentions)
        return Tags(ranked(named, begin), tuple(entities))

    def _named(self, text: str, read: Words, begin: int) -> list[tuple[int, str]]:
        """The countries in title and lead; those of the dateline only when there are no others."""
        end = begin + LEAD
        found = self._countries.find(read.first(end))
        dateline = _DATELINE.match(text) if found else None
        if dateline is None:
            return found
        begins = begin + len(words.read(dateline[0]).keys)
        return [(at, code) for at, code in found if not begin <= at < begins] or found


def _read(text: str) -> Words:
    """The words of a text, a currency being none."""
    return words.read(text.replace("US$", "$"))


def _joined(title: Words, text: Words) -> Words:
    """The words of both, and between them a mark that no name goes over."""
    begin = len(title.keys) + 1
    others = [*title.others, *(begin + at for at in text.others)]
    return Words([*title.keys, ".", *text.keys], [*title.surfaces, ".", *text.surfaces], (), others)


def _named_abroad(article: Article, language: str, begin: int) -> list[tuple[int, str]]:
    """The countries in title and lead of an article in another language; all as if at the beginning of their part."""
    table = table_of(language)
    title, text = table.find(article.title), table.find(article.text[:LEAD_LENGTH])
    return [*((0, code) for code in title), *((begin, code) for code in text)]


def ranked(named: Sequence[tuple[int, str]], begin: int) -> tuple[str, ...]:
    """The countries by prominence: those of the title, before `begin`, first, then the most mentioned, then the first.

    A country that is named but once, and late, is left out.
    """
    mentions = Counter(code for _, code in named)
    first: dict[str, int] = {}
    for at, code in named:
        first[code] = min(at, first.get(code, at))
    kept = [code for code in first if mentions[code] > 1 or first[code] < begin + LATE]
    return tuple(sorted(kept, key=lambda code: (first[code] >= begin, -mentions[code], first[code])))


def _spoken(mentions: Iterable[Mention], end: int, named: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """The countries of forces, ministries and firms named before `end`; of all entities when there are no others."""
    found = [(at, entity) for at, entity in mentions if at < end and entity.country != NOWHERE]
    speaking = [(at, entity.country) for at, entity in found if entity.kind in SPEAKING]
    return speaking if named or speaking else [(at, entity.country) for at, entity in found]


@cache
def load() -> Tagger:
    """The tagger that ships with the package, read once."""
    return Tagger()
