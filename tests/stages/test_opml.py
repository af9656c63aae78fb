"""Lists of feeds: what other readers write is understood, and what we write they understand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ParseError
from pipeline.model import Feed
from pipeline.stages import opml
from tests import make

LIST = b"""<?xml version="1.0" encoding="ISO-8859-1"?>
<opml version="1.0"><head><title>Mine</title></head><body>
<outline text="Arm\xe9es"><outline text="Sea"><outline text=" Keel " type="rss" xmlUrl="https://keel.example/rss"/></outline>
<outline title="Vector" xmlUrl=" https://vector.example/rss "/></outline>
<outline text="No feed" url="https://x.example/"/><outline xmlUrl="javascript:x" text="bad"/>
<outline><outline xmlUrl="https://plain.example/rss"/></outline>
<outline text="Favourites"><outline text="Again" xmlUrl="https://keel.example/rss"/></outline>
</body></opml>"""


def test_folders_become_tags_and_a_feed_in_two_folders_has_both() -> None:
    assert [(feed.url, feed.title, feed.tags) for feed in opml.read(LIST, "mine.opml")] == [
        ("https://keel.example/rss", "Keel", ("Armées", "Sea", "Favourites")),
        ("https://vector.example/rss", "Vector", ("Armées",)),
        ("https://plain.example/rss", "https://plain.example/rss", ()),
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"", "malformed-xml"), (b"<opml><body>", "malformed-xml"), (b"<rss/>", "not-opml"), (b"<opml/>", "not-opml")],
)
def test_what_is_no_opml_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(ParseError, match=reason):
        opml.read(body, "mine.opml")


def test_an_entity_reads_no_file() -> None:
    outline = b'<outline text="&x;" xmlUrl="https://a.example/"/>'
    bomb = b'<!DOCTYPE opml [<!ENTITY x SYSTEM "file:///etc/passwd">]><opml><body>' + outline + b"</body></opml>"
    with pytest.raises(ParseError):
        opml.read(bomb, "mine.opml")


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=9).filter(
    lambda name: name.strip() and " ".join(name.split()) == name and name.isprintable()
)


TAGS = st.lists(NAMES, max_size=2, unique=True).map(tuple)


@given(st.lists(st.builds(make.feed, st.integers(1, 99), title=NAMES, tags=TAGS)))
def test_what_is_written_is_read_back(feeds: list[Feed]) -> None:
    known = {feed.url: feed for feed in feeds}
    read = {feed.url: feed for feed in opml.read(opml.write(known.values()).encode(), "")}
    assert {url: (feed.title, feed.tags) for url, feed in read.items()} == {
        url: (feed.title, feed.tags) for url, feed in known.items()
    }


def test_characters_that_xml_forbids_do_not_spoil_the_list() -> None:
    given = [make.feed(n, title="T\x1b[31m", tags=("a\x00b",)) for n in (1, 2)]
    feeds = opml.read(opml.write(given).encode(), "")
    assert [(feed.title, feed.tags) for feed in feeds] == [("T [31m", ("a b",))] * 2
