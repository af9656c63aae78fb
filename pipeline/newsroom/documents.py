"""What every path of the newsroom holds: feeds, pages, lists, sitemaps, robots.txt, redirects and dead ends."""

import gzip
import hashlib
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs

from pipeline.newsroom import elsewhere, feeds, layouts, past, sitemaps
from pipeline.newsroom.room import Newsroom, RoomArticle, section_slug
from pipeline.newsroom.sites import SITES, FeedPlan, Format, Site

HTML = "text/html; charset=utf-8"
XML = "application/xml; charset=utf-8"
GONE = {"http-404": 404, "http-410": 410}
REPORT = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>endobj
4 0 obj<</Length 0>>stream
endstream endobj
trailer<</Root 1 0 R>>
startxref
0
%%EOF
"""


@dataclass(frozen=True, slots=True)
class Document:
    """One representation, with its validators."""

    body: bytes
    type: str
    status: int = 200
    modified_at: datetime | None = None
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def etag(self) -> str:
        """A strong validator of the body as it stands here, uncompressed."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:20]}"'

    @property
    def is_text(self) -> bool:
        """Whether compressing it is worth the while."""
        return not self.type.startswith(("application/pdf", "application/gzip"))


def document(room: Newsroom, origin: str, target: str) -> Document:
    """What the site at `origin` answers at a path; queries matter to archives only."""
    site = SITES[room.origins.index(origin)]
    path, _, query = target.partition("?")
    kept = _past(room, site, path, parse_qs(query)) or _elsewhere(room, target, parse_qs(query))
    if kept is not None:
        return kept
    plan = next((plan for plan in site.feeds if plan.path == path), None)
    if plan is not None:
        return _feed(room, site, plan)
    article = room.links.get(origin + path)
    if article is not None:
        return _article(room, site, article, origin + path)
    return _sitemap(room, site, path) or _front(room, site, path) or missing(site)


def missing(site: Site, status: int = 404) -> Document:
    """The site's own error page: HTML, as real ones are."""
    return Document(layouts.error(site, status).encode(), HTML, status)


def _feed(room: Newsroom, site: Site, plan: FeedPlan) -> Document:
    entries = room.held(site, plan)
    body = feeds.render(site, plan, room.origin(site), entries, past.older(room, site, plan))
    newest = max((entry.updated_at or entry.published_at for entry in entries), default=None)
    return Document(body, feeds.TYPES[plan.format], modified_at=newest)


def _past(room: Newsroom, site: Site, path: str, asked: past.Asked) -> Document | None:
    """What the site keeps of its past; None when it is not asked for that."""
    if path.startswith(past.ARCHIVES):
        body = past.archive(room, site, path)
        return Document(body, feeds.TYPES[Format.ATOM]) if body else missing(site)
    if site.key not in past.POWERED:
        return None
    if path == past.POSTS:
        status, body = past.posts(room, site, asked)
        return Document(body, "application/json; charset=UTF-8", status)
    plan = next((plan for plan in site.feeds if plan.path == path and "paged" in asked), None)
    if plan is None:
        return None
    body = past.feed_page(room, site, plan, asked["paged"][0])
    return Document(body, feeds.TYPES[plan.format]) if body else missing(site)


def _elsewhere(room: Newsroom, target: str, asked: elsewhere.Asked) -> Document | None:
    """What others keep of all sites; None when they are not asked."""
    path = target.partition("?")[0]
    if path == elsewhere.CAPTURES:
        return Document(elsewhere.captures(room, asked), "text/plain; charset=UTF-8")
    if path == elsewhere.INDEX:
        return Document(elsewhere.index(room, asked), "application/json; charset=utf-8")
    if not path.startswith(elsewhere.COPIES):
        return None
    copy = elsewhere.copy(room, target.removeprefix(elsewhere.COPIES))
    if copy is None:
        return Document(b"The web archive has no copy of it.", "text/plain", 404)
    if copy.leads_to is not None:
        return Document(b"", HTML, 302, headers=(("Location", copy.leads_to),))
    return Document(copy.body, copy.type)


def _article(room: Newsroom, site: Site, article: RoomArticle, url: str) -> Document:
    if url != article.url:
        return Document(b"", HTML, 301, headers=(("Location", article.url),))
    if article.reason in GONE:
        return missing(site, GONE[article.reason])
    modified_at = article.updated_at or article.published_at
    if article.reason == "pdf-without-text":
        return Document(REPORT, "application/pdf", modified_at=modified_at)
    body, content_type = layouts.page(site, room.origin(site), article, room.listed(site))
    return Document(body, content_type, modified_at=modified_at)


def _sitemap(room: Newsroom, site: Site, path: str) -> Document | None:
    origin = room.origin(site)
    if path == "/robots.txt":
        return Document(sitemaps.robots(origin), "text/plain; charset=utf-8")
    listed = [article for article in room.listed(site) if article.in_sitemap]
    children = sitemaps.children(listed)
    if path == "/sitemap.xml":
        return Document(sitemaps.index(origin, children), XML)
    if path == "/sitemap-news.xml":
        return Document(sitemaps.news(site.name, listed, room.at), XML)
    if path not in children:
        return None
    body = sitemaps.child(children[path])
    if path.endswith(".gz"):
        return Document(gzip.compress(body, 6, mtime=0), "application/gzip")
    return Document(body, XML)


def _front(room: Newsroom, site: Site, path: str) -> Document | None:
    listed = room.listed(site)
    sections = {f"/section/{section_slug(article.section)}/": article.section for article in listed}
    if path not in {"/", *sections}:
        return None
    shown = [article for article in listed if path == "/" or article.section == sections[path]]
    return Document(layouts.front(site, room.origin(site), shown).encode(), HTML)
