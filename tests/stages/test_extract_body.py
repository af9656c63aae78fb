"""HTML -> text: paragraphs, folding, escaped markup, a library that stumbles."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from pipeline.errors import ExtractError
from pipeline.stages.extract.body import block_text, fold, line, of_markup, translated, without_headline


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        pytest.param(None, "", id="none"),
        pytest.param(" \n ", "", id="blank"),
        pytest.param("Plain text.\r\n\r\nIts second  paragraph.", "Plain text.\nIts second paragraph.", id="plain"),
        pytest.param("<p>One.</p><p>Two.</p>", "One.\nTwo.", id="paragraphs"),
        pytest.param(
            "<p>One\n line, <b>bold</b> and <a href='/'>linked</a>.</p>", "One line, bold and linked.", id="inline"
        ),
        pytest.param("One.<br>Two.<br/>\n<br>Three.", "One.\nTwo.\nThree.", id="line breaks"),
        pytest.param("Lead<ul><li>first</li><li>second</li></ul>tail", "Lead\nfirst\nsecond\ntail", id="list"),
        pytest.param("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc", id="table"),
        pytest.param("<p>Text<script>alert(1)</script><style>p{}</style> goes on</p>", "Text goes on", id="scripts"),
        pytest.param("Fish &amp; chips", "Fish & chips", id="entity in plain text"),
        pytest.param("&lt;p&gt;One.&lt;/p&gt;&lt;p&gt;R&amp;amp;D&lt;/p&gt;", "One.\nR&D", id="escaped twice"),
        pytest.param(
            "<p><ruby>防衛<rp>(</rp><rt>ぼうえい</rt><rp>)</rp></ruby>の<ruby>予<rt>よ<rt>さん</ruby>額</p>",
            "防衛の予額",
            id="readings of ruby",
        ),
        pytest.param("<p>One <rt>two</rt> three</p>", "One two three", id="a reading of nothing"),
        pytest.param("5 &lt; 6", "5 < 6", id="an escaped sign is no markup"),
        pytest.param("<!-- only a comment -->", "", id="comment"),
        pytest.param("<div>" * 300 + "deep", "", id="too deep"),
    ],
)
def test_the_html_of_an_entry_becomes_paragraphs(markup: str | None, text: str) -> None:
    assert of_markup(markup) == text


def test_the_text_after_an_element_is_not_its_own() -> None:
    tree = html.fragment_fromstring("<div><p>inner <i>text</i></p>after</div>")
    assert block_text(tree[0]) == "inner text"


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        pytest.param("a\t b\u00a0c", "a b c", id="spaces"),
        pytest.param("a\u2028b\x0bc", "a\nb\nc", id="every line break"),
        pytest.param("a\x00b\x07c\x9fd", "abcd", id="control characters"),
        pytest.param("de\u00adfense \ufeff\u200b\u202eok", "defense ok", id="invisible characters"),
        pytest.param("\u06a9\u200c\u0631", "\u06a9\u200c\u0631", id="joiners that a script needs"),
        pytest.param("e\u0301", "\u00e9", id="composed"),
        pytest.param("\ud800x", "x", id="half a surrogate pair"),
    ],
)
def test_folding_keeps_what_readers_see(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_folding_is_idempotent_and_leaves_no_blank_line_and_no_control_character(text: str) -> None:
    folded = fold(text)
    assert fold(folded) == folded
    assert "\n\n" not in folded
    assert folded == folded.strip()
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in folded if character != "\n")


@given(st.text())
def test_a_line_is_one_line(text: str) -> None:
    assert len(line(text).splitlines()) <= 1


def test_no_text_is_an_empty_line() -> None:
    assert line(None) == ""


def test_an_extractor_that_stumbles_is_a_reason_not_a_crash() -> None:
    with pytest.raises(ExtractError) as caught, translated("https://example.com/"):
        raise RecursionError
    assert (caught.value.subject, caught.value.reason) == ("https://example.com/", "extractor-failed")


@pytest.mark.parametrize(
    ("text", "title", "left"),
    [
        pytest.param("Drill off Jeju\nThe drill began.", "Drill off Jeju", "The drill began.", id="the title"),
        pytest.param("DRILL OFF JEJU!\nIt began.", "Drill off Jeju", "It began.", id="the title in capitals"),
        pytest.param("Drill off Jeju\nIt began.", "Drill off Jeju - Wire", "It began.", id="without the site's name"),
        pytest.param(
            "Drill\nIt began.", "Drill off Jeju as three chiefs meet", "Drill\nIt began.", id="only a word of it"
        ),
        pytest.param("Drill off Jeju", "Drill off Jeju", "Drill off Jeju", id="nothing would be left"),
        pytest.param("It began.\nDrill off Jeju", "Drill off Jeju", "It began.\nDrill off Jeju", id="not at the start"),
    ],
)
def test_a_headline_is_not_said_twice(text: str, title: str, left: str) -> None:
    assert without_headline(text, title) == left
