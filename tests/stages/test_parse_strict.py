"""The fast reader of well-formed feeds: it says what feedparser says, or nothing."""

import gzip
import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ParseError
from pipeline.model import ParsedFeed
from pipeline.stages import charset
from pipeline.stages.parse import strict, xml

URL = "https://example.com/news/feed.xml"
SPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:media="http://search.yahoo.com/mrss/" '
    'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" '
    'xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0" xmlns:fh="http://purl.org/syndication/history/1.0" '
    'xmlns:foo="https://foo.example/" xmlns:xhtml="http://www.w3.org/1999/xhtml"'
)
A = 'xmlns:a="http://www.w3.org/2005/Atom"'
GUID = '<guid isPermaLink="false">1</guid>'


def rss(inside: str, attributes: str = "", root: str = "") -> str:
    return f'<rss version="2.0" {SPACES} {A} {root}><channel {attributes}>{inside}</channel></rss>'


def item(inside: str, attributes: str = "") -> str:
    return rss(f"<item {attributes}>{GUID}{inside}</item>")


def atom(inside: str, attributes: str = "") -> str:
    return f'<feed xmlns="http://www.w3.org/2005/Atom" {SPACES} {attributes}>{inside}</feed>'


def rdf(inside: str, behind: str, space: str = "http://purl.org/rss/1.0/") -> str:
    root = f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="{space}" {SPACES}>'
    return f"{root}<channel>{inside}</channel>{behind}</rdf:RDF>"


def judged(text: str) -> ParsedFeed:
    """What feedparser says: it drops a DOCTYPE, which the fast reader declines."""
    return xml.parse(re.sub(r"<(?=[a-zA-Z])", "<!DOCTYPE x><", text, count=1), URL)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(item("<title>A</title><title>B</title><media:title>C</media:title>"), id="the first title"),
        pytest.param(item("<media:title>C</media:title><title>A</title>"), id="a title beats that of a picture"),
        pytest.param(
            item("<title/><media:group><media:title>C</media:title></media:group>"),
            id="an empty title beats a deep one",
        ),
        pytest.param(item("<title>A</title><source>S</source><media:title>C</media:title>"), id="title after a source"),
        pytest.param(
            item("<a:source><a:title>S</a:title><a:author><a:name>Z</a:name></a:author></a:source><title>A</title>"),
            id="title of a source",
        ),
        pytest.param(
            rss(f"<image><title>A</title></image><foo:x><title>B</title></foo:x><item>{GUID}</item>"), id="title, image"
        ),
        pytest.param(rss(f"<title>A</title><textInput><name>q</name></textInput><item>{GUID}</item>"), id="text input"),
        pytest.param(rss(f"<item>{GUID}<title>A</title></item><title>B</title>"), id="a title behind the entries"),
        pytest.param(item("<description>A</description><description>B</description>"), id="two descriptions"),
        pytest.param(item("<content:encoded>A</content:encoded><description>B</description>"), id="content, summary"),
        pytest.param(item("<content:encoded/><summary>B</summary><itunes:summary>C</itunes:summary>"), id="summaries"),
        pytest.param(
            item(
                '<description>A</description><media:content url="x"><media:description>B</media:description>'
                "</media:content>"
            ),
            id="description of a picture",
        ),
        pytest.param(
            rss(
                f"<itunes:summary>S</itunes:summary><description>D</description><item>{GUID}<description>A</description>"
                "<description>B</description></item>"
            ),
            id="a feed with two summaries",
        ),
        pytest.param(rss(f"<description>D</description><item>{GUID}</item>"), id="description of a feed"),
        pytest.param(item("<title>ZoÃ«</title><description>Zoë Ж</description>"), id="a charset read twice"),
        pytest.param(item("<title>a<!-- x -->b<![CDATA[ & c]]></title>"), id="comment and CDATA"),
        pytest.param(item("<a:author><a:name>Ann</a:name><a:email>a@b.co</a:email></a:author>"), id="described author"),
        pytest.param(item("<a:author><a:name/></a:author><a:author><a:name>Bo</a:name></a:author>"), id="no name"),
        pytest.param(item("<author>a@b.co (Ann Ode)</author><dc:creator>Bo</dc:creator><author/>"), id="named authors"),
        pytest.param(rss(f"<author>webmaster AT x@y</author><item>{GUID}</item>"), id="whoever makes a feed"),
        pytest.param(rss(f"<itunes:owner><itunes:name>X</itunes:name></itunes:owner><item>{GUID}</item>"), id="owner"),
        pytest.param(item("<a:contributor><a:name>Ann</a:name></a:contributor>"), id="contributor"),
        pytest.param(
            item('<category domain="d"/><category>A</category><media:category/><category>A</category>'), id="tags"
        ),
        pytest.param(item('<a:category term="t" label="L"/><media:keywords>a, b,,a</media:keywords>'), id="keywords"),
        pytest.param(rss(f"<category>A</category><category/><item>{GUID}</item>"), id="tags of a feed"),
        pytest.param(item("<categories><category>A</category></categories>"), id="an unknown wrapper"),
        pytest.param(item("<link>https:///example.com/?a=1&amp;amp;b=2&amp;c;=3</link>"), id="a link out of shape"),
        pytest.param(item("<link/><guid>https://example.com/1</guid>"), id="an empty link beats an id"),
        pytest.param(
            item('<a:link href="" url="/1" rel="VIA"/><a:link href="/2" type="application/json"/>'), id="links"
        ),
        pytest.param(item('<enclosure url="/1.mp3" LENGTH="9" type="Audio/MPEG" foo:x="y"/>'), id="enclosure"),
        pytest.param(item("<feedburner:origLink>https://example.com/1</feedburner:origLink>"), id="FeedBurner"),
        pytest.param(item("<pubDate>Sat, 21 Nov 2026 10:00:00 EST</pubDate><pubDate/>"), id="the last date"),
        pytest.param(rss(f"<pubDate>yesterday</pubDate><item>{GUID}</item>"), id="an odd date of a feed"),
        pytest.param(
            item("<dc:date>2026-11-21</dc:date><dcterms:created>2026-11-20T01:02Z</dcterms:created>"), id="dates"
        ),
        pytest.param(rss(f"<language>de</language><item>{GUID}</item>", root='xml:lang="pt_BR"'), id="language"),
        pytest.param(
            rss(
                f'<item xml:lang="fr">{GUID}<title xml:lang="">A</title></item><item><guid>2</guid><title lang="it">B'
                "</title></item>",
                'xml:lang="de"',
            ),
            id="languages",
        ),
        pytest.param(rss(f"<ttl>5</ttl><sy:updatePeriod>daily</sy:updatePeriod><item>{GUID}</item>"), id="ttl"),
        pytest.param(rss(f"<skipHours><hour>4</hour></skipHours><item>{GUID}</item>"), id="hours to skip"),
        pytest.param(rss(f"<fh:complete/><fh:archive/><item>{GUID}</item>"), id="complete"),
        pytest.param(
            rss(f'<a:link rel="hub" href="/hub"/><a:link rel="self" href="/f"/><item>{GUID}</item>'), id="hub"
        ),
        pytest.param(item("<foo:bar><foo:baz>x</foo:baz></foo:bar><rights>x</rights><image/>"), id="what says nothing"),
        pytest.param(rss(f"<item>{GUID}</item>").replace("2.0", "0.91"), id="RSS 0.91"),
        pytest.param(f"<rss><channel/><item>{GUID}</item></rss>", id="entries behind the channel"),
        pytest.param(rdf("<title>A</title>", '<item rdf:about="urn:1"><title>B</title></item><image/>'), id="RDF"),
        pytest.param(
            rdf("", '<item rdf:about="urn:1"/>', "http://my.netscape.com/rdf/simple/0.9/"), id="RDF of Netscape"
        ),
        pytest.param(atom("<id>urn:f</id><entry><id>https://example.com/1</id></entry>", 'xml:lang="en"'), id="Atom"),
        pytest.param(
            atom('<entry><id>tag:x,1</id><content xml:base="https://example.com/" type="html">A</content></entry>'),
            id="a base for nothing",
        ),
    ],
)
def test_what_is_read_fast_is_what_feedparser_says(text: str) -> None:
    assert strict.read(text) is not None
    assert xml.parse(text, URL) == judged(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(item("&nbsp;"), id="not well-formed"),
        pytest.param(rss("<title>A</title>"), id="no entries"),
        pytest.param(f"<!DOCTYPE rss>{item('')}", id="DOCTYPE"),
        pytest.param(item("<title>a\x92b</title>"), id="control character"),
        pytest.param(item("<title>a&#146;b</title>"), id="reference to a control character"),
        pytest.param(item("<title>a\x7fb</title>"), id="delete"),
        pytest.param(f"<RSS><channel><item>{GUID}</item></channel></RSS>", id="other root"),
        pytest.param(item("").replace("<rss", '<rss xmlns:r="http://purl.org/rss/1.0/"'), id="RSS and RDF"),
        pytest.param("<rss/>", id="no channel"),
        pytest.param(f"<rss><channel/><item>{GUID}</item><title/></rss>", id="a title behind the channel"),
        pytest.param(rss(f"<item>{GUID}</item>", 'href="/x"'), id="channel of CDF"),
        pytest.param(item("", 'lastmod="2026-11-21"'), id="item of CDF"),
        pytest.param(item("<item/>"), id="entry in an entry"),
        pytest.param(item("<channel/>"), id="channel in an entry"),
        pytest.param(item("<title>a <b>b</b></title>"), id="markup in a title"),
        pytest.param(item("<rights>a <b>b</b></rights>"), id="markup in what nobody asks for"),
        pytest.param(item('<a:content type="xhtml">a</a:content>'), id="XHTML"),
        pytest.param(item('<a:content type="image/png">aGk=</a:content>'), id="base64"),
        pytest.param(item('<title mode="base64">aGk=</title>'), id="base64 of old"),
        pytest.param(item("<xhtml:body>a</xhtml:body>"), id="body"),
        pytest.param(item("<pubDate>yesterday</pubDate>"), id="odd date"),
        pytest.param(atom("<entry><id>x</id></entry>", 'xml:base="/a"'), id="id to be joined to a base"),
        pytest.param(
            atom('<entry><id>urn:1</id><link href=""/></entry>', 'xml:base="https://example.com/"'), id="base as link"
        ),
        pytest.param(item('<a:link foo:href="/x"/>'), id="attribute of another namespace"),
        pytest.param(item('<feedburner:origLink x="y">/1</feedburner:origLink>'), id="attribute beside a fact"),
        pytest.param(item('<media:keywords x="y">a</media:keywords>'), id="attribute beside keywords"),
        pytest.param(item("<author>a@b.co, c@d.co</author>"), id="two mailboxes"),
        pytest.param(item("<author>Ann<name>Bo</name></author>"), id="author of text and elements"),
        pytest.param(item("<author><foo:x>Bo</foo:x></author>"), id="author of foreign elements"),
        pytest.param(item("<author>Ann</author><author><name>Bo</name></author>"), id="authors of both kinds"),
        pytest.param(item("<author><name>A</name></author><author><uri>b</uri></author>"), id="second without name"),
        pytest.param(item("<foo:x><author>Ann</author></foo:x>"), id="deep author"),
        pytest.param(item("<itunes:owner/>"), id="owner of an entry"),
        pytest.param(item("<image><url>/x.png</url></image>"), id="image of an entry"),
        pytest.param(item("<source><item/></source>"), id="entry in a source"),
        pytest.param(item('<media:title xmlns:media="https://x.example/"/>'), id="prefix of another"),
        pytest.param(item('<title xmlns="https://x.example/">A</title>'), id="unknown default namespace"),
    ],
)
def test_what_is_unusual_is_left_to_feedparser(text: str) -> None:
    assert strict.read(text) is None


_NAMES = """
    title link guid pubDate description author category dc:creator dc:date dc:title dc:subject content:encoded content
    summary media:title media:description media:keywords media:group media:content media:category itunes:summary
    itunes:author enclosure source comments updated published id dcterms:created feedburner:origLink foo:bar language
    image rights subtitle name email a:link a:author a:contributor a:source a:id a:title wibble ttl keywords
"""
_TEXTS = """
    Tanks a&amp;b https://example.com/1 /rel a@b.co Zoë ZoÃ« Москва 2026-11-21 2026-11-21T10:00:00-05:00 a,b 7 daily
    en-US <![CDATA[<b>x</b>]]> http:///x.y/ Sat,&#32;21&#32;Nov&#32;2026&#32;10:00&#32;EST
"""
_ATTRIBUTES = ("type=html", "xml:lang=de", "lang=fr", "href=/h", "url=/u", "rel=self", "isPermaLink=false", "term=t")
_element = st.recursive(
    st.just("") | st.sampled_from(_TEXTS.split()),
    lambda inside: st.lists(
        st.builds(
            lambda name, attributes, content: "<{0}{1}>{2}</{0}>".format(
                name, "".join(f' {key}="{value}"' for key, value in attributes), content
            ),
            st.sampled_from(_NAMES.split()),
            st.lists(st.sampled_from(_ATTRIBUTES).map(lambda it: tuple(it.split("="))), max_size=1),
            inside,
        ),
        max_size=5,
    ).map("".join),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([rss, atom]), st.lists(_element, max_size=3), _element, st.sampled_from(["", 'xml:lang="pt_BR"'])
)
def test_no_document_is_read_otherwise_than_by_feedparser(
    format_of: object, entries: list[str], around: str, attributes: str
) -> None:
    assert callable(format_of)
    text = format_of("".join(f"<item>{GUID}{entry}</item>{around}" for entry in entries), attributes)
    if strict.read(text) is not None:
        assert xml.parse(text, URL) == judged(text)


@pytest.mark.skipif("DEFNEWS_DEV_DATA" not in os.environ, reason="needs the development data")
def test_real_feeds_are_read_as_by_feedparser_and_most_of_them_fast() -> None:
    fast: list[str] = []
    for path in sorted(Path(os.environ["DEFNEWS_DEV_DATA"], "feeds").glob("*.gz")):
        body = gzip.decompress(path.read_bytes())
        text = charset.decode(body, (charset.of_xml(body),)).strip("\ufeff \t\r\n")
        try:
            found = xml.parse(text, URL) if text.startswith("<") and strict.read(text) else None
        except ParseError:
            continue
        if found:
            assert found == judged(text), path.name
            fast.append(path.name)
    assert sum(name.startswith("kagi") for name in fast) >= 175


def test_many_tags_are_each_kept_once() -> None:
    tags = "".join(f"<category>{number}</category>" for number in (*range(10_000), 1, 2))
    found = strict.read(item(tags))
    assert found is not None
    assert len(found["entries"][0]["tags"]) == 10_000
