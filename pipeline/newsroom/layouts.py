"""Article -> page: the HTML of an article in six real-world layouts, with everything that surrounds it."""

import json
import tomllib
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from html import escape
from importlib.resources import files
from random import Random
from string import Template
from typing import Any

from pipeline.newsroom.room import RoomArticle, section_slug
from pipeline.newsroom.sites import Layout, Site

CHARSETS = {"ko": "euc-kr", "ja": "shift_jis", "uk": "windows-1251"}  # of the legacy layout; others windows-1252
ERRORS = {404: "Page not found", 410: "This page has been removed"}


def page(site: Site, origin: str, article: RoomArticle, listed: Sequence[RoomArticle]) -> tuple[bytes, str]:
    """The article's page.

    Returns:
        Its bytes and the Content-Type that the site sends with them.
    """
    words = _chrome(article.lang)
    random = Random(article.key)  # noqa: S311 - the same page looks the same every time
    drawn = random.sample(listed, min(9, len(listed)))
    near = [other for other in drawn if other.key != article.key and other.label is not None][:7]
    charset = CHARSETS.get(article.lang, "windows-1252") if site.layout is Layout.LEGACY else "utf-8"
    fields = {
        **{name: escape(value) for name, value in words.items() if isinstance(value, str)},
        **_metadata(site, origin, article),
        "charset": charset,
        "discovery": discovery(site, origin),
        "nav": _nav(words["nav"]),
        "body": _body(site, article, near, random),
        "related_items": _items(near[:4]),
        "most_read_items": _items(near[4:]),
        "remarks": _remarks(words["remarks"], random),
    }
    text = _template(site.layout).substitute(fields)
    content_type = "text/html" if site.layout in {Layout.LEGACY, Layout.BARE} else "text/html; charset=utf-8"
    return text.encode(charset, "xmlcharrefreplace"), content_type


def front(site: Site, origin: str, listed: Iterable[RoomArticle]) -> str:
    """The front page or a section: headlines, and where the feeds are."""
    return _template("front").substitute(
        lang=site.lang,
        site=escape(site.name),
        discovery=discovery(site, origin),
        nav=_nav(_chrome(site.lang)["nav"]),
        items=_items(listed),
    )


def error(site: Site, status: int) -> str:
    """The page behind a link that leads nowhere."""
    return _template("error").substitute(site=escape(site.name), status=status, message=ERRORS[status])


def discovery(site: Site, origin: str) -> str:
    """The link elements by which a reader finds the feeds."""
    types = {"atom10": "application/atom+xml", "json11": "application/feed+json"}
    return "\n".join(
        f'<link rel="alternate" type="{types.get(plan.format, "application/rss+xml")}" '
        f'title="{escape(plan.title)}" href="{origin}{plan.path}">'
        for plan in site.feeds
    )


def _metadata(site: Site, origin: str, article: RoomArticle) -> dict[str, str]:
    moment = article.updated_at or article.published_at
    return {
        "lang": article.lang,
        "site": escape(site.name),
        "home": origin,
        "url": escape(article.url),
        "title": escape(article.title),
        "description": escape(article.summary),
        "section": escape(article.section),
        "section_url": f"/section/{section_slug(article.section)}/",
        "byline": escape(", ".join(article.authors) or site.name),
        "author_metas": "\n".join(f'<meta name="author" content="{escape(name)}">' for name in article.authors),
        "published_iso": article.published_at.isoformat(),
        "updated_iso": moment.isoformat(),
        "published_words": _words(article.published_at, article.lang),
        "json_ld": _json_ld(site, origin, article),
    }


def _words(moment: datetime, lang: str) -> str:
    if lang == "en":
        return f"{moment.day} {moment:%B %Y, %H:%M} UTC"
    return f"{moment:%Y.%m.%d %H:%M} (UTC)" if lang in {"ko", "ja"} else f"{moment:%d.%m.%Y, %H:%M} (UTC)"


def _json_ld(site: Site, origin: str, article: RoomArticle) -> str:
    publisher = {"@type": "NewsMediaOrganization", "@id": f"{origin}/#org", "name": site.name, "url": f"{origin}/"}
    news: dict[str, Any] = {
        "@type": "NewsArticle",
        "@id": f"{article.url}#article",
        "mainEntityOfPage": {"@id": article.url},
        "headline": article.title,
        "datePublished": article.published_at.isoformat(),
        "dateModified": (article.updated_at or article.published_at).isoformat(),
        "author": [{"@type": "Person", "name": name} for name in article.authors],
        "publisher": {"@id": f"{origin}/#org"},
        "articleSection": [article.section],
        "inLanguage": article.lang,
    }
    crumbs = {"@type": "BreadcrumbList", "itemListElement": [{"@type": "ListItem", "position": 1, "name": "Home"}]}
    web_page = {"@type": "WebPage", "@id": article.url, "url": article.url, "name": f"{article.title} - {site.name}"}
    graph = {"@context": "https://schema.org", "@graph": [publisher, web_page, crumbs, news]}
    return json.dumps(graph, ensure_ascii=False).replace("</", "<\\/")


def _body(site: Site, article: RoomArticle, near: Sequence[RoomArticle], random: Random) -> str:
    """The paragraphs, with what content systems put between them."""
    words = {name: escape(value) for name, value in _chrome(article.lang).items() if isinstance(value, str)}
    join = f'<a href="/join">{words["subscribe"]}</a>'
    blocks = [f"<p>{_marked(paragraph, random)}</p>" for paragraph in article.paragraphs]
    if site.promo:
        blocks.append(f"<p>{escape(site.promo, quote=False)}</p>")
    if site.layout is Layout.BARE:
        return "\n".join(blocks)
    between = [
        (2, f'<div class="ad ad-slot" id="ad-2"><span class="ad-label">{words["advertisement"]}</span></div>'),
        (3, _also(words["also"], near[0]) if near else ""),
        (4, f'<aside class="newsletter-box"><p>{words["newsletter"]}</p>{join}</aside>'),
    ]
    for position, block in reversed([row for row in between if row[0] < len(blocks)]):
        blocks.insert(position, block)
    return "\n".join(block for block in blocks if block)


def _also(word: str, other: RoomArticle) -> str:
    link = f'<a href="{other.link}">{escape(other.title)}</a>'
    return f'<aside class="related-inline"><strong>{word}:</strong> {link}</aside>'


def _marked(paragraph: str, random: Random) -> str:
    """A paragraph as HTML: now and then a word is a link or emphasised."""
    words = escape(paragraph, quote=False).split(" ")
    if len(words) > 12 and random.random() < 0.4:
        place = random.randrange(3, len(words) - 2)
        mark = random.choice(('<a href="/section/world/">{}</a>', "<em>{}</em>", "<strong>{}</strong>"))
        words[place] = mark.format(words[place])
    return " ".join(words)


def _items(listed: Iterable[RoomArticle]) -> str:
    return "\n".join(f'<li><a href="{other.link}">{escape(other.title)}</a></li>' for other in listed)


def _nav(names: Iterable[str]) -> str:
    return "\n".join(f'<li><a href="/section/{section_slug(name)}/">{escape(name)}</a></li>' for name in names)


def _remarks(remarks: Sequence[str], random: Random) -> str:
    shown = random.sample(remarks, min(3, len(remarks)))
    return "\n".join(
        f'<li class="comment"><cite>reader{random.randint(100, 999)}</cite><p>{escape(remark)}</p></li>'
        for remark in shown
    )


@cache
def _chrome(lang: str) -> dict[str, Any]:
    """The words around an article in its language."""
    return _all_chrome()[lang]


@cache
def _all_chrome() -> dict[str, dict[str, Any]]:
    return tomllib.loads((files("pipeline.newsroom") / "chrome.toml").read_text("utf-8"))


@cache
def _template(name: str) -> Template:
    text = (files("pipeline.newsroom") / "templates" / f"{name}.html").read_text("utf-8")
    return Template(text.partition("\n")[2])  # without the comment that says what it is
