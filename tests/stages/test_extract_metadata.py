"""HTML tree -> Facts: which source of each fact wins, and what is not believed."""

import json
from datetime import UTC, datetime

import pytest
from lxml import html

from pipeline.model import Page
from pipeline.stages.extract.authors import MOST_AUTHORS
from pipeline.stages.extract.metadata import Facts, facts
from pipeline.stages.extract.moments import DAY, Stated

URL = "https://www.example.com/news/frigate"
SEEN = datetime(2025, 7, 11, 12, tzinfo=UTC)


def read(head: str = "", body: str = "", attributes: str = "", url: str = URL) -> Facts:
    source = f"<html {attributes}><head>{head}</head><body>{body}</body></html>"
    return facts(html.document_fromstring(source), Page(url, source.encode(), "text/html", SEEN), has_date=True)


def meta(name: str, content: str) -> str:
    return f'<meta property="{name}" content="{content}">'


def jsonld(*nodes: object) -> str:
    return "".join(raw_jsonld(json.dumps(node)) for node in nodes)


def raw_jsonld(source: str) -> str:
    return f'<script type="application/ld+json">{source}</script>'


def article(**properties: object) -> dict[str, object]:
    return {"@context": "https://schema.org", "@type": "NewsArticle", **properties}


@pytest.mark.parametrize(
    ("head", "body", "title"),
    [
        pytest.param(meta("og:title", "Frigate delivered"), "", "Frigate delivered", id="og:title"),
        pytest.param(jsonld(article(headline="Frigate &amp; crew")), "", "Frigate & crew", id="headline"),
        pytest.param("<title>Frigate delivered</title>", "", "Frigate delivered", id="title"),
        pytest.param("", "<h1>Frigate <i>Anna</i> delivered</h1>", "Frigate Anna delivered", id="h1 alone"),
        pytest.param(
            meta("og:title", "You will not believe this frigate was delivered"),
            "<h1>Navy takes frigate</h1><h1>Frigate delivered</h1>",
            "Frigate delivered",
            id="the heading that is about the same",
        ),
        pytest.param(meta("og:title", "Frigate delivered"), "<h1>Menu</h1>", "Frigate delivered", id="another heading"),
        pytest.param(
            meta("og:site_name", "Example News") + "<title>Frigate - a report | World | Example News</title>",
            "",
            "Frigate - a report",
            id="section and site after it",
        ),
        pytest.param("<title>example.com: Frigate</title>", "", "Frigate", id="domain and colon before it"),
        pytest.param("<title>Update: Frigate</title>", "", "Update: Frigate", id="something else before it"),
        pytest.param("<title>Example | Frigate</title>", "", "Frigate", id="domain before it"),
        pytest.param("<title>Example</title>", "", "Example", id="nothing but the site"),
        pytest.param(f"<title>{'x' * 501}</title>", "<h1> </h1>", None, id="too long"),
        pytest.param("", "", None, id="none"),
    ],
)
def test_the_title_is_the_pages_heading_without_its_site(head: str, body: str, title: str | None) -> None:
    assert read(head, body).title == title


def test_a_page_without_a_web_address_keeps_its_title() -> None:
    assert read("<title>Example | Frigate</title>", url="file:///frigate.html").title == "Example | Frigate"


@pytest.mark.parametrize(
    ("head", "body", "authors"),
    [
        pytest.param(jsonld(article(author={"@type": "Person", "name": "Jane Doe"})), "", ("Jane Doe",), id="node"),
        pytest.param(
            jsonld(article(author=[{"name": "Jane Doe"}, "John Roe"])), "", ("Jane Doe", "John Roe"), id="list"
        ),
        pytest.param(jsonld(article(author={"name": ["Jane Doe", 7]})), "", ("Jane Doe",), id="list of names"),
        pytest.param(
            jsonld({"@graph": [article(author={"@id": "#jd"}), {"@id": "#jd", "name": "Jane Doe"}]}),
            "",
            ("Jane Doe",),
            id="reference",
        ),
        pytest.param(jsonld(article(author=[{"@id": "#nobody"}, {}, 3])), "", (), id="dangling reference"),
        pytest.param(meta("author", "By Jane Doe"), "", ("Jane Doe",), id="meta"),
        pytest.param(
            meta("article:author", "https://facebook.com/jane") + meta("byl", "Jane Doe"),
            "",
            ("Jane Doe",),
            id="a URL is no name",
        ),
        pytest.param("", "<a rel=author>Jane Doe</a>", ("Jane Doe",), id="rel"),
        pytest.param("", "<p class='byline author_name'>By Jane Doe</p>", ("Jane Doe",), id="class"),
        pytest.param("", "<p class='authority'>Jane Doe</p>", (), id="another class"),
        pytest.param("", f"<p class=author>{'Jane Doe ' * 20}</p>", (), id="a biography"),
        pytest.param(
            meta("og:site_name", "Example") + jsonld(article(author="Example")) + meta("author", "Jane Doe"),
            "",
            ("Jane Doe",),
            id="a person before the site",
        ),
        pytest.param(
            meta("og:site_name", "Example") + meta("author", "Example"), "", (), id="the site alone is nobody"
        ),
    ],
)
def test_the_authors_are_the_first_that_are_named(head: str, body: str, authors: tuple[str, ...]) -> None:
    assert read(head, body).authors == authors


def test_a_page_has_only_so_many_authors() -> None:
    people = [f"Jane Doe {chr(65 + number)}" for number in range(25)]
    assert read(jsonld(article(author=people))).authors == tuple(people[:MOST_AUTHORS])


@pytest.mark.parametrize(
    ("head", "published_at"),
    [
        pytest.param(jsonld(article(datePublished="2025-07-10T08:30:00+02:00")), "2025-07-10T06:30:00Z", id="node"),
        pytest.param(jsonld([[article(datePublished=["2025-07-10T08:30Z"])]]), "2025-07-10T08:30:00Z", id="arrays"),
        pytest.param(
            jsonld({"@type": "WebPage", "mainEntity": article(datePublished={"@value": "2025-07-10T08:30Z"})}),
            "2025-07-10T08:30:00Z",
            id="main entity",
        ),
        pytest.param(
            jsonld({"@type": ["Thing", "ItemPage", 1], "datePublished": "2025-07-10T08:30Z"}),
            "2025-07-10T08:30:00Z",
            id="page",
        ),
        pytest.param(
            jsonld(
                article(url="/other", datePublished="2025-01-01T01:00Z"),
                article(mainEntityOfPage={"@id": URL}, datePublished="2025-07-10T08:30Z"),
            ),
            "2025-07-10T08:30:00Z",
            id="the node that names this page",
        ),
        pytest.param(
            jsonld({"@type": "ItemList", "itemListElement": [article(datePublished="2025-01-01T01:00Z")]}),
            None,
            id="another article's date",
        ),
        pytest.param(
            jsonld(article(datePublished="2035-01-01")) + meta("article:published_time", "2025-07-10T08:30Z"),
            "2025-07-10T08:30:00Z",
            id="a future date does not count",
        ),
        pytest.param(meta("citation_publication_date", "2025 Jul 10"), "2025-07-10T00:00:00Z", id="in a journal"),
        pytest.param("<meta itemprop=datePublished content=2025-07-10T08:30Z>", "2025-07-10T08:30:00Z", id="itemprop"),
        pytest.param(
            raw_jsonld('/*broken*/ {"@type": "NewsArticle", "datePublished": "2025-07-10T08:30Z", "x": "'),
            "2025-07-10T08:30:00Z",
            id="broken node",
        ),
        pytest.param(
            raw_jsonld(
                '\n//<![CDATA[\n{"@type": "Report", "a": "\n", "datePublished": "2025-07-10T08:30Z",};\n//]]>\n'
            ),
            "2025-07-10T08:30:00Z",
            id="wrapped node with a comma too many",
        ),
        pytest.param(raw_jsonld("[" * 100_000), None, id="bottomless node"),
        pytest.param(raw_jsonld('"text"') + raw_jsonld("") + "<script>{}</script>", None, id="no node"),
    ],
)
def test_the_date_is_the_main_articles(head: str, published_at: str | None) -> None:
    published = read(head).published
    assert (published and published.at) == (published_at and datetime.fromisoformat(published_at))


@pytest.mark.parametrize(
    ("body", "day"),
    [
        pytest.param(
            "<time datetime='2025-07-09'></time><time pubdate datetime='2025-07-10'></time>", 10, id="pubdate"
        ),
        pytest.param("<i itemprop=datePublished datetime='2025-07-10'></i>", 10, id="itemprop"),
        pytest.param("<time>now</time><time datetime='2025-07-10'></time>", 10, id="first time"),
        pytest.param("<p class='date'>July 10, 2025</p>", 10, id="shown to readers"),
    ],
)
def test_the_date_is_found_in_the_body_when_the_head_has_none(body: str, day: int) -> None:
    published = read(body=body).published
    assert published is not None
    assert published.at == datetime(2025, 7, day, tzinfo=UTC)


@pytest.mark.parametrize(
    ("attributes", "head", "lang"),
    [
        pytest.param("lang=en-us", "", "en-US", id="html"),
        pytest.param("xml:lang=uk", "", "uk", id="xml"),
        pytest.param("", meta("og:locale", "de_AT"), "de-AT", id="og:locale"),
        pytest.param("lang='{{ lang }}'", meta("og:locale", "fr"), "fr", id="a template's hole"),
        pytest.param("", "", None, id="none"),
    ],
)
def test_the_language_is_the_documents_else_the_locales(attributes: str, head: str, lang: str | None) -> None:
    assert read(head, attributes=attributes).lang == lang


@pytest.mark.parametrize(
    ("head", "site_name"),
    [
        pytest.param(meta("og:site_name", "Example &amp; Co"), "Example & Co", id="og"),
        pytest.param(jsonld(article(publisher={"name": "Example"})), "Example", id="publisher"),
        pytest.param(meta("application-name", "Example"), "Example", id="application"),
        pytest.param(meta("og:site_name", "x" * 81), None, id="too long"),
    ],
)
def test_the_site_is_named_by_itself(head: str, site_name: str | None) -> None:
    assert read(head).site_name == site_name


@pytest.mark.parametrize(
    ("link", "url", "canonical"),
    [
        pytest.param("/news/other", URL, "https://www.example.com/news/other", id="relative"),
        pytest.param("https://m.example.com/a", URL, "https://m.example.com/a", id="same registered domain"),
        pytest.param("https://example.org/a", URL, URL, id="another domain"),
        pytest.param("https://www.example.com/", URL, URL, id="the front page"),
        pytest.param(
            "https://www.example.com", "http://example.com/", "https://www.example.com/", id="a front page's own"
        ),
        pytest.param("https://www.example.com/?p=7", URL, "https://www.example.com/?p=7", id="an article in the query"),
        pytest.param("javascript:void(0)", URL, URL, id="no address"),
        pytest.param("", URL, URL, id="empty"),
    ],
)
def test_the_canonical_link_is_believed_within_its_site(link: str, url: str, canonical: str) -> None:
    found = read(f"<link rel=alternate href=/amp><link rel=canonical href='{link}'>", url=url).canonical_url
    assert found == canonical


# What readers see around the headline.

LONG = f"<p>{'The navy took delivery of its second frigate. ' * 5}</p>"


@pytest.mark.parametrize(
    ("body", "published_at", "updated_at"),
    [
        pytest.param("<p>July 10, 2025</p><h1>Frigate</h1>", "2025-07-10", None, id="above"),
        pytest.param("<h1>Frigate</h1><p>By Jane Doe | 10 July 2025</p>", "2025-07-10", None, id="below"),
        pytest.param("<div><h1>Frigate</h1>July 10, 2025<br></div>", "2025-07-10", None, id="in no element"),
        pytest.param(
            "<h1>Frigate</h1><p>Updated July 11, 2025</p><p>July 10, 2025</p>", "2025-07-10", "2025-07-11", id="both"
        ),
        pytest.param(
            "<h1>Frigate</h1><p>July 10, 2025. <i>Updated: July 11, 2025</i></p>",
            "2025-07-10",
            "2025-07-11",
            id="both in one line",
        ),
        pytest.param("<h1>Frigate</h1><p>July 11, 2025 (updated)</p>", "2025-07-11", "2025-07-11", id="update's day"),
        pytest.param("<h1>Frigate</h1><p>Updated July 11, 2025</p>", "2025-07-11", "2025-07-11", id="update alone"),
        pytest.param("<h1>Frigate</h1><p>July 10, 2035</p>", None, None, id="future"),
        pytest.param("<h1>Frigate</h1><nav>July 10, 2025</nav>", None, None, id="in the navigation"),
        pytest.param(f"<h1>Frigate</h1>{LONG * 3}<p>July 10, 2025</p>", None, None, id="in the text"),
        pytest.param(
            "<h1>Frigate</h1><time datetime='2025-07-10T08:30Z'>today</time>", "2025-07-10", None, id="marked moment"
        ),
        pytest.param(f"<h1>Frigate</h1>{LONG * 3}<p class=post-date>July 10, 2025</p>", "2025-07-10", None, id="class"),
        pytest.param(
            f"<h1>Frigate</h1>{LONG * 3}<p class=date>Updated July 10, 2025</p>", "2025-07-10", None, id="update below"
        ),
        pytest.param("<p><span>July 10, 2025</span></p>" * 30 + "<h1>Frigate</h1>", "2025-07-10", None, id="many"),
        pytest.param(
            "<script>var a = {\"publishedAt\": '2025-07-10'}</script><h1>Frigate</h1>", "2025-07-10", None, id="script"
        ),
    ],
)
def test_the_date_is_read_around_the_headline(body: str, published_at: str | None, updated_at: str | None) -> None:
    tree = html.document_fromstring(f"<html><head><title>Frigate</title></head><body>{body}</body></html>")
    found = facts(tree, Page(URL, b"", "text/html", SEEN), has_date=True)
    assert found.published == (published_at and Stated(datetime.fromisoformat(f"{published_at}T00:00Z"), DAY)) or (
        found.published and found.published.at.date().isoformat() == published_at
    )
    assert (found.updated_at and found.updated_at.date().isoformat()) == updated_at


def test_the_day_in_the_url_counts_unless_it_lies_ahead() -> None:
    past, ahead = (read(url=f"https://www.example.com/{year}/07/10/frigate").published for year in (2024, 2035))
    assert past == Stated(datetime(2024, 7, 10, tzinfo=UTC), DAY)
    assert ahead is None


@pytest.mark.parametrize(
    ("foot", "day"),
    [
        pytest.param("<div>Posted: 2025-07-10</div>", 10, id="alone"),
        pytest.param("<div>Updated 2025-07-12</div><div>Posted 2025-07-10</div>", 10, id="beside an update"),
        pytest.param("<div>Updated 2025-07-12</div>", 12, id="an update alone"),
        pytest.param(f"<p>The yard laid the keel on 10 July 2025; {LONG[3:]}", None, id="in a paragraph"),
        pytest.param("<img src=/2025/07/10/ship.jpg>", None, id="of a picture"),
    ],
)
def test_the_first_line_that_names_a_day_counts_as_a_last_resort(foot: str, day: int | None) -> None:
    tree = html.document_fromstring(f"<html><body><h1>Frigate</h1>{LONG * 3}{foot}</body></html>")
    page = Page(URL, b"", "text/html", SEEN)
    assert facts(tree, page, has_date=True).published is None
    found = facts(tree, page, has_date=False).published
    assert found == (day and Stated(datetime(2025, 7, day, tzinfo=UTC), DAY))


def test_a_mere_year_is_no_date() -> None:
    tree = html.document_fromstring(f"<html><body><h1>Frigate</h1>{LONG * 3}<div>Copyright 2024</div></body></html>")
    assert facts(tree, Page(URL, b"", "text/html", SEEN), has_date=False).published is None


@pytest.mark.parametrize(
    ("head", "body", "authors"),
    [
        pytest.param("", "<h1>Frigate</h1><p>By <b>Jane Doe</b></p>", ("Jane Doe",), id="byline"),
        pytest.param("", "<h1>Frigate</h1><p><b>By</b><i>Jane Doe</i></p>", ("Jane Doe",), id="without a space"),
        pytest.param("", "<p>By Jane Doe</p><h1>Frigate</h1>", ("Jane Doe",), id="above"),
        pytest.param("", "<p>By Jane Doe</p><div><h1>Frigate</h1></div>", ("Jane Doe",), id="above its box"),
        pytest.param("", "<h1>Frigate</h1><p>Jane Doe</p><p>July 10, 2025</p>", ("Jane Doe",), id="beside a date"),
        pytest.param("", "<div class=comment-author>Jane Doe</div>", (), id="a commenter"),
        pytest.param("", "<div id=comments><a rel=author>Jane Doe</a></div>", (), id="among the comments"),
        pytest.param("", "<div class=related><a rel=author>Jane Doe</a></div>", (), id="of another article"),
        pytest.param("", "<h1>Frigate</h1><aside class=author>Jane Doe</aside>", ("Jane Doe",), id="aside"),
        pytest.param(
            "", f"<h1>Frigate</h1>{LONG * 3}<div class=author-box><p>Jane Doe</p>{LONG}</div>", ("Jane Doe",), id="box"
        ),
        pytest.param("", f"<h1>Frigate</h1><div class=author-box>{LONG}</div>", (), id="box without a name"),
        pytest.param("", f"<h1>Frigate</h1>{LONG * 3}<p>Written by Jane Doe</p>", ("Jane Doe",), id="credit"),
        pytest.param("", "<a href='/author/jd'>Jane Doe</a>", ("Jane Doe",), id="link"),
        pytest.param("", "<a rel=author>jdoe</a>", ("jdoe",), id="handle"),
        pytest.param(
            meta("citation_author", "Doe, Jane") + meta("citation_author", "Roe, John M."),
            "",
            ("Jane Doe", "John M. Roe"),
            id="scholarly",
        ),
        pytest.param(
            meta("twitter:label1", "Written by") + meta("twitter:data1", "Jane Doe"), "", ("Jane Doe",), id="card"
        ),
        pytest.param(
            jsonld(article(author={"@type": "Organization", "name": "Ann Poe Ltd"})) + meta("author", "Jane Doe"),
            "",
            ("Jane Doe",),
            id="no organisation",
        ),
        pytest.param(
            jsonld(article(author="Ann Poe")), "<h1>Frigate</h1><p>By Jane Doe</p>", ("Jane Doe",), id="not who posted"
        ),
    ],
)
def test_the_authors_are_read_where_readers_see_them(head: str, body: str, authors: tuple[str, ...]) -> None:
    assert read(f"<title>Frigate</title>{head}", body).authors == authors


# Microdata.

MARKED = """<div itemscope itemtype="https://schema.org/NewsArticle"><h1 itemprop="headline">Frigate</h1>
    <div itemprop="author" itemscope itemtype="https://schema.org/Person"><b itemprop="name">Jane Doe</b></div>
    <meta itemprop="datePublished" content="2025-07-10T08:30Z"><i itemprop="articleSection">Sea</i>
    <i itemprop="keywords">frigate</i><i itemprop="keywords">navy</i><i itemprop="image"></i>
    <div itemprop="articleBody">text</div></div>"""


def test_microdata_says_the_same_as_jsonld() -> None:
    found = read("<title>Frigate</title>", MARKED)
    assert (found.title, found.authors, found.section) == ("Frigate", ("Jane Doe",), "Sea")
    assert found.published == Stated(datetime(2025, 7, 10, 8, 30, tzinfo=UTC))


def test_meta_elements_are_believed_before_what_is_marked() -> None:
    head = meta("article:published_time", "2025-07-09T08:30Z") + meta("author", "John Roe")
    found = read(f"<title>Frigate</title>{head}", MARKED)
    assert found.published == Stated(datetime(2025, 7, 9, 8, 30, tzinfo=UTC))
    assert found.authors == ("John Roe",)


def test_marked_articles_with_other_titles_are_not_this_one() -> None:
    others = MARKED.replace("Frigate", "Budget") + MARKED.replace("Frigate", "Election")
    found = read("<title>Frigate</title>", f"<h1>Frigate</h1>{others}")
    assert found.section is None
    assert read("<title>Frigate</title>", MARKED.replace("Frigate", "Budget") + MARKED).section == "Sea"


@pytest.mark.parametrize(
    ("head", "section", "tags"),
    [
        pytest.param(
            jsonld(article(articleSection=["Sea", "World"], keywords="navy, frigate, navy")),
            "Sea",
            ("navy", "frigate"),
            id="jsonld",
        ),
        pytest.param(jsonld(article(keywords=["navy", 7, "a, b"])), None, ("navy", "a, b"), id="list"),
        pytest.param(
            meta("article:section", "Sea") + meta("article:tag", "navy") + meta("article:tag", "arms, sold"),
            "Sea",
            ("navy", "arms, sold"),
            id="several metas",
        ),
        pytest.param(meta("news_keywords", "navy,frigate"), None, ("navy", "frigate"), id="one meta"),
        pytest.param(meta("keywords", " , "), None, (), id="empty"),
    ],
)
def test_section_and_tags_are_the_publishers(head: str, section: str | None, tags: tuple[str, ...]) -> None:
    found = read(head)
    assert (found.section, found.tags) == (section, tags)
