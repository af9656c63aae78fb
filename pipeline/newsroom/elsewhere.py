"""What others keep of all sites, at every site's address: a web archive (index and copies), an index of the news."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from itertools import groupby
from urllib.parse import urlsplit

from pipeline.newsroom import feeds, layouts
from pipeline.newsroom.room import SPAN, Newsroom, RoomArticle
from pipeline.newsroom.sites import SITES, FeedPlan, Site

CAPTURES, COPIES, INDEX = "/cdx/search/cdx", "/web/", "/api/v2/doc/doc"
CAPTURED_AFTER = (timedelta(hours=5), timedelta(days=2))  # a page's publication
INDEXED_EVERY = timedelta(minutes=15)
MOST_INDEXED = 250  # articles of an answer

_DIGITS = "%Y%m%d%H%M%S"
Asked = Mapping[str, Sequence[str]]  # a query, taken apart


@dataclass(frozen=True, slots=True, order=True)
class Capture:
    """A page, picture or feed as the web archive has it."""

    url: str
    at: datetime
    digest: str
    type: str = "text/html"
    status: int = 200

    @property
    def stamp(self) -> str:
        """When, in digits."""
        return self.at.strftime(_DIGITS)


@dataclass(frozen=True, slots=True)
class Copy:
    """What the web archive answers when it is asked for a copy: a body, or where the nearest one is."""

    body: bytes = b""
    type: str = ""
    leads_to: str | None = None


def captures(room: Newsroom, asked: Asked) -> bytes:
    """Lines of the web archive's index, and where to go on when there are more."""
    names = _first(asked, "fl", "urlkey,timestamp,original,mimetype,statuscode,digest,length").split(",")
    start, limit = int(_first(asked, "resumeKey", "0")), int(_first(asked, "limit", "1000000"))
    found = [capture for capture in _captures(room) if _is_asked(capture, asked)]
    if "digest" in asked.get("collapse", ()):
        found = [next(group) for _, group in groupby(found, lambda capture: (capture.url, capture.digest))]
    rows = [_row(capture, names) for capture in found[start : start + limit]]
    if len(found) > start + limit and "showResumeKey" in asked:
        rows += ["", str(start + limit)]
    return "".join(f"{row}\n" for row in rows).encode()


def copy(room: Newsroom, path: str) -> Copy | None:
    """The copy of a page or feed that was captured nearest to a moment; None when there is none."""
    stamp, _, url = path.partition("id_/")
    moment = _moment(stamp)
    known = [capture for capture in _captures(room) if capture.url == url and capture.status == 200]
    if not known:
        return None
    nearest = min(known, key=lambda capture: abs(capture.at - moment))
    if nearest.stamp != stamp:
        return Copy(leads_to=f"{COPIES}{nearest.stamp}id_/{url}")
    site = next(site for site in SITES if url.startswith(room.origin(site) + "/"))
    article = room.links.get(url)
    if article is not None:
        return Copy(*layouts.page(site, room.origin(site), article, room.listed(site)))
    plan = next(plan for plan in site.feeds if url == room.origin(site) + plan.path)
    entries = _listed(room, site, plan, moment)[: room.holds or plan.holds]
    return Copy(feeds.render(site, plan, room.origin(site), entries), feeds.TYPES[plan.format])


def index(room: Newsroom, asked: Asked) -> bytes:
    """The articles that answer a question, oldest first: of a domain, or with the words in their titles."""
    query, most = _first(asked, "query", ""), min(int(_first(asked, "maxrecords", "75")), MOST_INDEXED)
    start, end = (_moment(_first(asked, name, "")) for name in ("startdatetime", "enddatetime"))
    dated = sorted((_seen_at(article), article.link, article.title) for article in room.articles)
    found = [
        {"url": url, "title": title, "seendate": f"{at:%Y%m%dT%H%M%SZ}", "domain": urlsplit(url).netloc}
        for at, url, title in dated
        if start <= at <= end and _answers(query, url, title)
    ]
    return json.dumps({"articles": found[:most]} if found else {}).encode()


def _answers(query: str, url: str, title: str) -> bool:
    operator, _, domain = query.partition("domain:")
    return urlsplit(url).netloc == domain if domain and not operator else query.lower() in title.lower()


def _seen_at(article: RoomArticle) -> datetime:
    """At the next quarter of an hour."""
    at = article.published_at
    return at.replace(minute=at.minute // 15 * 15) + INDEXED_EVERY


@lru_cache(maxsize=1)
def _captures(room: Newsroom) -> tuple[Capture, ...]:
    """All captures, those of a URL one after the other, oldest first."""
    return tuple(sorted([*_pages(room), *_feeds(room)]))


def _pages(room: Newsroom) -> Iterator[Capture]:
    for article in room.articles:
        status = 200 if article.label is not None else 404
        for at in (article.published_at + after for after in CAPTURED_AFTER):
            if at <= room.at:
                yield Capture(article.link, at, _digest(article.key), status=status)
    for origin in room.origins:
        yield Capture(f"{origin}/", room.at - SPAN, _digest(origin))
        yield Capture(f"{origin}/logo.png", room.at - SPAN, _digest(origin), "image/png")


def _feeds(room: Newsroom) -> Iterator[Capture]:
    """Each feed once a day."""
    for site in SITES:
        for plan in site.feeds:
            for at in (room.at - timedelta(days=day) for day in range(SPAN.days)):
                newest = next((article.key for article in _listed(room, site, plan, at)), "")
                yield Capture(room.origin(site) + plan.path, at, _digest(newest), "text/xml")


def _listed(room: Newsroom, site: Site, plan: FeedPlan, at: datetime) -> list[RoomArticle]:
    return [a for a in room.listed(site) if a.published_at <= at and plan.section in {None, a.section}]


def _is_asked(capture: Capture, asked: Asked) -> bool:
    url, is_domain = _first(asked, "url", ""), _first(asked, "matchType", "exact") == "domain"
    is_there = urlsplit(capture.url).netloc == url if is_domain else capture.url == url
    start, end = _first(asked, "from", "0"), _first(asked, "to", "9")
    said = {"statuscode": str(capture.status), "mimetype": capture.type}
    wanted = (one.partition(":") for one in asked.get("filter", ()))
    return is_there and start <= capture.stamp <= end and all(said[name] == value for name, _, value in wanted)


def _row(capture: Capture, names: Sequence[str]) -> str:
    said = {
        "urlkey": capture.url,
        "timestamp": capture.stamp,
        "original": capture.url,
        "mimetype": capture.type,
        "statuscode": str(capture.status),
        "digest": capture.digest,
        "length": "1",
    }
    return " ".join(said[name] for name in names)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:32].upper()


def _moment(digits: str) -> datetime:
    return datetime.strptime(digits, _DIGITS).replace(tzinfo=UTC)


def _first(asked: Asked, name: str, default: str) -> str:
    return asked.get(name, (default,))[0]
