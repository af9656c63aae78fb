"""Which of a page's links belong to its own article."""

import pytest
from lxml.html import HtmlElement

from pipeline.stages import markup
from pipeline.stages.follow import next_page, other_version, request_to

FIRST = "https://www.example.com/news/frigate"


def page(link: str) -> HtmlElement:
    return markup.parse(f"<html><p>text</p>{link}</html>", FIRST)


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        pytest.param("<a href='/news/frigate/2/'>2</a>", f"{FIRST}/2/", id="path"),
        pytest.param('<a class="n" href="frigate/page/2">Next</a>', f"{FIRST}/page/2", id="page in the path"),
        pytest.param("<link rel=next href=frigate?page=2>", f"{FIRST}?page=2", id="query"),
        pytest.param('<link rel="next" href="/news/frigate?a=1&amp;page=2#x">', f"{FIRST}?a=1&page=2", id="escaped"),
        pytest.param("<a rel='nofollow next' href='frigate-2'>", f"{FIRST}-2", id="suffix"),
        pytest.param("<a href='frigate?page=2'>", None, id="comments have pages too"),
        pytest.param("<a href='frigate-2'>", None, id="another article"),
        pytest.param("<link rel=next href=/news/budget>", None, id="the next article"),
        pytest.param("<link rel=next href=/news/budget/2>", None, id="the next article's page"),
        pytest.param("<link rel=next href='frigate?page=12'>", None, id="another number"),
        pytest.param("<link rel=next href='/news/frigate/3'>", None, id="a page too far"),
        pytest.param("<a rel=next href='https://example.org/news/frigate/2'>", None, id="another site"),
        pytest.param("<a rel=next href='http://[/2'>", None, id="no URL"),
        pytest.param("<a rel=next class='/2'>", None, id="no link"),
    ],
)
def test_the_next_page_is_spelled_like_the_first(link: str, expected: str | None) -> None:
    assert next_page(FIRST, page(link), FIRST, 1) == expected


def test_later_pages_count_on() -> None:
    two = page("<a href='/news/frigate/1'>1</a> <a href='/news/frigate/3'>3</a>")
    assert next_page(FIRST, two, f"{FIRST}/2", 2) == f"{FIRST}/3"
    assert next_page(FIRST, two, f"{FIRST}/2", 3) is None


def test_a_suffix_stays_behind_the_number() -> None:
    first = page("<link rel='next' href='frigate-2.html'>")
    assert next_page(f"{FIRST}.html", first, f"{FIRST}.html", 1) == f"{FIRST}-2.html"


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        pytest.param("<link rel=amphtml href='/news/frigate/amp/'>", f"{FIRST}/amp/", id="for phones"),
        pytest.param("<link rel=alternate media=print href='frigate?print=1'>", f"{FIRST}?print=1", id="for print"),
        pytest.param("<link rel=stylesheet media=print href=print.css>", None, id="a style"),
        pytest.param("<link rel=amphtml href='/news/frigate'>", None, id="the page itself"),
        pytest.param("<link rel=amphtml href='https://example.org/amp'>", None, id="another site"),
    ],
)
def test_another_version_is_one_that_the_page_names(link: str, expected: str | None) -> None:
    assert other_version(page(link), FIRST) == expected


def test_what_belongs_to_an_article_is_asked_for_as_a_page_is() -> None:
    assert request_to(f"{FIRST}/2").url == f"{FIRST}/2"
