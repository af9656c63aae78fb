"""Query -> entries: what GDELT's index of the world's news names, by words, theme or site, in a range.

Source: blog.gdeltproject.org, "GDELT DOC 2.0 API Debuts" (2017): mode ArtList, at most 250 articles an answer.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from pipeline.archives.archive import Found, Reached, Span, Step, Wanted
from pipeline.errors import ArchiveError, StageError
from pipeline.model import Entry
from pipeline.stages.parse.values import plain_text
from pipeline.urls import absolute_url, canonical_url, same_site, site

MOST = 250  # articles of an answer
SHORTEST = timedelta(minutes=15)  # so often GDELT looks at the world
SEEN_WITHIN = timedelta(days=1)  # of its publication; an article that was seen later only is not found
BEGINNING = datetime(2017, 1, 1, tzinfo=UTC)  # of what the API knows
_DIGITS = "%Y%m%d%H%M%S"
_SECOND = timedelta(seconds=1)


class GdeltArchive:
    """The index; asked for the feed's site where the settings or the command name no query."""

    name = "gdelt"

    def start(self, wanted: Wanted) -> tuple[Step, ...]:
        """The whole range at once, and what was seen soon after it: a full answer is split in time."""
        query = wanted.places.gdelt_query
        since = max(wanted.span.since or BEGINNING, BEGINNING)
        until = max(min(_seen_until(wanted.span), wanted.at), since + _SECOND)
        base = f"{wanted.places.gdelt}?{urlencode({'query': query or f'domain:{site(wanted.feed.url)}'})}"
        return (_step(base, since, until, "" if query else wanted.feed.url),)

    def read(self, step: Step, blocks: Iterable[bytes], span: Span) -> Iterator[Found]:
        """The articles of an answer; of a full one the two halves of its time.

        Raises:
            ArchiveError: `malformed-json`, `refused` (with GDELT's words), or `too-many` within the shortest time.
        """
        articles = _articles(step, b"".join(blocks))
        base, since, until = _asked(step)
        if len(articles) >= MOST and until - since > SHORTEST:
            middle = since + (until - since) / 2
            middle = middle.replace(microsecond=0)
            yield _step(base, since, middle, step.carried)
            yield _step(base, middle, until, step.carried)
            return
        for article in articles:
            entry = _entry(article, step) if isinstance(article, dict) else None
            if entry is not None:
                yield entry
        if len(articles) >= MOST:
            raise ArchiveError(step.url, "too-many", detail=f"{MOST} articles or more")

    def instead(self, step: Step, error: StageError) -> tuple[Step | Reached, ...] | None:
        """Nothing: what it holds is missed."""
        return None


def _seen_until(span: Span) -> datetime:
    """When the last articles of a range were seen: the index dates them by that, not by their publication."""
    last = datetime.max.replace(tzinfo=UTC)
    return span.until + SEEN_WITHIN if span.until and span.until < last - SEEN_WITHIN else last


def _step(base: str, since: datetime, until: datetime, feed_url: str) -> Step:
    """The question for a time; the API's end is included, ours is not."""
    asked = {"mode": "ArtList", "format": "json", "maxrecords": MOST, "sort": "DateAsc"}
    moments = {"startdatetime": since.strftime(_DIGITS), "enddatetime": (until - _SECOND).strftime(_DIGITS)}
    return Step(f"{base}&{urlencode({**asked, **moments})}", carried=feed_url)


def _asked(step: Step) -> tuple[str, datetime, datetime]:
    asked = parse_qs(urlsplit(step.url).query)
    since, until = (
        datetime.strptime(asked[name][0], _DIGITS).replace(tzinfo=UTC) for name in ("startdatetime", "enddatetime")
    )
    return step.url.partition("&mode=")[0], since, until + _SECOND


def _articles(step: Step, body: bytes) -> list[Any]:
    text = body.decode("utf-8", "replace").strip()
    if text and text[0] != "{":
        raise ArchiveError(step.url, "refused", detail=" ".join(text[:200].split()))
    try:
        found = json.loads(text or "{}", strict=False)
    except (ValueError, RecursionError) as e:
        raise ArchiveError(step.url, "malformed-json", detail=str(e)[:200]) from e
    articles = found.get("articles", [])
    return articles if isinstance(articles, list) else []


def _entry(article: dict[str, Any], step: Step) -> Entry | None:
    """An article with the time at which GDELT saw it; None when it is of another site than the one asked for."""
    link, title, seen = (article.get(name) for name in ("url", "title", "seendate"))
    url = absolute_url(link) if isinstance(link, str) else None
    canonical = canonical_url(url) if url else None
    if canonical is None or (step.carried and not same_site(canonical, step.carried)):
        return None
    return Entry(
        id=canonical,
        url=url,
        title=plain_text(title) if isinstance(title, str) else None,
        published_at=_moment(seen),
        archive="gdelt",
    )


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except (TypeError, ValueError):
        return None
