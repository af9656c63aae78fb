"""What the address of a search asks for: it is written anew for each way on from there."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from urllib.parse import parse_qsl, urlencode

from pipeline.entrypoints.pages import panel
from pipeline.entrypoints.reading import Asked, Many
from pipeline.errors import UsageError
from pipeline.query import rewrite
from pipeline.store import Facets, Saved

MANY = tuple(field.name for field in fields(Many))
ONE = ("q", "since", "until", "min_score", "teaser", "sort")
MOST_PAIRS = 200  # of a name and a value
SHOWN = 8  # values of a facet
TRUTH = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Words and filters as pairs of a name and a value, of which only those of `MANY` are repeated."""

    pairs: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, given: Iterable[tuple[str, str]]) -> "Wanted":
        """What is known of the parameters of an address."""
        pairs = dict.fromkeys((name, value) for name, value in given if value and name in (*MANY, *ONE))
        once = dict(pair for pair in pairs if pair[0] in ONE)
        return cls((*once.items(), *(pair for pair in pairs if pair[0] in MANY))[:MOST_PAIRS])

    @classmethod
    def in_address(cls, query: str) -> "Wanted":
        """The same, of what stands behind the question mark."""
        return cls.of(parse_qsl(query, max_num_fields=MOST_PAIRS))

    @classmethod
    def of_saved(cls, saved: Saved) -> "Wanted":
        """What a saved search asks for."""
        pairs = [("q", saved.words)]
        for name, value in saved.filters.items():
            values = value if isinstance(value, list | tuple) else [value]
            written = "teaser" if name == "is_teaser" else name
            pairs += [(written, str(one).lower() if isinstance(one, bool) else str(one)) for one in values]
        return cls.of(pairs)

    @property
    def first(self) -> dict[str, str]:
        """Of each name the first value."""
        return dict(reversed(self.pairs))

    @property
    def words(self) -> str:
        """What stands in the box for words."""
        return self.first.get("q", "")

    @property
    def beside(self) -> tuple[tuple[str, str], ...]:
        """What is asked for, but not in words."""
        return tuple(pair for pair in self.pairs if pair[0] not in ("q", "sort"))

    @property
    def address(self) -> str:
        """As it stands behind the question mark."""
        return urlencode(self.pairs)

    def saying(self, words: str) -> "Wanted":
        """The same in other words."""
        return Wanted((*((("q", words),) if words else ()), *self.without("q").pairs))

    def in_words(self) -> "Wanted":
        """The same, as far as words can say it: a filter becomes a field, unless they have that field already.

        The values of a field are alternatives, but a filter beside them narrows: such a one stays a filter.
        """
        said = [
            (names, field, values)
            for names, field, values in self._as_fields()
            if values and not rewrite.values(self.words, field) and all(rewrite.can_say(field, one) for one in values)
        ]
        words = self.words
        for _, field, values in said:
            for value in values:
                words = rewrite.with_another(words, field, value)
        return self.without(*(name for names, _, _ in said for name in names)).saying(words)

    def _as_fields(self) -> Iterator[tuple[tuple[str, ...], str, tuple[str, ...]]]:
        """Names of filters, the field that says the same, its values."""
        yield from (((name,), name, self._all(name)) for name in MANY)
        yield ("min_score",), "score", tuple(f">={value}" for value in self._all("min_score"))
        since, until = (self.first.get(name, "") for name in ("since", "until"))
        yield ("since", "until"), "published", (panel.published(since, until),) if since or until else ()

    def without(self, *names: str) -> "Wanted":
        """The same, whatever those say."""
        return Wanted(tuple(pair for pair in self.pairs if pair[0] not in names))

    def less(self, pair: tuple[str, str]) -> "Wanted":
        """The same without one value."""
        return Wanted(tuple(kept for kept in self.pairs if kept != pair))

    def plus(self, *pairs: tuple[str, str]) -> "Wanted":
        """The same with these values, and no others of their names."""
        return Wanted((*self.without(*(name for name, _ in pairs)).pairs, *pairs))

    def lacking(self, *fields: str) -> "Wanted":
        """The same, whatever those fields say in the words or beside them."""
        words = self.words
        for field in fields:
            words = rewrite.with_value(words, field, "")
        return self.without(*fields).saying(words)

    def narrowed(self, name: str, value: str) -> "Wanted | None":
        """Only those of a value: in the words, or beside them where they name one already; None: in both there is."""
        if not rewrite.values(self.words, name):
            return self.saying(rewrite.with_another(self.words, name, value))
        return None if name in self.first else self.plus((name, value))

    def has(self, name: str, value: str) -> bool:
        """Whether it asks for the value already."""
        return value.casefold() in {said.casefold() for said in (*rewrite.values(self.words, name), *self._all(name))}

    def asked(self, limit: int, cursor: str | None = None) -> Asked:
        """The same, as the command line has it.

        Raises:
            UsageError: a number is none.
        """
        one, many = self.first, {name: self._all(name) for name in MANY if name != "story"}
        teaser = one.get("teaser")
        if teaser not in (None, *TRUTH):
            raise UsageError(f"teaser: {teaser!r}: expected true or false")
        return Asked(
            words=one.get("q"),
            many=Many(**many, story=tuple(map(_story, self._all("story")))),
            since=one.get("since"),
            until=one.get("until"),
            min_score=_score(one["min_score"]) if "min_score" in one else None,
            is_teaser=TRUTH[teaser] if teaser else None,
            sort=one.get("sort", "newest"),
            limit=limit,
            cursor=cursor,
        )

    def _all(self, name: str) -> tuple[str, ...]:
        return tuple(value for known, value in self.pairs if known == name)


@dataclass(frozen=True, slots=True)
class Way:
    """A value of a facet: how many articles have it, and the search for those only."""

    value: str
    articles: int
    wanted: Wanted | None  # None: it cannot be narrower, or is as narrow already


def ways(wanted: Wanted, found: Facets, feeds: Mapping[str, int]) -> dict[str, tuple[Way, ...]]:
    """The values of each facet; those of feeds are found by their ids."""

    def way(name: str, shown: str, value: str, number: int) -> Way:
        return Way(shown, number, None if wanted.has(name, value) else wanted.narrowed(name, value))

    def of(name: str, numbers: Sequence[tuple[str, int]]) -> tuple[Way, ...]:
        return tuple(way(name, value, value, number) for value, number in numbers[:SHOWN])

    by_feed = [way("feed", title, str(feeds.get(title, title)), number) for title, number in found.feeds[:SHOWN]]
    by_month = [Way(month, number, _in_month(wanted, month)) for month, number in found.months[:12]]
    return {
        "topic": of("topic", found.topics),
        "country": of("country", found.countries),
        "entity": of("entity", found.entities),
        "feed": tuple(by_feed),
        "month": tuple(by_month),
    }


def _in_month(wanted: Wanted, month: str) -> Wanted:
    year, number = map(int, month.split("-"))
    days = 31 if number in (1, 3, 5, 7, 8, 10, 12) else 30 if number != 2 else 29 if year % 4 == 0 else 28
    in_month = panel.published(f"{month}-01", f"{month}-{days}")
    return wanted.without("since", "until").saying(rewrite.with_value(wanted.words, "published", in_month))


def _story(given: str) -> int:
    if not (given.isascii() and given.isdecimal() and int(given[:20]) < 2**63):
        raise UsageError(f"story: {given!r} is no id")
    return int(given)


def _score(given: str) -> float:
    if not re.fullmatch(r"[01](\.[0-9]{1,6})?", given):
        raise UsageError(f"min_score: {given!r}: expected a number from 0 to 1")
    return float(given)
