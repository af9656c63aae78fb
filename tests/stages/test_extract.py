"""Page -> Article: which text is taken, whose date wins, and that hostile pages end in an error."""

import gzip
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ExtractError
from pipeline.model import Article, DateOrigin, Entry, Page
from pipeline.stages.extract import (
    CLEARLY_LONGER,
    FEED_CONTENT,
    FEED_SUMMARY,
    SHORTEST_TEXT,
    Beginning,
    begin,
    extract,
    extract_copy,
    from_entry,
    further,
    is_joined,
    joined,
)
from pipeline.stages.extract.prose import BLOCKS
from pipeline.stages.markup import MOST_BYTES, MOST_ELEMENTS

URL = "https://www.example.com/news/2025/frigate"
SEEN = datetime(2025, 7, 11, 12, 0, tzinfo=UTC)
SENTENCE = "The navy took delivery of the second frigate of its class in the northern port on Friday."
PARAGRAPHS = tuple(f"{SENTENCE} It was paragraph number {number} of the report." for number in range(1, 6))
LONG = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)


def page(body: str = LONG, head: str = "<title>Frigate delivered</title>", url: str = URL) -> Page:
    html = f"<!DOCTYPE html><html lang='en'><head>{head}</head><body><article>{body}</article></body></html>"
    return Page(url, html.encode(), "text/html; charset=utf-8", SEEN)


def entry(**fields: object) -> Entry:
    return replace(Entry(id="1", url=URL), **fields)  # type: ignore[arg-type]


def meta(name: str, content: str) -> str:
    return f'<meta property="{name}" content="{content}">'


def test_the_text_is_the_paragraphs_of_the_page_one_a_line() -> None:
    article = extract(page(f"<nav><a href='/'>Home</a></nav>{LONG}"), entry())
    assert article.text == "\n".join(PARAGRAPHS)
    assert article.extractor == BLOCKS


def test_what_the_page_says_becomes_the_article() -> None:
    head = (
        "<title>Frigate delivered | Example News</title>"
        '<link rel="canonical" href="/news/2025/frigate-delivered">'
        + meta("og:site_name", "Example News")
        + meta("article:published_time", "2025-07-10T08:30:00+02:00")
        + meta("article:modified_time", "2025-07-10T10:00:00+02:00")
        + '<meta name="author" content="Jane Doe and John Roe">'
    )
    assert extract(page(head=head), entry(title="Another title", authors=("Feed",), lang="de")) == Article(
        url=URL,
        canonical_url="https://www.example.com/news/2025/frigate-delivered",
        title="Frigate delivered",
        text="\n".join(PARAGRAPHS),
        published_at=datetime(2025, 7, 10, 6, 30, tzinfo=UTC),
        published_from=DateOrigin.PAGE,
        extractor=BLOCKS,
        authors=("Jane Doe", "John Roe"),
        updated_at=datetime(2025, 7, 10, 8, 0, tzinfo=UTC),
        lang="en",
        site_name="Example News",
    )


def test_a_copy_in_a_web_archive_is_read_as_if_its_site_had_sent_it() -> None:
    kept = f"https://archive.example/20250711/{URL}"
    copy, own = extract_copy(page(url=kept), entry()), extract(page(), entry())
    assert (copy.url, copy.canonical_url) == (kept, URL)
    assert copy == replace(own, url=kept)


def test_what_the_page_does_not_say_is_taken_from_the_entry() -> None:
    silent = Page(URL, f"<html><body>{LONG}</body></html>".encode(), "text/html", SEEN)
    told = SEEN - timedelta(hours=3)
    article = extract(
        silent,
        entry(title=" Frigate\ndelivered ", authors=("Jane Doe",), lang="EN_gb", published_at=told, updated_at=SEEN),
    )
    assert (article.title, article.authors, article.lang) == ("Frigate delivered", ("Jane Doe",), "en-GB")
    assert (article.published_at, article.published_from, article.updated_at) == (told, DateOrigin.FEED, SEEN)


@pytest.mark.parametrize("offset", [timedelta(days=-2), timedelta(days=2)], ids=["before publication", "future"])
def test_an_update_that_cannot_be_is_no_update(offset: timedelta) -> None:
    assert extract(page(), entry(published_at=SEEN, updated_at=SEEN + offset)).updated_at is None


# Which text is taken.


@pytest.mark.parametrize(
    ("body", "content", "summary", "extractor"),
    [
        pytest.param(LONG, None, None, BLOCKS, id="page alone"),
        pytest.param(LONG, LONG, None, BLOCKS, id="page and feed agree"),
        pytest.param(LONG, LONG * CLEARLY_LONGER, None, FEED_CONTENT, id="page shows only the beginning"),
        pytest.param("<p>Subscribe to read.</p>", LONG, SENTENCE * 5, FEED_CONTENT, id="paywall, feed has all"),
        pytest.param("<p>Subscribe to read.</p>", "<p>Read</p>", LONG, FEED_SUMMARY, id="paywall, long summary"),
        pytest.param("", None, LONG, FEED_SUMMARY, id="empty page"),
        pytest.param("<div>" * 100_000, LONG, None, FEED_CONTENT, id="page too deep"),
    ],
)
def test_the_text_comes_from_the_page_else_the_content_else_the_summary(
    body: str, content: str | None, summary: str | None, extractor: str
) -> None:
    article = extract(page(body), entry(title="Frigate", content=content, summary=summary))
    assert article.extractor == extractor
    assert len(article.text) >= SHORTEST_TEXT


def test_a_page_that_hides_its_text_still_tells_the_date_but_not_the_title() -> None:
    head = "<title>Access denied</title>" + meta("article:published_time", "2025-07-01T08:00:00Z")
    article = extract(page("<p>Subscribe.</p>", head), entry(title="Frigate", content=LONG))
    assert (article.title, article.published_from) == ("Frigate", DateOrigin.PAGE)
    assert extract(page("<p>Subscribe.</p>", head), entry(content=LONG)).title == "Access denied"


# Pages without an article.


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param("<p>Subscribe to read.</p>", "too-short", id="teaser"),
        pytest.param("<div>" * 100_000, "too-deep", id="a hundred thousand levels"),
        pytest.param("<div>" * 251 + "</div>" * 251, "too-deep", id="deeper than the limit"),
        pytest.param("<b></b>" * (MOST_ELEMENTS + 1), "too-large", id="too many elements"),
        pytest.param("x" * MOST_BYTES, "too-large", id="too many bytes"),
    ],
)
def test_a_page_without_an_article_says_why(body: str, reason: str) -> None:
    with pytest.raises(ExtractError) as caught:
        extract(page(body), entry(title="A title", summary=SENTENCE))
    assert (caught.value.subject, caught.value.reason, caught.value.retryable) == (URL, reason, False)


@pytest.mark.parametrize(
    "body",
    [b"", b"   ", b"\x00\x00", b"<!-- -->", b"<html><body><p>"],
    ids=["empty", "blank", "nul", "comment", "tags"],
)
def test_bytes_that_hold_no_html_have_no_text(body: bytes) -> None:
    with pytest.raises(ExtractError) as caught:
        extract(Page(URL, body, "text/html", SEEN), entry())
    assert caught.value.reason == "no-text"


def test_bytes_that_grow_over_the_limit_when_decoded_are_too_large() -> None:
    body = b"<html><body>" + b"\xe9" * (MOST_BYTES // 2 + 1)
    with pytest.raises(ExtractError) as caught:
        extract(Page(URL, body, "text/html; charset=windows-1252", SEEN), entry())
    assert caught.value.reason == "too-large"


def test_an_article_needs_a_title() -> None:
    with pytest.raises(ExtractError) as caught:
        extract(page(head=""), entry())
    assert caught.value.reason == "no-title"


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=400), st.sampled_from(["", "<p>", "<div><script>", "<!DOCTYPE", "<table><tr>", "<svg><math>"])
)
def test_any_bytes_end_in_an_article_or_an_extract_error(noise: bytes, start: str) -> None:
    try:
        article = extract(Page(URL, start.encode() + noise + LONG.encode(), "text/html", SEEN), entry(title="T"))
    except ExtractError:
        return
    assert len(article.text) >= SHORTEST_TEXT


# Dates.


def test_the_pages_date_wins_over_the_feeds() -> None:
    head = "<title>T</title>" + meta("article:published_time", "2025-07-01T08:00:00Z")
    article = extract(page(head=head), entry(published_at=SEEN))
    assert (article.published_at, article.published_from) == (datetime(2025, 7, 1, 8, tzinfo=UTC), DateOrigin.PAGE)


@pytest.mark.parametrize(
    ("fields", "published_at", "origin"),
    [
        pytest.param({"published_at": SEEN - timedelta(days=3)}, SEEN - timedelta(days=3), DateOrigin.FEED, id="feed"),
        pytest.param({"updated_at": SEEN - timedelta(days=3)}, SEEN - timedelta(days=3), DateOrigin.FEED, id="updated"),
        pytest.param(
            {"published_at": SEEN - timedelta(days=3), "archive": "wayback"},
            SEEN - timedelta(days=3),
            DateOrigin.ARCHIVE,
            id="archive",
        ),
        pytest.param({}, SEEN, DateOrigin.FIRST_SEEN, id="unknown"),
        pytest.param({"published_at": SEEN + timedelta(days=2)}, SEEN, DateOrigin.FIRST_SEEN, id="future"),
        pytest.param({"published_at": datetime(1970, 1, 1, tzinfo=UTC)}, SEEN, DateOrigin.FIRST_SEEN, id="before news"),
    ],
)
def test_without_a_date_on_the_page_the_entrys_counts_else_when_we_saw_it(
    fields: dict[str, object], published_at: datetime, origin: DateOrigin
) -> None:
    article = extract(page(url="https://www.example.com/frigate"), entry(**fields))
    assert (article.published_at, article.published_from) == (published_at, origin)


def test_a_date_in_the_text_counts_only_when_nobody_states_one() -> None:
    body = f"{LONG}<p>Berlin, 3 July 2025</p>"
    guessed = extract(page(body, url="https://www.example.com/frigate"), entry())
    stated = extract(page(body, url="https://www.example.com/frigate"), entry(published_at=SEEN))
    assert (guessed.published_at, guessed.published_from) == (datetime(2025, 7, 3, tzinfo=UTC), DateOrigin.PAGE)
    assert (stated.published_at, stated.published_from) == (SEEN, DateOrigin.FEED)


@pytest.mark.parametrize(
    ("stated", "told", "published_at"),
    [
        pytest.param("2025-07-10", "2025-07-10T09:15:00Z", "2025-07-10T09:15:00Z", id="the same day"),
        pytest.param("2025-07-10", "2025-07-09T10:00:00Z", "2025-07-09T10:00:00Z", id="the day in UTC+14"),
        pytest.param("2025-07-10", "2025-07-09T09:59:00Z", "2025-07-10T00:00:00Z", id="before the day anywhere"),
        pytest.param("2025-07-10", "2025-07-11T11:59:00Z", "2025-07-11T11:59:00Z", id="the day in UTC-12"),
        pytest.param("2025-07-10", "2025-07-11T14:00:00Z", "2025-07-10T00:00:00Z", id="after the day anywhere"),
        pytest.param("2025-07-10T00:00:00+02:00", "2025-07-10T09:15:00Z", "2025-07-10T09:15:00Z", id="midnight"),
        pytest.param("2025-07-10T11:15:00", "2025-07-10T09:15:00Z", "2025-07-10T09:15:00Z", id="no zone"),
        pytest.param("2025-07-10T11:15:00", "2025-07-08T09:15:00Z", "2025-07-10T11:15:00Z", id="no zone, other day"),
        pytest.param("2025-07-10T11:15:00+02:00", "2025-07-10T10:00:00Z", "2025-07-10T09:15:00Z", id="exact"),
        pytest.param("2025-07-10", None, "2025-07-10T00:00:00Z", id="the feed says nothing"),
    ],
)
def test_a_vague_date_on_the_page_takes_the_feeds_moment_where_it_may_be_the_same(
    stated: str, told: str | None, published_at: str
) -> None:
    head = "<title>T</title>" + meta("article:published_time", stated)
    moment = datetime.fromisoformat(told) if told else None
    article = extract(page(head=head), entry(published_at=moment))
    assert article.published_at == datetime.fromisoformat(published_at)
    assert article.published_from is DateOrigin.PAGE


# Entries that carry their article themselves.


def test_an_entry_that_carries_its_article_needs_no_page() -> None:
    article = from_entry(
        entry(url=f"{URL}?utm_source=rss", title="Frigate", content=LONG, lang="en", authors=("Jane Doe",)), SEEN
    )
    assert article == Article(
        url=URL,
        canonical_url=URL,
        title="Frigate",
        text="\n".join(PARAGRAPHS),
        published_at=SEEN,
        published_from=DateOrigin.FIRST_SEEN,
        extractor=FEED_CONTENT,
        authors=("Jane Doe",),
        lang="en",
    )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param({"url": None, "content": LONG}, "no-link", id="no link"),
        pytest.param({"url": "mailto:a@example.com", "content": LONG}, "no-link", id="no web link"),
        pytest.param({"content": LONG}, "no-title", id="no title"),
        pytest.param({"title": "T", "summary": SENTENCE}, "too-short", id="a teaser"),
        pytest.param({"title": "T", "content": "<p> </p>"}, "no-text", id="no text"),
    ],
)
def test_an_entry_without_an_article_says_why(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(ExtractError) as caught:
        from_entry(entry(**fields), SEEN)
    assert caught.value.reason == reason


# Real pages.


def real_pages() -> list[Path]:
    root = os.environ.get("DEFNEWS_DEV_DATA")
    return [] if root is None else sorted(Path(root).glob("pages*/*.html.gz"))[::42]


@pytest.mark.skipif(not real_pages(), reason="DEFNEWS_DEV_DATA is not set")
def test_real_pages_end_in_an_article_or_an_extract_error() -> None:
    articles, told = 0, entry(title="A title", published_at=SEEN)
    for path in real_pages():
        try:
            article = extract(Page(URL, gzip.decompress(path.read_bytes()), "text/html", SEEN), told)
        except ExtractError:
            continue
        articles += 1
        assert len(article.text) >= SHORTEST_TEXT
        assert "\n\n" not in article.text
    assert articles >= 0.9 * len(real_pages())


def test_a_headline_over_a_teaser_is_too_short_however_long_it_is() -> None:
    headline = "Drill " + "off Jeju " * 40
    markup = f"<html><head><title>{headline}</title></head><body><h1>{headline}</h1><p>Only this.</p></body></html>"
    page = Page("https://a.example/x", f"{markup}".encode(), None, SEEN)
    entry = Entry(id="1", url=page.url, title=headline, content=f"<p>{headline}</p><p>Only this.</p>")
    with pytest.raises(ExtractError, match="too-short"):
        extract(page, entry)


# Teasers.

NOT_FREE = (
    '<title>Frigate</title><script type="application/ld+json">{"@type":"Article","isAccessibleForFree":false}</script>'
)


def test_a_teaser_is_marked() -> None:
    assert extract(page(head=NOT_FREE), entry()).is_teaser
    assert not extract(page(), entry()).is_teaser


def test_where_the_page_shows_a_teaser_the_feeds_longer_text_serves() -> None:
    content = LONG + f"<p>{SENTENCE}</p>"
    assert extract(page(head=NOT_FREE), entry(content=content)).extractor == FEED_CONTENT
    assert extract(page(), entry(content=content)).extractor == BLOCKS


def test_tags_are_the_pages_else_the_feeds() -> None:
    head = "<title>Frigate</title>" + meta("news_keywords", "navy")
    assert extract(page(head=head), entry(tags=("sea",))).tags == ("navy",)
    assert extract(page(), entry(tags=("sea",))).tags == ("sea",)


def test_a_page_says_where_there_is_more_of_its_article_even_if_it_shows_nothing() -> None:
    links = "<link rel=amphtml href='frigate/amp'><link rel=next href='frigate/2'>"
    assert begin(page(head=f"<title>Frigate delivered</title>{links}"), entry()) == Beginning(
        extract(page(), entry()), f"{URL}/2", f"{URL}/amp"
    )
    empty = begin(page("", links), entry())
    assert isinstance(empty.article, ExtractError)
    assert (empty.next_url, empty.other_url) == (f"{URL}/2", f"{URL}/amp")


def test_further_pages_are_joined_without_what_they_repeat() -> None:
    first = extract(page(), entry())
    second = "<h1>Frigate delivered</h1>" + LONG + LONG.replace("report", "second page") + "<a href='3'>3</a>"
    two = further(page(second, url=f"{URL}/2"), URL, 2)
    whole = joined(first, [two.text], is_cut=False)
    assert whole.text == "\n".join([*PARAGRAPHS, *(one.replace("report", "second page") for one in PARAGRAPHS)])
    assert (whole.extractor, whole.is_teaser, two.next_url) == (f"{BLOCKS}, pages 1-2", False, f"{URL}/3")
    cut = joined(first, [], is_cut=True)
    assert (cut.text, cut.extractor, cut.is_teaser) == (first.text, f"{BLOCKS}, pages 1-1", True)
    assert [is_joined(one) for one in (first, whole, cut)] == [False, True, True]
