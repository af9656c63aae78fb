"""Entries -> feed: the bytes of a feed in each of the formats that publishers use."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

from pipeline.newsroom.hub import PATH
from pipeline.newsroom.room import RoomArticle
from pipeline.newsroom.sites import FeedPlan, Format, Site

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
TYPES = {
    Format.RSS091: "text/xml",
    Format.RSS20_FULL: "application/rss+xml; charset=UTF-8",
    Format.RSS20: "application/rss+xml; charset=utf-8",
    Format.RDF: "application/rdf+xml",
    Format.ATOM: "application/atom+xml; charset=utf-8",
    Format.JSON: "application/feed+json",
}

Entries = Sequence[RoomArticle]
_ALTERNATE = '<link rel="alternate" type="text/html" href="{}/"/>'  # of an Atom feed


def render(site: Site, plan: FeedPlan, origin: str, entries: Entries, more: str = "") -> bytes:
    """The feed as its site serves it, UTF-8; `more` are further elements of an Atom feed."""
    text = _WRITERS[plan.format](site, plan, origin, entries)
    return text.replace(_ALTERNATE.format(origin), _ALTERNATE.format(origin) + more, 1).encode()


def link(plan: FeedPlan, article: RoomArticle) -> str:
    """The article's address as this feed gives it."""
    return f"{article.link}?{plan.tracking}" if plan.tracking else article.link


def html(article: RoomArticle) -> str:
    """The whole text as content systems put it into feeds."""
    return "".join(f"<p>{escape(paragraph)}</p>\n" for paragraph in article.paragraphs)


def _rss091(site: Site, plan: FeedPlan, origin: str, entries: Entries) -> str:
    items = "\n".join(
        f"<item>\n<title>{escape(entry.title)}</title>\n<link>{escape(link(plan, entry))}</link>\n"
        f"<description>{escape(entry.summary)}</description>\n</item>"
        for entry in entries
    )
    return f"""{DECLARATION}
<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/publish/formats/rss-0.91.dtd">
<rss version="0.91">
<channel>
<title>{escape(plan.title)}</title>
<link>{origin}/</link>
<description>News from {escape(site.name)}</description>
<language>{site.lang}</language>
{items}
</channel>
</rss>
"""


def _rss20(site: Site, plan: FeedPlan, origin: str, entries: Entries) -> str:
    items = "\n".join(_rss20_item(plan, entry, "") for entry in entries)
    return _rss20_channel(site, plan, origin, items)


def _rss20_full(site: Site, plan: FeedPlan, origin: str, entries: Entries) -> str:
    items = "\n".join(
        _rss20_item(plan, entry, f"\n<content:encoded><![CDATA[{html(entry)}]]></content:encoded>") for entry in entries
    )
    return _rss20_channel(site, plan, origin, items)


def _rss20_channel(site: Site, plan: FeedPlan, origin: str, items: str) -> str:
    return f"""{DECLARATION}
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" \
xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom">
<channel>
<title>{escape(plan.title)}</title>
<atom:link href="{origin}{plan.path}" rel="self" type="application/rss+xml" />
<link>{origin}/</link>
<description>News from {escape(site.name)}</description>
<language>{site.lang}</language>
<ttl>15</ttl>
{items}
</channel>
</rss>
"""


def _rss20_item(plan: FeedPlan, entry: RoomArticle, content: str) -> str:
    authors = "".join(f"\n<dc:creator><![CDATA[{author}]]></dc:creator>" for author in entry.authors)
    return f"""<item>
<title>{escape(entry.title)}</title>
<link>{escape(link(plan, entry))}</link>
<guid isPermaLink="false">{entry.key}@{entry.site}</guid>
<pubDate>{format_datetime(entry.published_at)}</pubDate>{authors}
<category><![CDATA[{entry.section}]]></category>
<description><![CDATA[<p>{escape(entry.summary)}</p>]]></description>{content}
</item>"""


def _rdf(site: Site, plan: FeedPlan, origin: str, entries: Entries) -> str:
    listed = "\n".join(f"<rdf:li rdf:resource={quoteattr(link(plan, entry))}/>" for entry in entries)
    items = "\n".join(_rdf_item(plan, entry) for entry in entries)
    return f"""{DECLARATION}
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" \
xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">
<channel rdf:about="{origin}{plan.path}">
<title>{escape(plan.title)}</title>
<link>{origin}/</link>
<description>News from {escape(site.name)}</description>
<sy:updatePeriod>hourly</sy:updatePeriod>
<sy:updateFrequency>2</sy:updateFrequency>
<items><rdf:Seq>
{listed}
</rdf:Seq></items>
</channel>
{items}
</rdf:RDF>
"""


def _rdf_item(plan: FeedPlan, entry: RoomArticle) -> str:
    creators = "".join(f"\n<dc:creator>{escape(author)}</dc:creator>" for author in entry.authors)
    return f"""<item rdf:about={quoteattr(link(plan, entry))}>
<title>{escape(entry.title)}</title>
<link>{escape(link(plan, entry))}</link>
<description>{escape(entry.summary)}</description>
<dc:date>{entry.published_at.isoformat()}</dc:date>{creators}
<dc:subject>{escape(entry.section)}</dc:subject>
</item>"""


def _atom(site: Site, plan: FeedPlan, origin: str, entries: Entries) -> str:
    newest = max((_revised(entry) for entry in entries), default=None)
    updated = f"\n<updated>{newest.isoformat()}</updated>" if newest else ""
    items = "\n".join(_atom_entry(site, plan, origin, entry) for entry in entries)
    return f"""{DECLARATION}
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{site.lang}" xml:base="{origin}/">
<id>{origin}/</id>
<title>{escape(plan.title)}</title>{updated}
<link rel="self" href="{origin}{plan.path}"/>
<link rel="hub" href="{origin}{PATH}"/>
{_ALTERNATE.format(origin)}
{items}
</feed>
"""


def _atom_entry(site: Site, plan: FeedPlan, origin: str, entry: RoomArticle) -> str:
    authors = "".join(f"<author><name>{escape(name)}</name></author>\n" for name in entry.authors or (site.name,))
    relative = link(plan, entry).removeprefix(origin)  # resolved against xml:base
    return f"""<entry>
<id>tag:{site.key},2020:{entry.key}</id>
<title type="text">{escape(entry.title)}</title>
<link rel="alternate" type="text/html" href={quoteattr(relative)}/>
<published>{entry.published_at.isoformat()}</published>
<updated>{_revised(entry).isoformat()}</updated>
{authors}<category term={quoteattr(entry.section)}/>
<summary type="text">{escape(entry.summary)}</summary>
</entry>"""


def _json(site: Site, plan: FeedPlan, origin: str, entries: Entries) -> str:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": plan.title,
        "home_page_url": f"{origin}/",
        "feed_url": f"{origin}{plan.path}",
        "language": site.lang,
        "items": [_json_item(plan, entry) for entry in entries],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1)


def _json_item(plan: FeedPlan, entry: RoomArticle) -> dict[str, object]:
    item: dict[str, object] = {
        "id": f"{entry.site}:{entry.key}",
        "url": link(plan, entry),
        "title": entry.title,
        "summary": entry.summary,
        "content_html": html(entry),
        "date_published": entry.published_at.isoformat(),
        "authors": [{"name": name} for name in entry.authors],
        "tags": [entry.section],
        "language": entry.lang,
    }
    if entry.updated_at:
        item["date_modified"] = entry.updated_at.isoformat()
    return item


def _revised(entry: RoomArticle) -> datetime:
    return entry.updated_at or entry.published_at


_WRITERS: dict[Format, Callable[[Site, FeedPlan, str, Entries], str]] = {
    Format.RSS091: _rss091,
    Format.RSS20_FULL: _rss20_full,
    Format.RSS20: _rss20,
    Format.RDF: _rdf,
    Format.ATOM: _atom,
    Format.JSON: _json,
}
