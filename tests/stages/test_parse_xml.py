"""Entries of RSS, RDF and Atom as values."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.model import Enclosure, Entry, ParsedFeed
from pipeline.stages.parse import parse

URL = "https://example.com/news/feed.xml"
NAMESPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0" xmlns:atom="http://www.w3.org/2005/Atom" '
    'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" xmlns:dcterms="http://purl.org/dc/terms/"'
)


def rss(inside: str) -> ParsedFeed:
    return parse(f'<rss version="2.0" {NAMESPACES}><channel>{inside}</channel></rss>'.encode(), URL)


def atom(inside: str, attributes: str = "") -> ParsedFeed:
    return parse(f'<feed xmlns="http://www.w3.org/2005/Atom" {attributes}>{inside}</feed>'.encode(), URL)


def item(inside: str) -> Entry:
    (entry,) = rss(f"<item>{inside}</item>").entries
    return entry


def entry(inside: str, attributes: str = "") -> Entry:
    (found,) = atom(f"<entry>{inside}</entry>", attributes).entries
    return found


def test_an_rss_item_becomes_an_entry() -> None:
    found = item(
        """
        <title>New frigate &amp;amp; its &lt;b&gt;crew&lt;/b&gt;</title>
        <link> /frigate?utm_source=rss </link>
        <guid isPermaLink="false">n-42</guid>
        <pubDate>Sat, 21 Nov 2026 10:00:00 +0200</pubDate>
        <description>Short.</description>
        <content:encoded><![CDATA[<p>Long <a href="/x">text</a>.</p>]]></content:encoded>
        <dc:creator>Ann Ode</dc:creator><dc:creator>Bo Ng</dc:creator>
        <category>Navy</category><category> Navy </category><category>Ships &amp;amp; Yards</category>
        <enclosure url="/a.mp3" type="audio/mpeg" length="123"/>
        <enclosure url="javascript:x" type="audio/mpeg" length="123"/>
        <enclosure url="/b.mp3" length="unknown"/>
        """
    )
    assert found == Entry(
        id="n-42",
        url="https://example.com/frigate?utm_source=rss",
        title="New frigate & its crew",
        published_at=datetime(2026, 11, 21, 8, 0, tzinfo=UTC),
        summary="Short.",
        content='<p>Long <a href="/x">text</a>.</p>',
        authors=("Ann Ode", "Bo Ng"),
        tags=("Navy", "Ships & Yards"),
        enclosures=(
            Enclosure("https://example.com/a.mp3", "audio/mpeg", 123),
            Enclosure("https://example.com/b.mp3", None, None),
        ),
    )


def test_an_atom_entry_becomes_an_entry() -> None:
    found = entry(
        """
        <id>tag:example.com,2026:1</id>
        <title type="html">Tanks &amp;lt; planes</title>
        <link rel="self" href="https://example.com/api/1"/>
        <link rel="enclosure" href="a.pdf" type="application/pdf" length="9"/>
        <link rel="alternate" type="application/json" href="1.json"/>
        <link rel="alternate" type="text/html" href="1.html"/>
        <published>2026-11-20T01:02:03.5Z</published><updated>2026-11-21T00:00:00-05:00</updated>
        <author><name>Cy Dee</name></author>
        <category term="nato" label="NATO"/><category term="tanks"/>
        <summary>Short.</summary>
        <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Long.</p></div></content>
        """,
        'xml:base="https://example.org/blog/" xml:lang="en-gb"',
    )
    assert found == Entry(
        id="tag:example.com,2026:1",
        url="https://example.org/blog/1.html",
        title="Tanks < planes",
        published_at=datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC),
        updated_at=datetime(2026, 11, 21, 5, 0, tzinfo=UTC),
        summary="Short.",
        content="<p>Long.</p>",
        authors=("Cy Dee",),
        tags=("NATO", "tanks"),
        enclosures=(Enclosure("https://example.org/blog/a.pdf", "application/pdf", 9),),
        lang="en-GB",
    )


def test_an_rdf_item_becomes_an_entry() -> None:
    body = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
        xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>News</title><link>https://example.com/</link>
        </channel><item rdf:about="urn:1"><title>Tanks</title><link>https://example.com/1</link>
        <dc:date>2026-11-21T10:00:00Z</dc:date></item></rdf:RDF>"""
    feed = parse(body.encode(), URL)
    moment = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
    assert (feed.title, feed.url) == ("News", "https://example.com/")
    assert feed.entries == (Entry("urn:1", "https://example.com/1", "Tanks", published_at=moment, updated_at=moment),)


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        pytest.param("<link>https://example.com/1</link>", "https://example.com/1", id="absolute"),
        pytest.param("<link>1</link>", "https://example.com/news/1", id="relative"),
        pytest.param("<link>https://example.com/?a=1&amp;b=2</link>", "https://example.com/?a=1&b=2", id="ampersand"),
        pytest.param("<guid>https://example.com/1</guid>", "https://example.com/1", id="permalink"),
        pytest.param(
            "<guid>https://example.com/1</guid><link>/2</link>", "https://example.com/2", id="link beats guid"
        ),
        pytest.param("<guid>17</guid>", None, id="a guid that is no link"),
        pytest.param('<guid isPermaLink="false">https://example.com/1</guid>', None, id="a guid that denies it"),
        pytest.param(
            "<link>https://feeds.example/~r/1</link><feedburner:origLink>https://example.com/1</feedburner:origLink>",
            "https://example.com/1",
            id="FeedBurner",
        ),
        pytest.param('<guid>1</guid><atom:link href="/1"/>', "https://example.com/1", id="Atom link in RSS"),
        pytest.param("<guid>1</guid><link>javascript:alert(1)</link>", None, id="script"),
        pytest.param("<guid>1</guid><link>mailto:a@example.com</link>", None, id="mail"),
        pytest.param("<guid>1</guid><link>http://[</link>", None, id="broken"),
    ],
)
def test_the_link_of_an_item(inside: str, expected: str | None) -> None:
    found = rss(f"<item>{inside or ''}<description>x</description></item>").entries
    assert [one.url for one in found] == [expected]


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        pytest.param('<link href="/1"/>', "https://example.com/1", id="rel is alternate unless given"),
        pytest.param('<link rel="self" href="/1"/>', None, id="self is no page"),
        pytest.param(
            '<link rel="via" href="/1"/><link rel="related" href="/2"/>', "https://example.com/2", id="related"
        ),
        pytest.param('<link href="tag:x"/><link rel="via" href="/1"/>', "https://example.com/1", id="the first usable"),
    ],
)
def test_the_link_of_an_atom_entry(links: str, expected: str | None) -> None:
    assert entry(f"<id>urn:1</id>{links}").url == expected


def test_an_atom_id_that_is_a_link_serves_as_one() -> None:
    assert entry("<id>https://example.com/1</id>").url == "https://example.com/1"


def test_an_entry_without_an_id_goes_by_its_canonical_link() -> None:
    assert item("<link>http://Example.com/1?utm_source=rss#top</link>").id == "https://example.com/1"


def test_an_entry_with_neither_id_nor_link_goes_by_what_it_says() -> None:
    one, two = (f"<item><title>Tanks</title><description>{text}</description></item>" for text in ("One", "Two"))
    first, second = rss(one + two + one).entries
    assert (first.summary, second.summary) == ("One", "Two")
    assert first.id != second.id
    assert rss(two).entries == (second,)


def test_an_entry_that_says_nothing_is_none() -> None:
    assert rss("<item><pubDate>Sat, 05 Jul 2025 10:00:00 GMT</pubDate></item>").entries == ()


def test_an_entry_with_an_id_alone_is_kept() -> None:
    assert item("<guid>1</guid><description>Text</description>") == Entry("1", None, summary="Text")


def test_equal_ids_with_one_link_are_one_entry_and_the_first_stays() -> None:
    one = "<item><guid>1</guid><title>{}</title><link>{}</link></item>"
    found = rss(one.format("A", "https://example.com/1") + one.format("B", "http://example.com/1?utm_source=x"))
    assert [(e.id, e.title) for e in found.entries] == [("1", "A")]


def test_one_id_for_several_links_identifies_none_of_them() -> None:
    one = '<item><guid isPermaLink="false">podcast</guid><link>https://example.com/{}</link></item>'
    found = rss(one.format(1) + one.format(2) + one.format(1) + "<item><guid>other</guid><link>/3</link></item>")
    assert [e.id for e in found.entries] == ["https://example.com/1", "https://example.com/2", "other"]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("  Tanks\n roll ", "Tanks roll"),
        ("AT&amp;T", "AT&T"),
        ("AT&amp;amp;T", "AT&T"),
        ("<![CDATA[AT&T &#8211; <em>more</em><br/>]]>", "AT&T – more"),
        ("<![CDATA[F-35 <!-- draft --> here]]>", "F-35 here"),
        ("x &lt; y and y &gt; z", "x < y and y > z"),
        ("", None),
        ("<![CDATA[<b> </b>]]>", None),
        ("a&#x9b;b&#x200b;", "a\u203ab\u200b"),
    ],
)
def test_titles_are_one_line_of_plain_text(title: str, expected: str | None) -> None:
    assert item(f"<guid>1</guid><title>{title}</title>").title == expected


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ("<pubDate>Sat, 21 Nov 2026 23:30:00 EST</pubDate>", datetime(2026, 11, 22, 4, 30, tzinfo=UTC)),
        ("<pubDate>2026-11-21</pubDate>", datetime(2026, 11, 21, tzinfo=UTC)),
        ("<dc:date>2026-11-21T10:00:00Z</dc:date>", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("<dcterms:created>2026-11-21T10:00:00Z</dcterms:created>", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("<pubDate>Mon, 01 Jan 0001 00:00:00 +0000</pubDate>", None),
        ("<pubDate>Thu, 01 Jan 1970 00:00:00 GMT</pubDate>", None),
        ("<pubDate>Sat, 21 Nov 9999 10:00:00 GMT</pubDate>", None),
        ("<pubDate>yesterday</pubDate>", None),
        ("", None),
    ],
)
def test_dates_are_utc_or_none(element: str, expected: datetime | None) -> None:
    assert item(f"<guid>1</guid>{element}").published_at == expected


def test_the_richest_content_is_taken() -> None:
    found = item("<guid>1</guid><content:encoded>Short</content:encoded><content:encoded>Much longer</content:encoded>")
    assert found.content == "Much longer"


def test_a_content_that_feedparser_copied_is_no_summary() -> None:
    assert item("<guid>1</guid><content:encoded>Text</content:encoded>").summary is None


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ("<author>ann@example.com (Ann Ode)</author>", ("Ann Ode",)),
        ("<author>ann@example.com</author>", ("ann@example.com",)),
        ("<dc:creator><![CDATA[Ann &amp; Bo]]></dc:creator>", ("Ann & Bo",)),
        ("<author/>", ()),
    ],
)
def test_authors_are_names(element: str, expected: tuple[str, ...]) -> None:
    assert item(f"<guid>1</guid>{element}").authors == expected


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ("<language>EN-us</language>", "en-US"),
        ("<language>pt_BR</language>", "pt-BR"),
        ("<language>zh-hant-tw</language>", "zh-Hant-TW"),
        ("<language>de-x-formal</language>", "de"),
        ("<language>English</language>", None),
        ("", None),
    ],
)
def test_an_entry_speaks_the_language_of_its_feed(element: str, expected: str | None) -> None:
    feed = rss(f"{element}<item><guid>1</guid><title>x</title></item>")
    assert (feed.lang, feed.entries[0].lang) == (expected, expected)


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ("<ttl>90</ttl>", timedelta(minutes=90)),
        ("<ttl>90</ttl><sy:updatePeriod>daily</sy:updatePeriod>", timedelta(minutes=90)),
        ("<ttl>99999999999999999</ttl>", timedelta(minutes=10**6)),
        ("<ttl>0</ttl>", None),
        ("<ttl>-5</ttl>", None),
        ("<ttl>soon</ttl>", None),
        ("<sy:updatePeriod> hourly </sy:updatePeriod>", timedelta(hours=1)),
        ("<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>", timedelta(hours=6)),
        ("<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>", timedelta(days=1)),
        ("<sy:updatePeriod>never</sy:updatePeriod>", None),
        ("", None),
    ],
)
def test_a_feed_says_how_long_it_stays_the_same(elements: str, expected: timedelta | None) -> None:
    assert rss(elements).ttl == expected


HOURS = "<skipHours>\n<hour>0</hour><hour> 7 </hour><hour>24</hour><hour>25</hour><hour>noon</hour></skipHours>"
DAYS = "<skipDays><day>Sunday</day><day>monday</day><day>Holiday</day></skipDays>"


@pytest.mark.parametrize("items", ["", "<item><guid>1</guid></item>"])
def test_a_feed_says_when_nobody_should_ask(items: str) -> None:
    for found in (rss(HOURS + DAYS + items), rss(items + HOURS + DAYS)):
        assert (found.skip_hours, found.skip_days) == (frozenset({0, 7}), frozenset({0, 6}))


def test_hours_to_skip_in_the_text_of_an_entry_are_none_of_the_feeds() -> None:
    found = rss(f"<item><guid>1</guid><description><![CDATA[{HOURS}]]></description></item>")
    assert found.skip_hours == frozenset()


LINKS = '<atom:link rel="self" href="/f"/><atom:link rel="HUB" href="https://hub.example/"/>'
LINKS += '<atom:link rel="icon" href="/i"/>'
HISTORY = 'xmlns:h="http://purl.org/syndication/history/1.0"'
ITEM = "<item><guid>1</guid></item>"


@pytest.mark.parametrize("fault", ["", "<title>&nbsp;</title>"])
def test_a_feed_says_where_it_is_announced_and_goes_on(fault: str) -> None:
    found = rss(f"{LINKS}{fault}{ITEM}")
    assert found.links == (("self", "https://example.com/f"), ("hub", "https://hub.example/"))


@pytest.mark.parametrize("fault", ["", "<title>&nbsp;</title>"])
@pytest.mark.parametrize(
    ("mark", "expected"),
    [("", (False, False)), ("<h:complete/>", (True, False)), ("<h:archive/>", (False, True))],
)
def test_a_feed_says_what_it_holds(mark: str, expected: tuple[bool, bool], fault: str) -> None:
    found = parse(f"<rss version='2.0' {HISTORY}><channel>{mark}{fault}{ITEM}</channel></rss>".encode(), URL)
    assert (found.is_complete, found.is_archive) == expected
