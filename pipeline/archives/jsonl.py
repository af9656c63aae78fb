"""Lines -> entries: articles that were extracted already, as `defnews extract` and `defnews export` print them."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from pipeline import urls
from pipeline.archives.urls import moment_of, object_of
from pipeline.errors import ArchiveError
from pipeline.model import Article, DateOrigin, Entry
from pipeline.stages import langtag, language
from pipeline.stages.extract import SHORTEST_TEXT
from pipeline.stages.parse.values import clean, plain_text, plain_texts

LONGEST_LINE = 5_000_000  # characters, as many as a page may have bytes
GIVEN = "given@1"  # the extractor of an article that names none


def read(name: str, lines: Iterable[str], at: datetime) -> Iterator[Entry | ArchiveError]:
    """The articles of a file, of which none can be from after `at`.

    A line that holds none is an error value with its number, and reading goes on.
    """
    for number, line in enumerate(lines, 1):
        place = f"{name}, line {number}"
        if len(line) > LONGEST_LINE:
            yield ArchiveError(place, "line-too-long", detail=line[:100])
        elif line.strip():
            given = object_of(place, line)
            yield given if isinstance(given, ArchiveError) else _entry(place, given, at)


def _entry(place: str, given: Mapping[str, Any], at: datetime) -> Entry | ArchiveError:
    url = _text(given, "url") or ""
    own = urls.canonical_url(url)
    if own is None:
        return ArchiveError(place, "not-a-url", detail=url[:100])
    title, text = plain_text(_text(given, "title")), clean(_text(given, "text") or "").strip()
    if title is None or len(text) < SHORTEST_TEXT:
        return ArchiveError(place, "too-short" if title else "no-title", detail=url[:100])
    claimed = urls.canonical_url(_text(given, "canonical_url") or "")
    published_at = moment_of(given.get("published_at"))
    is_dated = published_at is not None and published_at <= at
    article = Article(
        url=url,
        canonical_url=claimed if claimed and urls.same_site(claimed, own) else own,
        title=title,
        text=text,
        published_at=published_at if published_at and is_dated else at,
        published_from=DateOrigin.ARCHIVE if is_dated else DateOrigin.FIRST_SEEN,
        extractor=_text(given, "extractor") or GIVEN,
        authors=_texts(given, "authors"),
        updated_at=moment_of(given.get("updated_at")),
        lang=language.tag(title, text, langtag.usual(_text(given, "lang"))),
        site_name=plain_text(_text(given, "site_name")),
        section=plain_text(_text(given, "section")),
        tags=_texts(given, "tags"),
        is_teaser=given.get("is_teaser") is True,
    )
    dated = article.published_at if is_dated else None
    return Entry(
        id=own, url=url, title=title, published_at=dated, lang=article.lang, archive="jsonl", place=place, held=article
    )


def _text(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    return value if isinstance(value, str) else None


def _texts(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = given.get(name)
    return plain_texts(one for one in values if isinstance(one, str)) if isinstance(values, list) else ()
