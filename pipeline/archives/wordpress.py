"""Site -> entries: WordPress lists its posts by its REST API, and where that is closed, on the pages of its feeds.

Source: developer.wordpress.org/rest-api/reference/posts and /using-the-rest-api/pagination.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from pipeline.archives.archive import Found, Reached, Span, Step, Wanted
from pipeline.archives.feed import is_older, read_feed, within
from pipeline.errors import ArchiveError, StageError
from pipeline.model import Entry
from pipeline.stages.parse.values import iso_moment, plain_text
from pipeline.urls import absolute_url, canonical_url, same_site

API = "/wp-json/wp/v2/posts"
A_PAGE = 100  # posts; the most that the API gives
SLACK = timedelta(days=1)  # `after` and `before` are read in the site's own time zone by old versions
_API, _PAGED = "api", "paged"  # kinds of steps
_NOT_FOUND = frozenset({"http-400", "http-404"})  # what WordPress answers beyond the last page


class WordpressArchive:
    """The posts of a feed's site."""

    name = "wordpress"

    def start(self, wanted: Wanted) -> tuple[Step, ...]:
        """The first page of the API; it carries the feed, in case there is none."""
        asked = {"orderby": "date", "order": "asc", "_fields": "link,date_gmt,modified_gmt,title", "per_page": A_PAGE}
        if wanted.span.since:
            asked["after"] = _asked(wanted.span.since, -SLACK)
        if wanted.span.until:
            asked["before"] = _asked(wanted.span.until, SLACK)
        url = absolute_url(f"{API}?{urlencode(asked)}&page=1", wanted.feed.url)
        return (Step(url or wanted.feed.url, _API, carried=wanted.feed.url),)

    def read(self, step: Step, blocks: Iterable[bytes], span: Span) -> Iterator[Found]:
        """The posts of a page in the range, and the next page if there may be one.

        Raises:
            ArchiveError: `not-wordpress` or `malformed-json`, of the API; or it is no feed.
        """
        body = b"".join(blocks)
        return _read_api(step, body, span) if step.kind == _API else _read_paged(step, body, span)

    def instead(self, step: Step, error: StageError) -> tuple[Step | Reached, ...] | None:
        """The pages of the feed where there is no API; nothing beyond the last page."""
        if error.retryable or error.reason == "malformed-json":
            return None
        number = _number(step)
        if step.kind == _API and number == 1:
            return (Step(step.carried, _PAGED),)
        if number == 1 or error.reason not in _NOT_FOUND:
            return None
        return () if step.kind == _PAGED and number == 2 else (Reached(),)  # or the site has no such pages at all


def _read_api(step: Step, body: bytes, span: Span) -> Iterator[Found]:
    try:
        posts = json.loads(body)
    except (ValueError, RecursionError) as e:
        reason = "malformed-json" if body.lstrip()[:1] in (b"[", b"{") else "not-wordpress"
        raise ArchiveError(step.url, reason, detail=str(e)[:200]) from e
    if not isinstance(posts, list):
        raise ArchiveError(step.url, "not-wordpress", detail=str(posts)[:200])
    for post in posts:
        entry = _entry(post, step) if isinstance(post, dict) else None
        if entry is not None and span.may_hold(entry.published_at, SLACK):
            yield entry
    yield _next(step, "page") if len(posts) >= A_PAGE else Reached()


def _entry(post: dict[str, Any], step: Step) -> Entry | None:
    """A post; None unless it has a page on the site."""
    link, title = post.get("link"), post.get("title")
    url = absolute_url(link, step.url) if isinstance(link, str) else None
    canonical = canonical_url(url) if url else None
    if canonical is None or not same_site(canonical, step.url):
        return None
    rendered = title.get("rendered") if isinstance(title, dict) else None
    return Entry(
        id=canonical,
        url=url,
        title=plain_text(rendered) if isinstance(rendered, str) else None,
        published_at=iso_moment(post.get("date_gmt")),
        updated_at=iso_moment(post.get("modified_gmt")),
        archive="wordpress",
    )


def _read_paged(step: Step, body: bytes, span: Span) -> Iterator[Found]:
    """A page of the feed; a site that does not know of pages gives the same one again."""
    parsed = read_feed(step, body, step.url)
    ids = "\n".join(entry.id for entry in parsed.entries)
    mark = hashlib.sha256(ids.encode(errors="replace")).hexdigest()[:16]
    if mark == step.carried:
        return
    yield from within(parsed, span)
    if is_older(parsed, span):
        yield Reached()
    elif parsed.entries:
        following = _next(step, "paged")
        yield Step(following.url, _PAGED, carried=mark)


def _next(step: Step, parameter: str) -> Step:
    split = urlsplit(step.url)
    kept = [part for part in split.query.split("&") if part and not part.startswith(f"{parameter}=")]
    query = "&".join([*kept, f"{parameter}={_number(step) + 1}"])
    return Step(split._replace(query=query, fragment="").geturl(), step.kind, carried=step.carried)


def _number(step: Step) -> int:
    name = "page" if step.kind == _API else "paged"
    return int(parse_qs(urlsplit(step.url).query).get(name, ["1"])[0])


def _asked(moment: datetime, slack: timedelta) -> str:
    with suppress(OverflowError):  # near the ends of all time
        moment += slack
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
