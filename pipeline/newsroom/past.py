"""What sites keep of their own past: archive documents of Atom feeds, pages of feeds, an API of posts."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from xml.sax.saxutils import escape

from pipeline.newsroom import feeds
from pipeline.newsroom.room import Newsroom, RoomArticle
from pipeline.newsroom.sites import FeedPlan, Format, Site

ARCHIVES = "/past"  # /past/atom.xml/20-40: entries 20 to 39 of that feed, counted from the oldest
POSTS = "/wp-json/wp/v2/posts"
POWERED = frozenset({"vector"})  # sites whose content system pages its feeds and has an API of posts
A_DOCUMENT = 20  # entries of an archive document
A_PAGE = 10  # posts, where the question names no number
MOST_POSTS = 100  # of a page

Asked = Mapping[str, Sequence[str]]  # a query, taken apart


def older(room: Newsroom, site: Site, plan: FeedPlan) -> str:
    """The element of an Atom feed that leads to its newest archive document; "" where nothing is older."""
    count = len(_fitting(room, site, plan)) - len(room.held(site, plan))
    return _link(room.origin(site), plan, count) if plan.format is Format.ATOM else ""


def archive(room: Newsroom, site: Site, path: str) -> bytes | None:
    """An archive document; its address changes with its content, its content never (RFC 5005 section 4)."""
    for plan in site.feeds:
        start, dash, end = path.removeprefix(f"{ARCHIVES}{plan.path}/").partition("-")
        if plan.format is not Format.ATOM or not (dash and start.isdecimal() and end.isdecimal()):
            continue
        entries = _fitting(room, site, plan)[::-1][int(start) : int(end)][::-1]
        mark = '\n<fh:archive xmlns:fh="http://purl.org/syndication/history/1.0"/>'
        more = mark + _link(room.origin(site), plan, int(start))
        return feeds.render(site, plan, room.origin(site), entries, more) if entries else None
    return None


def feed_page(room: Newsroom, site: Site, plan: FeedPlan, number: str) -> bytes | None:
    """A page of a feed, the first one being the feed itself; None beyond the last."""
    size = len(room.held(site, plan))
    start = size * (int(number) - 1 if number.isdecimal() else 0)
    entries = _fitting(room, site, plan)[start : start + size]
    return feeds.render(site, plan, room.origin(site), entries) if entries else None


def posts(room: Newsroom, site: Site, asked: Asked) -> tuple[int, bytes]:
    """The status and body with which the API answers: posts between two moments, page by page."""
    size = min(int(_first(asked, "per_page", str(A_PAGE))), MOST_POSTS)
    start = size * (int(_first(asked, "page", "1")) - 1)
    after = datetime.fromisoformat(_first(asked, "after", "1970-01-01T00:00:00Z"))
    before = datetime.fromisoformat(_first(asked, "before", "2100-01-01T00:00:00Z"))
    fitting = [a for a in room.listed(site) if after < a.published_at < before]
    if _first(asked, "order", "desc") == "asc":
        fitting.reverse()
    if start and start >= len(fitting):
        return 400, b'{"code":"rest_post_invalid_page_number","message":"...","data":{"status":400}}'
    return 200, json.dumps([_post(article, asked) for article in fitting[start : start + size]]).encode()


def _post(article: RoomArticle, asked: Asked) -> dict[str, object]:
    written = f"{article.published_at:%Y-%m-%dT%H:%M:%S}"
    changed = f"{article.updated_at or article.published_at:%Y-%m-%dT%H:%M:%S}"
    post: dict[str, object] = {
        "id": int(article.published_at.timestamp()),
        "date": written,
        "date_gmt": written,
        "modified_gmt": changed,
        "link": article.link,
        "title": {"rendered": escape(article.title)},
        "content": {"rendered": feeds.html(article), "protected": False},
    }
    wanted = _first(asked, "_fields", ",".join(post)).split(",")
    return {name: value for name, value in post.items() if name in wanted}


def _fitting(room: Newsroom, site: Site, plan: FeedPlan) -> list[RoomArticle]:
    return [article for article in room.listed(site) if plan.section in {None, article.section}]


def _link(origin: str, plan: FeedPlan, end: int) -> str:
    start = (end - 1) // A_DOCUMENT * A_DOCUMENT
    href = f"{origin}{ARCHIVES}{plan.path}/{start}-{end}"
    return f'\n<link rel="prev-archive" href="{href}"/>' if end > 0 else ""


def _first(asked: Asked, name: str, default: str) -> str:
    return asked.get(name, (default,))[0]
