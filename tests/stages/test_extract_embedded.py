"""HTML tree, title -> the text in the data of a page's scripts."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ExtractError
from pipeline.model import Article, Entry, Page
from pipeline.stages import markup
from pipeline.stages.extract import EMBEDDED, extract
from pipeline.stages.extract.embedded import text_of

URL = "https://news.example/frigate"
TITLE = "Frigate Anna delivered to the navy"
ONE = "The yard handed over the frigate on Monday, two years after it was laid down in the old dock. " * 3
TWO = "Her crew of ninety will train in the north before she joins the squadron in the spring. " * 3
TEXT = f"{ONE.strip()}\n{TWO.strip()}"
HTML = f"<p>{ONE}</p><p>{TWO}</p>"
ELEMENTS = [
    {"type": "text", "content": ONE},
    {"type": "image", "caption": "The frigate"},
    {"type": "text", "content": TWO},
]


def script(data: object, kind: str = "application/json") -> str:
    return f'<script type="{kind}">{json.dumps(data)}</script>'


def assigned(before: str, data: object, after: str = ";") -> str:
    return f"<script>{before}{json.dumps(data)}{after}</script>"


def read(scripts: str, shown: str = "<p>Please switch on your scripts.</p>", head: str = "") -> Article:
    source = f"<html><head><title>{TITLE}</title>{head}</head><body>{shown}{scripts}</body></html>"
    page = Page(URL, source.encode(), "text/html; charset=utf-8", datetime(2026, 1, 1, tzinfo=UTC))
    return extract(page, Entry(URL, URL))


@pytest.mark.parametrize(
    "scripts",
    [
        pytest.param(
            script({"@type": "NewsArticle", "headline": TITLE, "articleBody": TEXT}, "application/ld+json"),
            id="JSON-LD",
        ),
        pytest.param(script({"props": {"pageProps": {"post": {"title": TITLE, "body": HTML}}}}), id="HTML in JSON"),
        pytest.param(
            assigned(
                "Fusion.globalContent=", {"headlines": {"basic": TITLE}, "content_elements": ELEMENTS}, ";Fusion.x=1"
            ),
            id="elements in a variable",
        ),
        pytest.param(
            assigned("window.__STATE__ = JSON.parse(", json.dumps({"a": [{"title": TITLE, "content": HTML}]}), ")"),
            id="JSON in a string",
        ),
        pytest.param(script({"title": {"rendered": TITLE}, "content": {"rendered": HTML}}), id="rendered"),
        pytest.param(
            script(
                {
                    "title": TITLE,
                    "body": [{"_type": "block", "children": [{"_type": "span", "text": one}]} for one in (ONE, TWO)],
                }
            ),
            id="blocks of spans",
        ),
        pytest.param(
            script({"title": TITLE, "body": [{"type": "text", "text": one.strip()} for one in (ONE, TWO)]}), id="list"
        ),
    ],
)
def test_a_page_that_scripts_draw_is_read_from_their_data(scripts: str) -> None:
    article = read(scripts)
    assert (article.text, article.extractor) == (TEXT, EMBEDDED)


def test_runs_of_a_paragraph_are_joined() -> None:
    runs = [{"nodeType": "text", "value": text} for text in (ONE, "The ", "frigate", " sails.")]
    document = {"nodeType": "document", "content": [{"nodeType": "paragraph", "content": runs}]}
    assert read(script({"title": TITLE, "body": document})).text == f"{ONE.strip()} The frigate sails."


@pytest.mark.parametrize(
    ("scripts", "head"),
    [
        pytest.param(script({"title": "Budget of the navy passed at last", "body": HTML}), "", id="another article"),
        pytest.param(script({"body": HTML}), "", id="no title"),
        pytest.param(f"<script type='application/json'>{'[' * 100_000}</script>", "", id="bottomless"),
        pytest.param(f"<script>x = {{'title': '{TITLE}', body: '{HTML}'}}</script>", "", id="no JSON"),
        pytest.param(
            script({"title": TITLE, "body": HTML}),
            script({"@type": "NewsArticle", "headline": TITLE, "isAccessibleForFree": False}, "application/ld+json"),
            id="one has to pay",
        ),
    ],
)
def test_other_data_are_not_the_article(scripts: str, head: str) -> None:
    with pytest.raises(ExtractError):
        read(scripts, head=head)


def test_what_readers_see_comes_first() -> None:
    shown = f"<h1>{TITLE}</h1>" + "".join(
        f"<p>Paragraph {at} of what is shown to readers. {TWO}</p>" for at in range(4)
    )
    assert read(script({"title": TITLE, "body": HTML}), shown).extractor != EMBEDDED


KEYS = st.sampled_from(["title", "body", "text", "type", "content"])


@given(st.recursive(st.text() | st.integers(), lambda one: st.lists(one) | st.dictionaries(KEYS, one)))
def test_any_data_give_a_text(data: object) -> None:
    tree = markup.parse(f"<p>x</p>{script({'x': 'x' * 600, 'y': data})}", URL)
    assert isinstance(text_of(tree, TITLE), str)
