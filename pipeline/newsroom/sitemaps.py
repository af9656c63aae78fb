"""robots.txt, sitemap index, child sitemaps and the news sitemap of a site."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from xml.sax.saxutils import escape

from pipeline.newsroom.room import PRIVATE, RoomArticle

SCHEMA = "http://www.sitemaps.org/schemas/sitemap/0.9"
NEWS = "http://www.google.com/schemas/sitemap-news/0.9"
RECENT = timedelta(days=2)  # what a news sitemap may hold
LARGEST_CHILD = 1_000  # URLs


def robots(origin: str) -> bytes:
    """Everything is open but one folder."""
    return f"User-agent: *\nDisallow: {PRIVATE}\nAllow: /\n\nSitemap: {origin}/sitemap.xml\n".encode()


def children(listed: Sequence[RoomArticle]) -> Mapping[str, Sequence[RoomArticle]]:
    """The child sitemaps by path: the newer half and the older half at least, the oldest child compressed."""
    size = min(LARGEST_CHILD, max(1, (len(listed) + 1) // 2))
    chunks = [listed[start : start + size] for start in range(0, len(listed), size)]
    last = len(chunks)
    return {f"/sitemap-{n}.xml{'.gz' if n == last else ''}": chunk for n, chunk in enumerate(chunks, start=1)}


def index(origin: str, paths: Mapping[str, Sequence[RoomArticle]]) -> bytes:
    """The sitemap index: the news sitemap first."""
    rows = [f"<sitemap><loc>{origin}/sitemap-news.xml</loc></sitemap>"]
    for path, listed in paths.items():
        newest = max(_moved(article) for article in listed)
        rows.append(f"<sitemap><loc>{origin}{path}</loc><lastmod>{newest.isoformat()}</lastmod></sitemap>")
    return _document(f'<sitemapindex xmlns="{SCHEMA}">', rows, "</sitemapindex>")


def child(listed: Iterable[RoomArticle]) -> bytes:
    """One sitemap of article URLs."""
    rows = (
        f"<url><loc>{escape(article.url)}</loc><lastmod>{_moved(article).isoformat()}</lastmod></url>"
        for article in listed
    )
    return _document(f'<urlset xmlns="{SCHEMA}">', rows, "</urlset>")


def news(name: str, listed: Iterable[RoomArticle], at: datetime) -> bytes:
    """The news sitemap: what was published in the last two days, with titles."""
    rows = (
        f"<url><loc>{escape(article.url)}</loc><news:news><news:publication><news:name>{escape(name)}</news:name>"
        f"<news:language>{article.lang}</news:language></news:publication>"
        f"<news:publication_date>{article.published_at.isoformat()}</news:publication_date>"
        f"<news:title>{escape(article.title)}</news:title></news:news></url>"
        for article in listed
        if article.published_at > at - RECENT
    )
    return _document(f'<urlset xmlns="{SCHEMA}" xmlns:news="{NEWS}">', rows, "</urlset>")


def _moved(article: RoomArticle) -> datetime:
    return article.updated_at or article.published_at


def _document(opening: str, rows: Iterable[str], closing: str) -> bytes:
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', opening, *rows, closing, ""]).encode()
