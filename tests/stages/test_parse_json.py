"""JSON Feed as values."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model import Enclosure, Entry, ParsedFeed
from pipeline.stages.parse import parse

URL = "https://example.com/feed.json"
VERSION = "https://jsonfeed.org/version/1.1"
_NAMES = (
    "version title home_page_url language items id url external_url content_html content_text summary authors author "
    "name date_published date_modified tags attachments mime_type size_in_bytes"
)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([VERSION, "2026-11-21", "/a"]),
    lambda values: st.lists(values) | st.dictionaries(st.sampled_from(_NAMES.split()), values),
)


def feed(*items: object, **members: object) -> ParsedFeed:
    return parse(json.dumps({"version": VERSION, "items": items, **members}).encode(), URL)


def test_an_item_becomes_an_entry() -> None:
    found = feed(
        {
            "id": "1",
            "url": "/1",
            "external_url": "https://example.org/",
            "title": "Tanks &amp; <b>planes</b>",
            "content_html": "<p>Long</p>",
            "content_text": "Long",
            "summary": "Short",
            "date_published": "2026-11-21T10:00:00-05:00",
            "date_modified": "2026-11-22T10:00:00Z",
            "authors": [{"name": "Ann Ode"}, {"url": "https://example.com/bo"}, "Cy"],
            "tags": ["navy", 7, "navy"],
            "attachments": [
                {"url": "a.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 12},
                {"url": "b.mp3", "size_in_bytes": -1},
                {"mime_type": "audio/mpeg"},
            ],
            "language": "de",
        },
        title="News",
        home_page_url="https://example.com/",
        next_url="/feed.json?page=2",
        language="en-us",
    )
    assert found == ParsedFeed(
        title="News",
        url="https://example.com/",
        links=(("next", "https://example.com/feed.json?page=2"),),
        format="json11",
        lang="en-US",
        entries=(
            Entry(
                id="1",
                url="https://example.com/1",
                title="Tanks & planes",
                published_at=datetime(2026, 11, 21, 15, tzinfo=UTC),
                updated_at=datetime(2026, 11, 22, 10, tzinfo=UTC),
                summary="Short",
                content="<p>Long</p>",
                authors=("Ann Ode",),
                tags=("navy",),
                enclosures=(
                    Enclosure("https://example.com/a.mp3", "audio/mpeg", 12),
                    Enclosure("https://example.com/b.mp3"),
                ),
                lang="de",
            ),
        ),
    )


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        pytest.param({"id": 17}, Entry("17", None), id="a number as id"),
        pytest.param({"id": True, "url": "/1"}, Entry("https://example.com/1", "https://example.com/1"), id="no id"),
        pytest.param({"id": "1", "external_url": "/1"}, Entry("1", "https://example.com/1"), id="external link"),
        pytest.param({"id": "1", "url": "javascript:x"}, Entry("1", None), id="script"),
        pytest.param({"id": "1", "content_text": "T"}, Entry("1", None, content="T"), id="text"),
        pytest.param(
            {"id": "1", "author": {"name": "Ann"}}, Entry("1", None, authors=("Ann",)), id="version 1.0 author"
        ),
        pytest.param({"id": "a\0b\ud800", "title": 3, "tags": "x", "author": "Bo"}, Entry("ab", None, "3"), id="odd"),
        pytest.param({"id": "1", "date_published": "soon"}, Entry("1", None), id="no date"),
    ],
)
def test_a_member_of_the_wrong_type_is_as_good_as_absent(item: object, expected: Entry) -> None:
    assert feed(item, "no item", None).entries == (expected,)


def test_an_item_with_neither_id_nor_link_goes_by_what_it_says() -> None:
    dates = ("2025-07-05", "2025-07-12")
    first, second = feed(*({"title": "Tanks", "date_published": date} for date in dates)).entries
    assert first.id != second.id
    assert feed({"title": "Tanks", "date_published": dates[1]}).entries == (second,)
    assert feed({"date_published": dates[1]}).entries == ()


def test_items_that_are_no_list_are_none() -> None:
    assert feed(items={"id": "1"}).entries == ()


@settings(max_examples=40)  # of hundreds of values each
@given(st.dictionaries(st.sampled_from(_NAMES.split()), _JSON))
def test_any_json_with_a_version_is_a_feed(document: dict[str, object]) -> None:
    body = json.dumps({**document, "version": VERSION}).encode("utf-8", "surrogatepass")
    parsed = parse(body, URL)
    repr(parsed).encode()
    assert len({entry.id for entry in parsed.entries}) == len(parsed.entries)
