"""JSON Feed 1.0 and 1.1; a member of the wrong type is as good as absent.

Source: jsonfeed.org/version/1.1
"""

import json
from typing import cast

from pipeline.errors import ParseError
from pipeline.model import Enclosure, Entry, ParsedFeed
from pipeline.stages import langtag
from pipeline.stages.parse.values import clean, distinct, iso_moment, plain_text, plain_texts, size, unnamed_id
from pipeline.urls import absolute_url, canonical_url

_Object = dict[str, object]
_FORMATS = {"1": "json10", "1.0": "json10", "1.1": "json11"}
_VERSION = "jsonfeed.org/version/"


def parse(text: str, url: str) -> ParsedFeed:
    """Read a JSON Feed.

    Raises:
        ParseError: `bad-json`, or JSON that is `not-a-feed`.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as e:
        raise ParseError(url, "bad-json", detail=str(e)[:200]) from e
    feed = _object(document)
    _, is_feed, version = (_string(feed, "version") or "").rpartition(_VERSION)
    if not is_feed:
        raise ParseError(url, "not-a-feed", detail="JSON without the version of a JSON Feed")
    lang = langtag.usual(_string(feed, "language"))
    entries = (_entry(item, url, lang) for item in _objects(feed, "items"))
    return ParsedFeed(
        title=plain_text(_string(feed, "title")),
        url=_link(feed, "home_page_url", url),
        format=_FORMATS.get(version.strip("/"), "json11"),
        entries=distinct(entry for entry in entries if entry),
        lang=lang,
        links=_links(feed, url),
    )


def _links(feed: _Object, base: str) -> tuple[tuple[str, str], ...]:
    """What it names of itself; hubs are objects with a type and a URL."""
    named = (("next", _link(feed, "next_url", base)), ("self", _link(feed, "feed_url", base)))
    hubs = (("hub", _link(hub, "url", base)) for hub in _objects(feed, "hubs"))
    return tuple((relation, link) for relation, link in (*named, *hubs) if link)


def _entry(item: _Object, base: str, lang: str | None) -> Entry | None:
    link = _link(item, "url", base) or _link(item, "external_url", base)
    content = _string(item, "content_html") or _string(item, "content_text")
    summary = _string(item, "summary")
    title, published = plain_text(_string(item, "title")), iso_moment(_string(item, "date_published"))
    named = _string(item, "id") or (link and canonical_url(link))
    own_id = named or unnamed_id(title, content or summary, published)
    if not own_id:
        return None
    return Entry(
        id=own_id,
        url=link,
        title=title,
        published_at=published,
        updated_at=iso_moment(_string(item, "date_modified")),
        summary=summary,
        content=content,
        authors=plain_texts(_string(author, "name") for author in _authors(item)),
        tags=plain_texts(tag for tag in _list(item, "tags") if isinstance(tag, str)),
        enclosures=_enclosures(item, base),
        lang=langtag.usual(_string(item, "language")) or lang,
    )


def _authors(item: _Object) -> list[_Object]:
    return _objects(item, "authors") or [_object(item.get("author"))]


def _enclosures(item: _Object, base: str) -> tuple[Enclosure, ...]:
    return tuple(
        Enclosure(link, _string(attachment, "mime_type"), size(attachment.get("size_in_bytes")))
        for attachment in _objects(item, "attachments")
        if (link := _link(attachment, "url", base))
    )


def _object(value: object) -> _Object:
    return cast(_Object, value) if isinstance(value, dict) else {}


def _list(owner: _Object, name: str) -> list[object]:
    value = owner.get(name)
    return value if isinstance(value, list) else []


def _objects(owner: _Object, name: str) -> list[_Object]:
    return [cast(_Object, value) for value in _list(owner, name) if isinstance(value, dict)]


def _string(owner: _Object, name: str) -> str | None:
    value = owner.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)  # ids are numbers in some feeds; the specification asks for this
    return clean(value).strip() or None if isinstance(value, str) else None


def _link(owner: _Object, name: str, base: str) -> str | None:
    value = _string(owner, name)
    return absolute_url(value, base) if value else None
